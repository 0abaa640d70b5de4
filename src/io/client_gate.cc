#include "io/client_gate.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "protocol/frame.h"

namespace longtail {
namespace {

// Keys that are remembered: with more the oldest lists would be those of a stranger's making.
constexpr std::size_t kKnownMax = 1 << 16;

template <typename T>
const T& BodyOf(const T& body) {
  return body;
}
template <typename T>
const T& BodyOf(const std::shared_ptr<const T>& body) {
  return *body;
}

std::string NameOf(const Message& message) {
  return std::string(kMessageKindNames[message.index() + 1]);
}

}  // namespace

std::uint64_t RequestOf(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::uint64_t {
        if constexpr (requires { BodyOf(m).request; }) {
          return BodyOf(m).request;
        } else {
          return 0;
        }
      },
      message);
}

std::uint64_t RowsOf(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::uint64_t {
        std::uint64_t rows = 0;
        if constexpr (requires { BodyOf(m).sections[0].keys.size(); }) {
          for (const auto& section : BodyOf(m).sections) rows += section.keys.size();
        } else if constexpr (requires { BodyOf(m).sections[0].key_count; }) {
          for (const auto& section : BodyOf(m).sections) rows += section.key_count;
        }
        return rows;
      },
      message);
}

std::uint64_t BytesOf(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::uint64_t {
        std::uint64_t bytes = 0;
        if constexpr (requires { BodyOf(m).sections[0].gradients.size_bytes(); }) {
          for (const auto& section : BodyOf(m).sections) {
            bytes += section.keys.size_bytes() + section.gradients.size_bytes() +
                     section.packed.size_bytes();
          }
        } else if constexpr (requires { BodyOf(m).sections[0].target; }) {
          // What rows of counts take is not known here: as much as short ones have.
          constexpr std::uint64_t kCountsBytes = 64;
          for (const auto& section : BodyOf(m).sections) {
            const bool has_counts = section.kind == TableKind::kCounts;
            const std::uint64_t row = has_counts ? kCountsBytes : section.dim * sizeof(float);
            bytes += section.keys.size() * (sizeof(Key) + row);
          }
        } else if constexpr (requires { BodyOf(m).sections[0].key_count; }) {
          constexpr bool kIsPush = requires {
            BodyOf(m).gradients;
          };
          for (const auto& section : BodyOf(m).sections) {
            const std::uint64_t row = kIsPush ? 0 : section.dim * sizeof(float);
            bytes += section.key_count * (sizeof(Key) + row);
          }
          if constexpr (kIsPush) bytes += BodyOf(m).gradients.size_bytes();
        }
        return bytes;
      },
      message);
}

absl::Status ClientGate::Check(const std::string& public_key, const Message& message,
                               absl::Time now) {
  const std::uint64_t version = keyring_->version();
  if (known_.size() > kKnownMax) known_.clear();
  Known& known = known_[public_key];
  if (std::exchange(known.version, version) != version || !known.client) {
    known.client = keyring_->Find(public_key);
  }
  if (!known.client) {
    return absl::PermissionDeniedError(
        absl::StrCat("key ", public_key, " is on the list of clients no more"));
  }
  const Client& client = *known.client;
  const Role wanted = RoleToSend(message);
  if (client.role < wanted) {
    return absl::PermissionDeniedError(
        absl::StrCat("client '", client.name, "' is a ", std::string(RoleName(client.role)), ": ",
                     NameOf(message), " wants the role ", std::string(RoleName(wanted))));
  }
  LONGTAIL_RETURN_IF_ERROR(CheckTables(client, message));
  return CheckAmounts(known, message, now);
}

absl::Status ClientGate::CheckTables(const Client& client, const Message& message) const {
  if (client.tables.empty()) return absl::OkStatus();
  const auto check = [&](const std::string& table) {
    return std::ranges::find(client.tables, table) != client.tables.end()
               ? absl::OkStatus()
               : absl::PermissionDeniedError(
                     absl::StrCat("client '", client.name, "': ", NameOf(message), " is of table '",
                                  table, "', which is not among its tables"));
  };
  const auto check_number = [&](TableId table) {
    const std::string name = names_ == nullptr ? "" : names_->Of(table);
    return name.empty() ? absl::UnavailableError(absl::StrCat(
                              "table ", static_cast<std::uint32_t>(table), " has no name here yet"))
                        : check(name);
  };
  return std::visit(
      [&](const auto& m) -> absl::Status {
        if constexpr (requires { BodyOf(m).sections[0].table; }) {
          // (Sections of one table stand together.)
          std::optional<TableId> before;
          for (const auto& section : BodyOf(m).sections) {
            if (before == section.table) continue;
            LONGTAIL_RETURN_IF_ERROR(check_number(section.table));
            before = section.table;
          }
        } else if constexpr (requires { m.rows->table; }) {
          if (m.rows != nullptr) return check_number(m.rows->table);
        } else if constexpr (requires { m.spec.name; }) {
          return check(m.spec.name);
        } else if constexpr (requires { m.table; }) {
          return check_number(m.table);
        }
        return absl::OkStatus();
      },
      message);
}

absl::Status ClientGate::CheckAmounts(Known& known, const Message& message, absl::Time now) {
  const Client& client = *known.client;
  const auto refill = [now](Allowance& allowance, std::uint64_t per_second) {
    const auto most = static_cast<double>(per_second);
    if (allowance.at == absl::InfinitePast()) {
      allowance.left = most;
    } else {
      const double seconds = std::max(absl::ToDoubleSeconds(now - allowance.at), 0.0);
      allowance.left = std::min(allowance.left + seconds * most, most);
    }
    allowance.at = now;
  };
  const auto used_up = [&](std::uint64_t per_second, const char* what) {
    return absl::UnavailableError(absl::StrCat("client '", client.name, "' has used up its ",
                                               per_second, " ", what, " a second"));
  };
  const std::uint64_t rows = client.rows_per_second == 0 ? 0 : RowsOf(message);
  const std::uint64_t bytes = client.bytes_per_second == 0 ? 0 : BytesOf(message);
  if (rows != 0) refill(known.rows, client.rows_per_second);
  if (bytes != 0) refill(known.bytes, client.bytes_per_second);
  if (rows != 0 && known.rows.left <= 0) return used_up(client.rows_per_second, "rows");
  if (bytes != 0 && known.bytes.left <= 0) return used_up(client.bytes_per_second, "bytes");
  // What is more than is left is owed.
  known.rows.left -= static_cast<double>(rows);
  known.bytes.left -= static_cast<double>(bytes);
  return absl::OkStatus();
}

}  // namespace longtail
