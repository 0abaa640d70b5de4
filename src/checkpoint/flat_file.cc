#include "checkpoint/flat_file.h"

#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/spec_codec.h"

namespace longtail::checkpoint {
namespace {

constexpr std::size_t kAlignment = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<FlatFile>> FlatFile::Create(const std::string& path) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, OutputFile::Create(path));
  return std::unique_ptr<FlatFile>(new FlatFile(std::move(file)));
}

std::string FlatFile::Header() const {
  std::string header;
  ByteWriter writer(header);
  writer.Bytes(AsBytes(kFlatTableMagic));
  writer.U32(kFlatTableVersion);
  writer.U32(static_cast<std::uint32_t>(kFlatTableFixedBytes + spec_.size()));
  writer.U32(dim_);
  writer.U32(slots_);
  writer.U64(rows_);
  writer.U64(step_);
  writer.U32(0);
  writer.U32(spec_bytes_);
  writer.U64(checksum_.value());
  writer.U64(Checksum(AsBytes(header), AsBytes(spec_)));
  return header + spec_;
}

absl::Status FlatFile::Begin(const TableShape& shape) {
  spec_ = EncodeTableSpec(shape.spec);
  spec_bytes_ = static_cast<std::uint32_t>(spec_.size());
  spec_.resize((spec_.size() + kAlignment - 1) / kAlignment * kAlignment);
  dim_ = shape.spec.dim;
  slots_ = shape.slots;
  step_ = shape.step;
  return file_->Append(Header());
}

absl::Status FlatFile::Add(const StoredRow& row) {
  row_.clear();
  ByteWriter writer(row_);
  writer.U64(row.key);
  writer.U32(row.count);
  writer.U32(row.last_step);
  writer.Array(row.values.first(std::size_t{dim_} + slots_));
  checksum_.Add(AsBytes(row_));
  ++rows_;
  return file_->Append(row_);
}

absl::Status FlatFile::Finish() {
  // Now that rows and checksum are known.
  LONGTAIL_RETURN_IF_ERROR(file_->Patch(0, Header()));
  return file_->Finish();
}

}  // namespace longtail::checkpoint
