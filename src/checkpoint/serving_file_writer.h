// Writes a serving file (protocol/serving_format.h), segment by segment.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/output_file.h"
#include "longtail/ids.h"
#include "protocol/checksum.h"
#include "protocol/serving_format.h"

namespace longtail::checkpoint {

/// A key of a segment.
struct ServingEntry {
  std::uint64_t hash = 0;  ///< Mix64 of the key.
  Key key = 0;
  std::span<const float> weights{};  ///< [dim]; empty: its row went.
};

/// Use: AddSegment once for each segment, in their order; Finish. Without Finish no file is left.
///
/// Thread: one at a time.
/// Cost:   memory of one segment.
class ServingFileWriter {
 public:
  /// `shape` says kind, values, segments, step, checkpoint, base and spec; the rest is found out.
  ///
  /// Errors: as OutputFile.
  static absl::StatusOr<std::unique_ptr<ServingFileWriter>> Create(const std::string& path,
                                                                   const ServingHeader& shape);

  /// `entries` ascend by hash, and each is of the segment whose turn it is.
  ///
  /// Errors: as OutputFile; ResourceExhausted (2^32 keys or more).
  absl::Status AddSegment(std::span<const ServingEntry> entries);

  /// The header as it was written.
  absl::StatusOr<ServingHeader> Finish();

 private:
  ServingFileWriter(std::unique_ptr<OutputFile> file, ServingHeader header);

  absl::Status Append(std::string_view bytes);
  void EndBlock();

  const std::unique_ptr<OutputFile> file_;
  ServingHeader header_;
  std::uint32_t segment_ = 0;  // The next one.
  std::uint64_t offset_ = 0;
  std::uint64_t block_bytes_ = 0;  // Of the block that is not full yet.
  std::unique_ptr<RunningChecksum> block_;
  std::string directory_;
  std::string block_checksums_;
};

}  // namespace longtail::checkpoint
