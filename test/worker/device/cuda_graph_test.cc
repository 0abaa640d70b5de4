// Method: the host's side of a CUDA device on a table whose functions note that they were called,
// and fail when they are told to. What CUDA itself does with a capture takes a GPU: gpu-selfcheck.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/cuda_device.h"
#include "worker/device/step_graphs.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

// C functions have no other place for it.
struct Noted {
  std::vector<std::string> calls;
  std::string failing;  // The call that gives an error.
};
Noted noted;

int Note(const char* call) {
  noted.calls.emplace_back(call);
  return noted.failing == call ? 900 : 0;
}

const CudaTable kNotingTable{
    .abi = kCudaAbi,
    .fingerprint = Kernels::Fingerprint(),
    .error_text = [](int) { return "the capture is not permitted"; },
    .is_out_of_memory = [](int) { return false; },
    .driver_version =
        [](int* version) {
          *version = 13000;
          return 0;
        },
    .device_count =
        [](int* count) {
          *count = 1;
          return 0;
        },
    .facts = [](int, CudaDeviceFacts*) { return 0; },
    .allocate = [](int, bool, std::size_t, void**) { return Note("allocate"); },
    .free = [](int, bool, void*) { return 0; },
    .make_event = [](int, void**) { return 0; },
    .end_event = [](void*) { return 0; },
    .query_event = [](void*) { return 0; },
    .make_stream = [](const CudaStreamOptions*, void**) { return 0; },
    .end_stream = [](void*) { return 0; },
    .query_stream = [](void*) { return 0; },
    .copy = [](void*, void*, const void*, std::size_t) { return Note("copy"); },
    .fill = [](void*, void*, std::uint8_t, std::size_t) { return Note("fill"); },
    .record = [](void*, void*) { return Note("record"); },
    .wait = [](void*, void*) { return Note("wait"); },
    .sort = [](void*, const SortPairs*) { return Note("sort"); },
    .find_runs = [](void*, const RunLengths*) { return Note("find_runs"); },
    .sum = [](void*, const ExclusiveSum*) { return Note("sum"); },
    .pick = [](void*, const Select*) { return Note("pick"); },
    .multiply = [](void*, const Gemm*) { return Note("multiply"); },
    .launch = [](void*, std::size_t, const void*) { return Note("launch"); },
    .begin_capture = [](void*) { return Note("begin_capture"); },
    .end_capture =
        [](void*, void** graph, std::size_t* node_count) {
          *graph = &noted;
          *node_count = 7;
          return Note("end_capture");
        },
    .launch_graph = [](void*, void*) { return Note("launch_graph"); },
    .end_graph = [](void*) { return Note("end_graph"); },
    .begin_range = [](const char* name) { Note(name); },
    .end_range = [] { Note("end_range"); }};

using Calls = std::vector<std::string>;

// Three steps of a kind, then the end of all graphs.
Calls CallsOfSteps(Stream& stream, std::string* problem) {
  noted.calls.clear();
  {
    StepGraphs graphs;
    for (int step = 0; step < 3; ++step) {
      graphs.Run(stream, {}, [&] { stream.Launch(AddCall{.count = 1}); });
    }
    *problem = graphs.problem();
  }
  return noted.calls;
}

TEST_CASE("on a CUDA device a step is captured once, launched as one, and its graph ended",
          "[device][graph][cuda]") {
  noted = {};
  const auto device = CudaDevice::Open(kNotingTable, {}).value();
  const auto stream = device->MakeStream({.name = "s"}).value();
  std::string problem;

  CHECK(CallsOfSteps(*stream, &problem) == Calls{"launch", "begin_capture", "launch", "end_capture",
                                                 "launch_graph", "launch_graph", "end_graph"});
  CHECK(problem.empty());
  CHECK(stream->Finish(kLimit).ok());
}

TEST_CASE("where CUDA refuses a capture steps go by commands, and the stream has no error",
          "[device][graph][cuda]") {
  noted = {};
  const auto device = CudaDevice::Open(kNotingTable, {}).value();
  const auto stream = device->MakeStream({.name = "s"}).value();
  std::string problem, want;
  Calls calls;
  SECTION("from its begin") {
    noted.failing = "begin_capture";
    want = "the begin of a capture";
    calls = {"launch", "begin_capture", "launch", "launch"};
  }
  SECTION("at its end") {
    noted.failing = "end_capture";
    want = "the end of a capture";
    calls = {"launch", "begin_capture", "launch", "end_capture", "launch", "launch"};
  }

  CHECK(CallsOfSteps(*stream, &problem) == calls);
  CHECK(problem == "no graphs, steps are launched command by command: stream 's': " + want +
                       ": the capture is not permitted (900)");
  CHECK(stream->Finish(kLimit).ok());
}

TEST_CASE("events and waiting do not reach CUDA within a capture, and what was captured is ended",
          "[device][graph][cuda]") {
  noted = {};
  const auto device = CudaDevice::Open(kNotingTable, {}).value();
  const auto stream = device->MakeStream({.name = "s", .count_max = 4}).value();
  const auto event = device->MakeEvent("e").value();
  REQUIRE(stream->BeginCapture().ok());
  CHECK(stream->BeginCapture().message() == "stream 's': a capture within a capture");
  std::string want;
  SECTION("a record") {
    stream->Record(*event);
    want = "stream 's': a record within a capture";
  }
  SECTION("a wait") {
    stream->Wait(*event);
    want = "stream 's': a wait within a capture";
  }
  SECTION("waiting") {
    CHECK_FALSE(stream->Finish(kLimit).ok());
    want = "stream 's': waiting within a capture";
  }
  SECTION("more items than there is room for") {
    stream->Sort({.count = 5});
    want = "stream 's': a sort of 5 items: the stream was made for at most 4";
  }

  CHECK(stream->EndCapture().status().message() == want);
  CHECK(noted.calls == Calls{"begin_capture", "end_capture", "end_graph"});
  CHECK(absl::IsFailedPrecondition(stream->EndCapture().status()));
  CHECK(stream->FirstError().ok());
}

TEST_CASE("an error of a graph's launch is the stream's", "[device][graph][cuda]") {
  noted = {};
  const auto device = CudaDevice::Open(kNotingTable, {}).value();
  const auto stream = device->MakeStream({.name = "s"}).value();
  REQUIRE(stream->BeginCapture().ok());
  const auto graph = stream->EndCapture().value();
  CHECK(graph->command_count() == 7);
  noted.failing = "launch_graph";

  stream->Replay(*graph);

  CHECK(stream->Finish(kLimit).message() ==
        "stream 's': a graph: the capture is not permitted (900)");
}

TEST_CASE("ranges of a CUDA device go to its profiler", "[device][trace][cuda]") {
  noted = {};
  const auto device = CudaDevice::Open(kNotingTable, {}).value();
  {
    const Range step({.profiler = device->profiler()}, "step");
    const Range pull({.profiler = device->profiler()}, "pull");
  }

  CHECK(noted.calls == Calls{"step", "pull", "end_range", "end_range"});
}

}  // namespace
}  // namespace longtail::device
