#include "worker/device/cpu_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "worker/device/cpu_kernels.h"
#include "worker/device/cpu_primitives.h"

namespace longtail::device {

absl::Status CpuEvent::Await(absl::Duration limit) {
  return AwaitRecord(Recorded(), limit, "the host");
}

std::uint64_t CpuEvent::Recorded() {
  MutexLock lock(&mutex_);
  return recorded_;
}

std::uint64_t CpuEvent::AddRecord() {
  MutexLock lock(&mutex_);
  return ++recorded_;
}

void CpuEvent::Reach(std::uint64_t record) {
  MutexLock lock(&mutex_);
  done_ = std::max(done_, record);
  reached_.SignalAll();
}

absl::Status CpuEvent::AwaitRecord(std::uint64_t record, absl::Duration limit,
                                   const std::string& who) {
  const absl::Time until = absl::Now() + limit;
  MutexLock lock(&mutex_);
  while (done_ < record) {
    if (reached_.WaitWithDeadline(&mutex_, until) && done_ < record) {
      return absl::DeadlineExceededError(
          absl::StrCat(who, " waited ", absl::FormatDuration(limit), " for event '", name_, "'"));
    }
  }
  return absl::OkStatus();
}

CpuStream::CpuStream(const StreamOptions& options, CpuStreams mode, CpuGemm gemm)
    : name_(absl::StrCat("stream '", options.name, "'")),
      mode_(mode),
      gemm_(gemm),
      sort_keys_(options.count_max),
      sort_values_(options.count_max),
      queue_(mode == CpuStreams::kThreads ? kQueueMax : 0) {
  if (mode_ == CpuStreams::kThreads) thread_ = std::thread([this] { Run(); });
}

CpuStream::~CpuStream() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(&mutex_);
    ends_ = true;
    work_.Signal();
  }
  thread_.join();
}

template <typename Function>
void CpuStream::Enqueue(const Function& function) {
  static_assert(std::is_trivially_copyable_v<Function>);
  static_assert(sizeof(Function) <= Command::kBytesMax);
  static_assert(alignof(Function) <= 16);
  Command command;
  command.run = [](CpuStream& stream, const void* arguments) -> absl::Status {
    const auto& call = *static_cast<const Function*>(arguments);
    if constexpr (std::is_same_v<std::invoke_result_t<const Function&, CpuStream&>, void>) {
      call(stream);
      return absl::OkStatus();
    } else {
      return call(stream);
    }
  };
  std::memcpy(command.arguments, &function, sizeof(function));
  Push(command);
}

void CpuStream::Push(const Command& command) {
  if (recorded_ != nullptr) return recorded_->commands.push_back(command);
  if (mode_ == CpuStreams::kInline) return Do(command);
  const absl::Time until = absl::Now() + kWaitMax;
  MutexLock lock(&mutex_);
  while (enqueued_ - done_ == kQueueMax) {
    if (rest_.WaitWithDeadline(&mutex_, until) && enqueued_ - done_ == kQueueMax) {
      if (status_.ok()) {
        status_ = absl::DeadlineExceededError(absl::StrCat(
            name_, ": none of ", kQueueMax, " commands ended in ", absl::FormatDuration(kWaitMax)));
      }
      return;
    }
  }
  queue_[enqueued_ % kQueueMax] = command;
  ++enqueued_;
  work_.Signal();
}

void CpuStream::Run() {
  while (true) {
    Command command;
    {
      MutexLock lock(&mutex_);
      while (enqueued_ == done_ && !ends_) work_.Wait(&mutex_);
      if (enqueued_ == done_) return;
      command = queue_[done_ % kQueueMax];
    }
    Do(command);
    MutexLock lock(&mutex_);
    ++done_;
    rest_.SignalAll();
  }
}

// What comes behind an error is done all the same: a record must be reached, or others would wait
// for it in vain.
void CpuStream::Do(const Command& command) {
  Keep(command.run(*this, command.arguments));
}

void CpuStream::Keep(const absl::Status& status) {
  if (status.ok()) return;
  MutexLock lock(&mutex_);
  if (status_.ok()) status_ = status;
}

absl::Status CpuStream::BeginCapture() {
  if (recorded_ != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(name_, ": a capture within a capture"));
  }
  recorded_ = std::make_unique<Recorded>();
  capture_status_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Graph>> CpuStream::EndCapture() {
  const std::unique_ptr<Recorded> recorded = std::move(recorded_);
  if (recorded == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(name_, ": no capture was begun"));
  }
  if (!capture_status_.ok()) return capture_status_;
  auto graph = std::make_unique<Recorded>();  // With no more room than it needs.
  graph->commands.assign(recorded->commands.begin(), recorded->commands.end());
  return std::unique_ptr<Graph>(std::move(graph));
}

