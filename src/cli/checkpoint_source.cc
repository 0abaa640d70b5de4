#include "cli/checkpoint_source.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "io/store_address.h"
#include "protocol/snapshot_format.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file:";

bool HasManifest(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_regular_file(directory / kManifestBlobName, ignored);
}

// The names of a directory's own directories that are checkpoints, ascending.
std::vector<std::string> CheckpointsIn(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (HasManifest(entry->path())) names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// "rados://pool/jobs/step-7?user=x" is step-7 of "rados://pool/jobs?user=x".
absl::StatusOr<CheckpointName> FindInStore(const std::string& address) {
  const std::size_t end = std::min(address.find('?'), address.size());
  std::string place = address.substr(0, end);
  const std::string manifest = absl::StrCat("/", std::string(kManifestBlobName));
  if (place.ends_with(manifest)) place.resize(place.size() - manifest.size());
  const std::size_t begin = place.find("//") + 2;
  const std::size_t slash = place.rfind('/');
  if (slash < begin || slash + 1 == place.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint '", address, "': want rados://POOL[/NAMESPACE]/CHECKPOINT"));
  }
  return CheckpointName{.store = absl::StrCat(place.substr(0, slash), address.substr(end)),
                        .name = place.substr(slash + 1)};
}

// Each chunk of a partition says so itself: a blob under another's name must not hide a row.
absl::Status CheckPartition(const CheckpointSource& source, const SnapshotBlob& blob,
                            const SnapshotHeader& header) {
  const auto place = server::PlaceOfSnapshot(blob.name);
  if (!place || (place->partition == header.partition &&
                 header.partition_count == source.manifest.partition_count)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(source.store->Describe(), "/", blob.name, ": holds partition ",
                   static_cast<std::uint32_t>(header.partition), " of ", header.partition_count,
                   ": want that of its name, of ", source.manifest.partition_count));
}

void TakeSelected(const CheckpointSource& source, const SnapshotChunk& chunk, TakeRows take) {
  for (const SnapshotTable& table : chunk.tables) {
    const auto found =
        std::ranges::find(source.selected, static_cast<std::size_t>(table.rows.table));
    if (found == source.selected.end()) continue;
    take(static_cast<std::size_t>(found - source.selected.begin()), table.rows);
  }
}

// Fills `selected`.
absl::Status SelectTables(CheckpointSource& source, const std::string& table) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < source.manifest.tables.size(); ++i) {
    names.push_back(source.manifest.tables[i].spec.name);
    if (table.empty() || table == names.back()) source.selected.push_back(i);
  }
  if (table.empty() || !source.selected.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("table '", table, "': checkpoint '", source.address,
                                          "' has [", absl::StrJoin(names, ", "), "]"));
}

}  // namespace

absl::StatusOr<CheckpointName> FindCheckpoint(const std::string& address) {
  const absl::StatusOr<StoreAddress> parsed = ParseStoreAddress(address);
  if (parsed.ok() && parsed->scheme != "file") return FindInStore(address);
  const std::string_view text = address;
  const bool has_scheme = text.starts_with(kFileScheme);
  fs::path path(has_scheme ? text.substr(kFileScheme.size()) : text);
  if (path.filename() == kManifestBlobName) {
    path = path.has_parent_path() ? path.parent_path() : fs::path(".");
  }
  std::error_code error;
  const fs::path directory = fs::canonical(path, error);
  if (error || !fs::is_directory(directory, error)) {
    return absl::NotFoundError(absl::StrCat("checkpoint '", address,
                                            "': there is no such directory: want one with a ",
                                            std::string(kManifestBlobName)));
  }
  if (!HasManifest(directory)) {
    const std::vector<std::string> names = CheckpointsIn(directory);
    return absl::NotFoundError(absl::StrCat(
        "checkpoint '", address, "': no ", std::string(kManifestBlobName), " in this directory",
        names.empty()
            ? ", nor in one below it"
            : absl::StrCat("; want one of those below it: ", absl::StrJoin(names, ", "))));
  }
  return CheckpointName{.store = directory.parent_path().string(),
                        .name = directory.filename().string()};
}

absl::StatusOr<CheckpointSource> OpenCheckpoint(const std::string& address,
                                                const std::string& table) {
  LONGTAIL_ASSIGN_OR_RETURN(const CheckpointName name, FindCheckpoint(address));
  CheckpointSource source{
      .address = address, .store = nullptr, .manifest = {}, .selected = {}, .sessions = {}};
  LONGTAIL_ASSIGN_OR_RETURN(
      source.store, OpenExistingStore(absl::StrCat(
                        name.store.starts_with('/') ? std::string(kFileScheme) : "", name.store)));
  LONGTAIL_ASSIGN_OR_RETURN(source.manifest, server::ReadManifest(*source.store, name.name));
  LONGTAIL_RETURN_IF_ERROR(SelectTables(source, table));
  return source;
}

absl::Status ReadAll(CheckpointSource& source, TakeRows take) {
  absl::btree_set<SessionId> sessions;
  LONGTAIL_RETURN_IF_ERROR(server::ReadChunks(
      *source.store, source.manifest, [](const SnapshotBlob&) { return true; },
      [&](const SnapshotBlob&, const SnapshotChunk& chunk) {
        TakeSelected(source, chunk, take);
        for (const SessionRecord& record : chunk.sessions) sessions.insert(record.session);
        return absl::OkStatus();
      }));
  source.sessions = sessions.size();
  return absl::OkStatus();
}

absl::Status ReadPartitions(const CheckpointSource& source,
                            const absl::btree_set<PartitionId>& partitions, TakeRows take) {
  return server::ReadChunks(
      *source.store, source.manifest,
      [&](const SnapshotBlob& blob) {
        const auto place = server::PlaceOfSnapshot(blob.name);
        return !place || partitions.contains(place->partition);
      },
      [&](const SnapshotBlob& blob, const SnapshotChunk& chunk) {
        LONGTAIL_RETURN_IF_ERROR(CheckPartition(source, blob, chunk.header));
        TakeSelected(source, chunk, take);
        return absl::OkStatus();
      });
}

}  // namespace longtail::cli
