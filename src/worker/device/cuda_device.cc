#include "worker/device/cuda_device.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/check.h"

namespace longtail::device {
namespace {

// How long the host sleeps between two looks at a device: first not at all, then longer and longer.
constexpr absl::Duration kPollMin = absl::Microseconds(5);
constexpr absl::Duration kPollMax = absl::Milliseconds(1);

absl::Status ToStatus(const CudaTable& table, const std::string& what, int code) {
  if (code == 0) return absl::OkStatus();
  const std::string text = absl::StrCat(what, ": ", table.error_text(code), " (", code, ")");
  return table.is_out_of_memory(code) ? absl::ResourceExhaustedError(text)
                                      : absl::InternalError(text);
}

// Asks until there is an answer; kNotReady if there was none in time.
template <typename Query>
int Poll(absl::Duration limit, const Query& query) {
  const absl::Time until = absl::Now() + limit;
  absl::Duration pause = absl::ZeroDuration();
  int code = query();
  while (code == kNotReady && absl::Now() < until) {
    if (pause > absl::ZeroDuration()) absl::SleepFor(pause);
    pause = std::min(std::max(pause * 2, kPollMin), kPollMax);
    code = query();
  }
  return code;
}

class CudaEvent final : public Event {
 public:
  CudaEvent(const CudaTable& table, std::string name, void* event)
      : table_(table), name_(std::move(name)), event_(event) {}
  ~CudaEvent() override { table_.end_event(event_); }

  absl::Status Await(absl::Duration limit) override {
    const int code = Poll(limit, [this] { return table_.query_event(event_); });
    if (code == kNotReady) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the host waited ", absl::FormatDuration(limit), " for event '", name_, "'"));
    }
    return ToStatus(table_, absl::StrCat("event '", name_, "'"), code);
  }

  void* event() const { return event_; }

 private:
  const CudaTable& table_;
  const std::string name_;
  void* const event_;
};

class CudaGraphHandle final : public Graph {
 public:
  CudaGraphHandle(const CudaTable& table, void* graph, std::size_t node_count)
      : table_(table), graph_(graph), node_count_(node_count) {}
  ~CudaGraphHandle() override { table_.end_graph(graph_); }

  std::size_t command_count() const override { return node_count_; }
  void* graph() const { return graph_; }

 private:
  const CudaTable& table_;
  void* const graph_;
  const std::size_t node_count_;
};

class CudaStreamHandle final : public Stream {
 public:
  CudaStreamHandle(const CudaTable& table, const StreamOptions& options, void* stream)
      : table_(table),
        name_(absl::StrCat("stream '", options.name, "'")),
        count_max_(options.count_max),
        stream_(stream) {}
  ~CudaStreamHandle() override { table_.end_stream(stream_); }

  void Copy(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) Keep("a copy", table_.copy(stream_, to, from, bytes));
  }
  void Fill(void* to, std::uint8_t byte, std::size_t bytes) override {
    if (bytes > 0) Keep("a fill", table_.fill(stream_, to, byte, bytes));
  }
  void Record(Event& event) override {
    if (SpoilsCapture("a record")) return;
    Keep("a record", table_.record(stream_, static_cast<CudaEvent&>(event).event()));
  }
  void Wait(Event& event) override {
    if (SpoilsCapture("a wait")) return;
    Keep("a wait", table_.wait(stream_, static_cast<CudaEvent&>(event).event()));
  }
  void Sort(const SortPairs& call) override {
    if (CountFits(call.count, "a sort")) Keep("a sort", table_.sort(stream_, &call));
  }
  void FindRuns(const RunLengths& call) override {
    if (!CountFits(call.count, "a search for runs")) return;
    Keep("a search for runs", table_.find_runs(stream_, &call));
  }
  void Sum(const ExclusiveSum& call) override {
    if (CountFits(call.count, "a sum")) Keep("a sum", table_.sum(stream_, &call));
  }
  void Pick(const Select& call) override {
    if (CountFits(call.count, "a selection")) Keep("a selection", table_.pick(stream_, &call));
  }
  void Multiply(const Gemm& gemm) override {
    if (gemm.rows == 0 || gemm.columns == 0) return;
    Keep("a product", table_.multiply(stream_, &gemm));
  }

