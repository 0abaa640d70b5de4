#include "cluster/coordinator_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/open_meta_store.h"
#include "server/coordinator_core.h"

namespace longtail {
namespace {

// Somebody may write while we take over, but not again and again: it can write no more after us.
constexpr int kTakeOverAttemptsMax = 8;

// What stands where no state is yet, once somebody has taken it over.
constexpr std::string_view kNoStateYet = "no state yet\n";

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorStore>> CoordinatorStore::Open(const std::string& address,
                                                                         OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<MetaStore> values, OpenMetaStore(address));
  std::unique_ptr<CoordinatorStore> store(
      new CoordinatorStore(std::move(values), std::move(on_lost)));
  // Two that write one state would each undo what the other has promised.
  LONGTAIL_ASSIGN_OR_RETURN(
      store->lock_,
      StoreLock::Acquire(address, "coordinator",
                         [opened = store.get()](const absl::Status& why) { opened->Lost(why); }));
  LONGTAIL_RETURN_IF_ERROR(store->TakeOver());
  return store;
}

absl::Status CoordinatorStore::TakeOver() {
  const MutexLock lock(&mutex_);
  absl::StatusOr<std::uint64_t> version = absl::UnavailableError("");
  for (int attempt = 0; attempt < kTakeOverAttemptsMax; ++attempt) {
    LONGTAIL_ASSIGN_OR_RETURN(value_, values_->Read(server::kCoordinatorStateName));
    if (value_.version == 0) value_.bytes = kNoStateYet;
    version = values_->Swap(server::kCoordinatorStateName, value_.bytes, value_.version);
    if (version.ok()) value_.version = *version;
    if (!absl::IsAborted(version.status())) break;
  }
  return version.status();
}

absl::Status CoordinatorStore::Write(std::string_view name, std::string_view bytes) {
  absl::Status status;
  {
    const MutexLock lock(&mutex_);
    if (!lost_.ok()) return lost_;
    const absl::StatusOr<std::uint64_t> version = values_->Swap(name, bytes, value_.version);
    if (version.ok()) {
      value_ = {.bytes = std::string(bytes), .version = *version};
      return absl::OkStatus();
    }
    status = version.status();
  }
  if (!absl::IsAborted(status)) return status;
  status = absl::FailedPreconditionError(absl::StrCat(
      "another coordinator has taken this one's state over: ", std::string(status.message())));
  Lost(status);
  return status;
}

void CoordinatorStore::Lost(const absl::Status& why) {
  {
    const MutexLock lock(&mutex_);
    if (!lost_.ok()) return;
    lost_ = why;
  }
  if (on_lost_) on_lost_(why);
}

absl::Status CoordinatorStore::Extend(std::string_view name, std::uint64_t, std::string_view) {
  return absl::UnimplementedError(
      absl::StrCat("blob '", std::string(name), "': a coordinator's state is written as a whole"));
}

absl::StatusOr<std::string> CoordinatorStore::Read(std::string_view name) {
  const MutexLock lock(&mutex_);
  if (name == server::kCoordinatorStateName && value_.bytes != kNoStateYet) return value_.bytes;
  return absl::NotFoundError(absl::StrCat("no '", std::string(name), "' in ", Describe()));
}

absl::StatusOr<std::vector<std::string>> CoordinatorStore::List(std::string_view prefix) {
  const std::string name = server::kCoordinatorStateName;
  const bool is_there = Read(name).ok() && name.starts_with(prefix);
  return is_there ? std::vector<std::string>{name} : std::vector<std::string>();
}

absl::Status CoordinatorStore::Remove(std::string_view name) {
  return absl::UnimplementedError(
      absl::StrCat("removing '", std::string(name), "': a coordinator keeps its state"));
}

}  // namespace longtail
