#include "io/client_gate.h"

#include <algorithm>
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
  if (client.rows_per_second == 0) return absl::OkStatus();
  const std::uint64_t rows = RowsOf(message);
  return rows == 0 ? absl::OkStatus() : TakeRows(known, rows, now);
}

absl::Status ClientGate::TakeRows(Known& known, std::uint64_t rows, absl::Time now) {
  const auto per_second = static_cast<double>(known.client->rows_per_second);
  if (known.rows_at == absl::InfinitePast()) {
    known.rows_left = per_second;
  } else {
    const double seconds = std::max(absl::ToDoubleSeconds(now - known.rows_at), 0.0);
    known.rows_left = std::min(known.rows_left + seconds * per_second, per_second);
  }
  known.rows_at = now;
  if (known.rows_left <= 0) {
    return absl::UnavailableError(absl::StrCat("client '", known.client->name, "' has used up its ",
                                               known.client->rows_per_second, " rows a second"));
  }
  // What is more than is left is owed.
  known.rows_left -= static_cast<double>(rows);
  return absl::OkStatus();
}

}  // namespace longtail
