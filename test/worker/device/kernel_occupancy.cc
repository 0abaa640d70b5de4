// How many warps of a kernel a multiprocessor holds, by CUDA's own header, which needs no device:
//
//   kernel_occupancy  < "ARCH REGISTERS THREADS SHARED_BYTES" a line   > warps, a line each
//
// Facts of devices are those of the CUDA C++ Programming Guide, "Technical Specifications per
// Compute Capability": 80 is an A100, 90 an H100.
#include <cuda_occupancy.h>

#include <cstddef>
#include <cstdio>

namespace {

bool FactsOf(int arch, cudaOccDeviceProp& device) {
  if (arch != 80 && arch != 90) return false;
  device.computeMajor = arch / 10;
  device.computeMinor = arch % 10;
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsPerMultiprocessor = 2048;
  device.regsPerBlock = 65536;
  device.regsPerMultiprocessor = 65536;
  device.warpSize = 32;
  device.sharedMemPerBlock = 48 << 10;
  device.sharedMemPerMultiprocessor = std::size_t{arch == 80 ? 164U : 228U} << 10;
  device.sharedMemPerBlockOptin = std::size_t{arch == 80 ? 163U : 227U} << 10;
  device.reservedSharedMemPerBlock = 1 << 10;
  device.numSms = arch == 80 ? 108 : 132;
  return true;
}

}  // namespace

int main() {
  int arch = 0, registers = 0, threads = 0, shared = 0;
  while (std::scanf("%d %d %d %d", &arch, &registers, &threads, &shared) == 4) {
    cudaOccDeviceProp device;
    if (!FactsOf(arch, device)) {
      std::fprintf(stderr, "architecture %d: want 80 or 90\n", arch);
      return 2;
    }
    cudaOccFuncAttributes kernel;
    kernel.maxThreadsPerBlock = threads;
    kernel.numRegs = registers;
    kernel.sharedSizeBytes = static_cast<std::size_t>(shared);
    kernel.partitionedGCConfig = PARTITIONED_GC_OFF;
    kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_DEFAULT;
    kernel.maxDynamicSharedSizeBytes = 0;
    kernel.numBlockBarriers = 1;
    const cudaOccDeviceState state;
    cudaOccResult result;
    if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, threads, 0) !=
        CUDA_OCC_SUCCESS) {
      std::fprintf(stderr, "no occupancy of %d registers, %d threads\n", registers, threads);
      return 2;
    }
    std::printf("%d\n", result.activeBlocksPerMultiprocessor * threads / 32);
  }
  return 0;
}
