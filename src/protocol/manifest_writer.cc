#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "protocol/checksum.h"
#include "protocol/manifest.h"
#include "protocol/manifest_checksum.h"
#include "protocol/spec_codec.h"
#include "protocol/spec_json.h"
#include "protocol/step_mode_names.h"

namespace longtail {
namespace {

using nlohmann::json;

constexpr int kIndent = 1;

json TablesJson(const std::vector<ManifestTable>& tables) {
  json out = json::array();
  for (const ManifestTable& table : tables) {
    json entry = SpecToJson(table.spec);
    entry["id"] = static_cast<std::uint32_t>(table.id);
    entry["spec_checksum"] = ChecksumHex(Checksum(AsBytes(EncodeTableSpec(table.spec))));
    out.push_back(std::move(entry));
  }
  return out;
}

json PartitionsJson(const Manifest& manifest) {
  json out = json::array();
  for (const PartitionPosition& position : manifest.partitions) {
    out.push_back({{"partition", static_cast<std::uint32_t>(position.partition)},
                   {"log_position", position.log_position},
                   {"step", position.step}});
    if (manifest.layers.empty()) continue;
    out.back().update({{"rows", position.rows}, {"is_increment", position.is_increment}});
  }
  return out;
}

json BlobsJson(const std::vector<SnapshotBlob>& blobs) {
  json out = json::array();
  for (const SnapshotBlob& blob : blobs) {
    out.push_back({{"name", blob.name},
                   {"bytes", blob.bytes},
                   {"checksum", ChecksumHex(blob.checksum)},
                   {"rows", blob.rows}});
  }
  return out;
}

json TrainerJson(const std::vector<ManifestTrainerBlob>& trainer) {
  json out = json::array();
  for (const ManifestTrainerBlob& blob : trainer) {
    out.push_back({{"name", blob.name},
                   {"blob", blob.blob},
                   {"bytes", blob.bytes},
                   {"checksum", ChecksumHex(blob.checksum)}});
  }
  return out;
}

}  // namespace

std::uint64_t CheckpointIdentity(std::string_view name, std::string_view created_at) {
  std::string text(name);
  text += '\n';
  text += created_at;
  return std::max<std::uint64_t>(1, Checksum(AsBytes(text)));
}

std::uint64_t ManifestChecksum(json document) {
  document.erase(std::string(kManifestChecksumField));
  return Checksum(AsBytes(document.dump(-1, ' ', false, json::error_handler_t::replace)));
}

std::string EncodeManifest(const Manifest& manifest) {
  json document = {
      {"format", kManifestFormat},
      {"version", manifest.layers.empty() ? kManifestVersion : kManifestIncrementVersion},
      {"created_at", manifest.created_at},
      {"library_version", manifest.library_version},
      {"step", manifest.step},
      {"partition_count", manifest.partition_count},
      {"lanes", manifest.lanes},
      {"step_mode", kStepModeNames[static_cast<std::size_t>(manifest.step_mode)]},
      {"worker_count", manifest.worker_count},
      {"tables", TablesJson(manifest.tables)},
      {"partitions", PartitionsJson(manifest)},
      {"blobs", BlobsJson(manifest.blobs)},
      {"trainer", TrainerJson(manifest.trainer)},
  };
  for (const std::string& layer : manifest.layers) {
    document["layers"].push_back({{"checkpoint", layer}});
  }
  document[std::string(kManifestChecksumField)] = ChecksumHex(ManifestChecksum(document));
  return document.dump(kIndent, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace longtail
