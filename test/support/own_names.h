// Names of hosts as only this process and those that it starts resolve them, and that change.
//
// A mount namespace of its own has another file in the place of /etc/hosts. Like a network of
// namespaces it goes with the test.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

namespace longtail::test {

class OwnNames {
 public:
  /// For this thread, and the threads and programs that it starts from now on. `directory` is the
  /// test's. Null where mounts are not permitted; the output says so, and the test is to return.
  static std::unique_ptr<OwnNames> Make(const std::string& directory) {
    std::unique_ptr<OwnNames> names(new OwnNames(directory + "/hosts"));
    names->Write();
    if (names->before_ >= 0 && unshare(CLONE_NEWNS) == 0 &&
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount(names->file_.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0) {
      return names;
    }
    std::cout << "[skip] no names of its own: " << std::strerror(errno)
              << ", want root with CAP_SYS_ADMIN\n";
    return nullptr;
  }

  /// This thread has the system's names again.
  ~OwnNames() {
    if (before_ < 0) return;
    setns(before_, CLONE_NEWNS);
    close(before_);
  }
  OwnNames(const OwnNames&) = delete;
  OwnNames& operator=(const OwnNames&) = delete;

  void Set(const std::string& name, const std::string& address) {
    names_[name] = address;
    Write();
  }

  void Remove(const std::string& name) {
    names_.erase(name);
    Write();
  }

 private:
  explicit OwnNames(std::string file)
      : file_(std::move(file)), before_(open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC)) {}

  // In one write to the file that is mounted.
  void Write() const {
    std::string text = "127.0.0.1 localhost\n";
    for (const auto& [name, address] : names_) absl::StrAppend(&text, address, " ", name, "\n");
    std::ofstream(file_, std::ios::trunc) << text;
  }

  const std::string file_;
  const int before_;  // The mount namespace from which it came.
  std::map<std::string, std::string> names_;
};

}  // namespace longtail::test
