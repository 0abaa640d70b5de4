// A program's own pages over HTTP, as those of servers: figures for Prometheus, and health.
//
//   /metrics   figures: the program's, and those of any process (docs/METRICS.md)
//   /livez     200 while the program lives, else 503 and what stands still
//   /readyz    200 while it does what it is there for, else 503 and why not
//
// They are read-only. Whoever reaches them may read them, so listen on 127.0.0.1 unless the network
// says who comes.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/statistics.h"

namespace longtail {

/// Takes figures by name. All of one name must come one after another, with the same help.
///
/// Names are Prometheus's kind: `job_loss`, in base units (seconds, bytes), counters with `_total`.
/// Never label a figure with a key: there are too many.
class Figures {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  virtual ~Figures() = default;

  /// What only grows while the program lives; its name ends with _total.
  virtual void Counter(std::string_view name, std::string_view help, double value,
                       Labels labels) = 0;

  /// What goes up and down.
  virtual void Gauge(std::string_view name, std::string_view help, double value, Labels labels) = 0;

  void Counter(std::string_view name, std::string_view help, double value) {
    Counter(name, help, value, {});
  }
  void Gauge(std::string_view name, std::string_view help, double value) {
    Gauge(name, help, value, {});
  }
};

/// What workers have counted, as longtail_worker_…: give it the sum of a program's workers.
void AddWorkerFigures(const WorkerStatistics& workers, Figures& figures);

/// The functions are called by threads of the pages, several at a time.
struct PagesOptions {
  /// "HOST:PORT"; port 0: any free one; host 0.0.0.0: every interface.
  std::string listen;
  std::function<void(Figures&)> figures;
  /// Sentences that say what stands still, and that the program should be started again; null:
  /// nothing ever does.
  std::function<std::vector<std::string>()> standing_still = {};
  /// Sentences that say why it does not do what it is there for yet; null: it does.
  std::function<std::vector<std::string>()> why_not_ready = {};
};

/// Owns some threads.
class Pages {
 public:
  /// Answers until the result is destroyed, which waits for the pages that are being made.
  ///
  /// Errors: InvalidArgument (no HOST:PORT); Unavailable naming the address and what the system
  ///         said.
  static absl::StatusOr<std::unique_ptr<Pages>> Show(PagesOptions options);

  virtual ~Pages() = default;

  /// HOST:PORT, with the port that the system chose.
  virtual const std::string& address() const = 0;
};

}  // namespace longtail
