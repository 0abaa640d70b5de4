// A table as lines of text: key, count, last_step, weights and, if asked for, optimizer state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "checkpoint/output_file.h"
#include "checkpoint/table_file.h"

namespace longtail::checkpoint {

/// The first line names the columns: key,count,last_step,w0,w1,…,s0,s1,…. Floats have as few digits
/// as give the same float again; one that is not finite is inf, -inf or nan. Of a count table a
/// line is a count that is not zero: key,column,count.
///
/// Thread: one at a time.
class CsvFile final : public TableFile {
 public:
  /// Errors: as OutputFile.
  static absl::StatusOr<std::unique_ptr<CsvFile>> Create(const std::string& path);

  absl::Status Begin(const TableShape& shape) override;
  absl::Status Add(const StoredRow& row) override;
  absl::Status Finish() override;

 private:
  explicit CsvFile(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}

  const std::unique_ptr<OutputFile> file_;
  std::size_t columns_ = 0;       // Of floats,
  std::uint32_t counts_dim_ = 0;  // or of counts; 0: of floats.
  std::string line_;
};

}  // namespace longtail::checkpoint
