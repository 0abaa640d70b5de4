// One serving file (protocol/serving_format.h): checked, and looked up as it lies.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/serving.h"
#include "protocol/serving_format.h"
#include "serving/mapped_file.h"

namespace longtail::serving {

/// Where a key's row is, or why it has none here.
struct FoundRow {
  enum class What : std::uint8_t {
    kAbsent,
    kRow,
    kGone,    ///< The file says that it has none.
    kDamaged  ///< What the file says of it cannot be, or does not fit its checksum.
  };
  What what = What::kAbsent;
  const std::byte* row = nullptr;  ///< [header().row_bytes] if there is one.
};

/// Thread: any; immutable but for what is known of damage.
class ServingFile {
 public:
  /// Maps and checks a file as the options say.
  ///
  /// Errors: as MappedFile and Read.
  static absl::StatusOr<std::shared_ptr<const ServingFile>> Open(const std::string& path,
                                                                 const ServingOptions& options);

  /// The same of bytes in memory, which must outlive it and begin at a multiple of eight; `what`
  /// names them in messages.
  ///
  /// Errors: as DecodeServingHeader; InvalidArgument (a spec that is none); with kWhole also what
  /// is
  ///         wrong with any line, and DataLoss of the first block whose checksum is another.
  static absl::StatusOr<std::shared_ptr<const ServingFile>> Read(const std::string& what,
                                                                 std::span<const std::byte> bytes,
                                                                 ServingCheck check,
                                                                 unsigned threads);

  const std::string& what() const { return what_; }
  const ServingHeader& header() const { return header_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// Asks for the line where the search for a hash begins.
  void Prefetch(std::uint64_t hash) const {
    const Segment& segment = segments_[ServingSegmentOf(hash, segment_bits_)];
    if (segment.home_lines == 0) return;
    __builtin_prefetch(segment.lines_at + ServingHomeLine(hash, segment_bits_, segment.home_lines));
  }

  /// `hash` is Mix64(key).
  FoundRow Find(Key key, std::uint64_t hash) const;

  /// What is wrong where Find said kDamaged: the first block that is, or a line.
  absl::Status DamageError(std::uint64_t hash) const;

  std::uint64_t damaged_blocks() const { return damaged_blocks_.load(std::memory_order_relaxed); }

 private:
  struct Segment {
    const ServingLine* lines_at = nullptr;
    const std::byte* rows_at = nullptr;
    std::uint32_t home_lines = 0;
    std::uint32_t lines = 0;
    std::uint32_t rows = 0;
    std::uint32_t gone = 0;
  };
  enum class Block : std::uint8_t { kUnknown, kWhole, kDamaged };

  ServingFile(std::string what, std::span<const std::byte> bytes, ServingHeader header);

  absl::Status ReadSegments();
  absl::Status CheckBlocks(unsigned threads) const;
  absl::Status CheckLines() const;
  absl::Status CheckLines(std::uint64_t number, const Segment& segment) const;
  bool IsBlockWhole(std::uint64_t block) const;
  bool IsUsable(const void* begin, std::size_t size) const;
  absl::Status BlockError(std::uint64_t block) const;

  const std::string what_;
  const std::span<const std::byte> bytes_;
  const ServingHeader header_;
  const std::size_t segment_bits_;
  std::unique_ptr<MappedFile> mapping_;
  std::vector<Segment> segments_;
  bool checks_on_use_ = false;
  mutable std::unique_ptr<std::atomic<Block>[]> blocks_;  // With checks on use.
  mutable std::atomic<std::uint64_t> damaged_blocks_ = 0;
};

}  // namespace longtail::serving
