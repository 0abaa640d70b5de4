#include "checkpoint/checked_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "checkpoint/flipped_bit.h"
#include "protocol/checksum.h"

namespace longtail::checkpoint {
namespace {

constexpr int kUnansweredMax = 3;
constexpr int kBitSearchesMax = 8;

}  // namespace

absl::StatusOr<CheckedObject> CheckedReader::Read(const std::string& name, std::uint64_t size,
                                                  std::uint64_t checksum,
                                                  std::vector<Damage>& damages) {
  const auto report = [&](std::string problem) -> Damage& {
    return damages.emplace_back(Damage{.object = name, .problem = std::move(problem)});
  };
  absl::StatusOr<std::string> read = store_.Read(name);
  if (absl::IsUnavailable(read.status()) || absl::IsDeadlineExceeded(read.status())) {
    // A disk that cannot read one file says so, too: that is to be reported.
    if (++unanswered_ == kUnansweredMax) return read.status();
    report(absl::StrCat("cannot be read: ", std::string(read.status().message())));
    return CheckedObject{};
  }
  unanswered_ = 0;
  if (absl::IsNotFound(read.status())) {
    report("is not there, and the manifest names it");
    return CheckedObject{};
  }
  if (absl::IsDataLoss(read.status()) || absl::IsInvalidArgument(read.status()) ||
      absl::IsResourceExhausted(read.status())) {
    report(std::string(read.status().message()));
    return CheckedObject{};
  }
  LONGTAIL_RETURN_IF_ERROR(read.status());
  ++objects_;
  bytes_ += read->size();
  if (read->size() != size) {
    report(absl::StrCat("has ", read->size(), " bytes: want ", size)).bytes = {
        .begin = std::min<std::uint64_t>(read->size(), size),
        .end = std::max<std::uint64_t>(read->size(), size)};
    return CheckedObject{};
  }
  const std::uint64_t found = Checksum(AsBytes(*read));
  if (found == checksum) return CheckedObject{.bytes = *std::move(read), .is_whole = true};
  Damage& damage = report(
      absl::StrCat("its checksum is ", ChecksumHex(found), ": want ", ChecksumHex(checksum)));
  damage.bytes = {.begin = 0, .end = size};
  if (bit_searches_ == kBitSearchesMax) return CheckedObject{};
  ++bit_searches_;
  const auto flipped = PutFlippedBitBack(*read, checksum);
  if (!flipped) return CheckedObject{};
  damage.bytes = {.begin = flipped->byte, .end = flipped->byte + 1};
  damage.bit = flipped->bit;
  absl::StrAppend(&damage.problem, ", which it is with that one bit flipped back");
  return CheckedObject{.bytes = *std::move(read)};
}

}  // namespace longtail::checkpoint
