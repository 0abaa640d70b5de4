// What the component's files share: a stream with its work space, and the code of the last error.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "worker/device/gemm.h"
#include "worker/device/primitives.h"

namespace longtail::device {

struct CudaStream {
  int device = 0;
  cudaStream_t stream = nullptr;
  cublasHandle_t blas = nullptr;
  void* blas_space = nullptr;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  void* space = nullptr;  ///< Of the primitives.
  std::size_t space_bytes = 0;
};

/// The bytes that primitives of so many items need.
cudaError_t PrimitiveSpace(std::uint32_t count_max, std::size_t* bytes);

cudaError_t SortOnCuda(const CudaStream& on, const SortPairs& call);
cudaError_t FindRunsOnCuda(const CudaStream& on, const RunLengths& call);
cudaError_t SumOnCuda(const CudaStream& on, const ExclusiveSum& call);
cudaError_t PickOnCuda(const CudaStream& on, const Select& call);

/// Launches a kernel of kernel_list.h by its number.
cudaError_t LaunchOnCuda(const CudaStream& on, std::size_t kernel, const void* call);

}  // namespace longtail::device
