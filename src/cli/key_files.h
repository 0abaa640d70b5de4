// Directories of keys (io/keyring.h), as `longtail keys` makes them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/client_list.h"
#include "io/keyring.h"

namespace longtail::cli {

/// Makes a cluster's keys in `directory`, and an empty list of clients. Files are for their owner
/// alone.
///
/// Errors: AlreadyExists (keys are there); Unavailable naming the file and what the system said.
absl::Status MakeClusterKeys(const std::string& directory);

/// Makes a client's keys in `to`, with the cluster's public one, and puts the client on the list of
/// the cluster's keys in `directory`. Running servers take it within a second or two of seeing the
/// new list.
///
/// Returns: the public key.
/// Errors:  AlreadyExists (the name is on the list; keys are in `to`); as Keyring::Open.
absl::StatusOr<std::string> AddClient(const std::string& directory, const Client& client,
                                      const std::string& to);

/// Makes another pair of keys for a client, in `to`, where its pair of now may be: both are on the
/// list then, the new one last and with what the old one may.
///
/// Returns: the public key.
/// Errors:  NotFound (no such name); AlreadyExists (it has two); as Keyring::Open.
absl::StatusOr<std::string> RenewClient(const std::string& directory, const std::string& name,
                                        const std::string& to);

enum class Removal : std::uint8_t { kClient, kOlderKeys };

/// Takes the client of that name off the list, or all of its keys but the newest: what is asked
/// with them from then on is refused.
///
/// Errors: NotFound (no such name, no older key); as Keyring::Open.
absl::Status RemoveClient(const std::string& directory, const std::string& name,
                          Removal removal = Removal::kClient);

// The cluster's own key is changed in three steps (docs/runbook/rotate-keys.md), of which each must
// have reached all processes before the next. Each is also made in the clients' directories that
// are given. Returned is the new public key.

/// First: a new pair, which everybody is to trust. Its secret key is cluster.secret.next, which
/// nobody uses yet.
///
/// Errors: AlreadyExists (a rotation is under way); as Keyring::Open.
absl::StatusOr<std::string> BeginRotation(const std::string& directory,
                                          std::span<const std::string> clients);

/// Second: servers and coordinators show it.
///
/// Errors: FailedPrecondition (the first step was not made); as Keyring::Open.
absl::StatusOr<std::string> UseNextKey(const std::string& directory,
                                       std::span<const std::string> clients);

/// Third: nobody trusts the other one any more.
///
/// Errors: FailedPrecondition (the second step was not made); as Keyring::Open.
absl::StatusOr<std::string> EndRotation(const std::string& directory,
                                        std::span<const std::string> clients);

/// The pair between the first step and the second; nothing otherwise.
///
/// Errors: InvalidArgument (there is a file, and no key in it).
absl::StatusOr<std::optional<KeyPair>> NextPair(const std::string& directory);

/// For people: the cluster's public key, its clients by name.
absl::StatusOr<std::string> ListClients(const std::string& directory, bool as_json);

}  // namespace longtail::cli
