#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/table_summary.h"
#include "cli/text_columns.h"
#include "io/open_store.h"
#include "protocol/checksum.h"
#include "protocol/manifest.h"
#include "protocol/spec_json.h"
#include "protocol/step_mode_names.h"
#include "protocol/trainer_blob.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

// What is shown of the trainer's own state: entries such as its position in its data.
constexpr std::uint64_t kShownBlobBytesMax = 4096;
constexpr std::size_t kShownTextSizeMax = 100;

// Least and most of some numbers.
struct Range {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

struct Shown {
  std::string where;  // The store, in words.
  std::string name;
  Manifest manifest;
  Range positions;
  Range steps;
  std::vector<std::optional<std::string>> trainer_texts;  // By the manifest's entries.
  std::vector<TableSummary> summaries;                    // By its tables; none if not counted.
};

Range RangeOf(const Manifest& manifest, std::uint64_t PartitionPosition::*member) {
  if (manifest.partitions.empty()) return {};
  const auto [low, high] = std::ranges::minmax(manifest.partitions, {}, member);
  return {.low = low.*member, .high = high.*member};
}

bool IsShownText(const std::string& payload) {
  return !payload.empty() && payload.size() <= kShownTextSizeMax &&
         std::ranges::all_of(payload, [](char c) { return ' ' <= c && c <= '~'; });
}

// The entry's payload, if it is a short text.
absl::StatusOr<std::optional<std::string>> ReadText(BlobStore& store,
                                                    const ManifestTrainerBlob& entry) {
  if (entry.bytes > kShownBlobBytesMax) return std::nullopt;
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, store.Read(entry.blob));
  LONGTAIL_ASSIGN_OR_RETURN(
      std::string payload,
      DecodeTrainerBlob(absl::StrCat(store.Describe(), "/", entry.blob), AsBytes(bytes)));
  if (!IsShownText(payload)) return std::nullopt;
  return std::optional(std::move(payload));
}

std::string RangeText(const Range& range) {
  return range.low == range.high
             ? GroupedText(range.low)
             : absl::StrCat(GroupedText(range.low), " to ", GroupedText(range.high));
}

// "normal, mean 0, stddev 0.01": values of an object that are not 0, with their names.
std::string WordsOf(const json& object, const char* title) {
  std::string text = object.at(title).get<std::string>();
  for (const auto& [name, value] : object.items()) {
    if (name == title || value == 0 || value == false) continue;
    absl::StrAppend(&text, ", ", name, " ", value.dump());
  }
  return text;
}

std::string TableText(const Shown& shown, std::size_t place) {
  const TableSpec& spec = shown.manifest.tables[place].spec;
  const bool has_counts = spec.kind == TableKind::kCounts;  // Nothing else is said of it.
  const json fields = has_counts ? json::object() : SpecToJson(spec);
  std::string text = absl::StrCat("\ntable ", SafeText(spec.name), "\n  dim ", spec.dim, "; ",
                                  OptimizerText(spec), "\n");
  if (!has_counts) {
    absl::StrAppend(&text, "  starts as ", WordsOf(fields.at("initializer"), "kind"), "; seed ",
                    spec.seed, "\n");
  }
  for (const auto& [name, value] : fields.items()) {
    const bool is_above = name == "name" || name == "dim" || name == "optimizer" ||
                          name == "initializer" || name == "seed";
    if (is_above || value == 0) continue;
    absl::StrAppend(&text, "  ", name, " ", value.dump(), "\n");
  }
  if (shown.summaries.empty()) return text;
  const TableSummary& summary = shown.summaries[place];
  const std::string each =
      has_counts ? "" : absl::StrCat(" of ", CountedText(summary.floats_per_row, "float"));
  absl::StrAppend(&text, "  ", CountedText(summary.all.rows, "row"), each, ", ",
                  CountedText(summary.row_bytes, "byte"), " before compression\n");
  return text;
}

// On what it builds, and what is its own; nothing of a full checkpoint.
std::string IncrementText(const Manifest& manifest) {
  const CheckpointInfo info = server::InfoOf(manifest, {});
  if (info.increments == 0) return "";
  const auto full = static_cast<std::uint64_t>(
      std::ranges::count(manifest.partitions, false, &PartitionPosition::is_increment));
  return absl::StrCat("  increment ", info.increments, " on ", SafeText(manifest.layers.front()),
                      ", the one before is ", SafeText(info.base), "; ",
                      CountedText(info.own_bytes, "byte"), " of its own, ",
                      CountedText(full, "partition"), " in full\n");
}

