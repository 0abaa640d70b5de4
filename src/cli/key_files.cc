#include "cli/key_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "cli/inspect_answer.h"
#include "cli/text_columns.h"
#include "io/keyring.h"

namespace longtail::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kHead[] =
    "# Who is let in: PUBLIC-KEY reader|worker|operator NAME [rows_per_second=N] "
    "[bytes_per_second=N] [tables=NAME,NAME]\n";

constexpr char kNextSecret[] = "/cluster.secret.next";

absl::Status Unwritten(const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("keys: '", path, "' cannot be written: ", std::strerror(errno)));
}

// For its owner alone from the first byte on, and whole or not at all.
absl::Status Write(const std::string& path, const std::string& text) {
  const std::string unfinished = path + "~";
  unlink(unfinished.c_str());
  const int file = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return Unwritten(path);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = write(file, text.data() + written, text.size() - written);
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
  const bool is_whole = written == text.size() && fsync(file) == 0;
  if (close(file) != 0 || !is_whole || std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return Unwritten(path);
  }
  return absl::OkStatus();
}

absl::Status MakeDirectory(const std::string& directory) {
  std::error_code problem;
  fs::create_directories(directory, problem);
  if (problem) {
    return absl::UnavailableError(
        absl::StrCat("keys: directory '", directory, "': ", problem.message()));
  }
  return absl::OkStatus();
}

absl::Status MustBeFree(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("keys: '", path, "' is there already: want another directory, or remove it"));
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat(
        "keys: '", path, "', the list of clients, cannot be read: ", std::strerror(errno)));
  }
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

absl::StatusOr<ClientList> ReadList(const std::string& directory) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, ReadText(directory + "/clients"));
  return ParseClientList(directory + "/clients", text);
}

std::string JoinedLines(const std::vector<std::string>& keys) {
  return absl::StrJoin(keys, "\n") + "\n";
}

// Of the list of clients.
std::string ClientLine(const std::string& key, const Client& client) {
  std::string line = absl::StrCat(key, " ", std::string(RoleName(client.role)), " ", client.name);
  if (client.rows_per_second != 0) {
    absl::StrAppend(&line, " rows_per_second=", client.rows_per_second);
  }
  if (client.bytes_per_second != 0) {
    absl::StrAppend(&line, " bytes_per_second=", client.bytes_per_second);
  }
  if (!client.tables.empty()) {
    absl::StrAppend(&line, " tables=", absl::StrJoin(client.tables, ","));
  }
  return line + "\n";
}

absl::StatusOr<std::shared_ptr<Keyring>> OpenCluster(const std::string& directory) {
  LONGTAIL_ASSIGN_OR_RETURN(std::shared_ptr<Keyring> keyring, Keyring::Open(directory));
  if (!keyring->is_cluster()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "keys: '", directory, "' are a client's: want the cluster's, with cluster.secret"));
  }
  return keyring;
}

// A client's, the newest last.
std::vector<std::string> KeysOf(const ClientList& list, const std::string& text,
                                const std::string& name) {
  std::vector<std::string> keys;
  for (const auto& [key, client] : list) {
    if (client.name == name) keys.push_back(key);
  }
  std::ranges::sort(keys, {}, [&](const std::string& key) { return text.find(key); });
  return keys;
}

absl::Status NoClient(const std::string& name, const std::string& path) {
  return absl::NotFoundError(absl::StrCat("keys: no client '", name, "' in '", path, "'"));
}

