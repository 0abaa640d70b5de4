#include "read_bytes.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "examples/common/data/example_reader.h"
#include "examples/common/data/schema_json.h"
#include "examples/common/data/shuffler.h"

namespace longtail::examples::fuzz {
namespace {

constexpr std::array<const char*, 6> kSchemas = {
    R"({"label": {"column": "y", "at_least": 4}, "group": "c", "features": ["c",
        {"column": "m", "separator": "|", "lower_case": true},
        {"column": "m", "field": "year", "extract": "\\(([0-9]{4})\\) *$"},
        {"column": "n", "type": "numeric", "transform": "log1p"},
        {"column": "n", "field": "b", "bucket": [1, 10]}],
        "splits": {"all": {"files": ["main"], "where": [{"column": "t", "below": 50}]}}})",
    R"({"format": "criteo", "integers": "both", "splits": {"all": {"files": ["main", "main"]}}})",
    R"({"format": "libsvm", "splits": {"all": {"files": ["main"], "skip": 1, "take": 100}}})",
    R"({"format": "libsvm", "fields": 3, "group": "f1", "splits": {"all": {"files": ["main"]}}})",
    R"({"format": "delimited", "separator": "::", "header": false, "columns": ["y", "u", "n"],
        "label": "y", "features": [{"column": "u", "bucket": "log_square"},
        {"column": "n", "type": "numeric", "transform": "standardise", "mean": 2, "std": 3}],
        "splits": {"all": {"files": ["main"], "last": 0.3}}})",
    R"({"label": "y", "features": ["u", {"column": "g", "separator": "|"}, "tag",
        {"column": "w", "type": "numeric"}],
        "joins": [{"file": "side", "on": {"example": "u", "side": "id"}, "add": ["g", "w"]},
                  {"file": "tags", "format": "tsv", "header": false, "columns": ["id", "tag", "t"],
                   "on": {"example": "u", "side": "id"}, "add": ["tag"], "many": true,
                   "as_of": "t"}],
        "splits": {"all": {"files": ["main"]}}})"};

// Cuts the last of the parts that zero bytes separate off `text`.
std::string CutLast(std::string& text) {
  const std::size_t at = text.rfind('\0');
  if (at == std::string::npos) return {};
  std::string last = text.substr(at + 1);
  text.resize(at);
  return last;
}

void Promise(bool kept) {
  if (!kept) std::abort();
}

void CheckShape(const Batch& batch, const FeatureLayout& layout, std::size_t size_max) {
  Promise(batch.size <= size_max);
  Promise(batch.labels.size() == batch.size);
  Promise(batch.numeric.size() == batch.size * layout.numeric_count());
  Promise(batch.offsets.size() == batch.size * layout.field_count() + 1);
  Promise(batch.offsets.front() == 0);
  Promise(batch.offsets.back() == batch.keys.size());
  Promise(batch.values.empty() || batch.values.size() == batch.keys.size());
  Promise(batch.groups.size() == (layout.has_groups ? batch.size : 0));
}

void ReadFiles(const Schema& schema, std::uint8_t choice, std::string text) {
  ReaderOptions options;
  options.on_bad_line = (choice & 1) != 0 ? OnBadLine::kSkip : OnBadLine::kFail;
  const bool has_sides = !schema.joins.empty();
  const std::string tags = has_sides ? CutLast(text) : "";
  const std::string side = has_sides ? CutLast(text) : "";
  options.opener = [&](const std::string& path) {
    return OpenMemory(path, path == "main" ? text : path == "side" ? side : tags);
  };
  absl::StatusOr<std::unique_ptr<ExampleReader>> reader =
      ExampleReader::Open(schema, "all", options);
  if (!reader.ok()) return;
  const std::size_t size_max = 1 + (choice >> 2);
  std::unique_ptr<BatchSource> source = *std::move(reader);
  if ((choice & 2) != 0) {
    source = std::make_unique<Shuffler>(std::move(source), ShuffleOptions{.buffer_size = 5});
  }
  while (true) {
    Batch batch;
    if (!source->Next(size_max, batch).ok()) return;
    CheckShape(batch, source->layout(), size_max);
    if (batch.size == 0) return;
  }
}

}  // namespace

void ReadBytes(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return;
  const std::size_t kind = bytes[0] % (kSchemas.size() + 1);
  std::string text(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  if (kind == kSchemas.size()) {
    const absl::StatusOr<Schema> schema = ParseSchema(text, "fuzz", "");
    if (schema.ok()) (void)LayoutOf(*schema);
    return;
  }
  const absl::StatusOr<Schema> schema = ParseSchema(kSchemas[kind], "schema", "");
  Promise(schema.ok());
  ReadFiles(*schema, bytes[1], std::move(text));
}

}  // namespace longtail::examples::fuzz
