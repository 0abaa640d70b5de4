#include "checkpoint/serving_file_writer.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/value_codec.h"

namespace longtail::checkpoint {
namespace {

// Keys in their lines: each in its home or, if that is full, in the next that has room.
std::vector<ServingLine> MakeLines(std::span<const ServingEntry> entries, std::size_t segment_bits,
                                   std::uint32_t home_lines) {
  std::vector<ServingLine> lines(home_lines);
  std::size_t at = 0;
  std::uint32_t rows = 0;
  for (const ServingEntry& entry : entries) {
    at = std::max<std::size_t>(at, ServingHomeLine(entry.hash, segment_bits, home_lines));
    if (lines[at].count == ServingLine::kKeys) {
      lines[at].flags |= ServingLine::kGoesOn;
      if (++at == lines.size()) lines.emplace_back();
    }
    ServingLine& line = lines[at];
    if (line.count == 0) line.first_row = rows;
    if (entry.weights.empty()) {
      line.gone = static_cast<std::uint8_t>(line.gone | 1U << line.count);
    } else {
      ++rows;
    }
    line.keys[line.count++] = entry.key;
  }
  return lines;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServingFileWriter>> ServingFileWriter::Create(
    const std::string& path, const ServingHeader& shape) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, OutputFile::Create(path));
  ServingHeader header = shape;
  header.row_bytes = static_cast<std::uint32_t>(PackedRowBytes(header.values, header.spec.dim));
  header.header_bytes = ServingHeaderBytes(header.spec);
  std::unique_ptr<ServingFileWriter> writer(
      new ServingFileWriter(std::move(file), std::move(header)));
  LONGTAIL_RETURN_IF_ERROR(writer->file_->Append(EncodeServingHeader(writer->header_)));
  writer->offset_ = writer->header_.header_bytes;
  return writer;
}

ServingFileWriter::ServingFileWriter(std::unique_ptr<OutputFile> file, ServingHeader header)
    : file_(std::move(file)),
      header_(std::move(header)),
      block_(std::make_unique<RunningChecksum>()) {}

void ServingFileWriter::EndBlock() {
  ByteWriter(block_checksums_).U64(block_->value());
  block_ = std::make_unique<RunningChecksum>();
  block_bytes_ = 0;
}

absl::Status ServingFileWriter::Append(std::string_view bytes) {
  LONGTAIL_RETURN_IF_ERROR(file_->Append(bytes));
  offset_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t piece =
        std::min<std::size_t>(bytes.size(), kServingBlockBytes - block_bytes_);
    block_->Add(AsBytes(bytes.substr(0, piece)));
    block_bytes_ += piece;
    bytes.remove_prefix(piece);
    if (block_bytes_ == kServingBlockBytes) EndBlock();
  }
  return absl::OkStatus();
}

absl::Status ServingFileWriter::AddSegment(std::span<const ServingEntry> entries) {
  LONGTAIL_CHECK(segment_ < header_.segments);
  if (entries.size() > std::numeric_limits<std::uint32_t>::max()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("serving file of table '", header_.spec.name, "': ", entries.size(),
                     " keys in one of ", header_.segments, " partitions: want fewer than 2^32"));
  }
  const auto home_lines =
      static_cast<std::uint32_t>((entries.size() + kServingKeysPerLine - 1) / kServingKeysPerLine);
  const std::vector<ServingLine> lines = MakeLines(entries, header_.segment_bits(), home_lines);
  ServingSegment segment{.offset = offset_,
                         .home_lines = home_lines,
                         .lines = static_cast<std::uint32_t>(lines.size())};
  LONGTAIL_RETURN_IF_ERROR(Append(AsText(std::as_bytes(std::span(lines)))));
  std::string row(header_.row_bytes, '\0');
  for (const ServingEntry& entry : entries) {
    if (entry.weights.empty()) {
      ++segment.gone;
      continue;
    }
    LONGTAIL_CHECK(entry.weights.size() == header_.spec.dim);
    PackRows(header_.values, header_.spec.dim, entry.weights,
             reinterpret_cast<std::byte*>(row.data()));
    LONGTAIL_RETURN_IF_ERROR(Append(row));
    ++segment.rows;
  }
  const std::size_t over = offset_ % kServingAlignment;
  if (over != 0) LONGTAIL_RETURN_IF_ERROR(Append(std::string(kServingAlignment - over, '\0')));
  AppendServingSegment(segment, directory_);
  header_.rows += segment.rows;
  header_.gone += segment.gone;
  ++segment_;
  return absl::OkStatus();
}

absl::StatusOr<ServingHeader> ServingFileWriter::Finish() {
  LONGTAIL_CHECK(segment_ == header_.segments);
  if (block_bytes_ > 0) EndBlock();
  const std::string tail = directory_ + block_checksums_;
  header_.directory = offset_;
  header_.bytes = offset_ + tail.size();
  header_.tail_checksum = Checksum(AsBytes(tail));
  LONGTAIL_RETURN_IF_ERROR(file_->Append(tail));
  LONGTAIL_RETURN_IF_ERROR(file_->Patch(0, EncodeServingHeader(header_)));
  LONGTAIL_RETURN_IF_ERROR(file_->Finish());
  return header_;
}

}  // namespace longtail::checkpoint
