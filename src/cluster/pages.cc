#include "longtail/pages.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cluster/process_pages.h"

namespace longtail {
namespace {

class FiguresOfPage final : public Figures {
 public:
  explicit FiguresOfPage(MetricPage& page) : page_(page) {}

  void Counter(std::string_view name, std::string_view help, double value, Labels labels) override {
    page_.Counter(name, help, value, labels);
  }
  void Gauge(std::string_view name, std::string_view help, double value, Labels labels) override {
    page_.Gauge(name, help, value, labels);
  }

 private:
  MetricPage& page_;
};

class ShownPages final : public Pages {
 public:
  explicit ShownPages(std::unique_ptr<AdminHttp> http) : http_(std::move(http)) {}
  const std::string& address() const override { return http_->address(); }

 private:
  const std::unique_ptr<AdminHttp> http_;
};

std::vector<std::string> Nothing() {
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pages>> Pages::Show(PagesOptions options) {
  ProcessPages pages{.standing_still = options.standing_still ? options.standing_still : Nothing,
                     .why_not_ready = options.why_not_ready ? options.why_not_ready : Nothing,
                     .figures =
                         [add = options.figures](MetricPage& page) {
                           FiguresOfPage figures(page);
                           if (add) add(figures);
                         },
                     .status = nullptr};
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<AdminHttp> http,
                            ShowPages(options.listen, std::move(pages)));
  return std::make_unique<ShownPages>(std::move(http));
}

void AddWorkerFigures(const WorkerStatistics& workers, Figures& figures) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    figures.Counter(name, help, static_cast<double>(value));
  };
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    figures.Gauge(name, help, static_cast<double>(value));
  };
  counter("longtail_worker_sent_bytes_total", "Bytes of messages sent to servers.",
          workers.bytes_sent);
  counter("longtail_worker_received_bytes_total", "Bytes of messages received from servers.",
          workers.bytes_received);
  gauge("longtail_worker_unanswered_requests", "Requests to servers that no answer has come to.",
        workers.unanswered_requests);
  gauge("longtail_worker_unacknowledged_bytes", "Bytes of pushes that no server has acknowledged.",
        workers.unacknowledged_bytes);
  std::size_t classes = WorkerStatistics::kStalenessBuckets;
  while (classes > 1 && workers.pulls_by_staleness[classes - 1] == 0) --classes;
  for (std::size_t i = 0; i < classes; ++i) {
    const std::string steps =
        i + 1 == WorkerStatistics::kStalenessBuckets ? absl::StrCat(i, "+") : absl::StrCat(i);
    figures.Counter("longtail_worker_pulls_by_staleness_total",
                    "Pulls for training, by how many steps their rows may lack.",
                    static_cast<double>(workers.pulls_by_staleness[i]), {{"steps", steps}});
  }
  counter("longtail_worker_cache_served_rows_total", "Rows that pulls got from the row cache.",
          workers.cache_rows_served);
  counter("longtail_worker_cache_missed_rows_total", "Rows that the same pulls had to ask for.",
          workers.cache_rows_missed);
  gauge("longtail_worker_cache_bytes", "Memory of the row cache.", workers.cache_bytes);
}

}  // namespace longtail
