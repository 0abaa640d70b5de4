#include "protocol/spec_codec.h"

#include <cmath>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/format_limits.h"
#include "protocol/spec_fields.h"

namespace longtail {
namespace {

struct FieldToBytes {
  ByteWriter& writer;

  void operator()(std::string_view, float value) const { writer.F32(value); }
  void operator()(std::string_view, MomentumKind value) const {
    writer.U8(static_cast<std::uint8_t>(value));
  }
};

struct FieldFromBytes {
  FieldReader& reader;

  void operator()(std::string_view name, float& value) const {
    value = reader.F32(name);
    if (!std::isfinite(value)) reader.Refuse(name, "is not finite, ending");
  }
  void operator()(std::string_view name, MomentumKind& value) const {
    const std::uint8_t kind = reader.U8(name);
    if (kind >= kMomentumKindNames.size()) reader.Refuse(name, "is not a known kind, ending");
    value = reader.ok() ? static_cast<MomentumKind>(kind) : MomentumKind{};
  }
};

template <typename Variant>
void WriteVariant(const Variant& variant, ByteWriter& writer) {
  writer.U8(static_cast<std::uint8_t>(variant.index()));
  std::visit([&](const auto& spec) { VisitFields(spec, FieldToBytes{writer}); }, variant);
}

template <typename Variant>
void ReadVariant(std::string_view name, Variant& variant, FieldReader& reader) {
  const std::uint8_t tag = reader.U8(name);
  if (tag >= std::variant_size_v<Variant>) reader.Refuse(name, "is not a known tag, ending");
  if (!reader.ok()) return;
  EmplaceIndex(variant, tag);
  std::visit([&](auto& spec) { VisitFields(spec, FieldFromBytes{reader}); }, variant);
}

}  // namespace

std::string EncodeTableSpec(const TableSpec& spec) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.U16(kSpecVersion);
  writer.Text(spec.name);
  writer.U32(spec.dim);
  writer.U32(spec.linear_columns);
  writer.U64(spec.seed);
  WriteVariant(spec.optimizer.rule, writer);
  VisitFields(spec.optimizer, FieldToBytes{writer});
  WriteVariant(spec.initializer, writer);
  return bytes;
}

absl::StatusOr<TableSpec> DecodeTableSpec(std::span<const std::byte> bytes) {
  FieldReader reader("table spec", bytes);
  TableSpec spec;
  if (const std::uint16_t version = reader.U16("version"); version != kSpecVersion) {
    reader.Refuse("version", std::to_string(version) + ": this program reads version " +
                                 std::to_string(kSpecVersion) + ", ending");
  }
  spec.name = reader.Text("name", kNameSizeMax);
  spec.dim = reader.Dim();
  spec.linear_columns = reader.Within("linear_columns", 0, kRowDimMax);
  spec.seed = reader.U64("seed");
  ReadVariant("optimizer rule", spec.optimizer.rule, reader);
  VisitFields(spec.optimizer, FieldFromBytes{reader});
  ReadVariant("initializer", spec.initializer, reader);
  reader.End();
  LONGTAIL_RETURN_IF_ERROR(reader.status());
  return spec;
}

TableSpec ReadTableSpec(FieldReader& reader) {
  const std::string_view bytes = reader.Text("table spec", kSpecBytesMax);
  if (!reader.ok()) return {};
  absl::StatusOr<TableSpec> spec = DecodeTableSpec(AsBytes(bytes));
  if (spec.ok()) return *std::move(spec);
  reader.Refuse("table spec", "(" + std::string(spec.status().message()) + "), ending");
  return {};
}

}  // namespace longtail
