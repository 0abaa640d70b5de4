#include "cli/gpu_selfcheck.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/exit_codes.h"
#include "cli/gpu_selfcheck_answer.h"
#include "cli/gpu_selfcheck_command.h"
#include "cli/gpu_selfcheck_training.h"
#include "support/program.h"
#include "worker/device/cpu_device.h"

namespace longtail::cli {
namespace {

test::Outcome Run(std::vector<std::string> words) {
  words.insert(words.begin(), {LONGTAIL_PROGRAM, "gpu-selfcheck"});
  return test::RunProgram(words, absl::Seconds(120));
}

TEST_CASE("the CPU's device is what the CPU is, kernel by kernel and in a training",
          "[cli][gpu_selfcheck]") {
  const test::Outcome outcome = Run({"--device", "cpu", "--json", "--examples", "64"});
  CAPTURE(outcome.said);
  REQUIRE(outcome.code == kDone);
  const auto document = nlohmann::json::parse(outcome.said);

  CHECK(document["device"] == "device: cpu");
  CHECK(document["well"] == true);
  CHECK(document["peaks"]["bytes_per_second"] > 1e6);
  CHECK(document["peaks"]["flops_per_second"] > 1e6);
  CHECK(document["checks"].size() >= 25);
  for (const auto& check : document["checks"]) {
    CAPTURE(check["name"]);
    CHECK(check["well"] == true);
    CHECK(check["difference"] == "");
    CHECK(check["seconds"] > 0);
    CHECK(check["roofline"] > 0);
  }
  CHECK(document["training"]["well"] == true);
  CHECK(document["training"]["same_bits"] == true);
  CHECK(document["training"]["same_bits_by_graph"] == true);
  CHECK(document["training"]["graph_steps"] > 20);
  CHECK(document["graphs"]["well"] == true);
  CHECK(document["graphs"]["checks"] >= 24);
  CHECK(document["graphs"]["commands"] > document["graphs"]["launches"]);
  CHECK(document["training"]["last_loss"] < document["training"]["first_loss"]);
}

TEST_CASE("who asks for a GPU where there is none is told so", "[cli][gpu_selfcheck]") {
  if (std::filesystem::exists("/dev/nvidia0")) {
    std::puts("[skip] this machine has a GPU");
    return;
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"--device", "cuda:0", "--json"}}) {
    const test::Outcome outcome = Run(words);
    CHECK(outcome.code == kFailed);
    CHECK_THAT(outcome.said, Catch::StartsWith("longtail: gpu-selfcheck of 'cuda:0': "));
  }
  const test::Outcome odd = Run({"--device", "tpu"});
  CHECK(odd.code == kFailed);
  CHECK_THAT(odd.said, Catch::Contains("'tpu'"));
}

TEST_CASE("the command is parsed by its own name alone", "[cli][gpu_selfcheck]") {
  CLI::App app("a program");
  const GpuSelfcheckCommand command(app);
  app.parse("");
  CHECK_FALSE(command.parsed());
  app.parse("gpu-selfcheck --device cpu");
  CHECK(command.parsed());
}

TEST_CASE("checks without times are a short answer", "[cli][gpu_selfcheck]") {
  const test::Outcome outcome = Run({"--device", "auto", "--no-times", "--quick"});
  CHECK(outcome.code == kDone);
  CHECK_THAT(outcome.said, Catch::StartsWith("device: "));
  CHECK_THAT(outcome.said, Catch::Contains("ok  distinct keys"));
  CHECK_THAT(outcome.said, Catch::EndsWith("All is well.\n"));
  CHECK_THAT(outcome.said, !Catch::Contains("roofline"));
}

TEST_CASE("a difference is shown with its place, and all is not well", "[cli][gpu_selfcheck]") {
  GpuSelfcheckReport report{
      .device = "device: cuda:0 (a GPU)", .checks = {}, .graphs = {}, .training = {}};
  report.checks.results = {{.name = "one", .difference = {}},
                           {.name = "two", .tolerance = 1e-6, .difference = "y[3] is 1: want 2"}};
  report.training = {.steps = 5,
                     .first_loss = 0.7,
                     .last_loss = 0.6,
                     .cpu_last_loss = 0.6,
                     .difference_max = 1e-5,
                     .graph_steps = 3,
                     .is_same_by_graph = true,
                     .is_well = true};
  report.graphs = {.checks = 2, .commands = 9, .launches = 4, .differences = {"two: y[0] is 2"}};

  CHECK_FALSE(report.is_well());
  CHECK(GpuSelfcheckText(report) ==
        "device: cuda:0 (a GPU)\n"
        "        check  compared\n"
        "  ok    one    bits\n"
        "  FAIL  two    within 1e-06\n"
        "two: y[3] is 1: want 2\n"
        "FAIL  graphs: 2 checks recorded and launched again, 9 commands by 4 launches\n"
        "by graph, two: y[0] is 2\n"
        "ok  training of 5 steps: loss 0.700000 to 0.600000, the CPU's 0.600000; steps differ by "
        "1.0e-05 at most; parameters and rows differ in bits\n"
        "ok  the same, 3 of its steps by graph: the same bits\n"
        "Not all is well.\n");
  CHECK(nlohmann::json::parse(GpuSelfcheckJson(report))["well"] == false);
  report.checks.results[1].difference.clear();
  CHECK_FALSE(report.is_well());
  report.graphs.differences.clear();
  CHECK(report.is_well());
  report.training.is_well = false;
  CHECK_FALSE(report.is_well());
}

TEST_CASE("the small training learns, and gives the same bits each time", "[cli][gpu_selfcheck]") {
  device::CpuDevice inline_device({.streams = device::CpuStreams::kInline});
  device::CpuDevice threads({});
  const SmallTrainingOptions options{.steps = 40, .batch = 100};
  const auto one = TrainSmallModel(inline_device, options);
  const auto two = TrainSmallModel(threads, options);
  const auto by_graph = TrainSmallModel(threads, {.steps = 40, .batch = 100, .by_graph = true});

  REQUIRE(one.ok());
  REQUIRE(two.ok());
  REQUIRE(by_graph.ok());
  CHECK(by_graph->parameters == one->parameters);
  CHECK(by_graph->table_hash == one->table_hash);
  CHECK(by_graph->graph_steps > 20);
  CHECK(one->graph_steps == 0);
  REQUIRE(one->losses.size() == 40);
  CHECK(one->losses == two->losses);
  CHECK(one->parameters == two->parameters);
  CHECK(one->table_hash == two->table_hash);
  CHECK(one->losses.back() < one->losses.front());
}

}  // namespace
}  // namespace longtail::cli
