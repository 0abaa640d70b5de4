// How busy other processes keep the cores that this one may use.
#pragma once

namespace longtail::bench {

/// Thread: one at a time. Reads /proc; where there is none, nobody else is ever seen.
class OtherLoad {
 public:
  /// Begins a stretch of time.
  void Start();

  /// Ends it.
  void Stop();

  /// Of the cores' time in all stretches, the share that others had, 0..1, as exact as the kernel's
  /// clock ticks are.
  double share() const;

 private:
  struct Sample {
    double all = 0;   // Seconds that passed on the cores,
    double busy = 0;  // in which they had work,
    double own = 0;   // and in which it was ours.
  };
  static Sample Now();

  Sample begin_;
  Sample sum_;
};

}  // namespace longtail::bench
