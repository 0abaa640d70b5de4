// What a training shows of itself while it runs.
#include "examples/ctr/training_pages.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "examples/ctr/small_training.h"
#include "examples/ctr/training_run.h"
#include "server/cluster_fixture.h"
#include "support/http_get.h"

namespace longtail::examples {
namespace {

using longtail::test::HttpGet;
using longtail::test::Must;

bool Has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

TEST_CASE("a training shows how far it is and how good, by how rare features are", "[ctr][pages]") {
  const auto pages = Must(TrainingPages::Show("127.0.0.1:0"));
  CHECK(HttpGet(pages->address(), "/readyz").body == "begins\n");
  pages->NoteStage("reads its data");
  CHECK(HttpGet(pages->address(), "/readyz").code == 503);
  pages->NoteStage("");
  CHECK(HttpGet(pages->address(), "/readyz").code == 200);
  const std::string before = HttpGet(pages->address(), "/metrics").body;
  CHECK(Has(before, "longtail_trainer_samples_total 0"));
  CHECK(before.find("longtail_trainer_loss") == std::string::npos);  // There is none yet.
  CHECK(before.find("_auc") == std::string::npos);

  WorkerStatistics workers;
  workers.bytes_sent = 77;
  pages->NoteProgress({.samples = 512,
                       .steps = 2,
                       .rows_pulled = 300,
                       .step = 12,
                       .epoch = 1,
                       .loss = 0.5,
                       .auc = 0.75,
                       .workers = workers});
  Evaluation evaluation;
  evaluation.overall.auc = 0.625;
  evaluation.overall.logloss = 0.25;
  evaluation.by_rarest.emplace();
  evaluation.by_rarest->buckets[0].example_count = 3;  // Of one class: it has no AUC.
  evaluation.by_rarest->buckets[2].example_count = 9;
  evaluation.by_rarest->buckets[2].auc = 0.875;
  evaluation.by_rarest->buckets[2].logloss = 0.125;
  pages->NoteEvaluation("validation", evaluation);
  const std::string text = HttpGet(pages->address(), "/metrics").body;
  for (const char* line :
       {"longtail_trainer_samples_total 512", "longtail_trainer_steps_total 2",
        "longtail_trainer_pulled_rows_total 300", "longtail_trainer_step 12",
        "longtail_trainer_epoch 1", "longtail_trainer_loss 0.5", "longtail_trainer_auc 0.75",
        "longtail_worker_sent_bytes_total 77",
        "longtail_trainer_evaluation_auc{split=\"validation\"} 0.625",
        "longtail_trainer_evaluation_loss{split=\"validation\"} 0.25",
        "longtail_trainer_bucket_examples{split=\"validation\",bucket=\"0\"} 3",
        "longtail_trainer_bucket_auc{split=\"validation\",bucket=\"2-4\"} 0.875",
        "longtail_trainer_bucket_loss{split=\"validation\",bucket=\"2-4\"} 0.125"}) {
    CAPTURE(line, text);
    CHECK(Has(text, line));
  }
  CHECK(text.find("bucket_auc{split=\"validation\",bucket=\"0\"}") == std::string::npos);
}

TEST_CASE("a training that cannot show its pages does not begin", "[ctr][pages]") {
  const test::TemporaryDirectory directory;
  const auto taken = Must(TrainingPages::Show("127.0.0.1:0"));
  std::ostringstream out;
  const auto report = TrainAndReport(
      {.config = test::SmallConfig(), .admin = taken->address(), .out = directory.path() + "/run"},
      out);
  REQUIRE(absl::IsUnavailable(report.status()));
  CHECK(std::string(report.status().message()).find(taken->address()) != std::string::npos);
}

}  // namespace
}  // namespace longtail::examples
