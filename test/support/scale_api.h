// Kubernetes as a pod sees it, as far as it asks for the scale of its StatefulSet: over TLS, with
// an account and a certificate of its own.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "server/scratch_directory.h"
#include "support/program.h"

namespace longtail::test {

class ScaleApi {
 public:
  explicit ScaleApi(const std::string& name)
      : name_(name),
        program_({"/usr/bin/env", "python3", "-B", LONGTAIL_SCALE_API, directory_.path(), "a-space",
                  name}) {
    const bool listens = program_.AwaitText("listens on ", absl::Seconds(20));
    INFO(program_.said());
    REQUIRE(listens);
    const std::string said = program_.said();
    const std::size_t port = said.find("listens on ") + 11;
    api_ = "https://127.0.0.1:" + said.substr(port, said.find('\n', port) - port);
  }

  /// What spec.replicas is; or a word that is to be its value; or "forbidden".
  void Set(const std::string& replicas) { WriteWhole(directory_ / "replicas", replicas); }

  const std::string& api() const { return api_; }
  std::string account() const { return directory_.path(); }

  /// As ReadServersWanted takes it.
  std::string place() const {
    return "statefulset://" + name_ + "?api=" + api_ + "&account=" + account();
  }

 private:
  const ScratchDirectory directory_;
  const std::string name_;
  const Program program_;
  std::string api_;
};

}  // namespace longtail::test
