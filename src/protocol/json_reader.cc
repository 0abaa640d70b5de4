#include "protocol/json_reader.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail {
namespace {

using nlohmann::json;

constexpr std::size_t kHexDigits = 16;
constexpr int kHexBase = 16;

const json null_value;  // What a missing field reads as.

// Walks a document without keeping it, to say where it goes wrong and how deep it nests.
class Inspector : public nlohmann::json_sax<json> {
 public:
  explicit Inspector(int depth_max) : depth_max_(depth_max) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return Enter(); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return Leave(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    problem_ = absl::StrCat("is cut short or damaged: no JSON at byte ", position);
    return false;
  }

  const std::string& problem() const { return problem_; }

 private:
  bool Enter() {
    if (++depth_ <= depth_max_) return true;
    problem_ = absl::StrCat("nests deeper than ", depth_max_);
    return false;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  const int depth_max_;
  int depth_ = 0;
  std::string problem_;
};

}  // namespace

absl::StatusOr<json> ParseJson(std::string_view what, std::string_view text, int depth_max) {
  Inspector inspector(depth_max);
  if (!json::sax_parse(text.begin(), text.end(), &inspector)) {
    return absl::DataLossError(
        absl::StrCat(std::string(what), ": ", inspector.problem(), " of ", text.size()));
  }
  return json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
}

JsonReader::JsonReader(std::string path, const json& value, absl::Status& status)
    : path_(std::move(path)), value_(value), status_(status) {
  if (!value_.is_object() && status_.ok()) {
    status_ = absl::InvalidArgumentError(path_ + ": want an object");
  }
}

std::string JsonReader::Text(const std::string& name, std::size_t size_max) {
  const json& value = Find(name);
  if (!value.is_string()) {
    Refuse(name, "want a text");
  } else if (value.get_ref<const std::string&>().size() > size_max) {
    Refuse(name, absl::StrCat("want at most ", size_max, " characters"));
  }
  return ok() ? value.get_ref<const std::string&>() : std::string();
}

std::uint64_t JsonReader::Whole(const std::string& name, std::uint64_t low, std::uint64_t high) {
  const json& value = Find(name);
  const std::uint64_t number = value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
  if (!value.is_number_unsigned() || number < low || number > high) {
    Refuse(name, absl::StrCat("want a whole number ", low, "..", high));
  }
  return ok() ? number : 0;
}

std::uint32_t JsonReader::Whole32(const std::string& name, std::uint32_t low, std::uint32_t high) {
  return static_cast<std::uint32_t>(Whole(name, low, high));
}

float JsonReader::Number(const std::string& name) {
  const json& value = Find(name);
  const float number = value.is_number() ? value.get<float>() : 0;
  if (!value.is_number() || !std::isfinite(number))
    Refuse(name, "want a number in a float's range");
  return ok() ? number : 0;
}

bool JsonReader::Bool(const std::string& name) {
  const json& value = Find(name);
  if (!value.is_boolean()) Refuse(name, "want true or false");
  return value.is_boolean() && value.get<bool>();
}

bool JsonReader::Has(const std::string& name) const {
  return value_.is_object() && value_.contains(name);
}

std::uint64_t JsonReader::Hex(const std::string& name) {
  const std::string digits = Text(name, kHexDigits);
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, kHexBase);
  if (digits.size() != kHexDigits || error != std::errc() || end != digits.data() + kHexDigits) {
    Refuse(name, "want sixteen hexadecimal digits");
  }
  return ok() ? number : 0;
}

std::size_t JsonReader::OneOf(const std::string& name, std::span<const std::string_view> names) {
  constexpr std::size_t kNameSizeShown = 64;
  const std::string text = Text(name, kNameSizeShown);
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return i;
    absl::StrAppend(&known, i == 0 ? "" : ", ", std::string(names[i]));
  }
  Refuse(name, absl::StrCat("is '", text, "': want one of ", known));
  return 0;
}

JsonReader JsonReader::Object(const std::string& name) {
  return {PathOf(name), Find(name), status_};
}

void JsonReader::Refuse(const std::string& name, std::string_view problem) {
  if (!ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat(PathOf(name), ": ", std::string(problem)));
}

const json& JsonReader::Find(const std::string& name) {
  if (!ok()) return null_value;
  const auto found = value_.find(name);
  if (found != value_.end()) return *found;
  Refuse(name, "is missing");
  return null_value;
}

const json& JsonReader::Array(const std::string& name, std::size_t count_max) {
  const json& value = Find(name);
  if (!value.is_array()) {
    Refuse(name, "want an array");
  } else if (value.size() > count_max) {
    Refuse(name, absl::StrCat("has ", value.size(), " elements: want at most ", count_max));
  }
  return ok() ? value : null_value;
}

std::string JsonReader::PathOf(const std::string& name) const {
  return absl::StrCat(path_, path_.ends_with('\'') ? ": " : ".", name);
}

}  // namespace longtail
