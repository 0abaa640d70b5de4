// What each process of a cluster shows over HTTP: whether it lives, whether it serves, figures for
// Prometheus, its status as JSON.
//
//   /                the page for people (status_page.html)
//   /livez           200 while its threads turn; else 503 and which does not. Never a matter of
//                    data: a process that loads, or waits for others, lives.
//   /readyz          200 while it does what it is there for; else 503 and why not
//   /metrics         figures, by names that docs/METRICS.md explains
//   /api/v1/status   JSON
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/admin_http.h"
#include "io/loop_meter.h"
#include "io/metric_page.h"
#include "io/zmq_network.h"

namespace longtail {

/// A loop that has not looked around for so long stands still. It does at least each second, but
/// for one piece of work; and none takes a minute.
inline constexpr absl::Duration kLoopStandsStill = absl::Seconds(120);

/// Whether this loop stands still: "lane-3 has not looked around for 130 s"; empty: it does not.
/// One that has not begun does not.
std::string StandsStill(const std::string& loop, const LoopMeter& meter, absl::Time now);

struct ProcessPages {
  // Called by any thread, several at a time; after the process said it ends, never.
  std::function<std::vector<std::string>()> standing_still;
  std::function<std::vector<std::string>()> why_not_ready;
  std::function<void(MetricPage&)> figures;
  std::function<std::string()> status;  // Null: no page for people and no JSON.
};

/// On HOST:PORT, until the result is destroyed. Adds what is known of any process to the figures.
///
/// Errors: as AdminHttp::Start.
absl::StatusOr<std::unique_ptr<AdminHttp>> ShowPages(const std::string& listen, ProcessPages pages);

/// Figures of a loop, by its place: messages, refusals, writes.
void AddLoopFigures(const std::vector<std::pair<std::string, const LoopMeter*>>& places,
                    MetricPage& page);

/// Figures of keys: who was refused, and how far the cluster's key has changed.
void AddKeyFigures(const ZmqNetwork& network, MetricPage& page);

}  // namespace longtail
