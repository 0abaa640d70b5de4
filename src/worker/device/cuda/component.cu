// The table of the CUDA component: the runtime and cuBLAS behind plain functions.
#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#define LONGTAIL_HAS_NVTX 1
#else  // A toolkit of compiler and libraries alone.
#define LONGTAIL_HAS_NVTX 0
#endif

#include <cstring>
#include <memory>

#include "worker/device/cuda/cuda_stream.h"
#include "worker/device/cuda/cuda_table.h"
#include "worker/device/kernel_list.h"

namespace longtail::device {
namespace {

// Codes of cuBLAS lie above those of the runtime.
constexpr int kBlasCode = 100000;

// Given before anything is captured or enqueued, so that cuBLAS takes no memory of its own; 32 MiB
// is what it wants on its newest devices.
constexpr std::size_t kBlasSpaceBytes = std::size_t{32} << 20;

int Code(cudaError_t error) {
  return static_cast<int>(error);
}

int Code(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? 0 : kBlasCode + static_cast<int>(status);
}

CudaStream& StreamAt(void* stream) {
  return *static_cast<CudaStream*>(stream);
}

// The device is a thread's; callers may be any.
template <typename Function>
int OnDevice(int device, const Function& function) {
  if (const cudaError_t error = cudaSetDevice(device); error != cudaSuccess) return Code(error);
  return Code(function());
}

const char* ErrorText(int code) {
  if (code >= kBlasCode) {
    return cublasGetStatusString(static_cast<cublasStatus_t>(code - kBlasCode));
  }
  return cudaGetErrorString(static_cast<cudaError_t>(code));
}

bool IsOutOfMemory(int code) {
  return code == static_cast<int>(cudaErrorMemoryAllocation) ||
         code == kBlasCode + static_cast<int>(CUBLAS_STATUS_ALLOC_FAILED);
}

int DriverVersion(int* version) {
  *version = 0;
  return Code(cudaDriverGetVersion(version));
}

int DeviceCount(int* count) {
  *count = 0;  // It is left as it was if there is no driver.
  return Code(cudaGetDeviceCount(count));
}

int Facts(int device, CudaDeviceFacts* facts) {
  cudaDeviceProp properties{};
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device);
      error != cudaSuccess) {
    return Code(error);
  }
  std::strncpy(facts->name, properties.name, sizeof(facts->name) - 1);
  facts->name[sizeof(facts->name) - 1] = 0;
  facts->memory_bytes = properties.totalGlobalMem;
  facts->compute_major = properties.major;
  facts->compute_minor = properties.minor;
  return 0;
}

int Allocate(int device, bool is_pinned, std::size_t bytes, void** data) {
  const std::size_t size = bytes == 0 ? 1 : bytes;
  return OnDevice(device, [&] {
    return is_pinned ? cudaHostAlloc(data, size, cudaHostAllocDefault) : cudaMalloc(data, size);
  });
}

int Free(int device, bool is_pinned, void* data) {
  return OnDevice(device, [&] { return is_pinned ? cudaFreeHost(data) : cudaFree(data); });
}

int Query(cudaError_t error) {
  return error == cudaErrorNotReady ? kNotReady : Code(error);
}

int MakeEvent(int device, void** event) {
  return OnDevice(device, [&] {
    cudaEvent_t made = nullptr;
    const cudaError_t error = cudaEventCreateWithFlags(&made, cudaEventDisableTiming);
    *event = made;
    return error;
  });
}

int EndEvent(void* event) {
  return Code(cudaEventDestroy(static_cast<cudaEvent_t>(event)));
}

int QueryEvent(void* event) {
  return Query(cudaEventQuery(static_cast<cudaEvent_t>(event)));
}

