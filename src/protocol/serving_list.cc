#include "protocol/serving_list.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/blob_envelope.h"
#include "protocol/field_reader.h"
#include "protocol/format_limits.h"
#include "protocol/serving_format.h"

namespace longtail {
namespace {

constexpr BlobEnvelope kEnvelope{.magic = kServingListMagic,
                                 .version = kServingListVersion,
                                 .header_bytes = kServingListHeaderBytes};
constexpr std::size_t kTextSizeMax = 256;
constexpr std::size_t kTableBytesMin = 3 * sizeof(std::uint32_t) + 2 * sizeof(std::uint64_t);

bool IsFileName(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

void WriteFile(const ServingFileName& file, ByteWriter& writer) {
  writer.Text(file.name);
  writer.U64(file.checksum);
}

ServingFileName ReadFile(std::string_view field, bool may_be_none, FieldReader& reader) {
  ServingFileName file;
  file.name = std::string(reader.Text(field, kTextSizeMax));
  if (!IsFileName(file.name) && !(may_be_none && file.name.empty())) {
    reader.Refuse(field, absl::StrCat("'", file.name, "': want a file of [a-zA-Z0-9._-], ending"));
  }
  file.checksum = reader.U64("checksum");
  return file;
}

}  // namespace

std::string EncodeServingList(const ServingList& list) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Bytes(AsBytes(kServingListMagic));
  writer.U32(kServingListVersion);
  writer.U32(0);
  AppendSeal(bytes);
  LONGTAIL_CHECK(bytes.size() == kServingListHeaderBytes);
  writer.Text(list.checkpoint);
  writer.U64(list.identity);
  writer.Text(list.created_at);
  writer.U64(list.step);
  writer.Text(list.base);
  writer.U64(list.base_identity);
  writer.U32(static_cast<std::uint32_t>(list.tables.size()));
  for (const ServingListTable& table : list.tables) {
    writer.Text(table.table);
    WriteFile(table.rows, writer);
    WriteFile(table.changes, writer);
  }
  Seal(kEnvelope, bytes);
  return bytes;
}

absl::StatusOr<ServingList> DecodeServingList(const std::string& what,
                                              std::span<const std::byte> bytes) {
  LONGTAIL_RETURN_IF_ERROR(CheckSeal(kEnvelope, what, bytes));
  FieldReader reader(what, bytes);
  reader.Bytes("magic", kServingListMagic.size());
  if (reader.U32("version") == 0) reader.Refuse("version", "is 0, ending");
  if (reader.U32("reserved") != 0) reader.Refuse("reserved", "is not zero, ending");
  reader.Bytes("seal", 2 * sizeof(std::uint64_t));
  ServingList list;
  list.checkpoint = std::string(reader.Text("checkpoint", kTextSizeMax));
  list.identity = reader.U64("identity");
  list.created_at = std::string(reader.Text("created at", kTextSizeMax));
  list.step = reader.Step("step");
  list.base = std::string(reader.Text("base", kTextSizeMax));
  list.base_identity = reader.U64("identity of the base");
  list.tables.resize(reader.Count("tables", kTableCountMax, kTableBytesMin));
  for (ServingListTable& table : list.tables) {
    table.table = std::string(reader.Text("table", kNameSizeMax));
    table.rows = ReadFile("rows", false, reader);
    table.changes = ReadFile("changes", true, reader);
  }
  reader.End();
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  const auto wrong = std::ranges::adjacent_find(list.tables, std::ranges::greater_equal{},
                                                &ServingListTable::table);
  if (list.tables.empty() || wrong != list.tables.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", list.tables.size(),
                     " tables: want at least one, each once and in the order of their names"));
  }
  return list;
}

std::uint64_t ServingHeaderChecksum(std::span<const std::byte> file) {
  std::uint64_t checksum = 0;
  if (file.size() >= kServingFixedBytes) {
    std::memcpy(&checksum, file.data() + kServingFixedBytes - sizeof(checksum), sizeof(checksum));
  }
  return checksum;
}

}  // namespace longtail
