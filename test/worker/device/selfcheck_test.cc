#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/checked_device.h"
#include "worker/device/selfcheck/check_shapes.h"
#include "worker/device/selfcheck/device_check.h"
#include "worker/device/selfcheck/graph_checks.h"
#include "worker/device/selfcheck/run_checks.h"
#include "worker/device/selfcheck/trial.h"

namespace longtail::device {
namespace {

CheckReport Checked(Device& device, const CheckOptions& options) {
  auto report = RunChecks(device, AllDeviceChecks(), options);
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  return *std::move(report);
}

CheckOptions Untimed() {
  return {.examples = {1, 150}, .timed_examples = 0};
}

TEST_CASE("the CPU's device passes its own checks, which launch every kernel and primitive",
          "[device][selfcheck]") {
  CheckedDevice device;
  const CheckReport report = Checked(device, Untimed());

  for (const CheckResult& result : report.results) {
    CAPTURE(result.name);
    CHECK(result.difference.empty());
  }
  CHECK(report.is_well());
  for (std::size_t command = 0; command < kCommandCount; ++command) {
    CAPTURE(command);
    CHECK(device.seen().count(command) == 1);
  }
}

TEST_CASE("a device that leaves out any one kernel or primitive does not pass",
          "[device][selfcheck]") {
  for (std::size_t command = 0; command < kCommandCount; ++command) {
    CAPTURE(command);
    CheckedDevice device(command);
    CHECK_FALSE(Checked(device, Untimed()).is_well());
  }
}

TEST_CASE("threads of the CPU pass, too, and are timed against peaks that were measured",
          "[device][selfcheck]") {
  CpuDevice device({.streams = CpuStreams::kThreads});
  const CheckReport report = Checked(device, {.examples = {20},
                                              .timed_examples = 64,
                                              .time = absl::Microseconds(10),
                                              .copy_floats = 1 << 16,
                                              .product_size = 32});

  CHECK(report.is_well());
  CHECK(CheckItemsMax(64) >= 64 * kCheckFields * 3);
  CHECK(report.peaks.bytes_per_second > 0);
  CHECK(report.peaks.flops_per_second > 0);
  CHECK(report.peaks.host_bytes_per_second > 0);
  for (const CheckResult& result : report.results) {
    CAPTURE(result.name);
    CHECK(result.seconds > 0);
    CHECK(result.work.bytes > 0);
    CHECK(result.roofline > 0);
  }
}

TEST_CASE("checks that are recorded are what they are command by command",
          "[device][selfcheck][graph]") {
  CpuDevice device({.streams = GENERATE(CpuStreams::kThreads, CpuStreams::kInline)});
  const auto report = RunGraphChecks(device, AllDeviceChecks(), 90);
  INFO(report.status().ToString());
  REQUIRE(report.ok());

  CHECK(report->differences.empty());
  CHECK(report->is_well());
  CHECK(report->checks == AllDeviceChecks().size() - 1);  // Without events.
  CHECK(report->launches == 2 * report->checks);
  CHECK(report->commands > report->launches);
}

// The mistake that graphs invite: what differs from one time to the next goes by value, and a graph
// has it as it was when it was recorded.
TEST_CASE("a number that is frozen when it is recorded is a difference",
          "[device][selfcheck][graph]") {
  const bool is_frozen = GENERATE(true, false);
  CAPTURE(is_frozen);
  const DeviceCheck check{
      .name = "a rate that falls", .prepare = [=](Trial& trial, std::uint32_t examples) {
        const auto times = std::make_shared<float>(0.0F);
        float* const rate = trial.Array("rate", std::vector<float>{8});
        float* const half = trial.Array("half", std::vector<float>{0.5F});
        const DenseSlice of_rate{.weights = rate, .gradients = rate, .clip = 100, .count = 1};
        const DenseSlice slice{.weights = trial.Floats("weights", examples),
                               .gradients = trial.Floats("gradients", examples),
                               .clip = 100,
                               .count = examples};
        return Launch{.enqueue = [=](Stream& stream) {
          *times += 1;
          DenseSlice scaled = slice;
          scaled.scale = is_frozen ? 1 / *times : 1;
          stream.Launch(DenseSgdCall{.slice = of_rate, .learning_rate = half});  // It halves.
          stream.Launch(DenseSgdCall{.slice = scaled, .learning_rate = rate});
        }};
      }};
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto report = RunGraphChecks(device, {check}, 20);

  REQUIRE(report.ok());
  CHECK(report->is_well() == !is_frozen);
  if (is_frozen) {
    CHECK_THAT(report->differences.at(0), Catch::StartsWith("a rate that falls: weights[0] is "));
  }
}

TEST_CASE("a device that records nothing fails each check by graph, and says why",
          "[device][selfcheck][graph]") {
  CheckedDevice device;
  std::vector<DeviceCheck> checks;
  AddDenseChecks(checks);
  const auto report = RunGraphChecks(device, checks, 20);

  REQUIRE(report.ok());
  CHECK(report->differences.size() == checks.size());
  CHECK(report->checks == 0);
  CHECK(report->differences.at(0) == checks[0].name + ": this device records no commands");
}

TEST_CASE("differences are told with array, place and values", "[device][selfcheck]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto stream = device.MakeStream({.name = "s"}).value();
  const auto trial = [&](const std::vector<float>& floats) {
    auto made = std::make_unique<Trial>(device, *stream, 1);
    made->Array("sums", floats);
    REQUIRE(made->ReadBack().ok());
    return made;
  };
  const auto want = trial({1, 2, 3});

  CHECK(trial({1, 2, 3})->DifferenceFrom(*want, 0).empty());
  CHECK(trial({1, 2.5, 3})->DifferenceFrom(*want, 0) == "sums[1] is 2.5: want 2, to the bit");
  CHECK(trial({1, 2.5, 3})->DifferenceFrom(*want, 0.1) == "sums[1] is 2.5: want 2");
  CHECK(trial({1, 2.1F, 3})->DifferenceFrom(*want, 0.1).empty());
  CHECK_FALSE(trial({1, 2, std::nanf("")})->DifferenceFrom(*want, 0.1).empty());
}

TEST_CASE("an error of the device names the check", "[device][selfcheck]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  const std::vector<DeviceCheck> checks = {
      {.name = "too long", .prepare = [](Trial&, std::uint32_t) {
         return Launch{.enqueue = [](Stream& stream) { stream.Sort({.count = kItemsMax}); }};
       }}};
  const auto report = RunChecks(device, checks, Untimed());

  REQUIRE(!report.ok());
  CHECK_THAT(std::string(report.status().message()), Catch::StartsWith("check 'too long': "));
}

}  // namespace
}  // namespace longtail::device
