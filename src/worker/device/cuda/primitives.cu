// The primitives, by CUB: in the stream's own work space, with counts that stay on the device.
#include <thrust/iterator/counting_iterator.h>

#include <algorithm>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_run_length_encode.cuh>
#include <cub/device/device_scan.cuh>
#include <cub/device/device_select.cuh>

#include "worker/device/cuda/cuda_stream.h"

namespace longtail::device {
namespace {

// Each primitive with work space or, as CUB has it, without: then it says how much it wants.
cudaError_t Sort(void* space, std::size_t& bytes, const SortPairs& call, cudaStream_t stream) {
  return cub::DeviceRadixSort::SortPairs(space, bytes, call.keys, call.sorted_keys, call.values,
                                         call.sorted_values, static_cast<int>(call.count), 0,
                                         static_cast<int>(call.bits), stream);
}

cudaError_t FindRuns(void* space, std::size_t& bytes, const RunLengths& call, cudaStream_t stream) {
  return cub::DeviceRunLengthEncode::Encode(space, bytes, call.keys, call.unique, call.lengths,
                                            call.run_count, static_cast<int>(call.count), stream);
}

cudaError_t Sum(void* space, std::size_t& bytes, const ExclusiveSum& call, cudaStream_t stream) {
  return cub::DeviceScan::ExclusiveSum(space, bytes, call.values, call.sums,
                                       static_cast<int>(call.count), stream);
}

cudaError_t Pick(void* space, std::size_t& bytes, const Select& call, cudaStream_t stream) {
  return cub::DeviceSelect::Flagged(space, bytes, thrust::counting_iterator<std::uint32_t>(0),
                                    call.flags, call.places, call.place_count,
                                    static_cast<int>(call.count), stream);
}

}  // namespace

cudaError_t PrimitiveSpace(std::uint32_t count_max, std::size_t* bytes) {
  std::size_t sort = 0, runs = 0, sum = 0, pick = 0;
  cudaError_t error = Sort(nullptr, sort, {.count = count_max}, nullptr);
  if (error == cudaSuccess) error = FindRuns(nullptr, runs, {.count = count_max}, nullptr);
  if (error == cudaSuccess) error = Sum(nullptr, sum, {.count = count_max}, nullptr);
  if (error == cudaSuccess) error = Pick(nullptr, pick, {.count = count_max}, nullptr);
  *bytes = std::max(std::max(sort, runs), std::max(sum, pick));
  return error;
}

cudaError_t SortOnCuda(const CudaStream& on, const SortPairs& call) {
  std::size_t bytes = on.space_bytes;
  return Sort(on.space, bytes, call, on.stream);
}

cudaError_t FindRunsOnCuda(const CudaStream& on, const RunLengths& call) {
  std::size_t bytes = on.space_bytes;
  return FindRuns(on.space, bytes, call, on.stream);
}

cudaError_t SumOnCuda(const CudaStream& on, const ExclusiveSum& call) {
  std::size_t bytes = on.space_bytes;
  return Sum(on.space, bytes, call, on.stream);
}

cudaError_t PickOnCuda(const CudaStream& on, const Select& call) {
  std::size_t bytes = on.space_bytes;
  return Pick(on.space, bytes, call, on.stream);
}

}  // namespace longtail::device
