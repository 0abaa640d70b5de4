#include "worker/device/device_name.h"

#include <catch2/catch.hpp>
#include <string>

namespace longtail::device {
namespace {

TEST_CASE("names of devices are read and written", "[device][name]") {
  CHECK(ParseDeviceName("auto").value() == DeviceName{.kind = DeviceKind::kAuto});
  CHECK(ParseDeviceName("cpu").value() == DeviceName{.kind = DeviceKind::kCpu});
  CHECK(ParseDeviceName("cuda").value() == DeviceName{.kind = DeviceKind::kCuda, .index = 0});
  CHECK(ParseDeviceName("cuda:0").value() == DeviceName{.kind = DeviceKind::kCuda, .index = 0});
  CHECK(ParseDeviceName("cuda:63").value() == DeviceName{.kind = DeviceKind::kCuda, .index = 63});
  for (const char* text : {"auto", "cpu", "cuda:7"}) {
    CHECK(ToText(ParseDeviceName(text).value()) == text);
  }
}

TEST_CASE("what names no device is refused with what was wanted", "[device][name]") {
  const std::string text = GENERATE(as<std::string>(), "", "gpu", "cuda:", "cuda:64", "cuda:-1",
                                    "cuda:1x", "CPU", "cuda: 1", "cuda:99999999999");
  CHECK(ParseDeviceName(text).status().message() ==
        "device '" + text + "': want auto, cpu, cuda or cuda:N, N 0..63");
}

}  // namespace
}  // namespace longtail::device
