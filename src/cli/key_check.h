// Which of the cluster's keys its processes show while that is changed, and whether they are ready
// for the next step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cluster/cluster_status.h"
#include "io/keyring.h"

namespace longtail::cli {

struct PlaceKeys {
  std::string who{};      ///< "coordinator", or a server's name.
  std::string address{};  ///< One of its places.
  /// Nothing: none of ours, or nobody answers there.
  std::optional<std::string> shown{};
  /// Whether it trusts the next key; of no meaning if there is none.
  bool takes_next = false;
};

/// The coordinator's and that of each place of each server, one after the other, `timeout` each.
///
/// next: the pair of the first step (NextPair); nothing: there is none.
std::vector<PlaceKeys> KeysShown(const ClusterStatus& status, const Keys& keys,
                                 const std::optional<KeyPair>& next, absl::Duration timeout);

/// How far the change of a cluster's own key has come.
struct KeyCheck {
  std::string text{};     ///< For people: what each place shows, and what to do;
  std::string json{};     ///< the same for programs, one object.
  bool is_ready = false;  ///< All places are where the directory is; the next step may be made.
};

/// Asks the cluster at `place` with the cluster's keys of `directory`.
///
/// Errors: as Keyring::Open and ReadClusterStatus.
absl::StatusOr<KeyCheck> CheckKeys(const std::string& directory, const std::string& place,
                                   absl::Duration timeout);

}  // namespace longtail::cli
