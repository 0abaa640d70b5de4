#include "io/keyring.h"

#include <sys/stat.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

constexpr char kClusterPublic[] = "cluster.public";
constexpr char kClusterSecret[] = "cluster.secret";
constexpr char kClientPublic[] = "client.public";
constexpr char kClientSecret[] = "client.secret";
constexpr char kClients[] = "clients";
constexpr absl::Duration kLookEvery = absl::Seconds(1);
constexpr std::size_t kTextSize = 41;  // Of a key with the zero behind it.

absl::StatusOr<std::string> ReadFile(const std::string& path, const char* what) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return absl::NotFoundError(
        absl::StrCat("keys: '", path, "', ", what, ", cannot be read: ", std::strerror(errno)));
  }
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// Not what is there: it may be a secret.
absl::Status NoKey(const std::string& path, std::size_t size) {
  return absl::InvalidArgumentError(
      absl::StrCat("keys: '", path, "' has ", size, " characters: want the 40 of a key in Z85"));
}

absl::StatusOr<std::string> ReadKey(const std::string& path, const char* what) {
  LONGTAIL_ASSIGN_OR_RETURN(std::string key, ReadFile(path, what));
  absl::StripAsciiWhitespace(&key);
  if (!IsKey(key)) return NoKey(path, key.size());
  return key;
}

absl::Status NoPair(const std::string& public_path, const std::string& secret_path) {
  return absl::InvalidArgumentError(
      absl::StrCat("keys: '", secret_path, "' is not the secret key of '", public_path, "'"));
}

bool Exists(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0;
}

std::string StampOf(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return "none";
  return absl::StrCat(found.st_ino, " ", found.st_size, " ", found.st_mtim.tv_sec, ".",
                      found.st_mtim.tv_nsec);
}

}  // namespace

KeyPair MakeKeyPair() {
  std::array<char, kTextSize> public_key{};
  std::array<char, kTextSize> secret_key{};
  LONGTAIL_CHECK(zmq_curve_keypair(public_key.data(), secret_key.data()) == 0);
  return {public_key.data(), secret_key.data()};
}

absl::StatusOr<KeyPair> PairOf(const std::string& secret_key) {
  std::array<char, kTextSize> made{};
  if (!IsKey(secret_key) || zmq_curve_public(made.data(), secret_key.c_str()) != 0) {
    return absl::InvalidArgumentError("keys: not the 40 characters of a secret key in Z85");
  }
  return KeyPair{made.data(), secret_key};
}

absl::StatusOr<std::vector<std::string>> ReadKeys(const std::string& path, const char* what) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, what));
  std::vector<std::string> keys =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  for (const std::string& key : keys) {
    if (!IsKey(key)) return NoKey(path, key.size());
    if (std::ranges::count(keys, key) > 1) {
      return absl::InvalidArgumentError(absl::StrCat("keys: '", path, "' has a key twice"));
    }
  }
  if (keys.empty()) return NoKey(path, 0);
  if (keys.size() > kClusterKeysMax) {
    return absl::InvalidArgumentError(absl::StrCat("keys: '", path, "' has ", keys.size(),
                                                   " keys: want at most ", kClusterKeysMax));
  }
  return keys;
}

absl::StatusOr<std::shared_ptr<Keyring>> Keyring::Open(const std::string& directory,
                                                       const Log& log) {
  std::shared_ptr<Keyring> keyring(new Keyring(directory, log));
  keyring->is_cluster_ = Exists(keyring->PathOf(kClusterSecret));
  const MutexLock lock(&keyring->mutex_);
  keyring->keys_seen_ = keyring->KeysStamp();
  LONGTAIL_ASSIGN_OR_RETURN(Keys keys, keyring->ReadDirectory());
  keyring->keys_ = std::make_shared<const Keys>(std::move(keys));
  if (keyring->is_cluster_) LONGTAIL_RETURN_IF_ERROR(keyring->ReadClients());
  keyring->look_at_ = absl::Now() + kLookEvery;
  return keyring;
}

