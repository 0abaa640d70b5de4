#include "protocol/spec_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/check.h"
#include "protocol/format_limits.h"
#include "protocol/spec_fields.h"

namespace longtail {
namespace {

using nlohmann::json;

// 0.1 rather than 0.10000000149011612: the shortest decimal that gives the same float.
double Readable(float value) {
  LONGTAIL_CHECK(std::isfinite(value));
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  double readable = 0;
  std::from_chars(digits.data(), written.ptr, readable);
  // A double between the two roundings could in principle fall on another float.
  return static_cast<float>(readable) == value ? readable : double{value};
}

struct FieldToJson {
  json& object;

  void operator()(const char* name, float value) const { object[name] = Readable(value); }
  void operator()(const char* name, std::uint32_t value) const { object[name] = value; }
  void operator()(const char* name, std::uint64_t value) const { object[name] = value; }
  void operator()(const char* name, bool value) const { object[name] = value; }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char* name, Enum value) const {
    object[name] = NamesOf(value)[static_cast<std::size_t>(value)];
  }
};

struct FieldFromJson {
  JsonReader& reader;

  void operator()(const char* name, float& value) const { value = reader.Number(name); }
  void operator()(const char* name, std::uint32_t& value) const {
    value = reader.Whole32(name, 0, std::numeric_limits<std::uint32_t>::max());
  }
  void operator()(const char* name, std::uint64_t& value) const {
    value = reader.Whole(name, 0, std::numeric_limits<std::uint64_t>::max());
  }
  void operator()(const char* name, bool& value) const { value = reader.Bool(name); }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char* name, Enum& value) const {
    value = static_cast<Enum>(reader.OneOf(name, NamesOf(Enum{})));
  }
};

template <typename Spec>
json ToObject(const Spec& spec) {
  json object = json::object();
  VisitFields(spec, FieldToJson{object});
  return object;
}

template <typename Spec>
void FromObject(JsonReader& reader, const char* name, Spec& spec) {
  JsonReader object = reader.Object(name);
  VisitFields(spec, FieldFromJson{object});
}

}  // namespace

json SpecToJson(const TableSpec& spec) {
  json optimizer = {{"rule", kRuleNames[spec.optimizer.rule.index()]}};
  std::visit([&](const auto& rule) { VisitFields(rule, FieldToJson{optimizer}); },
             spec.optimizer.rule);
  VisitFields(spec.optimizer, FieldToJson{optimizer});
  json initializer = {{"kind", kInitializerNames[spec.initializer.index()]}};
  std::visit([&](const auto& kind) { VisitFields(kind, FieldToJson{initializer}); },
             spec.initializer);
  json object = {{"name", spec.name},      {"dim", spec.dim},
                 {"seed", spec.seed},      {"linear_columns", spec.linear_columns},
                 {"optimizer", optimizer}, {"initializer", initializer}};
  if (UsesLaterFields(spec)) {
    object["frequency"] = ToObject(spec.optimizer.frequency);
    object["format"] = ToObject(spec.format);
    object["tail"] = ToObject(spec.tail);
    object["tail"]["format"] = ToObject(spec.tail.format);
    object["eviction"] = ToObject(spec.eviction);
  }
  if (spec.kind != TableKind::kWeights) FieldToJson{object}("kind", spec.kind);
  return object;
}

TableSpec SpecFromJson(JsonReader reader) {
  TableSpec spec;
  spec.name = reader.Text("name", kNameSizeMax);
  if (reader.Has("kind")) FieldFromJson{reader}("kind", spec.kind);
  const bool has_counts = spec.kind == TableKind::kCounts;
  spec.dim = reader.Whole32("dim", 1, has_counts ? kCountColumnsMax : kRowDimMax);
  spec.seed = reader.Whole("seed", 0, std::numeric_limits<std::uint64_t>::max());
  spec.linear_columns = reader.Whole32("linear_columns", 0, kRowDimMax);
  JsonReader optimizer = reader.Object("optimizer");
  EmplaceIndex(spec.optimizer.rule, optimizer.OneOf("rule", kRuleNames));
  std::visit([&](auto& rule) { VisitFields(rule, FieldFromJson{optimizer}); }, spec.optimizer.rule);
  VisitFields(spec.optimizer, FieldFromJson{optimizer});
  JsonReader initializer = reader.Object("initializer");
  EmplaceIndex(spec.initializer, initializer.OneOf("kind", kInitializerNames));
  std::visit([&](auto& kind) { VisitFields(kind, FieldFromJson{initializer}); }, spec.initializer);
  if (reader.Has("format")) {
    FromObject(reader, "frequency", spec.optimizer.frequency);
    FromObject(reader, "format", spec.format);
    JsonReader tail = reader.Object("tail");
    VisitFields(spec.tail, FieldFromJson{tail});
    FromObject(tail, "format", spec.tail.format);
    FromObject(reader, "eviction", spec.eviction);
  }
  return spec;
}

}  // namespace longtail
