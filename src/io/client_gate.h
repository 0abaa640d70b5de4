// Which messages of a client an endpoint takes: by its role, by the tables that it may use, and by
// the rows and bytes that it may move.
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
#include "io/table_names.h"
#include "protocol/messages.h"

namespace longtail {

class ClientGate {
 public:
  /// `names`: null where no rows are.
  ClientGate(std::shared_ptr<Keyring> keyring, std::shared_ptr<const TableNames> names)
      : keyring_(std::move(keyring)), names_(std::move(names)) {}

  /// Whether the client that has that public key may say this now. A client's rows and bytes are
  /// those of the last second: a request is taken while there are any left, however many it wants.
  ///
  /// Errors: PermissionDenied (not on the list, or not any more; another role is wanted; a table
  ///         that is not its), naming the client; Unavailable (its rows or bytes are used up, or a
  ///         table is so new that its name has not come here), after which it may ask again.
  absl::Status Check(const std::string& public_key, const Message& message, absl::Time now);

 private:
  // What is left of an amount a second; less than nothing if more was taken.
  struct Allowance {
    double left = 0;
    absl::Time at = absl::InfinitePast();
  };
  struct Known {
    std::optional<Client> client{};
    std::uint64_t version = 0;  // Of the list.
    Allowance rows{};
    Allowance bytes{};
  };

  absl::Status CheckTables(const Client& client, const Message& message) const;
  static absl::Status CheckAmounts(Known& known, const Message& message, absl::Time now);

  const std::shared_ptr<Keyring> keyring_;
  const std::shared_ptr<const TableNames> names_;
  std::unordered_map<std::string, Known> known_;
};

/// The number that an answer to it is to have; 0: it wants none.
std::uint64_t RequestOf(const Message& message);

/// Rows that a message pulls or pushes; 0 of others.
std::uint64_t RowsOf(const Message& message);

/// Bytes of what it pulls or pushes: gradients as they came, pulled rows as full floats, and 8 for
/// each key; 0 of others.
std::uint64_t BytesOf(const Message& message);

}  // namespace longtail
