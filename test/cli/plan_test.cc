// What `longtail plan` says, against what rows and servers really take.
#include "cli/plan.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/plan_answer.h"
#include "cli/plan_command.h"
#include "cli/plan_input.h"
#include "cluster/program_cluster.h"
#include "longtail/worker.h"
#include "support/gen.h"
#include "support/program.h"
#include "support/resident_bytes.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::Must;
using test::Outcome;
using test::ProgramCluster;
using test::Says;

PlannedTable Planned(const std::string& text) {
  return Must(ParsePlannedTable(text));
}

double OffBy(double planned, double measured) {
  return std::abs(planned - measured) / measured;
}

constexpr std::uint64_t kRows = 2'000'000;
constexpr double kClose = 0.15;

struct Case {
  const char* what;
  const char* table;  // But for its cardinality.
  std::uint32_t pushes;
};

// Of one server with nothing but this table.
void CheckAgainstServer(const Case& c) {
  INFO(c.what);
  ProgramCluster cluster({.servers = 1, .workers = 1, .lanes = 2});
  const std::uint64_t empty = test::ResidentBytesOf(cluster.servers[0]->pid());
  const PlannedTable table = Planned(absl::StrCat(c.table, ",cardinality=", kRows));
  const Plan plan = Must(MakePlan({.tables = {table}, .workers = 1, .partitions = 64}));

  const auto joined = Must(Cluster::Remote(cluster.remote()));
  const TableId id = Must(joined->CreateTable(table.spec));
  const auto worker = Must(joined->Connect());
  constexpr std::uint64_t kBatch = 50'000;
  Rng rng(7);
  for (std::uint32_t push = 0; push < c.pushes; ++push) {
    for (std::uint64_t first = 0; first < kRows; first += kBatch) {
      std::vector<Key> keys(kBatch);
      for (std::uint64_t i = 0; i < kBatch; ++i) keys[i] = RandomBits(5, first + i, 0);
      Must(worker->Push(id, keys, test::Floats(rng, kBatch * table.spec.dim, -1, 1)));
    }
  }
  const TableStatistics counted = Must(joined->Statistics(id));
  REQUIRE(counted.rows == kRows);
  const auto rows = static_cast<double>(kRows);
  const bool is_tail = counted.tail_rows == kRows;
  const server::RowBytes& row = is_tail ? plan.tables[0].tail_row : plan.tables[0].row;
  const double counted_row = static_cast<double>(counted.header_bytes + counted.weight_bytes +
                                                 counted.state_bytes + counted.index_bytes) /
                             rows;
  CHECK(OffBy(row.total(), counted_row) < kClose);
  const auto resident = static_cast<double>(test::ResidentBytesOf(cluster.servers[0]->pid()));
  const double grown = (resident - static_cast<double>(empty)) / rows;
  const server::TableBytes bytes =
      server::BytesOfTable(table.spec, is_tail ? 0 : kRows, is_tail ? kRows : 0, 64);
  INFO("planned " << row.total() << " bytes a row, counted " << counted_row << "; resident planned "
                  << bytes.total() / rows << " a row, measured " << grown << "; empty server "
                  << empty / 1024 << " KiB");
  if (test::kIsAddressSanitized) return;
  CHECK(OffBy(plan.server_rows_bytes - plan.table_bytes + bytes.total(), resident) < kClose);
  CHECK(static_cast<double>(plan.request_memory_bytes) > resident);
}

TEST_CASE("bytes a row and a server's memory are within 15 % of those of a real one, plain rows",
          "[cli][plan]") {
  CheckAgainstServer({"adagrad, dim 16", "t:dim=16,optimizer=adagrad", 1});
  CheckAgainstServer({"ftrl, dim 1", "t:dim=1,optimizer=ftrl", 1});
}

TEST_CASE("bytes a row and a server's memory are within 15 % of those of a real one, narrow rows",
          "[cli][plan]") {
  CheckAgainstServer({"adam, bf16, dim 8", "t:dim=8,optimizer=adam,weights=bf16,state=bf16", 1});
  CheckAgainstServer(
      {"tail: int8 and one accumulator, dim 16", "t:dim=16,optimizer=adagrad,tail=5,rowwise=1", 1});
}

