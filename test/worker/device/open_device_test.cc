// The CUDA component on machines without a driver, and without the component. On a machine with a
// GPU the cases that want none say [skip].
#include "worker/device/open_device.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "server/scratch_directory.h"
#include "support/program.h"
#include "worker/device/cuda_device.h"
#include "worker/device/cuda_library.h"

// The built component's file, or empty.
#ifndef LONGTAIL_CUDA_LIBRARY
#define LONGTAIL_CUDA_LIBRARY ""
#endif

namespace longtail::device {
namespace {

constexpr DeviceName kAuto{.kind = DeviceKind::kAuto};
constexpr DeviceName kCuda{.kind = DeviceKind::kCuda};

bool HasComponent() {
  const bool has = std::string(LONGTAIL_CUDA_LIBRARY) != "";
  if (!has) std::cout << "[skip] this build has no CUDA component\n";
  return has;
}

// Works on whatever device was opened.
void CheckThatItComputes(Device& device) {
  const auto stream = device.MakeStream({.name = "try", .count_max = 8}).value();
  const Memory memory = device.Allocate(MemoryKind::kDevice, 64).value();
  const std::vector<float> from = {1, 2, 3, 4};
  std::vector<float> to(4);
  stream->Copy(memory.At<void>(0), from.data(), 16);
  stream->Launch(AddCall{.x = memory.At<float>(0), .y = memory.At<float>(0), .count = 4});
  stream->Copy(to.data(), memory.At<void>(0), 16);
  REQUIRE(stream->Finish(absl::Seconds(60)).ok());
  CHECK(to == std::vector<float>{2, 4, 6, 8});
}

TEST_CASE("without the component the CPU computes, and says why", "[device][open]") {
  const DeviceOptions options{.name = kAuto, .cuda_library = "/nowhere/liblongtail_cuda.so"};

  const OpenedDevice opened = OpenDevice(options).value();

  CHECK(opened.sentence ==
        "device: cpu, since there is no GPU to use: CUDA component: "
        "/nowhere/liblongtail_cuda.so: cannot open shared object file: No such file or directory");
  CheckThatItComputes(*opened.device);
}

TEST_CASE("a CPU that was asked for looks for nothing", "[device][open]") {
  const OpenedDevice opened = OpenDevice({.name = {.kind = DeviceKind::kCpu}}).value();

  CHECK(opened.sentence == "device: cpu");
  CHECK(opened.device->description() == "cpu");
  CheckThatItComputes(*opened.device);
}

TEST_CASE("a GPU that was asked for is never replaced by the CPU", "[device][open]") {
  const auto opened = OpenDevice({.name = kCuda, .cuda_library = "/nowhere/liblongtail_cuda.so"});

  CHECK(opened.status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("what is no component is refused by its name", "[device][open]") {
  const test::ScratchDirectory directory;
  const std::string text = (directory / "liblongtail_cuda.so").string();
  std::ofstream(text) << "no library\n";

  const absl::Status no_library = LoadCudaLibrary(text).status();
  const absl::Status no_component = LoadCudaLibrary("libm.so.6").status();

  CHECK(no_library.code() == absl::StatusCode::kNotFound);
  CHECK(std::string(no_library.message()).find(text + ": ") != std::string::npos);
  CHECK(no_component.message() ==
        "'libm.so.6' is no CUDA component: it has no longtail_cuda_table");
}

TEST_CASE("the component loads without a driver, and the same program goes on on the CPU",
          "[device][open]") {
  if (!HasComponent()) return;
  const CudaTable* const table = LoadCudaLibrary(LONGTAIL_CUDA_LIBRARY).value();
  int driver = -1;
  CHECK(table->driver_version(&driver) == 0);

  const OpenedDevice opened =
      OpenDevice({.name = kAuto, .cuda_library = LONGTAIL_CUDA_LIBRARY}).value();

  if (driver == 0) {
    CHECK(opened.sentence ==
          "device: cpu, since there is no GPU to use: cuda:0: this machine has no CUDA driver "
          "(libcuda.so.1)");
    CHECK(OpenDevice({.name = kCuda, .cuda_library = LONGTAIL_CUDA_LIBRARY}).status().code() ==
          absl::StatusCode::kFailedPrecondition);
  }
  CheckThatItComputes(*opened.device);
}

// What a driver that is there but cannot be used would come to: each function says so, none aborts.
TEST_CASE("without a driver each function of the component gives an error", "[device][open]") {
  if (!HasComponent()) return;
  const CudaTable& table = *LoadCudaLibrary(LONGTAIL_CUDA_LIBRARY).value();
  int driver = -1;
  if (table.driver_version(&driver) != 0 || driver != 0) {
    std::cout << "[skip] this machine has a CUDA driver\n";
    return;
  }
  int count = 7;
  void* pointer = nullptr;
  CudaDeviceFacts facts{};
  const CudaStreamOptions options{
      .device = 0, .count_max = 100, .precision = GemmPrecision::kFloat32};

  const int code = table.device_count(&count);
  CHECK(code > 0);
  CHECK(std::string(table.error_text(code)) != "");
  CHECK_FALSE(table.is_out_of_memory(code));
  CHECK(count == 0);
  CHECK(table.facts(0, &facts) > 0);
  CHECK(table.allocate(0, false, 100, &pointer) > 0);
  CHECK(table.allocate(0, true, 100, &pointer) > 0);
  CHECK(table.make_stream(&options, &pointer) > 0);
  CHECK(table.make_event(0, &pointer) > 0);
  CHECK(pointer == nullptr);
  table.begin_range("nobody looks");  // NVTX without a profiler.
  table.end_range();
  CHECK(CudaDevice::Open(table, {}).status().message() ==
        "cuda:0: this machine has no CUDA driver (libcuda.so.1)");
}

/// The program opened_device, alone in a directory.
struct InstalledProgram {
  InstalledProgram() : path((directory / "program").string()) {
    std::filesystem::copy_file(LONGTAIL_OPENED_DEVICE, path);
  }
  test::Outcome Run(const char* device) const { return test::RunProgram({path, device}); }

  const test::ScratchDirectory directory;
  const std::string path;
};

TEST_CASE("a program without the component beside it computes", "[device][open]") {
  const InstalledProgram program;

  const test::Outcome any = program.Run("auto");
  const test::Outcome cpu = program.Run("cpu");
  const test::Outcome wrong = program.Run("gpu");

  CAPTURE(any.said);
  CHECK(any.code == 0);
  CHECK(any.said.find("device: ") == 0);
  CHECK(any.said.substr(any.said.size() - 3) == "\n4\n");
  CHECK(cpu.said == "device: cpu\n4\n");
  CHECK(wrong.code == 2);
  CHECK(wrong.said == "device 'gpu': want auto, cpu, cuda or cuda:N, N 0..63\n");
}

TEST_CASE("the same program takes the component that lies beside it", "[device][open]") {
  if (!HasComponent()) return;
  const InstalledProgram program;
  std::filesystem::copy_file(LONGTAIL_CUDA_LIBRARY, program.directory / kCudaLibraryName);

  const test::Outcome any = program.Run("auto");
  const test::Outcome wanted = program.Run("cuda:0");

  CAPTURE(any.said);
  CHECK(any.code == 0);
  const bool has_gpu = any.said.find("device: cuda:0 (") == 0;
  CHECK(wanted.code == (has_gpu ? 0 : 1));
  if (has_gpu) return;
  const std::string why = "cuda:0: this machine has no CUDA driver (libcuda.so.1)\n";
  CHECK(any.said == "device: cpu, since there is no GPU to use: " + why + "4\n");
  CHECK(wanted.said == why);
}

}  // namespace
}  // namespace longtail::device
