// Which messages of a client an endpoint takes: by its role, and by the rows that it may move.
//
// Thread: one, an endpoint's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "io/keyring.h"
#include "protocol/messages.h"

namespace longtail {

class ClientGate {
 public:
  explicit ClientGate(std::shared_ptr<Keyring> keyring) : keyring_(std::move(keyring)) {}

  /// Whether the client that has that public key may say this now. A client's rows are those of the
  /// last second: a request is taken while there are any left, however many it wants.
  ///
  /// Errors: PermissionDenied (not on the list, or not any more; another role is wanted), naming
  ///         the client; Unavailable (its rows are used up), after which it may ask again.
  absl::Status Check(const std::string& public_key, const Message& message, absl::Time now);

 private:
  struct Known {
    std::optional<Client> client{};
    std::uint64_t version = 0;  // Of the list.
    double rows_left = 0;
    absl::Time rows_at = absl::InfinitePast();
  };

  absl::Status TakeRows(Known& known, std::uint64_t rows, absl::Time now);

  const std::shared_ptr<Keyring> keyring_;
  std::unordered_map<std::string, Known> known_;
};

/// The number that an answer to it is to have; 0: it wants none.
std::uint64_t RequestOf(const Message& message);

/// Rows that a message pulls or pushes; 0 of others.
std::uint64_t RowsOf(const Message& message);

}  // namespace longtail
