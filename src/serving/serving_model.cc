#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "protocol/serving_list.h"
#include "serving/mapped_file.h"
#include "serving/serving_table.h"

namespace longtail {
namespace {

using serving::MappedFile;
using serving::ServingFile;
using serving::TableReader;

// A list as it was found: what was written again is told from what is still there.
struct SeenList {
  std::string bytes;
  std::filesystem::file_time_type written{};

  bool operator==(const SeenList&) const = default;
};

// Whether a version that failed so may be there whole later, though its list stays as it is.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return false;
    default:
      return true;
  }
}

}  // namespace

const ServingTable* ServingVersion::Find(std::string_view table) const {
  const auto found = std::ranges::lower_bound(
      tables_, table, {}, [](const auto& t) -> const std::string& { return t->spec().name; });
  return found != tables_.end() && (*found)->spec().name == table ? found->get() : nullptr;
}

// One thread at a time looks (look_mutex_), which may take long; who reads the version or the
// statistics waits for none of it (mutex_).
class ServingModel::Impl {
 public:
  Impl(std::string place, ServingOptions options)
      : place_(std::move(place)), options_(std::move(options)) {}

  ~Impl() {
    {
      MutexLock lock(&mutex_);
      is_ending_ = true;
      ending_.SignalAll();
    }
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start() {
    LONGTAIL_RETURN_IF_ERROR(Look(true));
    MutexLock lock(&look_mutex_);
    if (options_.tables.empty()) {
      for (const auto& table : version()->tables_) options_.tables.push_back(table->spec());
    }
    if (options_.look_every.count() > 0) thread_ = std::thread([this] { Follow(); });
    return absl::OkStatus();
  }

  std::shared_ptr<const ServingVersion> version() const {
    MutexLock lock(&mutex_);
    return version_;
  }

  // `again`: also at a version that was refused.
  absl::Status Look(bool again) {
    MutexLock lock(&look_mutex_);
    for (int tries = 1;; ++tries) {
      absl::StatusOr<SeenList> list = ReadList();
      if (!list.ok()) {
        MutexLock counting(&mutex_);
        ++statistics_.failed_looks;
        return list.status();
      }
      if (served_ == *list) return absl::OkStatus();
      if (!again && refused_ == *list && !refused_may_pass_) return absl::OkStatus();
      NoteNewer();
      absl::StatusOr<std::shared_ptr<const ServingVersion>> loaded = Load(list->bytes);
      if (loaded.ok()) {
        Serve(*std::move(loaded), *std::move(list));
        return absl::OkStatus();
      }
      // Who writes the place may have gone on meanwhile, and removed what this list names.
      if (absl::IsNotFound(loaded.status()) && tries < kTriesMax) {
        const absl::StatusOr<SeenList> now = ReadList();
        if (now.ok() && !(*now == *list)) continue;
      }
      Refuse(loaded.status(), *std::move(list));
      return loaded.status();
    }
  }

  ServingStatistics statistics() const {
    MutexLock lock(&mutex_);
    ServingStatistics statistics = statistics_;
    const absl::Time now = absl::Now();
    if (version_ != nullptr) {
      absl::Time saved;
      if (absl::ParseTime(absl::RFC3339_full, version_->created_at(), &saved, nullptr)) {
        statistics.seconds_since_saved = absl::ToDoubleSeconds(now - saved);
      }
      for (const auto& table : version_->tables()) {
        statistics.mapped_bytes += table->mapped_bytes();
        statistics.damaged_blocks += table->damaged_blocks();
      }
    }
    if (behind_since_) statistics.seconds_behind = absl::ToDoubleSeconds(now - *behind_since_);
    return statistics;
  }

 private:
  static constexpr int kTriesMax = 5;

  void Follow() {
    const absl::Duration every = absl::FromChrono(options_.look_every);
    for (;;) {
      {
        MutexLock lock(&mutex_);
        const absl::Time until = absl::Now() + every;
        while (!is_ending_ && !ending_.WaitWithDeadline(&mutex_, until)) {
        }
        if (is_ending_) return;
      }
      static_cast<void>(Look(false));  // What is wrong is in the statistics.
    }
  }

  std::string PathOf(std::string_view name) const {
    return absl::StrCat(place_, "/", std::string(name));
  }

  absl::StatusOr<SeenList> ReadList() const {
    const std::string path = PathOf(kServingListName);
    const absl::StatusOr<std::unique_ptr<MappedFile>> file =
        MappedFile::Open(path, ServingMemory::kMapped);
    if (absl::IsNotFound(file.status())) {
      return absl::NotFoundError(
          absl::StrCat(file.status().message(),
                       ": want a place that `longtail ckpt export-serving` has written to"));
    }
    LONGTAIL_RETURN_IF_ERROR(file.status());
    std::error_code error;
    const auto written = std::filesystem::last_write_time(path, error);
    return SeenList{.bytes = std::string(AsText((*file)->bytes())), .written = written};
  }

  // A file of the version before, if it is the same one and whole; else opened and checked.
  absl::StatusOr<std::shared_ptr<const ServingFile>> OpenFile(
      const ServingFileName& name, const std::shared_ptr<const ServingFile>& before) const {
    const std::string path = PathOf(name.name);
    if (before != nullptr && before->what() == path && before->damaged_blocks() == 0 &&
        ServingHeaderChecksum(before->bytes()) == name.checksum) {
      return before;
    }
    LONGTAIL_ASSIGN_OR_RETURN(std::shared_ptr<const ServingFile> file,
                              ServingFile::Open(path, options_));
    if (ServingHeaderChecksum(file->bytes()) != name.checksum) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": is not the file that ", PathOf(kServingListName), " names"));
    }
    return file;
  }

  absl::StatusOr<std::shared_ptr<const ServingTable>> LoadTable(
      const ServingList& list, const ServingListTable& entry) const {
    const std::shared_ptr<const ServingVersion> before = version();
    const ServingTable* const table = before == nullptr ? nullptr : before->Find(entry.table);
    const TableReader* const old = table == nullptr ? nullptr : &table->impl_->reader;
    LONGTAIL_ASSIGN_OR_RETURN(std::shared_ptr<const ServingFile> rows,
                              OpenFile(entry.rows, old == nullptr ? nullptr : old->rows()));
    const ServingHeader& header = rows->header();
    if (header.spec.name != entry.table || header.checkpoint != list.base_identity) {
      return absl::FailedPreconditionError(
          absl::StrCat(rows->what(), ": has table '", header.spec.name, "' of step ", header.step,
                       ": want '", entry.table, "' of checkpoint '", list.base, "'"));
    }
    LONGTAIL_RETURN_IF_ERROR(serving::CheckSpec(rows->what(), header.spec, options_.tables));
    std::shared_ptr<const ServingFile> changes;
    if (!entry.changes.name.empty()) {
      LONGTAIL_ASSIGN_OR_RETURN(changes,
                                OpenFile(entry.changes, old == nullptr ? nullptr : old->changes()));
      if (changes->header().checkpoint != list.identity) {
        return absl::FailedPreconditionError(
            absl::StrCat(changes->what(), ": has changes up to step ", changes->header().step,
                         ": want those up to checkpoint '", list.checkpoint, "'"));
      }
    }
    LONGTAIL_ASSIGN_OR_RETURN(TableReader reader,
                              TableReader::Make(std::move(rows), std::move(changes)));
    return std::shared_ptr<const ServingTable>(
        new ServingTable(std::make_unique<ServingTable::Impl>(std::move(reader))));
  }

  absl::StatusOr<std::shared_ptr<const ServingVersion>> Load(const std::string& bytes) const {
    LONGTAIL_ASSIGN_OR_RETURN(const ServingList list,
                              DecodeServingList(PathOf(kServingListName), AsBytes(bytes)));
    for (const TableSpec& want : options_.tables) {
      if (std::ranges::find(list.tables, want.name, &ServingListTable::table) ==
          list.tables.end()) {
        return absl::FailedPreconditionError(
            absl::StrCat(PathOf(kServingListName), ": checkpoint '", list.checkpoint,
                         "' has no table '", want.name, "', which this program serves"));
      }
    }
    std::shared_ptr<ServingVersion> version(new ServingVersion());
    version->step_ = list.step;
    version->checkpoint_ = list.checkpoint;
    version->created_at_ = list.created_at;
    for (const ServingListTable& entry : list.tables) {
      const bool is_wanted = options_.tables.empty() ||
                             std::ranges::find(options_.tables, entry.table, &TableSpec::name) !=
                                 options_.tables.end();
      if (!is_wanted) continue;
      LONGTAIL_ASSIGN_OR_RETURN(std::shared_ptr<const ServingTable> table, LoadTable(list, entry));
      version->tables_.push_back(std::move(table));
    }
    return version;
  }

  void NoteNewer() {
    MutexLock lock(&mutex_);
    if (version_ != nullptr && !behind_since_) behind_since_ = absl::Now();
  }

  void Serve(std::shared_ptr<const ServingVersion> version, SeenList list)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(look_mutex_) {
    served_ = std::move(list);
    refused_.reset();
    std::shared_ptr<const ServingVersion> before;  // Unmapped behind the lock, if nobody has it.
    MutexLock lock(&mutex_);
    ++statistics_.versions;
    statistics_.step = version->step();
    statistics_.checkpoint = version->checkpoint();
    behind_since_.reset();
    before = std::exchange(version_, std::move(version));
  }

  void Refuse(const absl::Status& status, SeenList list)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(look_mutex_) {
    const bool is_new = !(refused_ == list);
    refused_ = std::move(list);
    refused_may_pass_ = MayPass(status);
    MutexLock lock(&mutex_);
    if (is_new) ++statistics_.refused;
    statistics_.last_refusal = std::string(status.message());
  }

  const std::string place_;
  ServingOptions options_;  // Its tables are written by Start alone.
  Mutex look_mutex_;
  std::optional<SeenList> served_ ABSL_GUARDED_BY(look_mutex_);
  std::optional<SeenList> refused_ ABSL_GUARDED_BY(look_mutex_);
  bool refused_may_pass_ ABSL_GUARDED_BY(look_mutex_) = false;

  mutable Mutex mutex_;
  std::shared_ptr<const ServingVersion> version_ ABSL_GUARDED_BY(mutex_);
  ServingStatistics statistics_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> behind_since_ ABSL_GUARDED_BY(mutex_);
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar ending_;
  std::thread thread_;
};

ServingModel::ServingModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServingModel::~ServingModel() = default;

absl::StatusOr<std::unique_ptr<ServingModel>> ServingModel::Open(const std::string& place,
                                                                 const ServingOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(serving::Validate(options));
  auto impl = std::make_unique<Impl>(place, options);
  LONGTAIL_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<ServingModel>(new ServingModel(std::move(impl)));
}

std::shared_ptr<const ServingVersion> ServingModel::version() const {
  return impl_->version();
}

absl::Status ServingModel::Refresh() {
  return impl_->Look(true);
}

ServingStatistics ServingModel::statistics() const {
  return impl_->statistics();
}

}  // namespace longtail
