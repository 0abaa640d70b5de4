#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/format_limits.h"
#include "protocol/json_reader.h"
#include "protocol/manifest.h"
#include "protocol/manifest_checksum.h"
#include "protocol/spec_codec.h"
#include "protocol/spec_json.h"
#include "protocol/step_mode_names.h"

namespace longtail {
namespace {

using nlohmann::json;

constexpr std::size_t kTextSizeMax = 256;  // Of a time or a version.
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kAny32 = std::numeric_limits<std::uint32_t>::max();

// Format, version and checksum: what must hold before any other field means something.
absl::Status CheckEnvelope(const std::string& what, const json& document, std::uint32_t& version) {
  absl::Status status;
  JsonReader reader(what, document, status);
  const std::string format = reader.Text("format", kTextSizeMax);
  if (format != kManifestFormat) {
    reader.Refuse("format", absl::StrCat("is '", format, "', not '", std::string(kManifestFormat),
                                         "': no manifest of a Longtail checkpoint"));
  }
  version = reader.Whole32("version", 1, kAny32);
  if (version > kManifestIncrementVersion) {
    reader.Refuse("version", absl::StrCat(version, " is newer than ", kManifestIncrementVersion,
                                          ", the newest that this program reads: use a newer one"));
  }
  const std::uint64_t want = reader.Hex(std::string(kManifestChecksumField));
  LONGTAIL_RETURN_IF_ERROR(status);
  if (const std::uint64_t found = ManifestChecksum(document); found != want) {
    return absl::DataLossError(absl::StrCat(what, ": damaged: its checksum is ", ChecksumHex(found),
                                            ", its field ", std::string(kManifestChecksumField),
                                            " says ", ChecksumHex(want)));
  }
  return absl::OkStatus();
}

void ReadTables(JsonReader& reader, std::vector<ManifestTable>& tables) {
  reader.Each("tables", kTableCountMax, [&](JsonReader entry) {
    ManifestTable table;
    table.id = TableId{entry.Whole32("id", 0, kTableCountMax - 1)};
    table.spec = SpecFromJson(entry);
    const std::uint64_t want = entry.Hex("spec_checksum");
    if (entry.ok() && Checksum(AsBytes(EncodeTableSpec(table.spec))) != want) {
      entry.Refuse("spec_checksum", "does not fit the spec beside it");
    }
    if (!tables.empty() && table.id <= tables.back().id) entry.Refuse("id", "does not ascend");
    tables.push_back(std::move(table));
  });
}

void ReadPartitions(JsonReader& reader, Manifest& manifest) {
  reader.Each("partitions", manifest.partition_count, [&](JsonReader entry) {
    PartitionPosition& position = manifest.partitions.emplace_back();
    position.partition = PartitionId{entry.Whole32("partition", 0, manifest.partition_count - 1)};
    position.log_position = entry.Whole("log_position", 0, kAny);
    position.step = entry.Whole("step", 0, kStepMax);
    if (manifest.layers.empty()) return;
    position.rows = entry.Whole("rows", 0, kAny);
    position.is_increment = entry.Bool("is_increment");
  });
}

void ReadLayers(JsonReader& reader, std::vector<std::string>& layers) {
  reader.Each("layers", kLayerCountMax, [&](JsonReader entry) {
    std::string layer = entry.Text("checkpoint", kBlobNameSizeMax);
    if (std::ranges::find(layers, layer) != layers.end()) {
      entry.Refuse("checkpoint", absl::StrCat("is '", layer, "', as that of another one"));
    }
    layers.push_back(std::move(layer));
  });
  if (reader.ok() && layers.empty()) reader.Refuse("layers", "want at least one");
}

void ReadBlobs(JsonReader& reader, Manifest& manifest) {
  reader.Each("blobs", kBlobCountMax, [&](JsonReader entry) {
    SnapshotBlob& blob = manifest.blobs.emplace_back();
    blob.name = entry.Text("name", kBlobNameSizeMax);
    blob.bytes = entry.Whole("bytes", 0, kAny);
    blob.checksum = entry.Hex("checksum");
    blob.rows = entry.Whole("rows", 0, kAny);
  });
  reader.Each("trainer", kBlobCountMax, [&](JsonReader entry) {
    ManifestTrainerBlob& blob = manifest.trainer.emplace_back();
    blob.name = entry.Text("name", kBlobNameSizeMax);
    blob.blob = entry.Text("blob", kBlobNameSizeMax);
    blob.bytes = entry.Whole("bytes", 0, kAny);
    blob.checksum = entry.Hex("checksum");
  });
}

}  // namespace

absl::StatusOr<Manifest> DecodeManifest(std::string_view name, std::string_view bytes) {
  const std::string what = absl::StrCat("manifest '", std::string(name), "'");
  if (bytes.size() > kManifestBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", bytes.size(), " bytes: want at most ", kManifestBytesMax));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const json document, ParseJson(what, bytes, kManifestDepthMax));
  std::uint32_t version = 0;
  LONGTAIL_RETURN_IF_ERROR(CheckEnvelope(what, document, version));
  absl::Status status;
  JsonReader reader(what, document, status);
  Manifest manifest;
  manifest.created_at = reader.Text("created_at", kTextSizeMax);
  manifest.library_version = reader.Text("library_version", kTextSizeMax);
  manifest.step = reader.Whole("step", 0, kStepMax);
  manifest.partition_count = reader.Whole32("partition_count", 1, kPartitionCountMax);
  if (reader.ok() && !std::has_single_bit(manifest.partition_count)) {
    reader.Refuse("partition_count", "want a power of two");
  }
  manifest.lanes = reader.Whole32("lanes", 1, kAny32);
  manifest.step_mode = static_cast<StepMode>(reader.OneOf("step_mode", kStepModeNames));
  manifest.worker_count = reader.Whole32("worker_count", 0, kAny32);
  ReadTables(reader, manifest.tables);
  if (version == kManifestIncrementVersion) ReadLayers(reader, manifest.layers);
  ReadPartitions(reader, manifest);
  ReadBlobs(reader, manifest);
  LONGTAIL_RETURN_IF_ERROR(status);
  return manifest;
}

}  // namespace longtail
