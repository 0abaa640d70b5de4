#include "protocol/spec_codec.h"

#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>
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
  void operator()(std::string_view, std::uint32_t value) const { writer.U32(value); }
  void operator()(std::string_view, std::uint64_t value) const { writer.U64(value); }
  void operator()(std::string_view, bool value) const { writer.U8(value ? 1 : 0); }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void operator()(std::string_view, Enum value) const {
    writer.U8(static_cast<std::uint8_t>(value));
  }
};

struct FieldFromBytes {
  FieldReader& reader;

  void operator()(std::string_view name, float& value) const {
    value = reader.F32(name);
    if (!std::isfinite(value)) reader.Refuse(name, "is not finite, ending");
  }
  void operator()(std::string_view name, std::uint32_t& value) const { value = reader.U32(name); }
  void operator()(std::string_view name, std::uint64_t& value) const { value = reader.U64(name); }
  void operator()(std::string_view name, bool& value) const {
    const std::uint8_t bit = reader.U8(name);
    if (bit > 1) reader.Refuse(name, "is neither 0 nor 1, ending");
    value = bit == 1;
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void operator()(std::string_view name, Enum& value) const {
    const std::uint8_t number = reader.U8(name);
    if (number >= NamesOf(Enum{}).size()) reader.Refuse(name, "is not a known kind, ending");
    value = reader.ok() ? static_cast<Enum>(number) : Enum{};
  }
};

// What the second version adds to the first.
template <typename Spec, typename Field>
void VisitLaterFields(Spec& spec, const Field& field) {
  VisitFields(spec.optimizer.frequency, field);
  VisitFields(spec.format, field);
  VisitFields(spec.tail, field);
  VisitFields(spec.tail.format, field);
  VisitFields(spec.eviction, field);
}

// The version of a spec's bytes: the least that says all of it.
std::uint16_t VersionOf(const TableSpec& spec) {
  if (spec.kind != TableKind::kWeights) return 3;
  return UsesLaterFields(spec) ? 2 : 1;
}

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
  const std::uint16_t version = VersionOf(spec);
  writer.U16(version);
  writer.Text(spec.name);
  writer.U32(spec.dim);
  writer.U32(spec.linear_columns);
  writer.U64(spec.seed);
  WriteVariant(spec.optimizer.rule, writer);
  VisitFields(spec.optimizer, FieldToBytes{writer});
  WriteVariant(spec.initializer, writer);
  if (version > 1) VisitLaterFields(spec, FieldToBytes{writer});
  if (version > 2) FieldToBytes{writer}("kind", spec.kind);
  return bytes;
}

absl::StatusOr<TableSpec> DecodeTableSpec(std::span<const std::byte> bytes) {
  FieldReader reader("table spec", bytes);
  TableSpec spec;
  const std::uint16_t version = reader.U16("version");
  if (version == 0 || version > kSpecVersion) {
    reader.Refuse("version", std::to_string(version) + ": this program reads versions 1 to " +
                                 std::to_string(kSpecVersion) + ", ending");
  }
  spec.name = reader.Text("name", kNameSizeMax);
  spec.dim = version > 2 ? reader.Within("dim", 1, kCountColumnsMax) : reader.Dim();
  spec.linear_columns = reader.Within("linear_columns", 0, kRowDimMax);
  spec.seed = reader.U64("seed");
  ReadVariant("optimizer rule", spec.optimizer.rule, reader);
  VisitFields(spec.optimizer, FieldFromBytes{reader});
  ReadVariant("initializer", spec.initializer, reader);
  if (version > 1 && reader.ok()) VisitLaterFields(spec, FieldFromBytes{reader});
  if (version > 2 && reader.ok()) {
    FieldFromBytes{reader}("kind", spec.kind);
    if (spec.kind == TableKind::kWeights) {
      reader.Refuse("kind", "is 0 (weights): want version 1 or 2 for those, ending");
    }
  }
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
