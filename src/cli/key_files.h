// Directories of keys (io/keyring.h), as `longtail keys` makes them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/client_list.h"

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

/// Takes the client of that name off the list: what it asks from then on is refused.
///
/// Errors: NotFound (no such name); as Keyring::Open.
absl::Status RemoveClient(const std::string& directory, const std::string& name);

/// For people: the cluster's public key, its clients by name.
absl::StatusOr<std::string> ListClients(const std::string& directory, bool as_json);

}  // namespace longtail::cli
