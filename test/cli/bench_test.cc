// `longtail bench` against a real cluster: what it says it did is what the cluster has.
#include "cli/bench.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/bench_answer.h"
#include "cli/bench_command.h"
#include "cluster/program_cluster.h"
#include "support/program.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::Must;
using test::Outcome;
using test::ProgramCluster;

TEST_CASE("bench pushes and pulls, and tells what it did", "[cli][bench]") {
  ProgramCluster cluster({.servers = 2, .workers = 1});
  const Outcome outcome =
      test::RunProgram({LONGTAIL_PROGRAM, "bench", "--cluster", cluster.address, "--seconds", "0.5",
                        "--rows", "5000", "--keys", "1000", "--dim", "4", "--json"});
  INFO(outcome.said);
  REQUIRE(outcome.code == 0);
  const json answer = json::parse(outcome.said);
  const auto joined = Must(Cluster::Remote(cluster.remote()));
  const TableStatistics counted =
      Must(joined->Statistics(Must(joined->FindTable("longtail_bench"))));
  CHECK(counted.rows <= 5000);
  CHECK(counted.rows > 4000);  // Of at least ten calls.
  CHECK(counted.pushes == answer.at("push").at("rows"));
  CHECK(counted.pulls == answer.at("pull").at("rows"));
  for (const char* kind : {"push", "pull"}) {
    const json& figure = answer.at(kind);
    CHECK(figure.at("calls") >= 10);
    CHECK(figure.at("seconds") >= 0.5);
    CHECK(figure.at("bytes") > figure.at("rows").get<double>() * 4 * 4);
    CHECK(figure.at("median_seconds") <= figure.at("p99_seconds"));
    CHECK(figure.at("p99_seconds") <= figure.at("longest_seconds"));
  }
  const Outcome pulls =
      test::RunProgram({LONGTAIL_PROGRAM, "bench", "--cluster", cluster.address, "--seconds", "0.2",
                        "--only", "pull", "--dim", "4", "--zipf", "1.05", "--wire", "bf16"});
  INFO(pulls.said);
  CHECK(pulls.code == 0);
  CHECK(pulls.said.find("M rows/s") != std::string::npos);
  CHECK(pulls.said.find("\n  push") == std::string::npos);
  CHECK(Must(joined->Statistics(Must(joined->FindTable("longtail_bench")))).rows == counted.rows);
}

TEST_CASE("bench refuses what would hold a training up, and what is wrong", "[cli][bench]") {
  ProgramCluster cluster({.servers = 1, .workers = 2, .step_mode = "synchronous"});
  CHECK(test::Says(RunBench({.cluster = cluster.address}).status(),
                   "steps that wait for every worker"));
  CHECK(test::Says(RunBench({.keys = 0}).status(), "keys 0: want 1..16777216"));
  CHECK(test::Says(RunBench({.depth = 0}).status(), "depth 0: want 1..1024"));
  CHECK(test::Says(RunBench({.zipf = -1}).status(), "zipf -1: want 0..4"));
  CHECK(test::Says(RunBench({.time = absl::ZeroDuration()}).status(), "seconds 0: want more"));
}

}  // namespace
}  // namespace longtail::cli
