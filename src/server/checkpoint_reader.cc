#include "server/checkpoint_reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "io/store_address.h"
#include "protocol/checksum.h"
#include "protocol/trainer_blob.h"
#include "server/checkpoint_layers.h"

namespace longtail::server {
namespace {

// Names of the checkpoints of a store that have a manifest.
absl::StatusOr<std::vector<std::string>> CompleteNames(BlobStore& store) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> blobs, store.List(""));
  const std::string suffix = absl::StrCat("/", std::string(kManifestBlobName));
  std::vector<std::string> names;
  for (const std::string& blob : blobs) {
    if (blob.ends_with(suffix)) names.push_back(blob.substr(0, blob.size() - suffix.size()));
  }
  return names;
}

// Reads chunks, of whose tables the manifest knows, one in the memory of the other.
class ChunkReader {
 public:
  ChunkReader(BlobStore& store, const Manifest& manifest) : store_(store), manifest_(manifest) {}

  absl::Status Read(const SnapshotBlob& blob) {
    LONGTAIL_RETURN_IF_ERROR(ReadCheckedInto(store_, blob.name, blob.bytes, blob.checksum, bytes_));
    const std::string where = absl::StrCat(store_.Describe(), "/", blob.name);
    LONGTAIL_RETURN_IF_ERROR(reader_.Read(where, std::as_bytes(std::span(bytes_))));
    for (const SnapshotTable& table : chunk().tables) {
      const auto number = static_cast<std::size_t>(table.rows.table);
      if (number >= manifest_.tables.size() || table.spec != manifest_.tables[number].spec) {
        return absl::InvalidArgumentError(absl::StrCat(where, ": table ", number, " '",
                                                       table.spec.name, "' is not the manifest's"));
      }
    }
    return absl::OkStatus();
  }

  SnapshotChunk& chunk() { return reader_.chunk(); }

 private:
  BlobStore& store_;
  const Manifest& manifest_;
  std::string bytes_;
  SnapshotReader reader_;
};

absl::Status ReadLayers(
    BlobStore& store, const Manifest& manifest,
    absl::FunctionRef<bool(const SnapshotBlob& blob)> is_wanted,
    absl::FunctionRef<absl::Status(const SnapshotBlob& blob, SnapshotChunk& chunk)> take) {
  const absl::StatusOr<std::vector<LayerChunk>> chunks = LayerChunksOf(manifest);
  if (!chunks.ok()) {
    return {chunks.status().code(), absl::StrCat(store.Describe(), "/", chunks.status().message())};
  }
  NewerKeys newer;
  ChunkReader reader(store, manifest);
  SnapshotChunk& chunk = reader.chunk();
  for (const LayerChunk& at : *chunks) {
    if (!is_wanted(*at.blob)) continue;
    LONGTAIL_RETURN_IF_ERROR(reader.Read(*at.blob));
    if (chunk.header.partition != at.partition || chunk.header.is_increment != at.is_increment) {
      return absl::InvalidArgumentError(
          absl::StrCat(store.Describe(), "/", at.blob->name, ": ",
                       chunk.header.is_increment ? "an increment" : "all rows", " of partition ",
                       static_cast<std::uint32_t>(chunk.header.partition), ": want ",
                       at.is_increment ? "an increment" : "all rows", " of partition ",
                       static_cast<std::uint32_t>(at.partition)));
    }
    newer.Hide(at, chunk);
    if (at.layer + 1 != manifest.layers.size()) chunk.sessions.clear();
    LONGTAIL_RETURN_IF_ERROR(take(*at.blob, chunk));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadChecked(BlobStore& store, const std::string& name,
                                        std::uint64_t bytes, std::uint64_t checksum) {
  std::string blob;
  LONGTAIL_RETURN_IF_ERROR(ReadCheckedInto(store, name, bytes, checksum, blob));
  return blob;
}

absl::Status ReadCheckedInto(BlobStore& store, const std::string& name, std::uint64_t bytes,
                             std::uint64_t checksum, std::string& blob) {
  const absl::Status status = store.ReadInto(name, blob);
  if (absl::IsNotFound(status)) {
    return absl::DataLossError(
        absl::StrCat(store.Describe(), "/", name, ": the manifest names it and it is not there"));
  }
  LONGTAIL_RETURN_IF_ERROR(status);
  if (blob.size() != bytes) {
    return absl::DataLossError(absl::StrCat(store.Describe(), "/", name, ": truncated at offset ",
                                            blob.size(), ": want ", bytes, " bytes"));
  }
  // The reader of the format names the offset of the damage where it can.
  const std::uint64_t found = Checksum(std::as_bytes(std::span(blob)));
  if (found != checksum) {
    return absl::DataLossError(absl::StrCat(store.Describe(), "/", name, ": checksum ",
                                            ChecksumHex(found), " over bytes 0..", bytes, ": want ",
                                            ChecksumHex(checksum)));
  }
  return absl::OkStatus();
}

std::string ManifestName(const std::string& checkpoint) {
  return absl::StrCat(checkpoint, "/", std::string(kManifestBlobName));
}

absl::StatusOr<Manifest> ReadManifest(BlobStore& store, const std::string& checkpoint) {
  const absl::StatusOr<std::string> bytes = store.Read(ManifestName(checkpoint));
  if (absl::IsNotFound(bytes.status())) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, CompleteNames(store));
    return absl::NotFoundError(absl::StrCat("checkpoint '", checkpoint, "': ", store.Describe(),
                                            " has [", absl::StrJoin(names, ", "), "]"));
  }
  if (!bytes.ok()) return bytes.status();
  return DecodeManifest(absl::StrCat(store.Describe(), "/", ManifestName(checkpoint)), *bytes);
}

