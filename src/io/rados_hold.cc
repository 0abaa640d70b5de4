#include "io/rados_hold.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "io/rados_lock.h"
#include "io/rados_meta_store.h"
#include "io/this_process.h"

namespace longtail {
namespace {

constexpr std::string_view kBegin = "longtail holder";
constexpr std::size_t kIdDigits = 16;

// Another may take over while we do, but not again and again: only one at a time has the lock.
constexpr int kTakeOverAttemptsMax = 8;

bool IsId(const std::string& text) {
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The holder, then those before it whose objects it has not made its own yet; itself if there are
// none: a pool without room takes a value that is no longer than the one before.
std::string TextOf(std::vector<std::string> holders) {
  if (holders.size() == 1) holders.push_back(holders[0]);
  return absl::StrCat(std::string(kBegin), "\n", absl::StrJoin(holders, "\n"), "\n");
}

}  // namespace

RadosHold::RadosHold(std::unique_ptr<MetaStore> values, const std::string& name,
                     StoreLock::OnLost on_lost)
    : values_(std::move(values)),
      name_(absl::StrCat(name, "/holder")),
      prefix_(absl::StrCat(name, "/")),
      id_(absl::StrFormat("%016x", DrawIncarnation())),
      on_lost_(std::move(on_lost)) {}

absl::StatusOr<std::unique_ptr<RadosHold>> RadosHold::Acquire(const std::string& address,
                                                              const std::string& name,
                                                              StoreLock::OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(const RadosAddress parsed, ParseRadosAddress(address));
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<MetaStore> values, RadosMetaStore::Open(address));
  std::unique_ptr<RadosHold> hold(new RadosHold(std::move(values), name, std::move(on_lost)));
  LONGTAIL_ASSIGN_OR_RETURN(hold->lock_,
                            RadosLock::Acquire(parsed, absl::StrCat("server-", name),
                                               [held = hold.get()](const absl::Status& why) {
                                                 held->Lost(why).IgnoreError();
                                               }));
  LONGTAIL_RETURN_IF_ERROR(hold->TakeOver());
  return hold;
}

absl::StatusOr<std::vector<std::string>> RadosHold::ReadHolders(std::uint64_t& version) const {
  LONGTAIL_ASSIGN_OR_RETURN(const MetaValue value, values_->Read(name_));
  version = value.version;
  if (version == 0) return std::vector<std::string>();
  std::vector<std::string> lines = absl::StrSplit(value.bytes, '\n');
  if (lines.size() < 4 || lines.front() != kBegin || !lines.back().empty() ||
      !std::all_of(lines.begin() + 1, lines.end() - 1, IsId)) {
    return absl::DataLossError(absl::StrCat("'", name_, "' in ", values_->Describe(), ": want '",
                                            std::string(kBegin),
                                            "' and two lines of 16 digits or more"));
  }
  return std::vector<std::string>(lines.begin() + 1, lines.end() - 1);
}

absl::Status RadosHold::TakeOver() {
  absl::StatusOr<std::uint64_t> swapped = absl::UnavailableError("");
  for (int attempt = 0; attempt < kTakeOverAttemptsMax; ++attempt) {
    std::uint64_t version = 0;
    LONGTAIL_ASSIGN_OR_RETURN(before_, ReadHolders(version));
    before_.erase(std::unique(before_.begin(), before_.end()), before_.end());
    std::vector<std::string> holders = before_;
    holders.insert(holders.begin(), id_);
    swapped = values_->Swap(name_, TextOf(holders), version);
    if (!absl::IsAborted(swapped.status())) break;
  }
  return swapped.status();
}

bool RadosHold::Follows(const std::string& holder) const {
  return holder.empty() || std::ranges::find(before_, holder) != before_.end();
}

absl::Status RadosHold::Finish() {
  std::uint64_t version = 0;
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> holders, ReadHolders(version));
  // (Had another taken over since, this would be refused.)
  if (holders.empty() || holders.front() != id_) return Check();
  const absl::Status swapped = values_->Swap(name_, TextOf({id_}), version).status();
  return absl::IsAborted(swapped) ? Check() : swapped;
}

absl::Status RadosHold::Check() {
  std::uint64_t version = 0;
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> holders, ReadHolders(version));
  if (!holders.empty() && holders.front() == id_) return absl::OkStatus();
  const std::string what = absl::StrCat("'", name_, "' in ", values_->Describe());
  if (holders.empty()) {
    return Lost(absl::FailedPreconditionError(
        absl::StrCat(what, " is gone: want '", id_, "', which this process put there")));
  }
  return Lost(absl::FailedPreconditionError(
      absl::StrCat(what, " is '", holders.front(), "': want '", id_,
                   "', which this process put there: another one has taken '", prefix_,
                   "' over, so this one can write nothing there any more")));
}

absl::Status RadosHold::Lost(const absl::Status& why) {
  {
    const MutexLock lock(&mutex_);
    if (!lost_.ok()) return lost_;
    lost_ = why;
  }
  if (on_lost_) on_lost_(why);
  return why;
}

absl::Status RadosHold::Admit(std::string_view name) const {
  if (!name.starts_with(prefix_) || name == name_) {
    return absl::InvalidArgumentError(
        absl::StrCat("blob '", std::string(name), "': want a name that begins with '", prefix_,
                     "', which is what this process holds, and is not '", name_, "'"));
  }
  const MutexLock lock(&mutex_);
  return lost_;
}

void RadosHold::Add(const std::string& name) {
  const MutexLock lock(&mutex_);
  names_.insert(name);
}

void RadosHold::Forget(const std::string& name) {
  const MutexLock lock(&mutex_);
  names_.erase(name);
}

bool RadosHold::Has(const std::string& name) const {
  const MutexLock lock(&mutex_);
  return names_.contains(name);
}

std::vector<std::string> RadosHold::Names(std::string_view prefix) const {
  const MutexLock lock(&mutex_);
  std::vector<std::string> names;
  for (auto name = names_.lower_bound(std::string(prefix));
       name != names_.end() && name->starts_with(prefix); ++name) {
    names.push_back(*name);
  }
  return names;
}

}  // namespace longtail
