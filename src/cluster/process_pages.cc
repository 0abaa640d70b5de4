#include "cluster/process_pages.h"

#include <sys/resource.h>

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cluster/status_page.h"
#include "io/this_process.h"
#include "protocol/frame.h"

namespace longtail {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// By the names that Prometheus's own clients have for them.
void AddProcess(MetricPage& page) {
  page.Gauge("longtail_build_info", "1, of the program with that version.", 1.0,
             {{"version", LONGTAIL_VERSION}});
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  page.Counter("process_cpu_seconds_total", "Processor time of the process, in seconds.",
               Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  page.Gauge("process_resident_memory_bytes", "Resident memory of the process.", ResidentBytes());
  page.Gauge("longtail_memory_limit_bytes",
             "Memory that the process may have: its container's, else the machine's.",
             MemoryLimitBytes());
  page.Gauge("process_open_fds", "Open file descriptors.", OpenFiles());
  page.Gauge("process_start_time_seconds", "When the process began, since 1970.",
             absl::ToDoubleSeconds(StartTime() - absl::UnixEpoch()));
}

AdminHttp::Answer Health(std::string_view good, const std::vector<std::string>& reasons) {
  if (reasons.empty()) return {.body = absl::StrCat(std::string(good), "\n")};
  AdminHttp::Answer answer{.code = 503};
  for (const std::string& reason : reasons) absl::StrAppend(&answer.body, reason, "\n");
  return answer;
}

}  // namespace

std::string StandsStill(const std::string& loop, const LoopMeter& meter, absl::Time now) {
  const absl::Time turned = meter.turned_at();
  if (turned == absl::InfinitePast() || now - turned < kLoopStandsStill) return "";
  return absl::StrCat(loop, " has not looked around for ",
                      absl::FormatDuration(absl::Trunc(now - turned, absl::Seconds(1))));
}

absl::StatusOr<std::unique_ptr<AdminHttp>> ShowPages(const std::string& listen,
                                                     ProcessPages pages) {
  const auto shared = std::make_shared<const ProcessPages>(std::move(pages));
  AdminHttp::Pages made = {
      {"/livez", [shared] { return Health("lives", shared->standing_still()); }},
      {"/readyz", [shared] { return Health("ready", shared->why_not_ready()); }},
      {"/metrics", [shared] {
         MetricPage page;
         AddProcess(page);
         page.Gauge("longtail_ready", "1 while it does what it is there for.",
                    shared->why_not_ready().empty() ? 1.0 : 0.0);
         shared->figures(page);
         return AdminHttp::Answer{.type = std::string(MetricPage::kType), .body = page.Text()};
       }}};
  if (shared->status) {
    made.emplace("/", [] {
      return AdminHttp::Answer{.type = "text/html; charset=utf-8",
                               .body = std::string(StatusPage())};
    });
    made.emplace("/api/v1/status", [shared] {
      return AdminHttp::Answer{.type = "application/json", .body = shared->status()};
    });
  }
  return AdminHttp::Start(listen, std::move(made));
}

void AddKeyFigures(const ZmqNetwork& network, MetricPage& page) {
  page.Counter("longtail_refused_clients_total",
               "Connections that were refused: their key is on no list of clients.",
               network.refused_clients());
  const std::shared_ptr<Keyring> keys = network.keys();
  page.Gauge("longtail_cluster_keys",
             "Public keys of the cluster that are trusted: 2 while that is changed; 0: none.",
             std::uint64_t{keys == nullptr ? 0 : keys->keys()->cluster.size()});
  page.Counter("longtail_key_changes_total",
               "Keys that were read anew while the process ran, lists of clients apart.",
               keys == nullptr ? 0 : keys->changes());
}

void AddLoopFigures(const std::vector<std::pair<std::string, const LoopMeter*>>& places,
                    MetricPage& page) {
  for (const auto& [place, meter] : places) {
    for (std::size_t kind = 0; kind < LoopMeter::kKinds; ++kind) {
      const DurationCounts::Reading durations = meter->messages(kind);
      if (durations.count == 0) continue;
      page.Durations("longtail_message_duration_seconds",
                     "Work on a message, from its turn to its answer, by place and kind.",
                     durations, {{"place", place}, {"kind", kMessageKindNames[kind + 1]}});
    }
  }
  for (const auto& [place, meter] : places) {
    for (std::size_t code = 0; code < LoopMeter::kCodes; ++code) {
      if (meter->refusals(code) == 0) continue;
      page.Counter("longtail_refusals_total", "Answers that said no, by place and status.",
                   meter->refusals(code),
                   {{"place", place},
                    {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
    }
  }
  const auto each = [&](std::string_view name, std::string_view help, auto value_of) {
    for (const auto& [place, meter] : places) {
      page.Counter(name, help, value_of(*meter), {{"place", place}});
    }
  };
  each("longtail_store_writes_total", "Blobs written to the store.",
       [](const LoopMeter& meter) { return meter.writes().count; });
  each("longtail_store_write_failures_total", "Blobs that the store did not take.",
       [](const LoopMeter& meter) { return meter.writes().failed; });
  each("longtail_store_written_bytes_total", "Bytes of blobs written to the store.",
       [](const LoopMeter& meter) { return meter.writes().bytes; });
  each("longtail_store_write_seconds_total", "Time that those writes took, in seconds.",
       [](const LoopMeter& meter) { return meter.writes().seconds; });
}

}  // namespace longtail
