#include "base/log.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace longtail {
namespace {

struct Lines {
  std::vector<std::string> lines;
  LogSink Sink() {
    return [this](LogLevel, std::string_view line) { lines.emplace_back(line); };
  }
};

TEST_CASE("a line is level, event and fields in their order", "[base][log]") {
  Lines out;
  const Log log(out.Sink());

  log.Info("joined", {{"server", "s-3"}, {"epoch", std::uint64_t{7}}, {"load", 0.5}, {"up", true}});
  log.Warning("limit_reached");
  log.Error("lost", {{"peer", std::string("w1")}, {"shift", -4}});

  CHECK(out.lines == std::vector<std::string>{"info joined server=s-3 epoch=7 load=0.5 up=true",
                                              "warning limit_reached",
                                              "error lost peer=w1 shift=-4"});
}

TEST_CASE("a line stays one line whatever a value holds", "[base][log]") {
  Lines out;
  const Log log(out.Sink());

  log.Info("said", {{"a", "two words"}, {"b", "x\ny"}, {"c", ""}, {"d", "k=v"}, {"e", "\"q\""}});

  CHECK(out.lines.at(0) == R"(info said a="two words" b="x\ny" c="" d="k=v" e="\"q\"")");
}

TEST_CASE("what lies below the level is dropped", "[base][log]") {
  Lines out;
  const Log log(out.Sink(), LogLevel::kWarning);

  log.Debug("a");
  log.Info("b");
  log.Warning("c");

  CHECK(out.lines == std::vector<std::string>{"warning c"});
}

TEST_CASE("a log without a sink drops everything", "[base][log]") {
  const Log log;

  log.Error("nobody_listens");

  SUCCEED();
}

}  // namespace
}  // namespace longtail
