#include "worker/device/range_trace.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "server/scratch_directory.h"

namespace longtail::device {
namespace {

TEST_CASE("a trace has names, nesting and threads of ranges", "[device][trace]") {
  RangeTrace trace;
  const RangeSinks sinks{.trace = &trace};
  {
    const Range step(sinks, "step");
    { const Range forward(sinks, "forward"); }
    std::thread([&] { const Range read(sinks, "read"); }).join();
    const Range backward(sinks, "backward");
  }

  const std::vector<TracedRange> ranges = trace.ranges();
  REQUIRE(ranges.size() == 4);
  std::map<std::string, TracedRange> by_name;
  for (const TracedRange& range : ranges) {
    CHECK(range.begin_ns <= range.end_ns);
    by_name[range.name] = range;
  }
  const TracedRange& step = by_name.at("step");
  CHECK(ranges.back().name == std::string("step"));
  CHECK(step.depth == 0);
  CHECK(by_name.at("forward").depth == 1);
  CHECK(by_name.at("backward").depth == 1);
  CHECK(by_name.at("forward").thread == step.thread);
  CHECK(by_name.at("forward").end_ns <= by_name.at("backward").begin_ns);
  CHECK(by_name.at("read").thread != step.thread);
  CHECK(by_name.at("read").depth == 0);
  CHECK(by_name.at("read").begin_ns >= step.begin_ns);
  CHECK(by_name.at("read").end_ns <= step.end_ns);
}

TEST_CASE("a profiler and a trace are both told, and nobody where nobody looks",
          "[device][trace]") {
  RangeTrace profiler, trace;
  { const Range range({.profiler = &profiler, .trace = &trace}, "a"); }
  { const Range range({.profiler = &profiler}, "b"); }
  { const Range range({}, "c"); }

  CHECK(profiler.ranges().size() == 2);
  CHECK(trace.ranges().size() == 1);
}

TEST_CASE("a trace is bounded, and counts what it leaves out", "[device][trace]") {
  RangeTrace trace(3);
  for (int i = 0; i < 10; ++i) const Range range({.trace = &trace}, "again");

  CHECK(trace.ranges().size() == 3);
  CHECK(trace.left_out() == 7);
}

TEST_CASE("a trace is written as Chrome shows it", "[device][trace]") {
  const test::ScratchDirectory directory;
  RangeTrace trace;
  {
    const Range step({.trace = &trace}, "step");
    const Range pull({.trace = &trace}, "pull");
  }
  const std::string path = (directory / "trace.json").string();
  REQUIRE(trace.Write(path).ok());
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();

  CHECK_THAT(text.str(), Catch::StartsWith("{\"traceEvents\":[\n"
                                           "{\"name\":\"pull\",\"ph\":\"X\",\"pid\":1,\"tid\":0,"));
  CHECK_THAT(text.str(), Catch::Contains("},\n{\"name\":\"step\",\"ph\":\"X\",\"pid\":1,\"tid\":0,"
                                         "\"ts\":0.000,\"dur\":"));
  CHECK_THAT(text.str(), Catch::EndsWith("}\n],\"otherData\":{\"left_out\":\"0\"}}\n"));
  const absl::Status status = trace.Write("/nowhere/trace.json");
  CHECK(absl::IsUnavailable(status));
  CHECK(status.message() == "trace '/nowhere/trace.json': it cannot be written");
}

}  // namespace
}  // namespace longtail::device
