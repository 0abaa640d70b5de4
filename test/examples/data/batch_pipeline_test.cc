#include "examples/common/data/batch_pipeline.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "examples/common/data/shuffler.h"
#include "examples/common/data/synthetic_criteo.h"
#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::Equal;
using test::In;
using test::NextOf;
using test::OpenReader;
using test::SchemaOf;

constexpr SyntheticOptions kData{.field_count = 5, .ids_per_field = 100, .seed = 4};

std::unique_ptr<BatchSource> Source() {
  auto examples = std::make_unique<SyntheticSource>(kData, 17, 1003);
  return std::make_unique<Shuffler>(std::move(examples),
                                    ShuffleOptions{.buffer_size = 100, .seed = 6, .epoch = 2});
}

// Gives nothing until it is told to stop.
class StuckSource final : public BatchSource {
 public:
  absl::Status Next(std::size_t, Batch&) override {
    while (!stop_.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return absl::CancelledError("stopped");
  }
  const FeatureLayout& layout() const override { return layout_; }
  void RequestStop() override { stop_.store(true); }

 private:
  const FeatureLayout layout_{};
  std::atomic<bool> stop_ = false;
};

TEST_CASE("a pipeline gives what its source gives", "[examples][pipeline]") {
  const std::size_t depth = GENERATE(values<std::size_t>({0, 1, 3, 1000}));
  CAPTURE(depth);
  const std::unique_ptr<BatchSource> direct = Source();
  BatchPipeline pipeline(Source(), {.batch_size = 50, .depth = depth});

  Batch batch;
  for (std::uint64_t i = 0; i < 21; ++i) {
    REQUIRE(pipeline.Next(batch).ok());
    CHECK(Equal(batch, NextOf(*direct, 50)));
    CHECK(pipeline.given_count() == i + 1);
  }
  CHECK(batch.size == 3);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(pipeline.Next(batch).ok());
    CHECK(batch.size == 0);
  }
  CHECK(pipeline.given_count() == 21);
}

TEST_CASE("the error of a source comes after the batches before it", "[examples][pipeline]") {
  BatchPipeline pipeline(
      OpenReader(SchemaOf(R"({"files": ["f"], "splits": {"all": {}}, "label": "y",
                              "features": ["c"]})"),
                 "all", In({{"f", "y,c\n1,a\n0,b\n1,c\n5,d\n"}})),
      {.batch_size = 1, .depth = 8});
  Batch batch;
  for (int i = 0; i < 3; ++i) REQUIRE(pipeline.Next(batch).ok());

  for (int i = 0; i < 2; ++i) {
    CHECK(pipeline.Next(batch).message() == "f:5:1: label '5': wanted 0, 1 or -1");
  }
}

TEST_CASE("a wait for a batch ends with a sentence", "[examples][pipeline]") {
  BatchPipeline pipeline(std::make_unique<StuckSource>(),
                         {.batch_size = 1, .depth = 1, .wait_max = absl::Milliseconds(20)});
  Batch batch;

  const absl::Status status = pipeline.Next(batch);

  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(
      status.message() ==
      "batch pipeline: no batch in 20ms: still reading batch 0 from its source; wanted it sooner, "
      "or a longer wait_max");
}

TEST_CASE("a pipeline that is destroyed stops whatever it does", "[examples][pipeline]") {
  const auto begin = std::chrono::steady_clock::now();
  { const BatchPipeline reading(std::make_unique<StuckSource>(), {}); }
  {
    const BatchPipeline full(Source(), {.batch_size = 10, .depth = 2});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  {
    auto endless = std::make_unique<SyntheticSource>(kData, 0, 1ULL << 60);
    const BatchPipeline filling(
        std::make_unique<Shuffler>(std::move(endless), ShuffleOptions{.buffer_size = 1ULL << 40}),
        {});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

}  // namespace
}  // namespace longtail::examples
