#include "examples/online/joiner_states.h"

#include <random>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr char kPrefix[] = "joiner-";
constexpr std::size_t kPrefixSize = sizeof(kPrefix) - 1;
constexpr std::size_t kDigits = 9;

// The number in a state's name.
std::optional<std::uint64_t> NumberOf(const std::string& name) {
  std::uint64_t number = 0;
  const bool is_one = absl::StartsWith(name, kPrefix) && name.size() > kPrefixSize + kDigits &&
                      name[kPrefixSize + kDigits] == '-' &&
                      absl::SimpleAtoi(name.substr(kPrefixSize, kDigits), &number);
  return is_one ? std::optional(number) : std::nullopt;
}

// That with the greatest name. A store that is not there has none.
absl::StatusOr<std::optional<CheckpointName>> FindNewest(const std::string& store) {
  absl::StatusOr<std::vector<CheckpointInfo>> there = ListCheckpoints(store);
  if (absl::IsNotFound(there.status())) return std::nullopt;
  LONGTAIL_RETURN_IF_ERROR(there.status());
  std::optional<CheckpointName> newest;
  for (const CheckpointInfo& one : *there) {
    if (!NumberOf(one.name.name)) {
      return absl::FailedPreconditionError(
          absl::StrCat("store '", store, "' has checkpoint '", one.name.name,
                       "', which is no joiner's state: want a store of the joiner's own"));
    }
    if (!newest || newest->name < one.name.name) newest = one.name;
  }
  return newest;
}

}  // namespace

JoinerStates::JoinerStates(std::string store, std::unique_ptr<Cluster> cluster,
                           std::optional<CheckpointName> newest, std::uint64_t next)
    : store_(std::move(store)),
      cluster_(std::move(cluster)),
      process_(std::random_device()()),
      newest_(std::move(newest)),
      next_(next) {}

absl::StatusOr<std::unique_ptr<JoinerStates>> JoinerStates::Open(const std::string& store) {
  if (store.empty())
    return absl::InvalidArgumentError("store: want a place for the joiner's state");
  LONGTAIL_ASSIGN_OR_RETURN(std::optional<CheckpointName> newest, FindNewest(store));
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<Cluster> cluster,
                            Cluster::Embedded({.lanes = 1, .partitions = 1, .store = store}));
  const std::uint64_t next = newest ? *NumberOf(newest->name) + 1 : 0;
  return std::unique_ptr<JoinerStates>(
      new JoinerStates(store, std::move(cluster), std::move(newest), next));
}

absl::Status JoinerStates::Write(const TrainerState& state) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::optional<CheckpointName> there, FindNewest(store_));
  if (there && (!newest_ || newest_->name < there->name)) {
    return absl::FailedPreconditionError(
        absl::StrCat("store '", store_, "': another joiner has written '", there->name,
                     "' since this one began: want one joiner at a time; this one ends"));
  }
  const CheckpointName name{.store = store_,
                            .name = absl::StrFormat("%s%09d-%08x", kPrefix, next_, process_)};
  LONGTAIL_RETURN_IF_ERROR(cluster_->Checkpoint(name.name, state).status());
  newest_ = name;
  ++next_;
  return absl::OkStatus();
}

}  // namespace longtail::examples