TEST_CASE("a checkpoint and a step take what was planned", "[cli][plan]") {
  constexpr std::uint64_t kKeys = 200'000;
  const test::ScratchDirectory store;
  ProgramCluster cluster({.servers = 2, .workers = 1, .store = store.path()});
  const PlannedTable table = Planned(absl::StrCat("t:dim=16,cardinality=", kKeys));
  const Plan plan = Must(MakePlan(
      {.tables = {table}, .batch = kKeys, .workers = 1, .steps_per_second = 1, .replicas = 1}));
  RemoteOptions remote = cluster.remote();
  remote.store = store.path();
  const auto joined = Must(Cluster::Remote(remote));
  const TableId id = Must(joined->CreateTable(table.spec));
  const auto worker = Must(joined->Connect());
  Rng rng(7);
  std::vector<Key> keys(kKeys);
  for (std::uint64_t i = 0; i < kKeys; ++i) keys[i] = RandomBits(5, i, 0);
  std::vector<float> rows(kKeys * 16);
  const WorkerStatistics before = worker->statistics();
  Must(worker->Pull(id, keys, rows));
  Must(worker->Push(id, keys, test::Floats(rng, kKeys * 16, -1, 1)));
  const WorkerStatistics after = worker->statistics();
  const auto sent_and_received = static_cast<double>(after.bytes_sent - before.bytes_sent +
                                                     after.bytes_received - before.bytes_received);
  CHECK(OffBy(plan.pull_bytes + plan.push_bytes, sent_and_received) < kClose);

  const CheckpointInfo info = Must(joined->Checkpoint("c"));
  std::uint64_t stored = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(store.path())) {
    if (file.is_regular_file()) stored += file.file_size();
  }
  INFO("checkpoint: planned " << plan.checkpoint_stored_bytes << ", stored " << stored
                              << ", before compression " << plan.checkpoint_bytes);
  CHECK(stored < plan.checkpoint_bytes);
  CHECK(OffBy(plan.checkpoint_stored_bytes, static_cast<double>(stored)) < 0.25);
}

TEST_CASE("servers and lanes follow from memory and from work", "[cli][plan]") {
  const PlannedTable ads = Planned("ads:fields=26,cardinality=1e6,dim=16");
  PlanInput input{.tables = {ads}, .replicas = 2};
  const Plan two = Must(MakePlan(input));
  CHECK(two.rows == 26'000'000);
  CHECK(two.servers == 2);
  CHECK(two.lanes == 1);
  CHECK(two.partitions == 64);
  CHECK(two.keys_per_step == 26 * 4096);
  // Half of the memory takes more servers; none takes less than a server has.
  input.server_memory_bytes = std::uint64_t{2} << 30;
  const Plan more = Must(MakePlan(input));
  CHECK(more.servers > 4);
  CHECK(more.request_memory_bytes <= input.server_memory_bytes);
  CHECK(more.table_bytes == two.table_bytes);
  // A hundred times the steps takes more lanes.
  input.steps_per_second = 1000;
  const Plan busy = Must(MakePlan(input));
  CHECK(busy.servers * busy.lanes > more.servers * more.lanes);
  CHECK(busy.lanes + 1 <= input.server_cores);
  CHECK(busy.partitions >= busy.servers * busy.lanes);
  // A field of few values has no more keys than these.
  input.tables = {Planned("few:fields=2,cardinality=10,dim=4")};
  CHECK(Must(MakePlan(input)).keys_per_step == 20);
}

