// The Ceph that ctest starts for tests (ceph_node.py), and what may go wrong with it.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace longtail::test {

class CephNode {
 public:
  /// Whether one runs, and this build can reach it.
  static bool IsHere() {
#ifdef LONGTAIL_WITH_RADOS
    return std::filesystem::exists(Path("pools-are-made"));
#else
    return false;
#endif
  }

  /// Of a file in its directory: ceph.conf, client.USER.keyring, wrong.keyring.
  static std::string Path(const std::string& file) {
    return std::string(LONGTAIL_CEPH_DIRECTORY) + "/" + file;
  }

  /// "?conf=...", of an address that a user of the pools longtail and small has.
  static std::string Options(const std::string& user = "longtail") {
    return "?conf=" + Path("ceph.conf") + "&user=" + user +
           "&keyring=" + Path("client." + user + ".keyring");
  }

  /// "kill osd.0", "up mon.a", "quota small 1000": see ceph_node.py. Whether it went well.
  static bool Do(const std::string& command) {
    const std::size_t blank = command.find(' ');
    const std::string line = std::string("exec ") + LONGTAIL_PYTHON + " -B " +
                             LONGTAIL_TEST_SUPPORT + "/ceph_node.py " + command.substr(0, blank) +
                             " " + LONGTAIL_CEPH_DIRECTORY + command.substr(blank);
    return std::system(line.c_str()) == 0;
  }

  /// A daemon that is away from construction to destruction, however a test ends.
  class Away {
   public:
    explicit Away(const std::string& daemon) : daemon_(daemon) { REQUIRE(Do("kill " + daemon_)); }
    ~Away() { CHECK(Do("up " + daemon_)); }
    Away(const Away&) = delete;
    Away& operator=(const Away&) = delete;

   private:
    const std::string daemon_;
  };
};

}  // namespace longtail::test
