#include "io/keyring.h"

#include <sys/stat.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
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

absl::StatusOr<std::string> ReadKey(const std::string& path, const char* what) {
  LONGTAIL_ASSIGN_OR_RETURN(std::string key, ReadFile(path, what));
  absl::StripAsciiWhitespace(&key);
  // Not what is there: it may be a secret.
  if (!IsKey(key)) {
    return absl::InvalidArgumentError(absl::StrCat("keys: '", path, "' has ", key.size(),
                                                   " characters: want the 40 of a key in Z85"));
  }
  return key;
}

absl::StatusOr<KeyPair> ReadPair(const std::string& public_path, const std::string& secret_path,
                                 const char* whose) {
  KeyPair pair;
  LONGTAIL_ASSIGN_OR_RETURN(pair.public_key,
                            ReadKey(public_path, absl::StrCat(whose, " public key").c_str()));
  LONGTAIL_ASSIGN_OR_RETURN(pair.secret_key,
                            ReadKey(secret_path, absl::StrCat(whose, " secret key").c_str()));
  std::array<char, kTextSize> made{};
  if (zmq_curve_public(made.data(), pair.secret_key.c_str()) != 0 ||
      pair.public_key != made.data()) {
    return absl::InvalidArgumentError(
        absl::StrCat("keys: '", secret_path, "' is not the secret ", "key of '", public_path, "'"));
  }
  return pair;
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

absl::StatusOr<std::shared_ptr<Keyring>> Keyring::Open(const std::string& directory,
                                                       const Log& log) {
  std::shared_ptr<Keyring> keyring(new Keyring(directory, log));
  LONGTAIL_RETURN_IF_ERROR(keyring->Read());
  return keyring;
}

absl::Status Keyring::Read() {
  LONGTAIL_ASSIGN_OR_RETURN(cluster_public_,
                            ReadKey(PathOf(kClusterPublic), "the cluster's public key"));
  is_cluster_ = Exists(PathOf(kClusterSecret));
  if (!is_cluster_) {
    LONGTAIL_ASSIGN_OR_RETURN(
        own_, ReadPair(PathOf(kClientPublic), PathOf(kClientSecret), "the client's"));
    return absl::OkStatus();
  }
  LONGTAIL_ASSIGN_OR_RETURN(
      own_, ReadPair(PathOf(kClusterPublic), PathOf(kClusterSecret), "the cluster's"));
  const MutexLock lock(&mutex_);
  return ReadClients();
}

absl::Status Keyring::ReadClients() {
  const std::string path = PathOf(kClients);
  seen_ = StampOf(path);  // Before it is read: what changes meanwhile is seen again.
  look_at_ = absl::Now() + kLookEvery;
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "the list of clients"));
  LONGTAIL_ASSIGN_OR_RETURN(clients_, ParseClientList(path, text));
  ++version_;
  return absl::OkStatus();
}

void Keyring::LookAgain() {
  const absl::Time now = absl::Now();
  if (!is_cluster_ || now < look_at_) return;
  look_at_ = now + kLookEvery;
  if (StampOf(PathOf(kClients)) == seen_) return;
  const absl::Status read = ReadClients();
  if (read.ok()) {
    log_.Info("clients_read", {{"file", PathOf(kClients)}, {"clients", clients_.size()}});
  } else {
    log_.Error("clients_not_read",
               {{"reason", std::string(read.message())}, {"clients_as_before", clients_.size()}});
  }
}

std::optional<Client> Keyring::Find(const std::string& public_key) {
  if (is_cluster_ && public_key == own_.public_key) {
    return Client{.role = Role::kServer, .name = "the cluster"};
  }
  const MutexLock lock(&mutex_);
  LookAgain();
  const auto found = clients_.find(public_key);
  return found == clients_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Keyring::version() {
  const MutexLock lock(&mutex_);
  LookAgain();
  return version_;
}

}  // namespace longtail
