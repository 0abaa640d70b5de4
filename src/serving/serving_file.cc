#include "serving/serving_file.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/value_codec.h"

namespace longtail::serving {
namespace {

// Of the line's keys, a bit for each that is `key`; eight comparisons and no branch.
std::uint32_t Matches(const ServingLine& line, Key key) {
  std::uint32_t matches = 0;
  for (std::size_t i = 0; i < ServingLine::kKeys; ++i) {
    matches |= static_cast<std::uint32_t>(line.keys[i] == key) << i;
  }
  return matches & ((1U << line.count) - 1);
}

bool IsLine(const ServingLine& line) {
  return line.count <= ServingLine::kKeys && line.flags <= ServingLine::kGoesOn && line.zero == 0 &&
         (line.gone >> line.count) == 0;
}

std::uint32_t RowsOf(const ServingLine& line) {
  return static_cast<std::uint32_t>(line.count - std::popcount(line.gone));
}

}  // namespace

ServingFile::ServingFile(std::string what, std::span<const std::byte> bytes, ServingHeader header)
    : what_(std::move(what)),
      bytes_(bytes),
      header_(std::move(header)),
      segment_bits_(header_.segment_bits()) {}

absl::StatusOr<std::shared_ptr<const ServingFile>> ServingFile::Open(
    const std::string& path, const ServingOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> mapping,
                            MappedFile::Open(path, options.memory));
  LONGTAIL_ASSIGN_OR_RETURN(std::shared_ptr<const ServingFile> file,
                            Read(path, mapping->bytes(), options.check, options.check_threads));
  // Nobody else has it yet.
  const_cast<ServingFile&>(*file).mapping_ = std::move(mapping);
  return file;
}

absl::StatusOr<std::shared_ptr<const ServingFile>> ServingFile::Read(
    const std::string& what, std::span<const std::byte> bytes, ServingCheck check,
    unsigned threads) {
  LONGTAIL_ASSIGN_OR_RETURN(ServingHeader header, DecodeServingHeader(what, bytes));
  if (const absl::Status valid = Validate(header.spec); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", valid.message()));
  }
  std::shared_ptr<ServingFile> file(new ServingFile(what, bytes, std::move(header)));
  LONGTAIL_RETURN_IF_ERROR(file->ReadSegments());
  if (check == ServingCheck::kWhole) {
    LONGTAIL_RETURN_IF_ERROR(file->CheckBlocks(threads));
    LONGTAIL_RETURN_IF_ERROR(file->CheckLines());
  } else {
    file->checks_on_use_ = true;
    file->blocks_ = std::make_unique<std::atomic<Block>[]>(ServingBlockCount(file->header_));
  }
  return file;
}

absl::Status ServingFile::ReadSegments() {
  segments_.reserve(header_.segments);
  std::uint64_t rows = 0;
  std::uint64_t gone = 0;
  for (std::uint32_t number = 0; number < header_.segments; ++number) {
    LONGTAIL_ASSIGN_OR_RETURN(const ServingSegment segment,
                              DecodeServingSegment(what_, bytes_, header_, number));
    const std::byte* const lines = bytes_.data() + segment.offset;
    segments_.push_back({.lines_at = reinterpret_cast<const ServingLine*>(lines),
                         .rows_at = lines + sizeof(ServingLine) * std::size_t{segment.lines},
                         .home_lines = segment.home_lines,
                         .lines = segment.lines,
                         .rows = segment.rows,
                         .gone = segment.gone});
    rows += segment.rows;
    gone += segment.gone;
  }
  if (rows == header_.rows && gone == header_.gone) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what_, ": segments have ", rows, " rows and ",
                                                 gone, " keys that went: want ", header_.rows,
                                                 " and ", header_.gone));
}

absl::Status ServingFile::BlockError(std::uint64_t block) const {
  const std::uint64_t begin = header_.header_bytes + block * kServingBlockBytes;
  const std::uint64_t end = std::min(begin + kServingBlockBytes, header_.directory);
  return absl::DataLossError(absl::StrCat(
      what_, ": damaged within bytes ", begin, "..", end, ": checksum ",
      ChecksumHex(Checksum(bytes_.subspan(begin, end - begin))), ": want that of the file's end"));
}

bool ServingFile::IsBlockWhole(std::uint64_t block) const {
  const std::uint64_t begin = header_.header_bytes + block * kServingBlockBytes;
  const std::uint64_t end = std::min(begin + kServingBlockBytes, header_.directory);
  std::uint64_t want = 0;
  std::memcpy(&want,
              bytes_.data() + header_.directory + header_.segments * kServingSegmentBytes +
                  block * sizeof(want),
              sizeof(want));
  return Checksum(bytes_.subspan(begin, end - begin)) == want;
}