int EndStream(void* stream) {
  const std::unique_ptr<CudaStream> of(static_cast<CudaStream*>(stream));
  return OnDevice(of->device, [&] {
    const cudaError_t error =
        of->stream == nullptr ? cudaSuccess : cudaStreamSynchronize(of->stream);
    if (of->blas != nullptr) cublasDestroy(of->blas);
    if (of->blas_space != nullptr) cudaFree(of->blas_space);
    if (of->space != nullptr) cudaFree(of->space);
    if (of->stream != nullptr) cudaStreamDestroy(of->stream);
    return error;
  });
}

cublasComputeType_t ComputeTypeOf(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kTf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case GemmPrecision::kBfloat16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    case GemmPrecision::kFloat32:
      break;
  }
  return CUBLAS_COMPUTE_32F;
}

int FillStream(const CudaStreamOptions& options, CudaStream& made) {
  made.device = options.device;
  made.compute = ComputeTypeOf(options.precision);
  cudaError_t error = cudaStreamCreateWithFlags(&made.stream, cudaStreamNonBlocking);
  if (error == cudaSuccess && options.count_max > 0) {
    error = PrimitiveSpace(options.count_max, &made.space_bytes);
    if (error == cudaSuccess) error = cudaMalloc(&made.space, made.space_bytes);
  }
  if (error == cudaSuccess) error = cudaMalloc(&made.blas_space, kBlasSpaceBytes);
  if (error != cudaSuccess) return Code(error);
  cublasStatus_t status = cublasCreate(&made.blas);
  if (status == CUBLAS_STATUS_SUCCESS) status = cublasSetStream(made.blas, made.stream);
  if (status == CUBLAS_STATUS_SUCCESS) {
    status = cublasSetWorkspace(made.blas, made.blas_space, kBlasSpaceBytes);
  }
  return Code(status);
}

int MakeStream(const CudaStreamOptions* options, void** stream) {
  if (const cudaError_t error = cudaSetDevice(options->device); error != cudaSuccess) {
    return Code(error);
  }
  auto made = std::make_unique<CudaStream>();
  const int code = FillStream(*options, *made);
  if (code != 0) {
    EndStream(made.release());
    return code;
  }
  *stream = made.release();
  return 0;
}

int QueryStream(void* stream) {
  return Query(cudaStreamQuery(StreamAt(stream).stream));
}

// A function that enqueues on a stream, whatever the calling thread's device is.
template <typename Function>
int OnStream(void* stream, const Function& function) {
  const CudaStream& on = StreamAt(stream);
  return OnDevice(on.device, [&] { return function(on); });
}

int Copy(void* stream, void* to, const void* from, std::size_t bytes) {
  return OnStream(stream, [&](const CudaStream& on) {
    return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, on.stream);
  });
}

int Fill(void* stream, void* to, std::uint8_t byte, std::size_t bytes) {
  return OnStream(
      stream, [&](const CudaStream& on) { return cudaMemsetAsync(to, byte, bytes, on.stream); });
}

int Record(void* stream, void* event) {
  return OnStream(stream, [&](const CudaStream& on) {
    return cudaEventRecord(static_cast<cudaEvent_t>(event), on.stream);
  });
}

int Wait(void* stream, void* event) {
  return OnStream(stream, [&](const CudaStream& on) {
    return cudaStreamWaitEvent(on.stream, static_cast<cudaEvent_t>(event), 0);
  });
}

int Sort(void* stream, const SortPairs* call) {
  return OnStream(stream, [&](const CudaStream& on) { return SortOnCuda(on, *call); });
}

int FindRuns(void* stream, const RunLengths* call) {
  return OnStream(stream, [&](const CudaStream& on) { return FindRunsOnCuda(on, *call); });
}

int Sum(void* stream, const ExclusiveSum* call) {
  return OnStream(stream, [&](const CudaStream& on) { return SumOnCuda(on, *call); });
}

int Pick(void* stream, const Select* call) {
  return OnStream(stream, [&](const CudaStream& on) { return PickOnCuda(on, *call); });
}

