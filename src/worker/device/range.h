// Stretches of the host's time by name: what a profiler shows of the stages of a step.
//
// A device has a profiler of its own where there is one (NVTX on CUDA); a trace (range_trace.h) may
// be told as well. Where nobody looks, a range costs two branches.
#pragma once

namespace longtail::device {

/// Who is told where ranges begin and end. Ranges of a thread lie within one another.
///
/// Thread: any.
class RangeSink {
 public:
  virtual ~RangeSink() = default;

  /// `name` must live on: a literal.
  virtual void Begin(const char* name) = 0;

  /// Ends the calling thread's innermost range.
  virtual void End() = 0;
};

/// Who is told; null: nobody. They must outlive all ranges.
struct RangeSinks {
  RangeSink* profiler = nullptr;
  RangeSink* trace = nullptr;
};

/// A range, from here to the end of its scope.
class Range {
 public:
  Range(const RangeSinks& sinks, const char* name) : sinks_(sinks) {
    if (sinks_.profiler != nullptr) sinks_.profiler->Begin(name);
    if (sinks_.trace != nullptr) sinks_.trace->Begin(name);
  }
  ~Range() {
    if (sinks_.trace != nullptr) sinks_.trace->End();
    if (sinks_.profiler != nullptr) sinks_.profiler->End();
  }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  const RangeSinks sinks_;
};

}  // namespace longtail::device
