// A device that computes: its memory, and streams that copy, launch kernels and wait for events.
//
// The seam between training and hardware. cpu_device.h has it on threads of the host, cuda_device.h
// on a GPU; what is built on it knows neither.
//
//   stream A   copy in --- record e
//   stream B                        wait e --- kernel --- product --- record f
//   host                                                                        await f
//
// What is enqueued on one stream is done in that order; between streams, and between a stream and
// the host, only events order. The memory that a command names must live, and may not be touched by
// others, until the command is done.
//
// Errors of commands are those of their stream: the first is kept, what comes behind it is not
// done, and Finish tells it. So a step enqueues dozens of commands and asks once.
//
// Commands that are the same again and again, to their last argument, can be recorded once and
// launched as one: a graph. What differs from one time to the next lies in the device's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/device/gemm.h"
#include "worker/device/kernel_list.h"
#include "worker/device/primitives.h"
#include "worker/device/range.h"

namespace longtail::device {

enum class MemoryKind : std::uint8_t {
  kDevice,  ///< For kernels. The host reads and writes it by copies alone.
  kPinned,  ///< The host's, from and to which a device copies while both go on.
};

class Device;

/// A stretch of a device's memory, aligned to 256 bytes; given back at its end.
class Memory {
 public:
  Memory() = default;
  Memory(Device* device, MemoryKind kind, void* data, std::size_t bytes)
      : device_(device), kind_(kind), data_(data), bytes_(bytes) {}
  ~Memory() { Free(); }
  Memory(Memory&& other) noexcept { *this = std::move(other); }
  Memory& operator=(Memory&& other) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// The stretch from a number of bytes on, as items.
  template <typename Item>
  Item* At(std::size_t byte) const {
    return reinterpret_cast<Item*>(static_cast<std::byte*>(data_) + byte);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void Free();

  Device* device_ = nullptr;
  MemoryKind kind_ = MemoryKind::kDevice;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A mark in a stream, that other streams and the host can wait for. May be recorded again and
/// again; who waits, waits for the last record that was enqueued before. One never recorded is
/// done.
///
/// Thread: recorded and waited for by any, but not recorded by two at a time. Must outlive commands
///         that name it.
class Event {
 public:
  virtual ~Event() = default;

  /// Waits, on the calling thread.
  ///
  /// Errors: DeadlineExceeded, with the event's name; what went wrong on the device.
  virtual absl::Status Await(absl::Duration limit) = 0;
};

/// Commands of one stream, recorded with all arguments by value. Must outlive commands that launch
/// it, and go before its stream.
class Graph {
 public:
  virtual ~Graph() = default;

  /// What one launch of it stands for: launches, copies, fills and products, as the device counts.
  virtual std::size_t command_count() const = 0;
};

/// A queue of commands, each done when those before it are.
///
/// Thread: fed by one at a time.
/// Cost:   no command allocates.
class Stream {
 public:
  /// Waits for all that was enqueued.
  virtual ~Stream() = default;

  /// Copies; each side may be of any kind of memory. What is neither pinned nor the device's is
  /// copied no faster than the host waits.
  virtual void Copy(void* to, const void* from, std::size_t bytes) = 0;
  virtual void Fill(void* to, std::uint8_t byte, std::size_t bytes) = 0;

  virtual void Record(Event& event) = 0;
  virtual void Wait(Event& event) = 0;

  /// Primitives. Need count <= StreamOptions::count_max.
  virtual void Sort(const SortPairs& call) = 0;
  virtual void FindRuns(const RunLengths& call) = 0;
  virtual void Sum(const ExclusiveSum& call) = 0;
  virtual void Pick(const Select& call) = 0;

  virtual void Multiply(const Gemm& gemm) = 0;

  /// Launches the kernel that a call describes (kernels/).
  template <typename Call>
  void Launch(const Call& call) {
    static_assert(sizeof(Call) <= kCallBytesMax);
    LaunchKernel(Kernels::kIndexOf<Call>, &call, sizeof(call));
  }

  /// Begins to record: until EndCapture what is enqueued is noted, and not done. Events are not
  /// part of a graph, nor is waiting: either of them spoils it.
  ///
  /// Errors: Unimplemented for a device that records nothing; FailedPrecondition within a capture;
  ///         what the device said.
  virtual absl::Status BeginCapture() {
    return absl::UnimplementedError("this device records no commands");
  }

  /// Ends it; whether or not there is an error, the stream goes on as before BeginCapture.
  ///
  /// Errors: the first of what was to be recorded; FailedPrecondition without BeginCapture.
  /// Cost:   allocates; on a GPU about a millisecond.
  virtual absl::StatusOr<std::unique_ptr<Graph>> EndCapture() {
    return absl::FailedPreconditionError("no capture was begun");
  }

  /// Enqueues all of a graph's commands, as one. The graph must be of this stream.
  virtual void Replay(Graph&) {}

  /// Waits until all that was enqueued is done; tells the stream's first error, and forgets it.
  ///
  /// Errors: DeadlineExceeded, with the stream's name; ResourceExhausted; Internal, with what the
  ///         device said.
  virtual absl::Status Finish(absl::Duration limit) = 0;

  /// The stream's first error so far, without waiting; it is kept.
  virtual absl::Status FirstError() = 0;

 protected:
  virtual void LaunchKernel(std::size_t kernel, const void* call, std::size_t bytes) = 0;
};

struct StreamOptions {
  std::string name;             ///< For sentences.
  std::uint32_t count_max = 0;  ///< Items of the largest primitive; decides the work space.
};

/// Thread: any.
class Device {
 public:
  virtual ~Device() = default;

  /// "cpu", or "cuda:0" and what that is.
  virtual std::string description() const = 0;

  /// Whether it computes on the host: who wants the trainers' own bits cuts work as they do.
  virtual bool is_host() const = 0;

  /// Who shows ranges of the host's time beside the device's own; null: nobody can.
  virtual RangeSink* profiler() { return nullptr; }

  /// Errors: ResourceExhausted, with the bytes and the kind. Of 0 bytes there is always a stretch.
  virtual absl::StatusOr<Memory> Allocate(MemoryKind kind, std::size_t bytes) = 0;

  /// Streams and events must go before their device.
  virtual absl::StatusOr<std::unique_ptr<Stream>> MakeStream(const StreamOptions& options) = 0;
  virtual absl::StatusOr<std::unique_ptr<Event>> MakeEvent(const std::string& name) = 0;

 private:
  friend class Memory;
  virtual void Free(MemoryKind kind, void* data) = 0;
};

inline Memory& Memory::operator=(Memory&& other) noexcept {
  if (this == &other) return *this;
  Free();
  device_ = other.device_;
  kind_ = other.kind_;
  data_ = other.data_;
  bytes_ = other.bytes_;
  other.data_ = nullptr;
  return *this;
}

inline void Memory::Free() {
  if (data_ != nullptr) device_->Free(kind_, data_);
  data_ = nullptr;
}

}  // namespace longtail::device
