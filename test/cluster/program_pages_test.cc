// A program that uses the library shows figures and health of its own.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "longtail/pages.h"
#include "server/cluster_fixture.h"
#include "support/free_port.h"
#include "support/http_get.h"

namespace longtail {
namespace {

using test::HttpGet;
using test::Must;

bool Has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

TEST_CASE("a program shows its own figures beside those of any process", "[pages]") {
  double loss = 0.5;
  const auto pages = Must(Pages::Show(
      {.listen = "127.0.0.1:0", .figures = [&](Figures& figures) {
         figures.Counter("job_samples_total", "Samples.", 7);
         for (const char* bucket : {"0", "1"}) {
           figures.Gauge("job_bucket_loss", "Loss, by bucket.", loss, {{"bucket", bucket}});
         }
       }}));
  const std::string text = HttpGet(pages->address(), "/metrics").body;
  CHECK(Has(text, "# TYPE job_samples_total counter"));
  CHECK(Has(text, "job_samples_total 7"));
  CHECK(Has(text, "# HELP job_bucket_loss Loss, by bucket."));
  CHECK(Has(text, "job_bucket_loss{bucket=\"1\"} 0.5"));
  CHECK(Has(text, "longtail_ready 1"));
  CHECK(text.find("process_resident_memory_bytes ") != std::string::npos);
  CHECK(text.find("longtail_memory_limit_bytes ") != std::string::npos);
  loss = 0.25;
  CHECK(Has(HttpGet(pages->address(), "/metrics").body, "job_bucket_loss{bucket=\"0\"} 0.25"));
  CHECK(HttpGet(pages->address(), "/livez").body == "lives\n");
  CHECK(HttpGet(pages->address(), "/").code == 404);
}

TEST_CASE("a program says why it is not ready and what stands still", "[pages]") {
  std::vector<std::string> reasons = {"reads its data"};
  std::vector<std::string> still;
  const auto pages = Must(Pages::Show({.listen = "127.0.0.1:0",
                                       .figures = nullptr,
                                       .standing_still = [&] { return still; },
                                       .why_not_ready = [&] { return reasons; }}));
  CHECK(HttpGet(pages->address(), "/readyz").code == 503);
  CHECK(HttpGet(pages->address(), "/readyz").body == "reads its data\n");
  CHECK(Has(HttpGet(pages->address(), "/metrics").body, "longtail_ready 0"));
  reasons.clear();
  CHECK(HttpGet(pages->address(), "/readyz").code == 200);
  still = {"the reader has not read for 3m"};
  CHECK(HttpGet(pages->address(), "/livez").code == 503);
  CHECK(HttpGet(pages->address(), "/livez").body == "the reader has not read for 3m\n");
}

TEST_CASE("a port that is taken, and no address, are refused", "[pages]") {
  const auto first = Must(Pages::Show({.listen = "127.0.0.1:0", .figures = nullptr}));
  const auto second = Pages::Show({.listen = first->address(), .figures = nullptr});
  CHECK(second.status().code() == absl::StatusCode::kUnavailable);
  CHECK(std::string(second.status().message()).find(first->address()) != std::string::npos);
  CHECK(Pages::Show({.listen = "9640", .figures = nullptr}).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("what workers count is on a page", "[pages]") {
  WorkerStatistics workers;
  workers.bytes_sent = 11;
  workers.bytes_received = 12;
  workers.unanswered_requests = 3;
  workers.unacknowledged_bytes = 4096;
  workers.pulls_by_staleness[0] = 5;
  workers.pulls_by_staleness[2] = 6;
  workers.cache_rows_served = 8;
  workers.cache_rows_missed = 9;
  workers.cache_bytes = 10;
  const auto pages = Must(Pages::Show({.listen = "127.0.0.1:0", .figures = [&](Figures& figures) {
                                         AddWorkerFigures(workers, figures);
                                       }}));
  const std::string text = HttpGet(pages->address(), "/metrics").body;
  CHECK(Has(text, "longtail_worker_sent_bytes_total 11"));
  CHECK(Has(text, "longtail_worker_received_bytes_total 12"));
  CHECK(Has(text, "longtail_worker_unanswered_requests 3"));
  CHECK(Has(text, "longtail_worker_unacknowledged_bytes 4096"));
  CHECK(Has(text, "longtail_worker_pulls_by_staleness_total{steps=\"0\"} 5"));
  CHECK(Has(text, "longtail_worker_pulls_by_staleness_total{steps=\"1\"} 0"));
  CHECK(Has(text, "longtail_worker_pulls_by_staleness_total{steps=\"2\"} 6"));
  CHECK(!Has(text, "longtail_worker_pulls_by_staleness_total{steps=\"3\"} 0"));
  CHECK(Has(text, "longtail_worker_cache_served_rows_total 8"));
  CHECK(Has(text, "longtail_worker_cache_missed_rows_total 9"));
  CHECK(Has(text, "longtail_worker_cache_bytes 10"));
}

TEST_CASE("a worker knows what is on its way, and that nothing is once it was waited for",
          "[pages]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 1}));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = {1, 2, 3};
  Must(worker->Push(table, keys, std::vector<float>(12, -1)));
  CHECK(worker->statistics().unanswered_requests == 0);
  CHECK(worker->statistics().unacknowledged_bytes == 0);
}

}  // namespace
}  // namespace longtail
