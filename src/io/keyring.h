// The keys of a process: a directory with one file each, as a Kubernetes Secret is mounted.
//
//   cluster.public               of the cluster: whoever connects knows its servers by it
//   cluster.secret, clients      of servers and coordinators: they are the cluster, and let in who
//                                is on the list (client_list.h)
//   client.public, client.secret of all others: who they are
//
// Keys are Curve25519 keys in Z85, as ZeroMQ's CURVE has them (rfc.zeromq.org/spec/26).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

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
};

/// A new one, by the system's randomness.
KeyPair MakeKeyPair();

/// Thread: any.
class Keyring {
 public:
  /// Errors: NotFound (a file that is missing, and what it is for); InvalidArgument (what is no
  /// key,
  ///         a secret key that does not belong to its public one, a list with a mistake), naming
  ///         the file; never a secret.
  static absl::StatusOr<std::shared_ptr<Keyring>> Open(const std::string& directory,
                                                       const Log& log = {});

  /// Whether it is the cluster's own: then it can be listened with.
  bool is_cluster() const { return is_cluster_; }
  /// Whom it expects where it connects.
  const std::string& cluster_public() const { return cluster_public_; }
  /// What it connects with; the cluster's if it is that.
  const KeyPair& own() const { return own_; }
  const std::string& directory() const { return directory_; }

  /// Who has that public key, as the list is now: it is read again soon after it changes, so that
  /// clients come and go while servers run. One that has become wrong is not taken, and said. The
  /// cluster's own key is a server's.
  std::optional<Client> Find(const std::string& public_key);

  /// Counts the lists that were taken: what Find said before may not hold once it is another.
  /// Looks at the file at most once a second.
  std::uint64_t version();

 private:
  Keyring(std::string directory, const Log& log) : directory_(std::move(directory)), log_(log) {}

  absl::Status Read();
  absl::Status ReadClients() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string PathOf(const char* file) const { return directory_ + "/" + file; }

  const std::string directory_;
  const Log log_;
  bool is_cluster_ = false;
  std::string cluster_public_;
  KeyPair own_;

  Mutex mutex_;
  ClientList clients_ ABSL_GUARDED_BY(mutex_);
  std::string seen_ ABSL_GUARDED_BY(mutex_);  // Which file the list is of: its number, size, time.
  absl::Time look_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace longtail
