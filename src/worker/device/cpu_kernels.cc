#include "worker/device/cpu_kernels.h"

#include "base/check.h"
#include "worker/device/kernel_list.h"

namespace longtail::device {
namespace {

template <typename Call>
struct OnCpu {
  static void Run(const void* call) {
    Loops loops;
    device::Run(*static_cast<const Call*>(call), loops);
  }
};

constexpr auto kTable = Kernels::MakeTable<OnCpu>();

}  // namespace

void RunOnCpu(std::size_t kernel, const void* call) {
  LONGTAIL_CHECK(kernel < kTable.size());
  kTable[kernel](call);
}

}  // namespace longtail::device
