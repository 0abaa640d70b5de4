// The etcd that ctest starts for tests (etcd_node.py).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "server/scratch_directory.h"

namespace longtail::test {

class EtcdNode {
 public:
  /// Whether one runs, and this build can reach it.
  static bool IsHere() {
#ifdef LONGTAIL_WITH_ETCD
    return std::filesystem::exists(std::string(LONGTAIL_ETCD_DIRECTORY) + "/endpoint");
#else
    return false;
#endif
  }

  /// "HOST:PORT".
  static std::string Endpoint() {
    return ReadWhole(std::string(LONGTAIL_ETCD_DIRECTORY) + "/endpoint");
  }

  /// "kill", "start": see etcd_node.py. Whether it went well.
  static bool Do(const std::string& command) {
    const std::string line = std::string("exec ") + LONGTAIL_PYTHON + " -B " +
                             LONGTAIL_TEST_SUPPORT + "/etcd_node.py " + command + " " +
                             LONGTAIL_ETCD_DIRECTORY;
    return std::system(line.c_str()) == 0;
  }
};

}  // namespace longtail::test