// Of the cluster and of those clients, whose own keys must be there.
absl::Status WritePublic(const std::string& directory, std::span<const std::string> clients,
                         const std::vector<std::string>& keys) {
  for (const std::string& client : clients) {
    LONGTAIL_RETURN_IF_ERROR(
        ReadKeys(client + "/client.public", "the client's public key").status());
  }
  LONGTAIL_RETURN_IF_ERROR(Write(directory + "/cluster.public", JoinedLines(keys)));
  for (const std::string& client : clients) {
    LONGTAIL_RETURN_IF_ERROR(Write(client + "/cluster.public", JoinedLines(keys)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeClusterKeys(const std::string& directory) {
  LONGTAIL_RETURN_IF_ERROR(MakeDirectory(directory));
  for (const char* file : {"/cluster.public", "/cluster.secret", "/clients"}) {
    LONGTAIL_RETURN_IF_ERROR(MustBeFree(directory + file));
  }
  const KeyPair pair = MakeKeyPair();
  LONGTAIL_RETURN_IF_ERROR(Write(directory + "/clients", kHead));
  LONGTAIL_RETURN_IF_ERROR(Write(directory + "/cluster.secret", pair.secret_key + "\n"));
  return Write(directory + "/cluster.public", pair.public_key + "\n");
}

absl::StatusOr<std::string> AddClient(const std::string& directory, const Client& client,
                                      const std::string& to) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> cluster, OpenCluster(directory));
  const std::string path = directory + "/clients";
  LONGTAIL_ASSIGN_OR_RETURN(std::string text, ReadText(path));
  LONGTAIL_ASSIGN_OR_RETURN(const ClientList list, ParseClientList(path, text));
  for (const auto& [key, other] : list) {
    if (other.name == client.name) {
      return absl::AlreadyExistsError(absl::StrCat("keys: client '", client.name, "' is in '", path,
                                                   "' already: want another name, or remove it"));
    }
  }
  LONGTAIL_RETURN_IF_ERROR(MakeDirectory(to));
  for (const char* file : {"/cluster.public", "/client.public", "/client.secret"}) {
    LONGTAIL_RETURN_IF_ERROR(MustBeFree(to + file));
  }
  const KeyPair pair = MakeKeyPair();
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += ClientLine(pair.public_key, client);
  LONGTAIL_RETURN_IF_ERROR(ParseClientList(path, text).status());  // A name with a space in it.
  LONGTAIL_RETURN_IF_ERROR(Write(to + "/client.secret", pair.secret_key + "\n"));
  LONGTAIL_RETURN_IF_ERROR(Write(to + "/client.public", pair.public_key + "\n"));
  LONGTAIL_RETURN_IF_ERROR(Write(to + "/cluster.public", JoinedLines(cluster->keys()->cluster)));
  LONGTAIL_RETURN_IF_ERROR(Write(path, text));
  return pair.public_key;
}

absl::StatusOr<std::string> RenewClient(const std::string& directory, const std::string& name,
                                        const std::string& to) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> cluster, OpenCluster(directory));
  const std::string path = directory + "/clients";
  LONGTAIL_ASSIGN_OR_RETURN(std::string text, ReadText(path));
  LONGTAIL_ASSIGN_OR_RETURN(const ClientList list, ParseClientList(path, text));
  const std::vector<std::string> keys = KeysOf(list, text, name);
  if (keys.empty()) return NoClient(name, path);
  if (keys.size() > 1) {
    return absl::AlreadyExistsError(
        absl::StrCat("keys: client '", name, "' has ", keys.size(), " keys in '", path,
                     "': take those before off first: longtail keys remove --older"));
  }
  LONGTAIL_RETURN_IF_ERROR(MakeDirectory(to));
  const KeyPair pair = MakeKeyPair();
  if (text.back() != '\n') text += '\n';
  // The list first: who comes with the new key before it is there waits.
  LONGTAIL_RETURN_IF_ERROR(
      Write(path, text + ClientLine(pair.public_key, list.find(keys.front())->second)));
  LONGTAIL_RETURN_IF_ERROR(Write(to + "/client.secret", pair.secret_key + "\n"));
  LONGTAIL_RETURN_IF_ERROR(Write(to + "/client.public", pair.public_key + "\n"));
  LONGTAIL_RETURN_IF_ERROR(Write(to + "/cluster.public", JoinedLines(cluster->keys()->cluster)));
  return pair.public_key;
}

absl::Status RemoveClient(const std::string& directory, const std::string& name, Removal removal) {
  const std::string path = directory + "/clients";
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  LONGTAIL_ASSIGN_OR_RETURN(const ClientList list, ParseClientList(path, text));
  std::vector<std::string> keys = KeysOf(list, text, name);
  if (keys.empty()) return NoClient(name, path);
  if (removal == Removal::kOlderKeys) {
    keys.pop_back();
    if (keys.empty()) {
      return absl::NotFoundError(
          absl::StrCat("keys: client '", name, "' has one key in '", path, "', and no older one"));
    }
  }
  // Their lines alone: people's comments stay.
  std::string kept;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    const bool goes = std::ranges::any_of(
        keys, [&](const std::string& key) { return line.find(key) != std::string::npos; });
    if (!goes) kept += line;
    at = end;
  }
  return Write(path, kept);
}

