#include "cli/inspect_answer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "protocol/json_line.h"
#include "protocol/spec_json.h"
#include "protocol/step_mode_names.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

struct BlobBytes {
  std::uint64_t snapshots = 0;
  std::uint64_t trainer = 0;
};

BlobBytes BytesOf(const Manifest& manifest) {
  BlobBytes bytes;
  for (const SnapshotBlob& blob : manifest.blobs) bytes.snapshots += blob.bytes;
  for (const ManifestTrainerBlob& blob : manifest.trainer) bytes.trainer += blob.bytes;
  return bytes;
}

std::uint64_t RowsOf(const Manifest& manifest) {
  return server::InfoOf(manifest, {}).rows;
}

std::string TablesText(std::size_t count, absl::FunctionRef<std::string(std::size_t)> text_of) {
  std::string text;
  for (std::size_t place = 0; place < count; ++place) text += text_of(place);
  return text;
}

json TablesJson(std::size_t count, absl::FunctionRef<json(std::size_t)> json_of) {
  json tables = json::array();
  for (std::size_t place = 0; place < count; ++place) tables.push_back(json_of(place));
  return tables;
}

}  // namespace

std::string AnswerOf(const CheckpointSource& source, OutputForm form,
                     absl::FunctionRef<std::string(std::size_t place)> text_of,
                     absl::FunctionRef<json(std::size_t place)> json_of) {
  if (form == OutputForm::kText) {
    return CheckpointText(source) + TablesText(source.selected.size(), text_of);
  }
  return LineOf({{"checkpoint", CheckpointJson(source)},
                 {"tables", TablesJson(source.selected.size(), json_of)}});
}

std::string AnswerOf(const StatisticsSource& source, OutputForm form,
                     absl::FunctionRef<std::string(std::size_t place)> text_of,
                     absl::FunctionRef<json(std::size_t place)> json_of) {
  const StatisticsFile& file = source.file;
  if (form == OutputForm::kText) {
    return absl::StrCat("statistics ", SafeText(source.address), "\n  step ",
                        GroupedText(file.step), "; written ", SafeText(file.created_at),
                        " by version ", SafeText(file.library_version), "\n") +
           TablesText(source.selected.size(), text_of);
  }
  return LineOf({{"statistics",
                  {{"address", source.address},
                   {"created_at", file.created_at},
                   {"library_version", file.library_version},
                   {"step", file.step}}},
                 {"tables", TablesJson(source.selected.size(), json_of)}});
}

std::string CheckpointText(const CheckpointSource& source) {
  const Manifest& manifest = source.manifest;
  const BlobBytes bytes = BytesOf(manifest);
  std::string sessions;
  if (source.sessions) sessions = absl::StrCat(", ", CountedText(*source.sessions, "session"));
  return absl::StrCat(
      "checkpoint ", SafeText(source.address), "\n  step ", GroupedText(manifest.step), ", ",
      StepModeName(manifest.step_mode), "; saved ", SafeText(manifest.created_at), " by version ",
      SafeText(manifest.library_version), "\n  ", CountedText(manifest.tables.size(), "table"),
      ", ", CountedText(RowsOf(manifest), "row"), " in ",
      CountedText(manifest.partition_count, "partition"), sessions, "; ",
      CountedText(bytes.snapshots, "byte"), " of snapshots, ", GroupedText(bytes.trainer),
      " of the trainer's state\n");
}

json CheckpointJson(const CheckpointSource& source) {
  const Manifest& manifest = source.manifest;
  const BlobBytes bytes = BytesOf(manifest);
  json document = {{"address", source.address},
                   {"created_at", manifest.created_at},
                   {"library_version", manifest.library_version},
                   {"step", manifest.step},
                   {"step_mode", StepModeName(manifest.step_mode)},
                   {"partitions", manifest.partition_count},
                   {"rows", RowsOf(manifest)},
                   {"snapshot_bytes", bytes.snapshots},
                   {"trainer_bytes", bytes.trainer}};
  if (source.sessions) document["sessions"] = *source.sessions;
  return document;
}

std::string OptimizerText(const TableSpec& spec) {
  if (spec.kind == TableKind::kCounts) return "columns of counts";
  const json optimizer = SpecToJson(spec).at("optimizer");
  std::string text = optimizer.at("rule").get<std::string>();
  for (const auto& [name, value] : optimizer.items()) {
    if (value.is_number() && value != 0) absl::StrAppend(&text, ", ", name, " ", value.dump());
  }
  return text;
}

json FloatJson(float value) {
  if (!std::isfinite(value)) return nullptr;
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  double readable = 0;
  std::from_chars(digits.data(), written.ptr, readable);
  return readable;
}

double ShareOf(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string LineOf(const json& document) {
  return JsonLine(document);
}

}  // namespace longtail::cli
