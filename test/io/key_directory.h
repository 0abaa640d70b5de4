// Directories of keys, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "io/keyring.h"

namespace longtail::test {

inline void WriteText(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::trunc) << text;
}

/// As Kubernetes does it: another file takes its place, whole.
inline void ReplaceText(const std::string& path, const std::string& text) {
  WriteText(path + "~", text);
  std::filesystem::rename(path + "~", path);
}

/// A cluster's keys in `path`/cluster, and of each client that is added in `path`/NAME.
class KeyDirectory {
 public:
  explicit KeyDirectory(std::string path) : path_(std::move(path)), pair_(MakeKeyPair()) {
    WriteText(cluster() + "/cluster.public", pair_.public_key + "\n");
    WriteText(cluster() + "/cluster.secret", pair_.secret_key + "\n");
    WriteText(cluster() + "/clients", "");
  }

  std::string cluster() const { return path_ + "/cluster"; }
  std::string of(const std::string& name) const { return path_ + "/" + name; }
  const KeyPair& pair() const { return pair_; }

  /// Makes the keys of a client; `line` is what the list says behind its public key, or nothing: it
  /// is not on it.
  KeyPair Add(const std::string& name, const std::string& line) {
    const KeyPair client = MakeKeyPair();
    WriteText(of(name) + "/cluster.public", pair_.public_key);
    WriteText(of(name) + "/client.public", client.public_key);
    WriteText(of(name) + "/client.secret", client.secret_key);
    if (!line.empty()) SetList(list_ + client.public_key + " " + line + "\n");
    return client;
  }

  void SetList(const std::string& list) {
    list_ = list;
    ReplaceText(cluster() + "/clients", list_);
  }
  const std::string& list() const { return list_; }

 private:
  const std::string path_;
  const KeyPair pair_;
  std::string list_;
};

inline std::shared_ptr<Keyring> OpenKeys(const std::string& directory) {
  auto keyring = Keyring::Open(directory);
  INFO(keyring.status().ToString());
  REQUIRE(keyring.ok());
  return *std::move(keyring);
}

}  // namespace longtail::test