absl::StatusOr<std::string> BeginRotation(const std::string& directory,
                                          std::span<const std::string> clients) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> cluster, OpenCluster(directory));
  LONGTAIL_RETURN_IF_ERROR(MustBeFree(directory + kNextSecret));
  std::vector<std::string> keys = cluster->keys()->cluster;
  if (keys.size() > 1) {
    return absl::AlreadyExistsError(
        absl::StrCat("keys: '", directory, "/cluster.public' has ", keys.size(),
                     " keys: a rotation is under way; want its end first"));
  }
  const KeyPair pair = MakeKeyPair();
  keys.push_back(pair.public_key);
  LONGTAIL_RETURN_IF_ERROR(Write(directory + kNextSecret, pair.secret_key + "\n"));
  LONGTAIL_RETURN_IF_ERROR(WritePublic(directory, clients, keys));
  return pair.public_key;
}

absl::StatusOr<std::optional<KeyPair>> NextPair(const std::string& directory) {
  std::error_code ignored;
  if (!fs::exists(directory + kNextSecret, ignored)) return std::nullopt;
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> next,
                            ReadKeys(directory + kNextSecret, "the next secret key"));
  LONGTAIL_ASSIGN_OR_RETURN(KeyPair pair, PairOf(next.front()));
  return pair;
}

absl::StatusOr<std::string> UseNextKey(const std::string& directory,
                                       std::span<const std::string> clients) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> cluster, OpenCluster(directory));
  LONGTAIL_ASSIGN_OR_RETURN(const std::optional<KeyPair> next, NextPair(directory));
  std::vector<std::string> keys = cluster->keys()->cluster;
  const auto at = next ? std::ranges::find(keys, next->public_key) : keys.end();
  if (at == keys.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("keys: '", directory, "' has no next key that its cluster.public trusts: ",
                     "want longtail keys rotate begin, and that everybody has it"));
  }
  if (std::rename((directory + kNextSecret).c_str(), (directory + "/cluster.secret").c_str()) !=
      0) {
    return Unwritten(directory + "/cluster.secret");
  }
  std::rotate(keys.begin(), at, at + 1);  // Tried first from now on.
  LONGTAIL_RETURN_IF_ERROR(WritePublic(directory, clients, keys));
  return next->public_key;
}

absl::StatusOr<std::string> EndRotation(const std::string& directory,
                                        std::span<const std::string> clients) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> cluster, OpenCluster(directory));
  LONGTAIL_ASSIGN_OR_RETURN(const std::optional<KeyPair> next, NextPair(directory));
  if (next) {
    return absl::FailedPreconditionError(
        absl::StrCat("keys: '", directory, kNextSecret, "' is not in use yet: want longtail keys ",
                     "rotate use first; or remove it, to stay with the key of now"));
  }
  const std::string key = cluster->keys()->own.public_key;
  LONGTAIL_RETURN_IF_ERROR(WritePublic(directory, clients, {key}));
  return key;
}

absl::StatusOr<std::string> ListClients(const std::string& directory, bool as_json) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> cluster, OpenCluster(directory));
  LONGTAIL_ASSIGN_OR_RETURN(const ClientList list, ReadList(directory));
  const std::shared_ptr<const Keys> keys = cluster->keys();
  std::vector<std::pair<std::string, Client>> clients(list.begin(), list.end());
  std::ranges::sort(clients, {}, [](const auto& entry) { return entry.second.name; });
  if (as_json) {
    nlohmann::json document = {{"cluster", keys->own.public_key},
                               {"cluster_keys", keys->cluster},
                               {"clients", nlohmann::json::array()}};
    for (const auto& [key, client] : clients) {
      document["clients"].push_back({{"name", client.name},
                                     {"role", std::string(RoleName(client.role))},
                                     {"key", key},
                                     {"rows_per_second", client.rows_per_second},
                                     {"bytes_per_second", client.bytes_per_second},
                                     {"tables", client.tables}});
    }
    return LineOf(document);
  }
  const auto bound = [](std::uint64_t number) {
    return number == 0 ? std::string("any") : absl::StrCat(number);
  };
  std::vector<std::vector<std::string>> rows = {
      {"rows/s", "bytes/s", "role", "client", "tables", "key"}};
  for (const auto& [key, client] : clients) {
    rows.push_back({bound(client.rows_per_second), bound(client.bytes_per_second),
                    std::string(RoleName(client.role)), client.name,
                    client.tables.empty() ? "all" : absl::StrJoin(client.tables, ","), key});
  }
  std::string text = absl::StrCat("cluster ", keys->own.public_key, "\n");
  for (const std::string& key : keys->cluster) {
    if (key != keys->own.public_key) {
      absl::StrAppend(&text, "trusted ", key, ": the cluster's key is being changed\n");
    }
  }
  return absl::StrCat(text, "\n", ColumnsText(rows, 2));
}

}  // namespace longtail::cli