absl::Status ServingFile::CheckBlocks(unsigned threads) const {
  const std::uint64_t count = ServingBlockCount(header_);
  std::atomic<std::uint64_t> next = 0;
  std::atomic<std::uint64_t> first_damaged = count;
  const auto check = [&] {
    for (;;) {
      const std::uint64_t block = next.fetch_add(1, std::memory_order_relaxed);
      if (block >= count) return;
      if (IsBlockWhole(block)) continue;
      std::uint64_t first = first_damaged.load(std::memory_order_relaxed);
      while (block < first && !first_damaged.compare_exchange_weak(first, block)) {
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < threads && i < count; ++i) helpers.emplace_back(check);
  check();
  for (std::thread& helper : helpers) helper.join();
  const std::uint64_t damaged = first_damaged.load(std::memory_order_relaxed);
  return damaged == count ? absl::OkStatus() : BlockError(damaged);
}

absl::Status ServingFile::CheckLines() const {
  for (std::uint64_t number = 0; number < segments_.size(); ++number) {
    LONGTAIL_RETURN_IF_ERROR(CheckLines(number, segments_[number]));
  }
  return absl::OkStatus();
}

// That a search finds each key: they ascend by hash, belong to the segment, are in their home or
// reached from it over lines that say so, and rows follow one another.
absl::Status ServingFile::CheckLines(std::uint64_t number, const Segment& segment) const {
  std::uint32_t rows = 0;
  std::uint32_t gone = 0;
  std::uint64_t last_hash = 0;
  std::uint64_t reached_from = 0;  // The first line from which this one is gone on to.
  bool has_last = false;
  for (std::uint64_t at = 0; at < segment.lines; ++at) {
    const ServingLine& line = segment.lines_at[at];
    bool is_right = IsLine(line) && (line.count == 0 || line.first_row == rows) &&
                    !(line.goes_on() && at + 1 == segment.lines);
    for (std::size_t i = 0; is_right && i < line.count; ++i) {
      const std::uint64_t hash = Mix64(line.keys[i]);
      const std::uint64_t home =
          segment.home_lines == 0 ? 0 : ServingHomeLine(hash, segment_bits_, segment.home_lines);
      is_right = ServingSegmentOf(hash, segment_bits_) == number && home <= at &&
                 home >= reached_from && (!has_last || hash > last_hash);
      last_hash = hash;
      has_last = true;
    }
    if (!is_right) {
      return absl::InvalidArgumentError(absl::StrCat(
          what_, ": segment ", number, ": line ", at, " with ", line.count,
          " keys is none: want keys of this line, ascending by hash, and their rows in order"));
    }
    rows += RowsOf(line);
    gone += static_cast<std::uint32_t>(std::popcount(line.gone));
    if (!line.goes_on()) reached_from = at + 1;
  }
  if (rows == segment.rows && gone == segment.gone) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what_, ": segment ", number, ": its lines have ",
                                                 rows, " rows and ", gone, " keys that went: want ",
                                                 segment.rows, " and ", segment.gone));
}

bool ServingFile::IsUsable(const void* begin, std::size_t size) const {
  const auto offset =
      static_cast<std::uint64_t>(static_cast<const std::byte*>(begin) - bytes_.data());
  const std::uint64_t last = (offset + size - 1 - header_.header_bytes) / kServingBlockBytes;
  for (std::uint64_t block = (offset - header_.header_bytes) / kServingBlockBytes; block <= last;
       ++block) {
    Block state = blocks_[block].load(std::memory_order_acquire);
    if (state == Block::kUnknown) {
      state = IsBlockWhole(block) ? Block::kWhole : Block::kDamaged;
      Block unknown = Block::kUnknown;
      if (blocks_[block].compare_exchange_strong(unknown, state) && state == Block::kDamaged) {
        damaged_blocks_.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (state == Block::kDamaged) return false;
  }
  return true;
}

FoundRow ServingFile::Find(Key key, std::uint64_t hash) const {
  const Segment& segment = segments_[ServingSegmentOf(hash, segment_bits_)];
  if (segment.home_lines == 0) return {};
  for (std::uint64_t at = ServingHomeLine(hash, segment_bits_, segment.home_lines);
       at < segment.lines; ++at) {
    const ServingLine& line = segment.lines_at[at];
    // A checksum says nothing of what was written wrong, so no row is used either before its number
    // is compared with what there is.
    if (checks_on_use_ && (!IsUsable(&line, sizeof(line)) || !IsLine(line))) {
      return {.what = FoundRow::What::kDamaged};
    }
    const std::uint32_t matches = Matches(line, key);
    if (matches == 0) {
      if (!line.goes_on()) return {};
      continue;
    }
    const auto slot = static_cast<unsigned>(std::countr_zero(matches));
    const std::uint32_t before = (1U << slot) - 1;
    if ((line.gone >> slot & 1) != 0) return {.what = FoundRow::What::kGone};
    const std::uint64_t row =
        line.first_row + slot - static_cast<unsigned>(std::popcount(line.gone & before));
    const std::byte* const at_row = segment.rows_at + row * header_.row_bytes;
    if (row >= segment.rows || (checks_on_use_ && !IsUsable(at_row, header_.row_bytes))) {
      return {.what = FoundRow::What::kDamaged};
    }
    return {.what = FoundRow::What::kRow, .row = at_row};
  }
  return {};
}

absl::Status ServingFile::DamageError(std::uint64_t hash) const {
  const std::uint64_t blocks = ServingBlockCount(header_);
  for (std::uint64_t block = 0; blocks_ != nullptr && block < blocks; ++block) {
    if (blocks_[block].load(std::memory_order_acquire) == Block::kDamaged) return BlockError(block);
  }
  return absl::DataLossError(absl::StrCat(what_, ": segment ",
                                          ServingSegmentOf(hash, segment_bits_),
                                          " has a line or a row that cannot be"));
}

}  // namespace longtail::serving
