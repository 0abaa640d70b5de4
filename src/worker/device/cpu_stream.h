// A stream of the CPU: a thread that does commands in their order, or none, and they are done at
// once.
//
// With threads, two streams are as apart as those of a GPU: a wait that was forgotten is a race
// that the thread sanitizer sees, and wrong results without one. Inline, all is done before the
// call that enqueues it returns, which is the same on every run.
//
// A graph is a list of commands that is one command of the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/mutex.h"
#include "worker/device/device.h"

namespace longtail::device {

enum class CpuStreams : std::uint8_t {
  kThreads,  ///< Each stream is a thread.
  kInline,   ///< Commands are done by who enqueues them.
};

class CpuEvent final : public Event {
 public:
  explicit CpuEvent(std::string name) : name_(std::move(name)) {}

  absl::Status Await(absl::Duration limit) override;

  /// How many records were enqueued.
  std::uint64_t Recorded();
  std::uint64_t AddRecord();

  /// A record was reached.
  void Reach(std::uint64_t record);

  /// Waits until a record was reached. Errors: DeadlineExceeded, as `who` waited.
  absl::Status AwaitRecord(std::uint64_t record, absl::Duration limit, const std::string& who);

 private:
  const std::string name_;
  Mutex mutex_;
  CondVar reached_;
  std::uint64_t recorded_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
};

/// Thread: as Stream. Owns one with CpuStreams::kThreads.
class CpuStream final : public Stream {
 public:
  /// The most commands that wait in a stream; who enqueues one more waits for room.
  static constexpr std::size_t kQueueMax = 1024;

  /// How long a stream waits for an event, and a caller for room, before it is an error.
  static constexpr absl::Duration kWaitMax = absl::Minutes(5);

  CpuStream(const StreamOptions& options, CpuStreams mode, CpuGemm gemm);
  ~CpuStream() override;

  void Copy(void* to, const void* from, std::size_t bytes) override;
  void Fill(void* to, std::uint8_t byte, std::size_t bytes) override;
  void Record(Event& event) override;
  void Wait(Event& event) override;
  void Sort(const SortPairs& call) override;
  void FindRuns(const RunLengths& call) override;
  void Sum(const ExclusiveSum& call) override;
  void Pick(const Select& call) override;
  void Multiply(const Gemm& gemm) override;
  absl::Status BeginCapture() override;
  absl::StatusOr<std::unique_ptr<Graph>> EndCapture() override;
  void Replay(Graph& graph) override;
  absl::Status Finish(absl::Duration limit) override;
  absl::Status FirstError() override;

 private:
  // One function and what it was given, by value: so a queue is an array and no command allocates.
  struct Command {
    static constexpr std::size_t kBytesMax = kCallBytesMax + 32;

    absl::Status (*run)(CpuStream& stream, const void* arguments) = nullptr;
    alignas(16) std::byte arguments[kBytesMax];
  };

  struct Recorded final : public Graph {
    std::size_t command_count() const override { return commands.size(); }

    std::vector<Command> commands;
  };

  template <typename Function>
  void Enqueue(const Function& function);
  void LaunchKernel(std::size_t kernel, const void* call, std::size_t bytes) override;
  bool CountFits(std::uint32_t count, const char* what);
  bool SpoilsCapture(const char* what);
  void Push(const Command& command);
  void Run();
  void Do(const Command& command);
  void Keep(const absl::Status& status);

  const std::string name_;
  const CpuStreams mode_;
  const CpuGemm gemm_;
  std::vector<std::uint64_t> sort_keys_;
  std::vector<std::uint32_t> sort_values_;
  std::vector<Command> queue_;          // A ring.
  std::unique_ptr<Recorded> recorded_;  // While there is a capture; of who feeds the stream.
  absl::Status capture_status_;
  Mutex mutex_;
  CondVar work_;  // A command came, or the end.
  CondVar rest_;  // A command was done.
  std::uint64_t enqueued_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace longtail::device
