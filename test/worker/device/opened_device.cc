// Opens a device by its name and computes on it, as any program would: opened_device NAME. Prints
// the sentence of OpenDevice, then what two and two are there.
#include <cstdio>
#include <vector>

#include "worker/device/open_device.h"

int main(int count, char** words) {
  using namespace longtail::device;  // NOLINT(google-build-using-namespace): a program of its own.
  const auto name = ParseDeviceName(count == 2 ? words[1] : "");
  if (!name.ok()) {
    std::fprintf(stderr, "%s\n", std::string(name.status().message()).c_str());
    return 2;
  }
  DeviceOptions options;
  options.name = *name;
  const auto opened = OpenDevice(options);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", std::string(opened.status().message()).c_str());
    return 1;
  }
  const auto stream = opened->device->MakeStream({.name = "try"}).value();
  const Memory memory = opened->device->Allocate(MemoryKind::kDevice, 4).value();
  float value = 2;
  stream->Copy(memory.At<void>(0), &value, 4);
  stream->Launch(AddCall{.x = memory.At<float>(0), .y = memory.At<float>(0), .count = 1});
  stream->Copy(&value, memory.At<void>(0), 4);
  if (!stream->Finish(absl::Seconds(60)).ok()) return 3;
  std::printf("%s\n%g\n", opened->sentence.c_str(), static_cast<double>(value));
  return 0;
}
