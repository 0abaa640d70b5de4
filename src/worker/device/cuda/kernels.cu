// All kernels of kernel_list.h for CUDA, in one file: what the static gates look at.
#include "worker/device/cuda/cuda_stream.h"
#include "worker/device/kernel_list.h"
#include "worker/device/kernels/cache_kernel.h"
#include "worker/device/kernels/dot_interaction_kernel.h"
#include "worker/device/kernels/factorization_kernel.h"
#include "worker/device/kernels/for_each_item_kernel.h"
#include "worker/device/kernels/logit_head_kernel.h"
#include "worker/device/kernels/long_segment_sum_kernel.h"

namespace longtail::device {
namespace {

class CudaGrid {
 public:
  explicit CudaGrid(cudaStream_t stream) : stream_(stream) {}

  template <typename... Parameters, typename... Arguments>
  void Launch(void (*kernel)(Parameters...), const LaunchShape& shape, Arguments... arguments) {
    kernel<<<shape.blocks, shape.threads, shape.shared_bytes, stream_>>>(arguments...);
  }

  template <typename Item>
  void ForEach(std::uint32_t count, const Item& item) {
    LaunchForEach(*this, count, item);
  }

 private:
  cudaStream_t stream_;
};

template <typename Call>
struct OnCuda {
  static void Run(const void* call, cudaStream_t stream) {
    CudaGrid grid(stream);
    device::Run(*static_cast<const Call*>(call), grid);
  }
};

constexpr auto kTable = Kernels::MakeTable<OnCuda>();

}  // namespace

cudaError_t LaunchOnCuda(const CudaStream& on, std::size_t kernel, const void* call) {
  if (kernel >= kTable.size()) return cudaErrorInvalidDeviceFunction;
  kTable[kernel](call, on.stream);
  return cudaGetLastError();
}

}  // namespace longtail::device
