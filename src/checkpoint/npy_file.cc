#include "checkpoint/npy_file.h"

#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace longtail::checkpoint {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kEnding = ".npy";
constexpr std::size_t kPreambleBytes = 10;  // Magic, version and the dictionary's size.
constexpr std::string_view kFloat = "<f4";
constexpr std::string_view kKey = "<u8";

std::string_view TextOf(std::span<const float> values) {
  return AsText(std::as_bytes(values));
}

// The header, once the number of rows is known.
absl::Status Close(OutputFile& file, std::string_view type, std::uint64_t rows,
                   std::optional<std::uint32_t> columns) {
  LONGTAIL_RETURN_IF_ERROR(file.Patch(0, NpyHeader(type, rows, columns)));
  return file.Finish();
}

}  // namespace

std::string NpyHeader(std::string_view type, std::uint64_t rows,
                      std::optional<std::uint32_t> columns) {
  std::string dictionary = absl::StrCat("{'descr': '", std::string(type),
                                        "', 'fortran_order': False, 'shape': (", rows, ",");
  if (columns) absl::StrAppend(&dictionary, " ", *columns);
  dictionary += "), }";
  LONGTAIL_CHECK(kPreambleBytes + dictionary.size() < kNpyHeaderBytes);
  dictionary.resize(kNpyHeaderBytes - kPreambleBytes - 1, ' ');
  dictionary += '\n';
  std::string header;
  ByteWriter writer(header);
  writer.Bytes(AsBytes(kMagic));
  writer.U8(1);
  writer.U8(0);
  writer.U16(static_cast<std::uint16_t>(dictionary.size()));
  return header + dictionary;
}

NpyPaths NpyPathsOf(const std::string& path) {
  const bool has_ending = path.ends_with(kEnding);
  const std::string stem = has_ending ? path.substr(0, path.size() - kEnding.size()) : path;
  return {.weights = stem + ".npy", .keys = stem + ".keys.npy", .slots = stem + ".slots.npy"};
}

absl::StatusOr<std::unique_ptr<NpyFile>> NpyFile::Create(const std::string& path, bool has_slots) {
  const NpyPaths paths = NpyPathsOf(path);
  std::unique_ptr<NpyFile> file(new NpyFile());
  LONGTAIL_ASSIGN_OR_RETURN(file->weights_, OutputFile::Create(paths.weights));
  LONGTAIL_ASSIGN_OR_RETURN(file->keys_, OutputFile::Create(paths.keys));
  if (has_slots) {
    LONGTAIL_ASSIGN_OR_RETURN(file->slots_, OutputFile::Create(paths.slots));
  }
  return file;
}

absl::Status NpyFile::Begin(const TableShape& shape) {
  dim_ = shape.spec.dim;
  slot_count_ = shape.slots;
  LONGTAIL_RETURN_IF_ERROR(weights_->Append(NpyHeader(kFloat, 0, dim_)));
  LONGTAIL_RETURN_IF_ERROR(keys_->Append(NpyHeader(kKey, 0, std::nullopt)));
  if (slots_ == nullptr) return absl::OkStatus();
  return slots_->Append(NpyHeader(kFloat, 0, slot_count_));
}

absl::Status NpyFile::Add(const StoredRow& row) {
  ++rows_;
  LONGTAIL_RETURN_IF_ERROR(weights_->Append(TextOf(row.values.first(dim_))));
  LONGTAIL_RETURN_IF_ERROR(keys_->Append(AsText(std::as_bytes(std::span(&row.key, 1)))));
  if (slots_ == nullptr) return absl::OkStatus();
  return slots_->Append(TextOf(row.values.subspan(dim_, slot_count_)));
}

absl::Status NpyFile::Finish() {
  if (slots_ != nullptr) LONGTAIL_RETURN_IF_ERROR(Close(*slots_, kFloat, rows_, slot_count_));
  LONGTAIL_RETURN_IF_ERROR(Close(*keys_, kKey, rows_, std::nullopt));
  return Close(*weights_, kFloat, rows_, dim_);
}

}  // namespace longtail::checkpoint