absl::StatusOr<Keys> Keyring::ReadDirectory() const {
  Keys keys;
  LONGTAIL_ASSIGN_OR_RETURN(keys.cluster,
                            ReadKeys(PathOf(kClusterPublic), "the cluster's public key"));
  const std::string secret_path = PathOf(is_cluster_ ? kClusterSecret : kClientSecret);
  const std::string public_path = PathOf(is_cluster_ ? kClusterPublic : kClientPublic);
  std::vector<std::string> own = keys.cluster;
  if (!is_cluster_) {
    LONGTAIL_ASSIGN_OR_RETURN(std::string key, ReadKey(public_path, "the client's public key"));
    own = {std::move(key)};
  }
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::string secret,
      ReadKey(secret_path, is_cluster_ ? "the cluster's secret key" : "the client's secret key"));
  const absl::StatusOr<KeyPair> pair = PairOf(secret);
  if (!pair.ok() || std::ranges::find(own, pair->public_key) == own.end()) {
    return NoPair(public_path, secret_path);
  }
  keys.own = *pair;
  return keys;
}

absl::Status Keyring::ReadClients() {
  const std::string path = PathOf(kClients);
  clients_seen_ = StampOf(path);  // Before it is read: what changes meanwhile is seen again.
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "the list of clients"));
  LONGTAIL_ASSIGN_OR_RETURN(clients_, ParseClientList(path, text));
  ++version_;
  return absl::OkStatus();
}

void Keyring::LookAgain() {
  const absl::Time now = absl::Now();
  if (now < look_at_) return;
  look_at_ = now + kLookEvery;
  LookAtKeys();
  if (is_cluster_) LookAtClients();
}

void Keyring::LookAtClients() {
  if (StampOf(PathOf(kClients)) == clients_seen_) return;
  const absl::Status read = ReadClients();
  if (read.ok()) {
    log_.Info("clients_read", {{"file", PathOf(kClients)}, {"clients", clients_.size()}});
  } else {
    log_.Error("clients_not_read",
               {{"reason", std::string(read.message())}, {"clients_as_before", clients_.size()}});
  }
}

void Keyring::LookAtKeys() {
  const std::string stamp = KeysStamp();
  if (stamp == keys_seen_) return;
  absl::StatusOr<Keys> keys = ReadDirectory();
  // Files that change while they are read may not belong together: the next look sees them whole.
  if (KeysStamp() != stamp) return;
  if (keys.ok()) {
    keys_seen_ = stamp;
    return Take(*std::move(keys));
  }
  // Who copies files one by one needs a moment: what is still wrong at the next look is said.
  if (problem_seen_ != stamp) {
    problem_seen_ = stamp;
    return;
  }
  keys_seen_ = stamp;
  log_.Error("keys_not_read", {{"reason", std::string(keys.status().message())},
                               {"as_before", keys_->own.public_key}});
}

void Keyring::Take(Keys keys) {
  if (keys.cluster == keys_->cluster && keys.own == keys_->own) return;  // Written again.
  keys.before = keys.own == keys_->own ? keys_->before : std::optional(keys_->own);
  const bool is_trusted =
      !is_cluster_ || !keys.before ||
      std::ranges::find(keys.cluster, keys.before->public_key) != keys.cluster.end();
  if (!is_trusted || keys.before == keys.own) keys.before.reset();
  keys_ = std::make_shared<const Keys>(std::move(keys));
  ++version_;
  ++changes_;
  log_.Info("keys_read", {{"directory", directory_},
                          {"own", keys_->own.public_key},
                          {"cluster_keys", keys_->cluster.size()}});
}

std::string Keyring::KeysStamp() const {
  std::string stamp = StampOf(PathOf(kClusterPublic));
  if (is_cluster_) return absl::StrCat(stamp, " ", StampOf(PathOf(kClusterSecret)));
  return absl::StrCat(stamp, " ", StampOf(PathOf(kClientPublic)), " ",
                      StampOf(PathOf(kClientSecret)));
}

std::shared_ptr<const Keys> Keyring::keys() {
  const MutexLock lock(&mutex_);
  LookAgain();
  return keys_;
}

std::optional<Client> Keyring::Find(const std::string& public_key) {
  const MutexLock lock(&mutex_);
  LookAgain();
  if (is_cluster_ && std::ranges::find(keys_->cluster, public_key) != keys_->cluster.end()) {
    return Client{.role = Role::kServer, .name = "the cluster"};
  }
  const auto found = clients_.find(public_key);
  return found == clients_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Keyring::version() {
  const MutexLock lock(&mutex_);
  LookAgain();
  return version_;
}

std::uint64_t Keyring::changes() const {
  const MutexLock lock(&mutex_);
  return changes_;
}

}  // namespace longtail
