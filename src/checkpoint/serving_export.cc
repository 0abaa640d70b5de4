#include "checkpoint/serving_export.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/status_macros.h"
#include "checkpoint/changed_rows.h"
#include "checkpoint/checkpoint_rows.h"
#include "checkpoint/output_file.h"
#include "checkpoint/serving_file_writer.h"
#include "io/file_lock.h"
#include "protocol/serving_list.h"
#include "server/checkpoint_reader.h"
#include "serving/served_rows.h"
#include "serving/serving_file.h"

namespace longtail::checkpoint {
namespace {

constexpr std::string_view kRowsSuffix = ".rows";
constexpr std::string_view kChangesSuffix = ".changes";

// Places of the wanted tables in the manifest, by name: the order of a list.
absl::StatusOr<std::vector<std::size_t>> FindTables(const std::string& checkpoint,
                                                    const Manifest& manifest,
                                                    const std::vector<std::string>& wanted) {
  std::vector<std::size_t> places;
  std::vector<std::string> names;
  for (const ManifestTable& table : manifest.tables) names.push_back(table.spec.name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_named = std::ranges::find(wanted, names[i]) != wanted.end();
    const bool has_weights = manifest.tables[i].spec.kind != TableKind::kCounts;
    if (is_named && !has_weights) {
      return absl::InvalidArgumentError(
          absl::StrCat("table '", names[i], "': has counts: want one of weights to serve"));
    }
    if (is_named || (wanted.empty() && has_weights)) places.push_back(i);
  }
  for (const std::string& name : wanted) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return absl::NotFoundError(absl::StrCat("table '", name, "': checkpoint '", checkpoint,
                                            "' has [", absl::StrJoin(names, ", "), "]"));
  }
  if (places.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint '", checkpoint, "' has no table: want one to serve"));
  }
  std::ranges::sort(places, {}, [&](std::size_t place) { return names[place]; });
  return places;
}

class Export {
 public:
  Export(BlobStore& store, const std::string& checkpoint, const Manifest& manifest,
         const ServingExportOptions& options, std::vector<std::size_t> tables)
      : store_(store),
        checkpoint_(checkpoint),
        manifest_(manifest),
        options_(options),
        tables_(std::move(tables)),
        identity_(CheckpointIdentity(checkpoint, manifest.created_at)) {}

  absl::StatusOr<ServingExport> Run() {
    const absl::StatusOr<ServingList> before = ReadList();
    std::optional<ChangedRows> changed;
    if (before.ok() && !options_.in_full) {
      LONGTAIL_ASSIGN_OR_RETURN(changed, FindChanges(*before));
    }
    list_ = {.checkpoint = checkpoint_,
             .identity = identity_,
             .created_at = manifest_.created_at,
             .step = manifest_.step,
             .base = changed ? before->base : checkpoint_,
             .base_identity = changed ? before->base_identity : identity_};
    LONGTAIL_RETURN_IF_ERROR(WriteFiles(changed));
    if (changed) {  // Both are in the order of names, and have the same ones.
      for (std::size_t i = 0; i < tables_.size(); ++i) {
        list_.tables[i].changes = std::exchange(list_.tables[i].rows, before->tables[i].rows);
      }
    }
    LONGTAIL_RETURN_IF_ERROR(WriteList());
    RemoveOld(before);
    done_.step = manifest_.step;
    done_.base = list_.base;
    done_.is_changes = changed.has_value();
    return std::move(done_);
  }

 private:
  std::string PathOf(std::string_view name) const {
    return absl::StrCat(options_.place, "/", std::string(name));
  }

  const TableSpec& spec(std::size_t i) const { return manifest_.tables[tables_[i]].spec; }

  absl::StatusOr<ServingList> ReadList() const {
    const std::string path = PathOf(kServingListName);
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return DecodeServingList(path, AsBytes(bytes));
  }

  // What changed since the place's files of all rows; none if these are not of a checkpoint that
  // this one builds on, or other tables or formats, or changes are so many that all rows are
  // better.
  absl::StatusOr<std::optional<ChangedRows>> FindChanges(const ServingList& before) const {
    if (before.base_identity == identity_ || before.tables.size() != tables_.size()) {
      return std::nullopt;
    }
    // A name says little: another training may have saved under it.
    const absl::StatusOr<Manifest> base = server::ReadManifest(store_, before.base);
    if (!base.ok() || CheckpointIdentity(before.base, base->created_at) != before.base_identity) {
      return std::nullopt;
    }
    std::uint64_t rows = 0;
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      const auto file = serving::ServingFile::Open(PathOf(before.tables[i].rows.name),
                                                   {.check = ServingCheck::kOnUse});
      if (!file.ok()) return std::nullopt;
      const ServingHeader& header = (*file)->header();
      if (before.tables[i].table != spec(i).name || header.spec != spec(i) ||
          header.values != options_.values || header.checkpoint != before.base_identity ||
          ServingHeaderChecksum((*file)->bytes()) != before.tables[i].rows.checksum) {
        return std::nullopt;
      }
      rows += header.rows;
    }
    LONGTAIL_ASSIGN_OR_RETURN(std::optional<ChangedRows> changed,
                              ChangedRows::Open(store_, manifest_, before.base));
    if (changed && static_cast<double>(changed->rows_at_most()) >
                       options_.changes_share_max * static_cast<double>(rows)) {
      return std::nullopt;
    }
    return changed;
  }

