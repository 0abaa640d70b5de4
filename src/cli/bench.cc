#include "cli/bench.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "longtail/cluster.h"

namespace longtail::cli {
namespace {

constexpr std::uint64_t kKeySeed = 77;
constexpr std::uint32_t kDepthMax = 1024;

// Keys of rows, drawn evenly or by Zipf's law.
class Draws {
 public:
  Draws(std::uint64_t rows, double zipf) : rows_(rows), zipf_(zipf), rng_(1) {}

  void Fill(std::vector<Key>& keys) {
    for (Key& key : keys) key = RandomBits(kKeySeed, Next(), 0);
  }

 private:
  std::uint64_t Next() {
    if (zipf_ == 0) return rng_.Below(rows_);
    // The inverse of the integral of x^-s from 1 to the rows: close enough to the sum.
    const double u = static_cast<double>(rng_.Next() >> 11) * 0x1p-53;
    const double n = static_cast<double>(rows_);
    const double x = zipf_ == 1 ? std::pow(n, u)
                                : std::pow(u * (std::pow(n, 1 - zipf_) - 1) + 1, 1 / (1 - zipf_));
    return std::min(rows_ - 1, static_cast<std::uint64_t>(x) - 1);
  }

  const std::uint64_t rows_;
  const double zipf_;
  Rng rng_;
};

// A call in flight, with what it needs until it has ended.
struct Call {
  KeyBatch batch;
  std::vector<Key> keys;
  std::vector<float> values;
  Pending pending;
  absl::Time begin;
  bool is_under_way = false;
};

class Driver {
 public:
  Driver(Worker& worker, TableId table, const BenchOptions& options)
      : worker_(worker),
        table_(table),
        options_(options),
        draws_(options.rows, options.zipf),
        calls_(options.depth) {}

  absl::StatusOr<BenchFigure> Run(const std::string& kind) {
    BenchFigure figure{.kind = kind, .time = {}, .median = {}, .p99 = {}, .longest = {}};
    const std::uint64_t bytes = BytesSoFar();
    const absl::Time begin = absl::Now();
    times_.clear();
    for (std::size_t turn = 0; absl::Now() < begin + options_.time; ++turn) {
      Call& call = calls_[turn % calls_.size()];
      LONGTAIL_RETURN_IF_ERROR(End(call, figure));
      LONGTAIL_RETURN_IF_ERROR(Begin(call, kind == "push"));
    }
    for (Call& call : calls_) LONGTAIL_RETURN_IF_ERROR(End(call, figure));
    figure.time = absl::Now() - begin;
    figure.bytes = BytesSoFar() - bytes;
    std::ranges::sort(times_);
    if (!times_.empty()) {
      figure.median = times_[times_.size() / 2];
      figure.p99 = times_[times_.size() * 99 / 100];
      figure.longest = times_.back();
    }
    return figure;
  }

 private:
  std::uint64_t BytesSoFar() const {
    const WorkerStatistics counted = worker_.statistics();
    return counted.bytes_sent + counted.bytes_received;
  }

  absl::Status Begin(Call& call, bool is_push) {
    call.keys.resize(options_.keys);
    draws_.Fill(call.keys);
    call.begin = absl::Now();
    LONGTAIL_RETURN_IF_ERROR(worker_.Prepare(table_, call.keys, call.batch));
    call.values.assign(call.batch.unique_size() * options_.dim, 0.01F);
    if (is_push) {
      const PushItem item{.keys = &call.batch, .gradients = call.values};
      call.pending = worker_.PushAsync({&item, 1});
    } else {
      const PullItem item{.keys = &call.batch, .rows = call.values};
      call.pending = worker_.PullAsync({&item, 1});
    }
    call.is_under_way = true;
    return absl::OkStatus();
  }

  absl::Status End(Call& call, BenchFigure& figure) {
    if (!std::exchange(call.is_under_way, false)) return absl::OkStatus();
    LONGTAIL_RETURN_IF_ERROR(call.pending.Wait());
    times_.push_back(absl::Now() - call.begin);
    ++figure.calls;
    figure.rows += call.batch.unique_size();
    return absl::OkStatus();
  }

  Worker& worker_;
  const TableId table_;
  const BenchOptions& options_;
  Draws draws_;
  std::vector<Call> calls_;
  std::vector<absl::Duration> times_;
};

absl::Status Check(const BenchOptions& options) {
  const auto wrong = [](const char* what, auto value, const std::string& wanted) {
    return absl::InvalidArgumentError(absl::StrCat(what, " ", value, ": want ", wanted));
  };
  if (options.rows == 0) return wrong("rows", options.rows, "at least 1");
  if (options.keys == 0 || options.keys > kKeysPerRequestMax) {
    return wrong("keys", options.keys, absl::StrCat("1..", kKeysPerRequestMax));
  }
  if (options.depth == 0 || options.depth > kDepthMax) {
    return wrong("depth", options.depth, absl::StrCat("1..", kDepthMax));
  }
  if (!(options.zipf >= 0 && options.zipf <= 4)) return wrong("zipf", options.zipf, "0..4");
  if (options.time <= absl::ZeroDuration()) {
    return wrong("seconds", absl::ToDoubleSeconds(options.time), "more than 0");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<BenchFigure>> RunBench(const BenchOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(Check(options));
  const auto timeout = absl::ToChronoMilliseconds(options.timeout);
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::unique_ptr<Cluster> cluster,
      Cluster::Remote({.coordinator = options.cluster, .join_timeout = timeout}));
  if (cluster->options().step_mode != StepMode::kAsynchronous) {
    return absl::FailedPreconditionError(
        absl::StrCat("cluster '", options.cluster,
                     "' has steps that wait for every worker, and so "
                     "for this one: want an asynchronous cluster"));
  }
  const TableSpec spec{.name = options.table, .dim = options.dim};
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster->CreateTable(spec));
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::unique_ptr<Worker> worker,
      cluster->Connect(
          {.timeout = timeout, .wire_gradients = options.wire, .wire_rows = options.wire}));
  Driver driver(*worker, table, options);
  std::vector<BenchFigure> figures;
  for (const auto& [wanted, kind] :
       {std::pair(options.pushes, "push"), std::pair(options.pulls, "pull")}) {
    if (!wanted) continue;
    LONGTAIL_ASSIGN_OR_RETURN(BenchFigure figure, driver.Run(kind));
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace longtail::cli