// As outside of a graph, all of it is done whatever went wrong before.
void CpuStream::Replay(Graph& graph) {
  const auto* const recorded = static_cast<const Recorded*>(&graph);
  Enqueue([=](CpuStream& stream) {
    for (const Command& command : recorded->commands) stream.Do(command);
  });
}

// Errors of what is to be recorded are the capture's: nothing of it was done.
bool CpuStream::SpoilsCapture(const char* what) {
  if (recorded_ == nullptr) return false;
  capture_status_.Update(
      absl::FailedPreconditionError(absl::StrCat(name_, ": ", what, " within a capture")));
  return true;
}

absl::Status CpuStream::Finish(absl::Duration limit) {
  if (SpoilsCapture("waiting")) return capture_status_;
  const absl::Time until = absl::Now() + limit;
  MutexLock lock(&mutex_);
  while (mode_ == CpuStreams::kThreads && done_ < enqueued_) {
    if (rest_.WaitWithDeadline(&mutex_, until) && done_ < enqueued_) {
      return absl::DeadlineExceededError(absl::StrCat(name_, ": ", enqueued_ - done_,
                                                      " commands are not done after ",
                                                      absl::FormatDuration(limit)));
    }
  }
  return std::exchange(status_, absl::OkStatus());
}

absl::Status CpuStream::FirstError() {
  MutexLock lock(&mutex_);
  return status_;
}

void CpuStream::Copy(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  Enqueue([=](CpuStream&) { std::memcpy(to, from, bytes); });
}

void CpuStream::Fill(void* to, std::uint8_t byte, std::size_t bytes) {
  if (bytes == 0) return;
  Enqueue([=](CpuStream&) { std::memset(to, byte, bytes); });
}

void CpuStream::Record(Event& event) {
  if (SpoilsCapture("a record")) return;
  auto* const mark = static_cast<CpuEvent*>(&event);
  const std::uint64_t record = mark->AddRecord();
  Enqueue([=](CpuStream&) { mark->Reach(record); });
}

void CpuStream::Wait(Event& event) {
  if (SpoilsCapture("a wait")) return;
  auto* const mark = static_cast<CpuEvent*>(&event);
  const std::uint64_t record = mark->Recorded();
  Enqueue([=](CpuStream& stream) { return mark->AwaitRecord(record, kWaitMax, stream.name_); });
}

bool CpuStream::CountFits(std::uint32_t count, const char* what) {
  if (count <= sort_keys_.size()) return true;
  const absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat(name_, ": ", what, " of ", count, " items: the stream was made for at most ",
                   sort_keys_.size()));
  if (recorded_ != nullptr) {
    capture_status_.Update(status);
  } else {
    Keep(status);
  }
  return false;
}

void CpuStream::Sort(const SortPairs& call) {
  if (!CountFits(call.count, "a sort")) return;
  Enqueue([=](CpuStream& stream) {
    SortOnCpu(call, {.keys = stream.sort_keys_, .values = stream.sort_values_});
  });
}

void CpuStream::FindRuns(const RunLengths& call) {
  if (!CountFits(call.count, "a search for runs")) return;
  Enqueue([=](CpuStream&) { FindRunsOnCpu(call); });
}

void CpuStream::Sum(const ExclusiveSum& call) {
  if (!CountFits(call.count, "a sum")) return;
  Enqueue([=](CpuStream&) { SumOnCpu(call); });
}

void CpuStream::Pick(const Select& call) {
  if (!CountFits(call.count, "a selection")) return;
  Enqueue([=](CpuStream&) { PickOnCpu(call); });
}

void CpuStream::Multiply(const Gemm& gemm) {
  if (gemm.rows == 0 || gemm.columns == 0) return;
  Enqueue([=](CpuStream& stream) { stream.gemm_(Lower(gemm)); });
}

void CpuStream::LaunchKernel(std::size_t kernel, const void* call, std::size_t bytes) {
  struct Launched {
    std::size_t kernel;
    alignas(16) std::byte call[kCallBytesMax];

    void operator()(CpuStream&) const { RunOnCpu(kernel, call); }
  };
  LONGTAIL_CHECK(bytes <= kCallBytesMax);
  Launched launched;
  launched.kernel = kernel;
  std::memcpy(launched.call, call, bytes);
  Enqueue(launched);
}

}  // namespace longtail::device