  absl::Status WriteFiles(const std::optional<ChangedRows>& changed) {
    std::vector<std::unique_ptr<ServingFileWriter>> writers;
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      const std::string name =
          absl::StrFormat("%s-%012u-%016x%s", spec(i).name, manifest_.step, identity_,
                          std::string(changed ? kChangesSuffix : kRowsSuffix));
      LONGTAIL_ASSIGN_OR_RETURN(
          std::unique_ptr<ServingFileWriter> writer,
          ServingFileWriter::Create(PathOf(name),
                                    {.kind = changed ? ServingKind::kChanges : ServingKind::kRows,
                                     .values = options_.values,
                                     .segments = manifest_.partition_count,
                                     .step = manifest_.step,
                                     .checkpoint = identity_,
                                     .base = changed ? list_.base_identity : 0,
                                     .spec = spec(i)}));
      writers.push_back(std::move(writer));
      list_.tables.push_back({.table = spec(i).name, .rows = {.name = name}});
    }
    LONGTAIL_ASSIGN_OR_RETURN(const CheckpointRows all, CheckpointRows::Open(store_, manifest_));
    for (std::uint32_t p = 0; p < manifest_.partition_count; ++p) {
      if (changed) {
        LONGTAIL_ASSIGN_OR_RETURN(const std::vector<TableChanges> read, changed->Read(p, tables_));
        for (std::size_t i = 0; i < tables_.size(); ++i) {
          LONGTAIL_RETURN_IF_ERROR(AddSegment(read[i].rows, read[i].gone, i, *writers[i]));
        }
      } else {
        LONGTAIL_ASSIGN_OR_RETURN(const std::vector<SortedRows> read,
                                  all.Read(p, manifest_.partition_count, tables_));
        for (std::size_t i = 0; i < tables_.size(); ++i) {
          LONGTAIL_RETURN_IF_ERROR(AddSegment(read[i], {}, i, *writers[i]));
        }
      }
    }
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      LONGTAIL_ASSIGN_OR_RETURN(const ServingHeader header, writers[i]->Finish());
      ServingFileName& file = list_.tables[i].rows;
      file.checksum = ServingHeaderChecksum(AsBytes(EncodeServingHeader(header)));
      done_.tables.push_back({.table = spec(i).name,
                              .file = file.name,
                              .rows = header.rows,
                              .gone = header.gone,
                              .bytes = header.bytes});
    }
    return absl::OkStatus();
  }

  // Of changes, a row that has no weights of its own (any more) takes away the one that a file of
  // all rows may have.
  absl::Status AddSegment(const SortedRows& rows, std::span<const Key> gone, std::size_t table,
                          ServingFileWriter& writer) const {
    const serving::ServedRows served(spec(table));
    std::vector<ServingEntry> entries;
    entries.reserve(rows.size() + gone.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const StoredRow row = rows.at(i);
      ServingEntry entry{.hash = Mix64(row.key), .key = row.key};
      if (served.Has(entry.hash, row.count)) {
        entry.weights = row.values.first(spec(table).dim);
      } else if (list_.base_identity == identity_) {
        continue;
      }
      entries.push_back(entry);
    }
    for (const Key key : gone) entries.push_back({.hash = Mix64(key), .key = key});
    std::ranges::sort(entries, {}, &ServingEntry::hash);
    return writer.AddSegment(entries);
  }

  absl::Status WriteList() const {
    LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file,
                              OutputFile::Create(PathOf(kServingListName)));
    LONGTAIL_RETURN_IF_ERROR(file->Append(EncodeServingList(list_)));
    return file->Finish();
  }

  // What neither list names. Those of the one before stay: somebody may be about to open them. It
  // is no error if a file stays: the next export finds it.
  void RemoveOld(const absl::StatusOr<ServingList>& before) {
    std::set<std::string> needed;
    const auto need = [&](const ServingList& list) {
      for (const ServingListTable& table : list.tables) {
        needed.insert({table.rows.name, table.changes.name});
      }
    };
    need(list_);
    if (before.ok()) need(*before);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(options_.place, error)) {
      const std::string name = entry.path().filename();
      const std::string whole = name.ends_with('~') ? name.substr(0, name.size() - 1) : name;
      if (!whole.ends_with(kRowsSuffix) && !whole.ends_with(kChangesSuffix)) continue;
      if (needed.contains(name)) continue;
      std::error_code ignored;
      if (std::filesystem::remove(entry.path(), ignored)) done_.removed.push_back(name);
    }
    std::ranges::sort(done_.removed);
  }

  BlobStore& store_;
  const std::string& checkpoint_;
  const Manifest& manifest_;
  const ServingExportOptions& options_;
  const std::vector<std::size_t> tables_;
  const std::uint64_t identity_;
  ServingList list_;
  ServingExport done_;
};

}  // namespace

absl::StatusOr<ServingExport> ExportServing(BlobStore& store, const std::string& checkpoint,
                                            const Manifest& manifest,
                                            const ServingExportOptions& options) {
  if (options.place.empty()) {
    return absl::InvalidArgumentError("serving place '': want a directory");
  }
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<std::size_t> tables,
                            FindTables(checkpoint, manifest, options.tables));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<StoreLock> lock,
                            FileLock::Acquire(options.place, "export"));
  return Export(store, checkpoint, manifest, options, std::move(tables)).Run();
}

}  // namespace longtail::checkpoint