int Multiply(void* stream, const Gemm* gemm) {
  const ColumnMajorGemm g = Lower(*gemm);
  return OnStream(stream, [&](const CudaStream& on) {
    return cublasGemmEx(on.blas, g.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N,
                        g.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, g.m, g.n, g.k, &g.alpha, g.a,
                        CUDA_R_32F, g.lda, g.b, CUDA_R_32F, g.ldb, &g.beta, g.c, CUDA_R_32F, g.ldc,
                        on.compute, CUBLAS_GEMM_DEFAULT);
  });
}

int LaunchKernel(void* stream, std::size_t kernel, const void* call) {
  return OnStream(stream, [&](const CudaStream& on) { return LaunchOnCuda(on, kernel, call); });
}

// Of this thread alone: others may allocate and copy meanwhile.
int BeginCapture(void* stream) {
  return OnStream(stream, [&](const CudaStream& on) {
    return cudaStreamBeginCapture(on.stream, cudaStreamCaptureModeThreadLocal);
  });
}

// What was recorded, made ready to be launched.
int MakeGraph(cudaGraph_t recorded, void** graph, std::size_t* node_count) {
  cudaGraphExec_t made = nullptr;
  cudaError_t error = cudaGraphGetNodes(recorded, nullptr, node_count);
  if (error == cudaSuccess) error = cudaGraphInstantiate(&made, recorded, 0);
  *graph = made;
  return Code(error);
}

int EndCapture(void* stream, void** graph, std::size_t* node_count) {
  return OnDevice(StreamAt(stream).device, [&] {
    cudaGraph_t recorded = nullptr;
    const cudaError_t error = cudaStreamEndCapture(StreamAt(stream).stream, &recorded);
    int code = Code(error);
    if (code == 0) code = MakeGraph(recorded, graph, node_count);
    if (recorded != nullptr) cudaGraphDestroy(recorded);
    cudaGetLastError();  // It is told here; the next launch must not find it.
    return static_cast<cudaError_t>(code);
  });
}

int LaunchGraph(void* stream, void* graph) {
  return OnStream(stream, [&](const CudaStream& on) {
    return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), on.stream);
  });
}

int EndGraph(void* graph) {
  return Code(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)));
}

void BeginRange([[maybe_unused]] const char* name) {
#if LONGTAIL_HAS_NVTX
  nvtxRangePushA(name);
#endif
}

void EndRange() {
#if LONGTAIL_HAS_NVTX
  nvtxRangePop();
#endif
}

constexpr CudaTable kTable{.abi = kCudaAbi,
                           .fingerprint = Kernels::Fingerprint(),
                           .error_text = &ErrorText,
                           .is_out_of_memory = &IsOutOfMemory,
                           .driver_version = &DriverVersion,
                           .device_count = &DeviceCount,
                           .facts = &Facts,
                           .allocate = &Allocate,
                           .free = &Free,
                           .make_event = &MakeEvent,
                           .end_event = &EndEvent,
                           .query_event = &QueryEvent,
                           .make_stream = &MakeStream,
                           .end_stream = &EndStream,
                           .query_stream = &QueryStream,
                           .copy = &Copy,
                           .fill = &Fill,
                           .record = &Record,
                           .wait = &Wait,
                           .sort = &Sort,
                           .find_runs = &FindRuns,
                           .sum = &Sum,
                           .pick = &Pick,
                           .multiply = &Multiply,
                           .launch = &LaunchKernel,
                           .begin_capture = &BeginCapture,
                           .end_capture = &EndCapture,
                           .launch_graph = &LaunchGraph,
                           .end_graph = &EndGraph,
                           .begin_range = &BeginRange,
                           .end_range = &EndRange};

}  // namespace
}  // namespace longtail::device

extern "C" __attribute__((visibility("default"))) const longtail::device::CudaTable*
longtail_cuda_table() {
  return &longtail::device::kTable;
}
