#include "worker/device/step_room.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "worker/device/layout.h"

namespace longtail::device {
namespace {

// The most floats of all rows of a step, or of all its numbers: places are 32 bits.
constexpr std::uint64_t kFloatsMax = kItemsMax;

absl::Status CheckLimit(const char* what, std::uint64_t value, std::uint64_t least,
                        std::uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a step's ", what, " ", value, ": want ", least, "..", most));
}

absl::Status CheckFits(const char* what, std::uint32_t value, std::uint32_t limit) {
  if (value <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("a step of ", value, " ", what, ": the device has room for ", limit));
}

absl::Status Validate(const StepLimits& limits) {
  absl::Status status = CheckLimit("examples", limits.examples, 1, kItemsMax);
  status.Update(CheckLimit("fields", limits.fields, 1, kItemsMax));
  status.Update(CheckLimit("keys", limits.keys, 1, kItemsMax));
  status.Update(CheckLimit("row_dim", limits.row_dim, 1, 4096));
  if (!status.ok()) return status;
  status.Update(CheckLimit("fields of all examples", std::uint64_t{limits.examples} * limits.fields,
                           1, kItemsMax - 1));
  status.Update(CheckLimit("numbers of all examples",
                           std::uint64_t{limits.examples} * limits.numbers, 0, kFloatsMax));
  status.Update(
      CheckLimit("floats of rows", std::uint64_t{limits.keys} * limits.row_dim, 1, kFloatsMax));
  return status;
}

// The next number of at most four binary digits, but for zeros behind them.
std::uint32_t RoundedUp(std::uint32_t count, std::uint32_t most) {
  const auto digits = static_cast<int>(std::bit_width(count));  // Libraries differ in its type.
  if (digits <= 4) return count;
  const std::uint64_t unit = std::uint64_t{1} << (digits - 4);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>((count + unit - 1) / unit * unit, most));
}

// Null before there is memory, while the largest layout is measured.
template <typename Item>
Item* Place(const Memory& memory, std::size_t byte) {
  return memory.bytes() == 0 ? nullptr : memory.At<Item>(byte);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StepRoom>> StepRoom::Make(Device& device, const std::string& name,
                                                         const StepLimits& limits) {
  LONGTAIL_RETURN_IF_ERROR(Validate(limits));
  std::unique_ptr<StepRoom> room(new StepRoom(limits));
  // The largest layout: a step has as many different keys as it has keys at the most.
  const StepShape largest{.examples = limits.examples,
                          .keys = limits.keys,
                          .unique = limits.keys,
                          .has_offsets = true,
                          .has_values = true};
  room->LayOut(largest, largest);
  using enum MemoryKind;
  LONGTAIL_ASSIGN_OR_RETURN(room->host_sent_, device.Allocate(kPinned, room->sent_bytes_));
  LONGTAIL_ASSIGN_OR_RETURN(room->host_results_, device.Allocate(kPinned, room->result_bytes_));
  LONGTAIL_ASSIGN_OR_RETURN(room->device_sent_, device.Allocate(kDevice, room->sent_bytes_));
  LONGTAIL_ASSIGN_OR_RETURN(room->device_work_, device.Allocate(kDevice, room->work_bytes_));
  LONGTAIL_ASSIGN_OR_RETURN(room->device_results_, device.Allocate(kDevice, room->result_bytes_));
  LONGTAIL_ASSIGN_OR_RETURN(room->sent_, device.MakeEvent(name + " is sent"));
  LONGTAIL_ASSIGN_OR_RETURN(room->computed_, device.MakeEvent(name + " is computed"));
  LONGTAIL_ASSIGN_OR_RETURN(room->returned_, device.MakeEvent(name + " is returned"));
  return room;
}

absl::Status StepRoom::Begin(const StepShape& shape) {
  LONGTAIL_RETURN_IF_ERROR(CheckFits("examples", shape.examples, limits_.examples));
  LONGTAIL_RETURN_IF_ERROR(CheckFits("keys", shape.keys, limits_.keys));
  LONGTAIL_RETURN_IF_ERROR(CheckFits("different keys", shape.unique, shape.keys));
  StepShape bounds = shape;
  if (limits_.is_rounded) {
    bounds.keys = RoundedUp(shape.keys, limits_.keys);
    bounds.unique = RoundedUp(shape.unique, bounds.keys);
  }
  LayOut(shape, bounds);
  return absl::OkStatus();
}

void StepRoom::LayOut(const StepShape& shape, const StepShape& bounds) {
  shape_ = shape;
  bounds_ = bounds;
  const std::size_t n = shape.examples;
  const std::size_t keys = bounds.keys;
  const std::size_t unique = bounds.unique;
  const std::size_t row_floats = unique * limits_.row_dim;
  const bool has_cache = limits_.has_cache;
  const auto place = [&](StepArrays& arrays, const Memory& sent, const Memory& results) {
    Layout layout;
    const auto array = [&]<typename Item>(Item*& pointer, std::size_t count, bool is_there) {
      pointer = is_there ? Place<Item>(sent, layout.Add<Item>(count)) : nullptr;
    };
    array(arrays.keys, unique, has_cache);
    array(arrays.labels, n, true);
    array(arrays.numbers, n * limits_.numbers, true);
    array(arrays.offsets, n * limits_.fields + 1, shape.has_offsets);
    array(arrays.values, keys, shape.has_values);
    array(arrays.inverse, keys, true);
    array(arrays.positions, keys, true);
    array(arrays.begins, unique + 1, true);
    array(arrays.unique_count, 1, true);
    input_bytes_ = layout.bytes();
    rows_begin_ = layout.bytes();
    array(arrays.scalars, 1, true);
    array(arrays.ranks, unique, has_cache);
    row_places_ = layout.bytes();
    array(arrays.rows, row_floats, true);
    sent_bytes_ = layout.bytes();

    // Row gradients last: of those only what the step has is copied.
    Layout of_results;
    arrays.logits = Place<float>(results, of_results.Add<float>(n));
    arrays.losses = Place<double>(results, of_results.Add<double>(PartsOf(shape.examples)));
    const std::size_t gradients = of_results.Add<float>(row_floats);
    arrays.row_gradients = Place<float>(results, gradients);
    result_bytes_ = gradients + std::size_t{shape.unique} * limits_.row_dim * sizeof(float);
  };
  place(host_, host_sent_, host_results_);
  place(device_, device_sent_, device_results_);
  sent_rows_ = device_.rows;
  Layout work;
  bags_of_ = Place<std::uint32_t>(device_work_, work.Add<std::uint32_t>(keys));
  example_losses_ = Place<double>(device_work_, work.Add<double>(n));
  logit_gradients_ = Place<float>(device_work_, work.Add<float>(n));
  if (has_cache) device_.rows = Place<float>(device_work_, work.Add<float>(row_floats));
  work_bytes_ = work.bytes();
}

}  // namespace longtail::device
