#include "worker/device/selfcheck/run_checks.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "worker/device/cpu_device.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kRunWaitMax = absl::Minutes(2);
constexpr std::uint64_t kSeed = 20;

absl::Status Named(const absl::Status& status, const std::string& name) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("check '", name, "': ", absl::string_view(status.message())));
}

// Runs a check once on one device.
absl::StatusOr<std::unique_ptr<Trial>> Try(Device& device, Stream& stream, const DeviceCheck& check,
                                           std::uint32_t examples) {
  auto trial = std::make_unique<Trial>(device, stream, kSeed + examples);
  const Launch launch = check.prepare(*trial, examples);
  LONGTAIL_RETURN_IF_ERROR(trial->status());
  launch.enqueue(stream);
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kRunWaitMax));
  LONGTAIL_RETURN_IF_ERROR(trial->ReadBack());
  return trial;
}

// Enqueues until enough time has passed; gives the seconds of one.
absl::StatusOr<double> TimeOf(Stream& stream, absl::Duration wanted,
                              const std::function<void(Stream&)>& enqueue) {
  enqueue(stream);
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kRunWaitMax));
  for (std::uint64_t count = 1;; count *= 2) {
    const absl::Time begin = absl::Now();
    for (std::uint64_t i = 0; i < count; ++i) enqueue(stream);
    LONGTAIL_RETURN_IF_ERROR(stream.Finish(kRunWaitMax));
    const absl::Duration took = absl::Now() - begin;
    if (took >= wanted) return absl::ToDoubleSeconds(took) / static_cast<double>(count);
  }
}

absl::StatusOr<Peaks> MeasurePeaks(Device& device, Stream& stream, const CheckOptions& options) {
  Peaks peaks;
  const std::size_t bytes = std::size_t{options.copy_floats} * sizeof(float);
  LONGTAIL_ASSIGN_OR_RETURN(const Memory from, device.Allocate(MemoryKind::kDevice, bytes));
  LONGTAIL_ASSIGN_OR_RETURN(const Memory to, device.Allocate(MemoryKind::kDevice, bytes));
  LONGTAIL_ASSIGN_OR_RETURN(const Memory host, device.Allocate(MemoryKind::kPinned, bytes));
  stream.Fill(from.At<void>(0), 0, bytes);
  stream.Fill(to.At<void>(0), 0, bytes);
  std::fill_n(host.At<float>(0), options.copy_floats, 1.0F);
  LONGTAIL_ASSIGN_OR_RETURN(const double copy, TimeOf(stream, options.time, [&](Stream& s) {
                              s.Copy(to.At<void>(0), from.At<void>(0), bytes);
                            }));
  LONGTAIL_ASSIGN_OR_RETURN(const double sent, TimeOf(stream, options.time, [&](Stream& s) {
                              s.Copy(to.At<void>(0), host.At<void>(0), bytes);
                            }));
  peaks.bytes_per_second = 2 * static_cast<double>(bytes) / copy;
  peaks.host_bytes_per_second = static_cast<double>(bytes) / sent;

  const std::size_t n = options.product_size;
  LONGTAIL_ASSIGN_OR_RETURN(const Memory matrices,
                            device.Allocate(MemoryKind::kDevice, 3 * n * n * sizeof(float)));
  stream.Fill(matrices.At<void>(0), 0, 3 * n * n * sizeof(float));
  const auto size = static_cast<std::int32_t>(n);
  const Gemm product{.rows = size,
                     .columns = size,
                     .inner = size,
                     .a = matrices.At<float>(0),
                     .a_stride = size,
                     .b = matrices.At<float>(n * n * sizeof(float)),
                     .b_stride = size,
                     .c = matrices.At<float>(2 * n * n * sizeof(float)),
                     .c_stride = size};
  LONGTAIL_ASSIGN_OR_RETURN(const double multiplied,
                            TimeOf(stream, options.time, [&](Stream& s) { s.Multiply(product); }));
  const auto side = static_cast<double>(n);
  peaks.flops_per_second = 2 * side * side * side / multiplied;
  return peaks;
}

absl::Status Compare(Device& device, Stream& stream, Device& reference, Stream& reference_stream,
                     const DeviceCheck& check, const CheckOptions& options, CheckResult& result) {
  for (const std::uint32_t examples : options.examples) {
    LONGTAIL_ASSIGN_OR_RETURN(const auto want, Try(reference, reference_stream, check, examples));
    LONGTAIL_ASSIGN_OR_RETURN(const auto got, Try(device, stream, check, examples));
    const std::string difference = got->DifferenceFrom(*want, check.tolerance);
    if (difference.empty()) continue;
    result.difference = absl::StrCat(difference, " (", examples, " examples)");
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Time(Device& device, Stream& stream, const DeviceCheck& check, const Peaks& peaks,
                  const CheckOptions& options, CheckResult& result) {
  Trial trial(device, stream, kSeed);
  const Launch launch = check.prepare(trial, options.timed_examples);
  LONGTAIL_RETURN_IF_ERROR(trial.status());
  LONGTAIL_ASSIGN_OR_RETURN(result.seconds, TimeOf(stream, options.time, launch.enqueue));
  result.work = launch.work;
  const double least = std::max(launch.work.bytes / peaks.bytes_per_second,
                                launch.work.flops / peaks.flops_per_second);
  result.roofline = least / result.seconds;
  return absl::OkStatus();
}

}  // namespace

bool CheckReport::is_well() const {
  return std::ranges::all_of(results,
                             [](const CheckResult& result) { return result.difference.empty(); });
}

absl::StatusOr<CheckReport> RunChecks(Device& device, const std::vector<DeviceCheck>& checks,
                                      const CheckOptions& options) {
  std::uint32_t most = options.timed_examples;
  for (const std::uint32_t examples : options.examples) most = std::max(most, examples);
  const std::uint32_t items = CheckItemsMax(most);
  CpuDevice reference({.streams = CpuStreams::kInline});
  LONGTAIL_ASSIGN_OR_RETURN(const auto reference_stream,
                            reference.MakeStream({.name = "reference", .count_max = items}));
  LONGTAIL_ASSIGN_OR_RETURN(const auto stream,
                            device.MakeStream({.name = "selfcheck", .count_max = items}));
  CheckReport report;
  const bool times = options.timed_examples != 0;
  if (times) {
    LONGTAIL_ASSIGN_OR_RETURN(report.peaks, MeasurePeaks(device, *stream, options));
  }
  for (const DeviceCheck& check : checks) {
    CheckResult result{.name = check.name, .tolerance = check.tolerance, .difference = {}};
    LONGTAIL_RETURN_IF_ERROR(
        Named(Compare(device, *stream, reference, *reference_stream, check, options, result),
              check.name));
    if (times) {
      LONGTAIL_RETURN_IF_ERROR(
          Named(Time(device, *stream, check, report.peaks, options, result), check.name));
    }
    report.results.push_back(std::move(result));
  }
  return report;
}

}  // namespace longtail::device