CheckpointInfo InfoOf(const Manifest& manifest, const CheckpointName& name) {
  CheckpointInfo info{.name = name,
                      .created_at = manifest.created_at,
                      .step = manifest.step,
                      .partitions = manifest.partition_count,
                      .rows = 0,
                      .bytes = 0,
                      .tables = {}};
  const std::vector<std::string>& layers = manifest.layers;
  for (const SnapshotBlob& blob : manifest.blobs) {
    info.rows += blob.rows;
    info.bytes += blob.bytes;
    if (layers.empty() || CheckpointOfBlob(blob.name) == layers.back())
      info.own_bytes += blob.bytes;
  }
  for (const ManifestTrainerBlob& blob : manifest.trainer) {
    info.bytes += blob.bytes;
    info.own_bytes += blob.bytes;
  }
  for (const ManifestTable& table : manifest.tables) info.tables.push_back(table.spec);
  if (layers.size() < 2) return info;
  info.increments = static_cast<std::uint32_t>(layers.size() - 1);
  info.base = layers[layers.size() - 2];
  info.rows = 0;  // One may be in several layers.
  for (const PartitionPosition& position : manifest.partitions) info.rows += position.rows;
  return info;
}

absl::StatusOr<std::optional<std::string>> FindUserOf(BlobStore& store, const std::string& name) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, CompleteNames(store));
  for (const std::string& user : names) {
    const absl::StatusOr<Manifest> manifest = ReadManifest(store, user);
    if (absl::IsNotFound(manifest.status())) continue;  // Removed since.
    LONGTAIL_RETURN_IF_ERROR(manifest.status());
    for (const SnapshotBlob& blob : manifest->blobs) {
      if (CheckpointOfBlob(blob.name) == name) return std::optional(user);
    }
  }
  return std::nullopt;
}

absl::Status ReadChunks(
    BlobStore& store, const Manifest& manifest,
    absl::FunctionRef<bool(const SnapshotBlob& blob)> is_wanted,
    absl::FunctionRef<absl::Status(const SnapshotBlob& blob, SnapshotChunk& chunk)> take) {
  if (!manifest.layers.empty()) return ReadLayers(store, manifest, is_wanted, take);
  ChunkReader reader(store, manifest);
  for (const SnapshotBlob& blob : manifest.blobs) {
    if (!is_wanted(blob)) continue;
    LONGTAIL_RETURN_IF_ERROR(reader.Read(blob));
    if (reader.chunk().header.is_increment) {
      return absl::InvalidArgumentError(
          absl::StrCat(store.Describe(), "/", blob.name,
                       ": is an increment, and the manifest has nothing that it builds on"));
    }
    LONGTAIL_RETURN_IF_ERROR(take(blob, reader.chunk()));
  }
  return absl::OkStatus();
}

absl::Status ReadRows(BlobStore& store, const Manifest& manifest,
                      absl::FunctionRef<absl::Status(const RowBlock& rows)> take) {
  return ReadChunks(
      store, manifest, [](const SnapshotBlob&) { return true; },
      [&](const SnapshotBlob&, const SnapshotChunk& chunk) {
        for (const SnapshotTable& table : chunk.tables) {
          LONGTAIL_RETURN_IF_ERROR(take(table.rows));
        }
        return absl::OkStatus();
      });
}

}  // namespace longtail::server

namespace longtail {

std::string AddressOf(const CheckpointName& name) {
  return JoinStoreAddress(name.store, name.name);
}

absl::StatusOr<std::vector<CheckpointInfo>> ListCheckpoints(const std::string& store_address) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(store_address));
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, server::CompleteNames(*store));
  std::vector<CheckpointInfo> infos;
  for (const std::string& name : names) {
    LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, server::ReadManifest(*store, name));
    infos.push_back(server::InfoOf(manifest, {.store = store_address, .name = name}));
  }
  std::ranges::stable_sort(infos, {}, &CheckpointInfo::created_at);
  return infos;
}

absl::StatusOr<TrainerState> ReadTrainerState(const CheckpointName& from) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store, OpenExistingStore(from.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, server::ReadManifest(*store, from.name));
  TrainerState state;
  for (const ManifestTrainerBlob& blob : manifest.trainer) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes,
                              server::ReadChecked(*store, blob.blob, blob.bytes, blob.checksum));
    LONGTAIL_ASSIGN_OR_RETURN(state[blob.name],
                              DecodeTrainerBlob(absl::StrCat(store->Describe(), "/", blob.blob),
                                                std::as_bytes(std::span(bytes))));
  }
  return state;
}

}  // namespace longtail
