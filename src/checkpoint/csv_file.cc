#include "checkpoint/csv_file.h"

#include <array>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/count_row.h"
#include "base/status_macros.h"

namespace longtail::checkpoint {

absl::StatusOr<std::unique_ptr<CsvFile>> CsvFile::Create(const std::string& path) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, OutputFile::Create(path));
  return std::unique_ptr<CsvFile>(new CsvFile(std::move(file)));
}

absl::Status CsvFile::Begin(const TableShape& shape) {
  if (shape.spec.kind == TableKind::kCounts) {
    counts_dim_ = shape.spec.dim;
    return file_->Append("key,column,count\n");
  }
  columns_ = std::size_t{shape.spec.dim} + shape.slots;
  line_ = "key,count,last_step";
  for (std::uint32_t i = 0; i < shape.spec.dim; ++i) absl::StrAppend(&line_, ",w", i);
  for (std::uint32_t i = 0; i < shape.slots; ++i) absl::StrAppend(&line_, ",s", i);
  line_ += '\n';
  return file_->Append(line_);
}

absl::Status CsvFile::Add(const StoredRow& row) {
  line_.clear();
  if (counts_dim_ != 0) {
    VisitCountRow(row.packed, counts_dim_, [&](std::uint32_t column, std::int64_t count) {
      absl::StrAppend(&line_, row.key, ",", column, ",", count, "\n");
    });
    return file_->Append(line_);
  }
  absl::StrAppend(&line_, row.key, ",", row.count, ",", row.last_step);
  std::array<char, 32> digits{};
  for (const float value : row.values.first(columns_)) {
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    line_ += ',';
    line_.append(digits.data(), written.ptr);
  }
  line_ += '\n';
  return file_->Append(line_);
}

absl::Status CsvFile::Finish() {
  return file_->Finish();
}

}  // namespace longtail::checkpoint
