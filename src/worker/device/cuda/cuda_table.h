// What the CUDA component offers: a table of C functions, found by the name of one.
//
// The component is a library of its own, loaded at run time, so that one program runs on machines
// with and without CUDA. Nothing of C++ but plain structs goes across, and no CUDA header is needed
// here. A table of another kAbi or fingerprint is of another build, and is refused.
//
// Functions return 0, kNotReady, or the code of an error, of which error_text gives the words. None
// waits for a device, but for copies to and from memory that is not pinned.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/device/gemm.h"
#include "worker/device/primitives.h"

namespace longtail::device {

/// Raised whenever this header changes.
inline constexpr std::uint32_t kCudaAbi = 2;

/// The name of a function `const CudaTable* ()`.
inline constexpr const char* kCudaTableName = "longtail_cuda_table";

/// The file of the component.
inline constexpr const char* kCudaLibraryName = "liblongtail_cuda.so";

/// Of a query: what was asked for is not done yet. No error.
inline constexpr int kNotReady = -1;

struct CudaDeviceFacts {
  char name[128];
  std::uint64_t memory_bytes;
  int compute_major;
  int compute_minor;
};

struct CudaStreamOptions {
  int device;
  std::uint32_t count_max;  ///< Of a primitive; decides the work space.
  GemmPrecision precision;
};

/// Streams and events are those of the component.
struct CudaTable {
  std::uint32_t abi;
  std::uint64_t fingerprint;  ///< Kernels::Fingerprint of the component's build.

  const char* (*error_text)(int code);
  bool (*is_out_of_memory)(int code);
  int (*driver_version)(int* version);  ///< 0 without a driver.
  int (*device_count)(int* count);
  int (*facts)(int device, CudaDeviceFacts* facts);

  int (*allocate)(int device, bool is_pinned, std::size_t bytes, void** data);
  int (*free)(int device, bool is_pinned, void* data);

  int (*make_event)(int device, void** event);
  int (*end_event)(void* event);
  int (*query_event)(void* event);

  int (*make_stream)(const CudaStreamOptions* options, void** stream);
  int (*end_stream)(void* stream);  ///< Waits for what is under way.
  int (*query_stream)(void* stream);

  int (*copy)(void* stream, void* to, const void* from, std::size_t bytes);
  int (*fill)(void* stream, void* to, std::uint8_t byte, std::size_t bytes);
  int (*record)(void* stream, void* event);
  int (*wait)(void* stream, void* event);
  int (*sort)(void* stream, const SortPairs* call);
  int (*find_runs)(void* stream, const RunLengths* call);
  int (*sum)(void* stream, const ExclusiveSum* call);
  int (*pick)(void* stream, const Select* call);
  int (*multiply)(void* stream, const Gemm* gemm);
  int (*launch)(void* stream, std::size_t kernel, const void* call);

  int (*begin_capture)(void* stream);
  /// With an error there is no graph, and the stream is as before.
  int (*end_capture)(void* stream, void** graph, std::size_t* node_count);
  int (*launch_graph)(void* stream, void* graph);
  int (*end_graph)(void* graph);

  /// Of the calling thread, for a profiler; names are copied by it.
  void (*begin_range)(const char* name);
  void (*end_range)();
};

}  // namespace longtail::device