TEST_CASE("what cannot be planned is named", "[cli][plan]") {
  const auto of = [](const std::string& text) { return ParsePlannedTable(text).status(); };
  CHECK(Says(of("ads"), "table 'ads': want NAME:"));
  CHECK(Says(of("ads:dim"), "table 'ads' 'dim': want WORD=VALUE"));
  CHECK(Says(of("ads:dims=3"), "table 'ads': dims 'dims': want one of fields, "));
  CHECK(Says(of("ads:dim=x"), "table 'ads': dim 'x': want a whole number"));
  CHECK(Says(of("ads:optimizer=adamw"), "want one of sgd, momentum, adagrad"));
  const auto plan = [](PlanInput input) { return MakePlan(input).status(); };
  CHECK(Says(plan({}), "no table: want --table"));
  CHECK(Says(plan({.tables = {Planned("a:dim=4")}}), "table 'a': cardinality 0: want at least 1"));
  CHECK(Says(plan({.tables = {Planned("a:dim=0,cardinality=1")}}), "table 'a'"));
  const PlannedTable good = Planned("a:dim=4,cardinality=10");
  CHECK(Says(plan({.tables = {good}, .workers = 0}), "workers 0: want 1..4096"));
  CHECK(Says(plan({.tables = {good}, .partitions = 3}), "partitions 3: want a power of two"));
  CHECK(Says(plan({.tables = {good}, .server_memory_bytes = 1000}), "want larger ones"));
}

TEST_CASE("a training's config and a table's spec are read", "[cli][plan]") {
  const test::ScratchDirectory directory;
  const std::string config = directory.path() + "/c.json";
  test::WriteWhole(
      config,
      "// A comment.\n{\"model\": {\"name\": \"dcn_v2\", \"linear\": true, \"dim\": 8},"
      "\"sparse\": {\"optimizer\": {\"rule\": \"adam\"}, \"format\": {\"weights\": "
      "\"bf16\"}}, \"training\": {\"batch\": 128, \"workers\": 2}}");
  PlanInput input;
  Must(TakeTrainingConfig(config, {.fields = 39, .cardinality = 1000}, input));
  REQUIRE(input.tables.size() == 1);
  CHECK(input.tables[0].spec.dim == 9);
  CHECK(std::holds_alternative<AdamSpec>(input.tables[0].spec.optimizer.rule));
  CHECK(input.tables[0].spec.format.weights == WeightFormat::kBfloat16);
  CHECK(input.tables[0].rows() == 39'000);
  CHECK(input.batch == 128);
  CHECK(input.workers == 2);
  CHECK(Says(TakeTrainingConfig(directory.path() + "/none", {}, input), "cannot be opened"));
  test::WriteWhole(config, "[1]");
  CHECK(Says(TakeTrainingConfig(config, {}, input), "is no JSON object"));

  test::WriteWhole(config,
                   R"({"name": "user", "spec": {"name": "user", "dim": 3, "seed": 1,
                   "linear_columns": 0, "optimizer": {"rule": "sgd", "learning_rate": 0.1,
                   "weight_decay": 0, "gradient_clip": 0, "gradient_norm_clip": 0,
                   "weight_clip": 0}, "initializer": {"kind": "constant", "value": 0}}})");
  PlanInput of_spec;
  Must(TakeTableSpec(config, {.fields = 1, .cardinality = 5}, of_spec));
  CHECK(of_spec.tables[0].spec.name == "user");
  CHECK(of_spec.tables[0].spec.dim == 3);
  CHECK(Must(MakePlan(of_spec)).tables[0].row.weights == 12);
}

TEST_CASE("the program plans, for people and for programs", "[cli][plan]") {
  const std::vector<std::string> words = {
      LONGTAIL_PROGRAM, "plan", "--table", "ads:fields=26,cardinality=1e6,dim=16,tail=5",
      "--replicas",     "2"};
  const Outcome text = test::RunProgram(words);
  INFO(text.said);
  CHECK(text.code == 0);
  for (const char* part : {"ads, tail", "26,000,000", "2 servers of 1 lane, 64 partitions",
                           "replicas: 2", "limits: {memory: "}) {
    CHECK(text.said.find(part) != std::string::npos);
  }
  std::vector<std::string> more = words;
  more.emplace_back("--json");
  const json answer = json::parse(test::RunProgram(more).said);
  CHECK(answer.at("servers") == 2);
  CHECK(answer.at("tables").at(0).at("row_bytes").at("weights") == 64);
  more.insert(more.end(), {"--workers", "0"});
  CHECK(test::RunProgram(more).code == 1);
  more.insert(more.end(), {"--wire", "fp8"});
  CHECK(test::RunProgram(more).code == 2);
}

}  // namespace
}  // namespace longtail::cli