  absl::Status BeginCapture() override {
    if (is_capturing_) {
      return absl::FailedPreconditionError(absl::StrCat(name_, ": a capture within a capture"));
    }
    const int code = table_.begin_capture(stream_);
    if (code != 0) return ToStatus(table_, absl::StrCat(name_, ": the begin of a capture"), code);
    is_capturing_ = true;
    capture_status_ = absl::OkStatus();
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Graph>> EndCapture() override {
    if (!std::exchange(is_capturing_, false)) {
      return absl::FailedPreconditionError(absl::StrCat(name_, ": no capture was begun"));
    }
    void* graph = nullptr;
    std::size_t node_count = 0;
    const int code = table_.end_capture(stream_, &graph, &node_count);
    std::unique_ptr<Graph> made;
    if (code == 0) made = std::make_unique<CudaGraphHandle>(table_, graph, node_count);
    capture_status_.Update(ToStatus(table_, absl::StrCat(name_, ": the end of a capture"), code));
    if (!capture_status_.ok()) return capture_status_;
    return made;
  }

  void Replay(Graph& graph) override {
    Keep("a graph", table_.launch_graph(stream_, static_cast<CudaGraphHandle&>(graph).graph()));
  }

  absl::Status Finish(absl::Duration limit) override {
    if (SpoilsCapture("waiting")) return capture_status_;
    const int code = Poll(limit, [this] { return table_.query_stream(stream_); });
    if (code == kNotReady) {
      return absl::DeadlineExceededError(
          absl::StrCat(name_, ": commands are not done after ", absl::FormatDuration(limit)));
    }
    Keep("what was enqueued", code);
    return std::exchange(status_, absl::OkStatus());
  }

  absl::Status FirstError() override { return status_; }

 private:
  void LaunchKernel(std::size_t kernel, const void* call, std::size_t) override {
    Keep("a kernel", table_.launch(stream_, kernel, call));
  }

  bool CountFits(std::uint32_t count, const char* what) {
    if (count <= count_max_) return true;
    Errors().Update(absl::ResourceExhaustedError(absl::StrCat(
        name_, ": ", what, " of ", count, " items: the stream was made for at most ", count_max_)));
    return false;
  }

  // CUDA would refuse these by errors that say less.
  bool SpoilsCapture(const char* what) {
    if (!is_capturing_) return false;
    capture_status_.Update(
        absl::FailedPreconditionError(absl::StrCat(name_, ": ", what, " within a capture")));
    return true;
  }

  // Of what is to be recorded they are the capture's: nothing of it was done.
  absl::Status& Errors() { return is_capturing_ ? capture_status_ : status_; }

  void Keep(const char* what, int code) {
    if (code == 0 || !Errors().ok()) return;
    Errors() = ToStatus(table_, absl::StrCat(name_, ": ", what), code);
  }

  const CudaTable& table_;
  const std::string name_;
  const std::uint32_t count_max_;
  void* const stream_;
  absl::Status status_;
  bool is_capturing_ = false;
  absl::Status capture_status_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CudaDevice>> CudaDevice::Open(const CudaTable& table,
                                                             const Options& options) {
  const std::string name = absl::StrCat("cuda:", options.index);
  int driver = 0;
  if (const int code = table.driver_version(&driver); code != 0) {
    return ToStatus(table, name, code);
  }
  if (driver == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": this machine has no CUDA driver (libcuda.so.1)"));
  }
  int count = 0;
  if (const int code = table.device_count(&count); code != 0) {
    return absl::FailedPreconditionError(absl::StrCat(name, ": ", table.error_text(code),
                                                      " (driver of CUDA ", driver / 1000, ".",
                                                      driver % 1000 / 10, ")"));
  }
  if (options.index >= count) {
    return absl::NotFoundError(absl::StrCat(name, ": this machine has ", count, " CUDA devices"));
  }
  CudaDeviceFacts facts{};
  if (const int code = table.facts(options.index, &facts); code != 0) {
    return ToStatus(table, name, code);
  }
  return std::unique_ptr<CudaDevice>(
      new CudaDevice(table, options,
                     absl::StrCat(name, " (", facts.name, ", compute ", facts.compute_major, ".",
                                  facts.compute_minor, ", ", facts.memory_bytes >> 30, " GiB)")));
}

absl::StatusOr<Memory> CudaDevice::Allocate(MemoryKind kind, std::size_t bytes) {
  void* data = nullptr;
  const bool is_pinned = kind == MemoryKind::kPinned;
  const int code = table_.allocate(options_.index, is_pinned, bytes, &data);
  if (code != 0) {
    return ToStatus(table_,
                    absl::StrCat("cuda:", options_.index, ": ", bytes, " bytes of ",
                                 is_pinned ? "pinned" : "device", " memory"),
                    code);
  }
  return Memory(this, kind, data, bytes);
}

void CudaDevice::Free(MemoryKind kind, void* data) {
  table_.free(options_.index, kind == MemoryKind::kPinned, data);
}

absl::StatusOr<std::unique_ptr<Stream>> CudaDevice::MakeStream(const StreamOptions& options) {
  const CudaStreamOptions asked{
      .device = options_.index, .count_max = options.count_max, .precision = options_.precision};
  void* stream = nullptr;
  if (const int code = table_.make_stream(&asked, &stream); code != 0) {
    return ToStatus(table_, absl::StrCat("stream '", options.name, "'"), code);
  }
  return std::make_unique<CudaStreamHandle>(table_, options, stream);
}

absl::StatusOr<std::unique_ptr<Event>> CudaDevice::MakeEvent(const std::string& name) {
  void* event = nullptr;
  if (const int code = table_.make_event(options_.index, &event); code != 0) {
    return ToStatus(table_, absl::StrCat("event '", name, "'"), code);
  }
  return std::make_unique<CudaEvent>(table_, name, event);
}

}  // namespace longtail::device
