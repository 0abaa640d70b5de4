// The list of clients that a cluster lets in: one line each,
//
//   PUBLIC-KEY role name [rows_per_second=N] [bytes_per_second=N] [tables=NAME,NAME]
//
// with keys in Z85 (rfc.zeromq.org/spec/32), and comments from # on. Whoever is not on it is
// refused.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/role.h"

namespace longtail {

struct Client {
  Role role = Role::kReader;
  std::string name;
  /// Rows that it may pull and push a second, of each lane of each server; 0: as many as it wants.
  std::uint64_t rows_per_second = 0;
  /// Bytes of these, likewise: of pushes as they come, of pulls as rows of full floats and keys.
  std::uint64_t bytes_per_second = 0;
  /// The tables whose rows it may pull and push; none: all.
  std::vector<std::string> tables{};

  bool operator==(const Client&) const = default;
};

/// By public key.
using ClientList = std::map<std::string, Client, std::less<>>;

/// Whether these are the 40 characters of a key.
bool IsKey(std::string_view text);

/// `what`: for errors, the file's name.
///
/// Errors: InvalidArgument naming the line and what was wanted there.
absl::StatusOr<ClientList> ParseClientList(std::string_view what, std::string_view text);

}  // namespace longtail
