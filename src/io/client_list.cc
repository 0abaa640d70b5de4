#include "io/client_list.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "protocol/format_limits.h"

namespace longtail {
namespace {

constexpr std::size_t kKeySize = 40;
constexpr std::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

// What may stand behind a client's name.
absl::Status ParseSetting(const std::string& where, const std::string& word, Client& client) {
  const std::size_t equals = std::min(word.find('='), word.size());
  const std::string name = word.substr(0, equals);
  const std::string value = equals < word.size() ? word.substr(equals + 1) : "";
  if (name == "tables" && !value.empty()) {
    client.tables = absl::StrSplit(value, ',');
    const bool has_all = std::ranges::none_of(client.tables, &std::string::empty);
    if (has_all) return absl::OkStatus();
  }
  std::uint64_t* const number = name == "rows_per_second"    ? &client.rows_per_second
                                : name == "bytes_per_second" ? &client.bytes_per_second
                                                             : nullptr;
  if (number != nullptr && absl::SimpleAtoi(value, number) && *number != 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(where, "'", word, "': want rows_per_second=N, bytes_per_second=N, N from 1 on, ",
                   "or tables=NAME,NAME"));
}

absl::StatusOr<Client> ParseClient(const std::string& where,
                                   const std::vector<std::string>& words) {
  Client client;
  // Not the last: the cluster's own key is no client's.
  const auto role = std::find(kRoleNames.begin(), kRoleNames.end() - 1, words[1]);
  if (role == kRoleNames.end() - 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, "role '", words[1], "': want reader, worker or operator"));
  }
  client.role = static_cast<Role>(role - kRoleNames.begin());
  client.name = words[2];
  if (client.name.size() > kNameSizeMax) {
    return absl::InvalidArgumentError(absl::StrCat(where, "name '", client.name, "': want at most ",
                                                   kNameSizeMax, " characters"));
  }
  for (std::size_t i = 3; i < words.size(); ++i) {
    LONGTAIL_RETURN_IF_ERROR(ParseSetting(where, words[i], client));
  }
  return client;
}

}  // namespace

bool IsKey(std::string_view text) {
  return text.size() == kKeySize &&
         std::ranges::all_of(text, [](char c) { return kAlphabet.find(c) != kAlphabet.npos; });
}

absl::StatusOr<ClientList> ParseClientList(std::string_view what, std::string_view text) {
  ClientList clients;
  std::size_t number = 0;
  const std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n');
  for (const std::string& line : lines) {
    ++number;
    // A key may have a # in it: a comment begins a word.
    std::vector<std::string> words;
    const std::vector<std::string> all =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    for (const std::string& word : all) {
      if (word.front() == '#' && !IsKey(word)) break;
      words.push_back(word);
    }
    if (words.empty()) continue;
    const std::string where = absl::StrCat("'", std::string(what), "' line ", number, ": ");
    if (words.size() < 3) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "want a public key, a role and a name"));
    }
    if (!IsKey(words[0])) {
      return absl::InvalidArgumentError(absl::StrCat(where, "'", words[0].substr(0, 60),
                                                     "': want the 40 characters of a public ",
                                                     "key in Z85"));
    }
    LONGTAIL_ASSIGN_OR_RETURN(Client client, ParseClient(where, words));
    if (!clients.emplace(words[0], std::move(client)).second) {
      return absl::InvalidArgumentError(absl::StrCat(where, "key ", words[0], " is there twice"));
    }
  }
  return clients;
}

}  // namespace longtail
