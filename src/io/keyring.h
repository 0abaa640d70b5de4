// The keys of a process: a directory with one file each, as a Kubernetes Secret is mounted.
//
//   cluster.public               of the cluster: whoever connects knows its servers by it. While it
//                                is changed for another there are two, a line each
//   cluster.secret, clients      of servers and coordinators: they are the cluster, and let in who
//                                is on the list (client_list.h)
//   client.public, client.secret of all others: who they are
//
// All of them may change while the process runs: they are read again soon after. Keys are
// Curve25519 keys in Z85, as ZeroMQ's CURVE has them (rfc.zeromq.org/spec/26).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/client_list.h"

namespace longtail {

struct KeyPair {
  std::string public_key;
  std::string secret_key;

  bool operator==(const KeyPair&) const = default;
};

/// A new one, by the system's randomness.
KeyPair MakeKeyPair();

/// Errors: InvalidArgument (no secret key).
absl::StatusOr<KeyPair> PairOf(const std::string& secret_key);

/// The keys of a file that has one a line, in their order.
///
/// Errors: NotFound; InvalidArgument (none, more than kClusterKeysMax, one twice, what is no key),
///         naming the file; never what is in it, which may be a secret.
absl::StatusOr<std::vector<std::string>> ReadKeys(const std::string& path, const char* what);

/// More keys than this a cluster does not have at a time.
constexpr std::size_t kClusterKeysMax = 4;

/// What a directory says at one time.
struct Keys {
  /// Public keys of the cluster: whoever shows one of them is a server or a coordinator. More than
  /// one while the cluster's key is changed; the first is tried first.
  std::vector<std::string> cluster;
  /// What it connects and, if it is the cluster's, listens with.
  KeyPair own;
  /// What that was before, while others may not know the new one; a server's only for as long as
  /// the cluster trusts it.
  std::optional<KeyPair> before{};
};

/// Thread: any.
class Keyring {
 public:
  /// Errors: NotFound (a file that is missing, and what it is for); InvalidArgument (what is no
  ///         key, a secret key that does not belong to its public one, a list with a mistake),
  ///         naming the file; never a secret.
  static absl::StatusOr<std::shared_ptr<Keyring>> Open(const std::string& directory,
                                                       const Log& log = {});

  /// Whether it is the cluster's own: then it can be listened with.
  bool is_cluster() const { return is_cluster_; }
  const std::string& directory() const { return directory_; }

  /// As the files are now: they are read again within two seconds of a change. Files that have
  /// become wrong, or that do not belong together, are not taken, and said once.
  std::shared_ptr<const Keys> keys();

  /// Who has that public key, as the list is now, which is read again likewise, so that clients
  /// come and go while servers run. The cluster's own keys are a server's.
  std::optional<Client> Find(const std::string& public_key);

  /// Counts what was taken, lists and keys: what was said before may not hold once it is another.
  /// Looks at the files at most once a second.
  std::uint64_t version();

  /// How often other keys were taken, lists of clients apart.
  std::uint64_t changes() const;

 private:
  Keyring(std::string directory, const Log& log) : directory_(std::move(directory)), log_(log) {}

  absl::StatusOr<Keys> ReadDirectory() const;
  absl::Status ReadClients() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAtClients() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAtKeys() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(Keys keys) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string KeysStamp() const;
  std::string PathOf(const char* file) const { return directory_ + "/" + file; }

  const std::string directory_;
  const Log log_;
  bool is_cluster_ = false;

  mutable Mutex mutex_;
  std::shared_ptr<const Keys> keys_ ABSL_GUARDED_BY(mutex_);
  ClientList clients_ ABSL_GUARDED_BY(mutex_);
  // Which files they are of: numbers, sizes, times.
  std::string clients_seen_ ABSL_GUARDED_BY(mutex_);
  std::string keys_seen_ ABSL_GUARDED_BY(mutex_);
  std::string problem_seen_ ABSL_GUARDED_BY(mutex_);  // Files of keys that were wrong once.
  absl::Time look_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace longtail