std::string TextOf(const Shown& shown, bool lists_objects) {
  const Manifest& manifest = shown.manifest;
  std::uint64_t bytes = 0;
  for (const SnapshotBlob& blob : manifest.blobs) bytes += blob.bytes;
  const std::uint64_t rows = server::InfoOf(manifest, {}).rows;
  std::string text = absl::StrCat(
      "checkpoint ", SafeText(shown.name), " in ", SafeText(shown.where), "\n  step ",
      GroupedText(manifest.step), ", ", StepModeName(manifest.step_mode), ", ",
      CountedText(manifest.worker_count, "worker"), "; saved ", SafeText(manifest.created_at),
      " by version ", SafeText(manifest.library_version), "\n  ",
      CountedText(manifest.partition_count, "partition"), " of ",
      CountedText(manifest.lanes, "lane"), ", cut at log positions ", RangeText(shown.positions),
      " and steps ", RangeText(shown.steps), "\n  ", CountedText(rows, "row"), " of ",
      CountedText(manifest.tables.size(), "table"), " in ",
      CountedText(manifest.blobs.size(), "object"), ", ", CountedText(bytes, "byte"), "\n",
      IncrementText(manifest));
  for (std::size_t i = 0; i < manifest.tables.size(); ++i) text += TableText(shown, i);
  if (!manifest.trainer.empty()) {
    text += "\ntrainer's state\n";
    std::vector<std::vector<std::string>> lines = {{"bytes", "entry"}};
    for (std::size_t i = 0; i < manifest.trainer.size(); ++i) {
      const auto& own = shown.trainer_texts[i];
      lines.push_back({GroupedText(manifest.trainer[i].bytes), SafeText(manifest.trainer[i].name),
                       own ? absl::StrCat("\"", *own, "\"") : ""});
    }
    text += ColumnsText(lines, 1);
  }
  if (!lists_objects) return text;
  std::vector<std::vector<std::string>> lines = {{"rows", "bytes", "checksum", "object"}};
  for (const SnapshotBlob& blob : manifest.blobs) {
    lines.push_back({GroupedText(blob.rows), GroupedText(blob.bytes), ChecksumHex(blob.checksum),
                     SafeText(blob.name)});
  }
  for (const ManifestTrainerBlob& blob : manifest.trainer) {
    lines.push_back({"", GroupedText(blob.bytes), ChecksumHex(blob.checksum), SafeText(blob.blob)});
  }
  return absl::StrCat(text, "\n", ColumnsText(lines, 3));
}

std::string JsonOf(const Shown& shown) {
  const Manifest& manifest = shown.manifest;
  json tables = json::array();
  for (std::size_t i = 0; i < manifest.tables.size(); ++i) {
    json table = {{"name", manifest.tables[i].spec.name},
                  {"spec", SpecToJson(manifest.tables[i].spec)}};
    if (!shown.summaries.empty()) {
      table.update({{"rows", shown.summaries[i].all.rows},
                    {"floats_per_row", shown.summaries[i].floats_per_row},
                    {"row_bytes", shown.summaries[i].row_bytes}});
    }
    tables.push_back(std::move(table));
  }
  json partitions = json::array();
  for (const PartitionPosition& position : manifest.partitions) {
    partitions.push_back({{"partition", static_cast<std::uint32_t>(position.partition)},
                          {"log_position", position.log_position},
                          {"step", position.step}});
  }
  json objects = json::array();
  for (const SnapshotBlob& blob : manifest.blobs) {
    objects.push_back({{"name", blob.name},
                       {"bytes", blob.bytes},
                       {"rows", blob.rows},
                       {"checksum", ChecksumHex(blob.checksum)}});
  }
  json trainer = json::array();
  for (std::size_t i = 0; i < manifest.trainer.size(); ++i) {
    const ManifestTrainerBlob& blob = manifest.trainer[i];
    trainer.push_back({{"name", blob.name},
                       {"object", blob.blob},
                       {"bytes", blob.bytes},
                       {"checksum", ChecksumHex(blob.checksum)}});
    if (shown.trainer_texts[i]) trainer.back()["text"] = *shown.trainer_texts[i];
  }
  json increment;  // Null of a full checkpoint.
  if (const CheckpointInfo info = server::InfoOf(manifest, {}); info.increments != 0) {
    increment = {{"base", info.base}, {"layers", manifest.layers}, {"own_bytes", info.own_bytes}};
  }
  return LineOf({{"store", shown.where},
                 {"name", shown.name},
                 {"increment", std::move(increment)},
                 {"created_at", manifest.created_at},
                 {"library_version", manifest.library_version},
                 {"step", manifest.step},
                 {"step_mode", StepModeName(manifest.step_mode)},
                 {"worker_count", manifest.worker_count},
                 {"partition_count", manifest.partition_count},
                 {"lanes", manifest.lanes},
                 {"tables", std::move(tables)},
                 {"partitions", std::move(partitions)},
                 {"objects", std::move(objects)},
                 {"trainer", std::move(trainer)}});
}

absl::Status CountRows(BlobStore& store, Shown& shown) {
  shown.summaries.resize(shown.manifest.tables.size());
  return server::ReadRows(store, shown.manifest, [&](const RowBlock& rows) {
    shown.summaries[static_cast<std::size_t>(rows.table)].Add(rows);
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptShow(const CkptRequest& request,
                                        const CkptShowOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  Shown shown;
  shown.where = store->Describe();
  shown.name = options.name;
  LONGTAIL_ASSIGN_OR_RETURN(shown.manifest, server::ReadManifest(*store, options.name));
  shown.positions = RangeOf(shown.manifest, &PartitionPosition::log_position);
  shown.steps = RangeOf(shown.manifest, &PartitionPosition::step);
  for (const ManifestTrainerBlob& entry : shown.manifest.trainer) {
    LONGTAIL_ASSIGN_OR_RETURN(std::optional<std::string> text, ReadText(*store, entry));
    shown.trainer_texts.push_back(std::move(text));
  }
  if (options.counts_rows) LONGTAIL_RETURN_IF_ERROR(CountRows(*store, shown));
  return CommandOutcome{.output = request.form == OutputForm::kText
                                      ? TextOf(shown, options.lists_objects)
                                      : JsonOf(shown)};
}

}  // namespace longtail::cli
