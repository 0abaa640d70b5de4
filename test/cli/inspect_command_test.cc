// What stands on the command line is what is asked for.
#include "cli/inspect_command.h"

#include <catch2/catch.hpp>

#include "cli/checkpoint_fixture.h"
#include "cli/inspect.h"

namespace longtail::cli {
namespace {

using test::Must;
using test::Says;

struct Fixture : test::CheckpointFixture {
  absl::StatusOr<std::string> Run(const std::string& arguments) const {
    CLI::App app;
    const InspectCommand inspect(app);
    app.parse("inspect " + arguments);
    return inspect.Run(BarStyle::kAscii);
  }
  InspectRequest Request(OutputForm form, const std::string& table) const {
    return {.checkpoint = checkpoint(), .table = table, .form = form};
  }
};

TEST_CASE_METHOD(Fixture, "each subcommand asks its question", "[cli][inspect_command]") {
  const InspectRequest text = Request(OutputForm::kText, "");
  const InspectRequest json = Request(OutputForm::kJson, "item");
  const std::string& c = checkpoint();

  CHECK(Must(Run("table " + c)) == Must(InspectTable(text)));
  CHECK(Must(Run("table " + c + " --json --table item")) == Must(InspectTable(json)));
  CHECK(Must(Run("key " + c + " 7 0x2a")) == Must(InspectKey(text, {.keys = {7, 42}})));
  CHECK(Must(Run("key --table item " + c + " 7 9 --json")) ==
        Must(InspectKey(json, {.keys = {7, 9}})));
  CHECK(Must(Run("hot " + c)) == Must(InspectHot(text, 20)));
  CHECK(Must(Run("hot " + c + " --top 3 --json --table item")) == Must(InspectHot(json, 3)));
  CHECK(Must(Run("hist " + c)) == Must(InspectHist(text)));
  CHECK(Must(Run("hist " + c + " --json --table item")) == Must(InspectHist(json)));
}

TEST_CASE("all values of a wide row are shown if asked for", "[cli][inspect_command]") {
  const test::ScratchDirectory directory;
  const auto cluster = Must(Cluster::Embedded({.store = directory.path()}));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("wide", 10)));
  const auto worker = Must(cluster->Connect());
  const std::vector<float> gradients = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  Must(worker->Push(table, std::vector<Key>{1}, gradients));
  Must(cluster->Checkpoint("a"));
  const auto run = [&](const std::string& option) {
    CLI::App app;
    const InspectCommand inspect(app);
    app.parse("inspect key " + directory.path() + "/a 1" + option);
    return Must(inspect.Run(BarStyle::kAscii));
  };

  CHECK(run("").find("10 weights: 2 1 0 -1 -2 -3 -4 -5 …\n") != std::string::npos);
  CHECK(run(" --all").find("10 weights: 2 1 0 -1 -2 -3 -4 -5 -6 -7\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "wrong arguments are refused", "[cli][inspect_command]") {
  CHECK(Says(Run("key " + checkpoint() + " 7 seven").status(), "key 'seven': want"));
  for (const char* arguments :
       {"", "nope", "table", "key somewhere", "hot somewhere --top 0", "hot somewhere --top -1",
        "hot somewhere --top 1000001", "table somewhere more", "table somewhere --all"}) {
    CAPTURE(arguments);
    CHECK_THROWS_AS(Run(arguments), CLI::ParseError);
  }
}

}  // namespace
}  // namespace longtail::cli
