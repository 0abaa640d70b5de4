#include "io/core_loop.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/store_write.h"

namespace longtail {
namespace {

// An idle loop looks around this often even if nobody wakes it.
constexpr absl::Duration kIdleWait = absl::Seconds(1);

// Between two chunks of one snapshot there are milliseconds.
constexpr absl::Duration kBuffersKept = absl::Seconds(1);

}  // namespace

CoreLoop::CoreLoop(Core& core, Transport& transport, Options options)
    : core_(core), transport_(transport), options_(std::move(options)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), options_.name.substr(0, 15).c_str());
  if (options_.log == nullptr) return;
  options_.log->Start([this](std::uint64_t log, std::uint64_t end) {
    Do([&](absl::Time now, Effects& effects) { core_.OnLogged(log, end, now, effects); });
  });
}

CoreLoop::~CoreLoop() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
  }
  {
    const MutexLock lock(&background_mutex_);
    background_stop_ = true;
    background_changed_.SignalAll();
  }
  transport_.Wake();
  thread_.join();
  std::thread background;
  {
    const MutexLock lock(&mutex_);
    background.swap(background_thread_);
  }
  if (background.joinable()) background.join();
  if (options_.log != nullptr) options_.log->Stop();
}

void CoreLoop::Do(absl::FunctionRef<void(absl::Time now, Effects& effects)> call) {
  bool wakes_earlier = false;
  {
    const MutexLock lock(&mutex_);
    const absl::Time now = absl::Now();
    const absl::Time before = wake_at_;
    call(now, effects_);
    CarryOut(now);
    wakes_earlier = wake_at_ < before;
  }
  if (wakes_earlier) transport_.Wake();
}

void CoreLoop::Run() {
  std::vector<Envelope> events;
  absl::Time until = absl::Now() + kIdleWait;
  for (;;) {
    transport_.Receive(until, events);
    const MutexLock lock(&mutex_);
    if (stop_) return;
    absl::Time now = absl::Now();
    if (options_.meter != nullptr) options_.meter->NoteTurn(now);
    absl::Time begin = now;
    for (Envelope& event : events) {
      const std::size_t kind = event.body.index();
      core_.Step(event, now, effects_);
      event.body = Acknowledgement{};  // Drops what it held before the effects tell anybody.
      CarryOut(now);
      if (options_.meter == nullptr) continue;
      const absl::Time end = absl::Now();
      options_.meter->NoteMessage(kind, end - begin);
      begin = end;
    }
    events.clear();
    for (const StoreAnswer& answer : TakeStored()) {
      core_.OnStored(answer, now, effects_);
      CarryOut(now);
    }
    now = absl::Now();
    if (now >= wake_at_) {
      wake_at_ = absl::InfiniteFuture();
      core_.Tick(now, effects_);
      CarryOut(now);
    }
    until = std::min(wake_at_, now + kIdleWait);
  }
}

void CoreLoop::CarryOut(absl::Time now) {
  while (!effects_.writes.empty()) {
    writes_.swap(effects_.writes);
    effects_.writes.clear();
    for (StoreWrite& write : writes_) {
      if (write.is_background) {
        if (stop_) continue;
        if (!background_thread_.joinable()) {
          background_thread_ = std::thread([this] { RunBackground(); });
          pthread_setname_np(background_thread_.native_handle(), "store-writes");
        }
        const MutexLock lock(&background_mutex_);
        background_.push_back(std::move(write));
        background_changed_.SignalAll();
        continue;
      }
      SnapshotBuffers buffers;
      const StoreAnswer answer = Write(write, buffers);
      write = {};
      core_.OnStored(answer, now, effects_);
    }
    writes_.clear();
  }
  if (options_.log != nullptr) {
    if (effects_.log_begin) options_.log->Begin(*std::move(effects_.log_begin));
    options_.log->Append(effects_.log);
    if (effects_.log_base) options_.log->Trim(*effects_.log_base);
  }
  if (options_.audit != nullptr && !effects_.evictions.empty()) {
    options_.audit->Append(effects_.evictions);
  }
  for (Envelope& envelope : effects_.sends) {
    if (options_.meter != nullptr) options_.meter->NoteAnswer(envelope.body, now);
    transport_.Send(std::move(envelope));
  }
  if (options_.on_completion) {
    for (const Completion& completion : effects_.completions) options_.on_completion(completion);
  }
  if (effects_.wake_at) wake_at_ = std::min(wake_at_, *effects_.wake_at);
  effects_.Clear();
}

StoreAnswer CoreLoop::Write(const StoreWrite& write, SnapshotBuffers& buffers) const {
  BlobStore* const store =
      write.is_base && options_.log != nullptr ? options_.log->store() : options_.store;
  if (store == nullptr) {
    return {.ticket = write.ticket,
            .status = absl::FailedPreconditionError(
                absl::StrCat("blob '", write.name, "': this cluster was started without a store"))};
  }
  return CarryOutWrite(write, buffers, [&](const std::string& name, const std::string& bytes) {
    const absl::Time begin = absl::Now();
    const absl::Status written = store->Write(name, bytes);
    if (options_.meter != nullptr) {
      options_.meter->NoteWrite(bytes.size(), written.ok(), absl::Now() - begin);
    }
    return written;
  });
}

std::vector<StoreAnswer> CoreLoop::TakeStored() {
  const MutexLock lock(&background_mutex_);
  return std::exchange(stored_, {});
}

void CoreLoop::RunBackground() {
  // It encodes and compresses; who answers requests goes first.
  const sched_param parameters{};
  (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10);
  SnapshotBuffers buffers;
  for (;;) {
    StoreWrite write;
    {
      const MutexLock lock(&background_mutex_);
      absl::Time until = absl::Now() + kBuffersKept;
      while (background_.empty() && !background_stop_) {
        if (!background_changed_.WaitWithDeadline(&background_mutex_, until)) continue;
        (void)std::exchange(buffers, {});  // Assigned to, a string keeps its memory.
        until = absl::InfiniteFuture();
      }
      if (background_stop_) return;
      write = std::move(background_.front());
      background_.pop_front();
    }
    const StoreAnswer answer = Write(write, buffers);
    write = {};
    {
      const MutexLock lock(&background_mutex_);
      stored_.push_back(answer);
    }
    // Not here: what follows is the core's work, which this thread would hold up.
    transport_.Wake();
  }
}

}  // namespace longtail
