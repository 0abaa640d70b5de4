#include "examples/online/online_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/logistic.h"
#include "base/status_macros.h"
#include "examples/online/example_line.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kLagsKept = 4096;

}  // namespace

absl::StatusOr<std::unique_ptr<OnlineTrainer>> OnlineTrainer::Make(
    Cluster& cluster, const OnlineTrainerOptions& options) {
  if (options.batch_max < 1 || options.batch_max > 65536 || options.batch_ms < 1) {
    return absl::InvalidArgumentError(absl::StrCat("batch of ", options.batch_max, " examples, ",
                                                   options.batch_ms,
                                                   " ms: want 1..65536 and at least 1"));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster.CreateTable(FmTable(options.model)));
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<Worker> worker, cluster.Connect({.rank = 0}));
  return std::unique_ptr<OnlineTrainer>(new OnlineTrainer(std::move(worker), table, options));
}

absl::Status OnlineTrainer::Add(Example example) {
  LONGTAIL_RETURN_IF_ERROR(Tick(example.joined_ms));
  batch_.push_back(std::move(example));
  return batch_.size() < options_.batch_max ? absl::OkStatus() : Flush();
}

absl::Status OnlineTrainer::Tick(std::int64_t now_ms) {
  if (batch_.empty() ||
      batch_.front().joined_ms / options_.batch_ms == now_ms / options_.batch_ms) {
    return absl::OkStatus();
  }
  return Flush();
}

absl::Status OnlineTrainer::Flush() {
  if (batch_.empty()) return absl::OkStatus();
  all_keys_.clear();
  std::vector<std::size_t> ends;
  for (const Example& example : batch_) {
    AppendKeys(example.features, all_keys_);
    ends.push_back(all_keys_.size());
  }
  LONGTAIL_RETURN_IF_ERROR(worker_->Prepare(table_, all_keys_, keys_));
  const std::uint32_t dim = 1 + options_.model.factors;
  rows_.resize(keys_.unique_size() * dim);
  gradients_.assign(rows_.size(), 0);
  counts_.resize(keys_.unique_size());
  const PullItem pull{.keys = &keys_, .rows = rows_, .counts = counts_};
  LONGTAIL_RETURN_IF_ERROR(worker_->Pull({&pull, 1}));

  std::size_t begin = 0;
  std::vector<const float*> rows;
  std::vector<float*> gradients;
  for (std::size_t e = 0; e < batch_.size(); ++e) {
    const Example& example = batch_[e];
    rows.clear();
    gradients.clear();
    std::uint64_t rarest = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = begin; i < ends[e]; ++i) {
      const std::size_t row = keys_.inverse()[i];
      rows.push_back(&rows_[row * dim]);
      gradients.push_back(&gradients_[row * dim]);
      if (i + 1 < ends[e]) rarest = std::min<std::uint64_t>(rarest, counts_[row]);
    }
    begin = ends[e];
    const double logit = FmLogit(rows, dim);
    const double probability = SigmoidOf(logit, std::exp(-std::abs(logit)));
    scores_.Add(example.at_ms, rarest, example.is_click, logit);
    AddFmGradient(rows, dim, probability - (example.is_click ? 1 : 0), gradients);
    examples_hash_ = DigestAfter(examples_hash_, LineOf(example));
  }
  const PushItem push{.keys = &keys_, .gradients = gradients_};
  LONGTAIL_RETURN_IF_ERROR(worker_->Push({&push, 1}));
  LONGTAIL_RETURN_IF_ERROR(worker_->EndStep());
  ++steps_;
  examples_ += batch_.size();
  NoteLag();
  batch_.clear();
  return absl::OkStatus();
}

void OnlineTrainer::NoteLag() {
  std::int64_t written_ms = 0;
  for (const Example& example : batch_) written_ms = std::max(written_ms, example.written_ms);
  if (written_ms == 0) return;  // They came from a state that was restored.
  const double lag = static_cast<double>(absl::ToUnixMillis(absl::Now()) - written_ms);
  if (lags_ms_.size() < kLagsKept) {
    lags_ms_.push_back(lag);
  } else {
    lags_ms_[next_lag_] = lag;
  }
  next_lag_ = (next_lag_ + 1) % kLagsKept;
}

std::string OnlineTrainer::Save() const {
  std::string text =
      absl::StrCat(steps_, "\t", examples_, "\t", examples_hash_, "\t", batch_.size(), "\n");
  for (const Example& example : batch_) absl::StrAppend(&text, LineOf(example), "\n");
  return text + scores_.Save();
}

absl::Status OnlineTrainer::Restore(std::string_view text) {
  const std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n');
  const std::vector<std::string> words = absl::StrSplit(lines[0], '\t');
  std::size_t waiting = 0;
  if (words.size() != 4 || !absl::SimpleAtoi(words[0], &steps_) ||
      !absl::SimpleAtoi(words[1], &examples_) || !absl::SimpleAtoi(words[2], &examples_hash_) ||
      !absl::SimpleAtoi(words[3], &waiting) || waiting + 1 > lines.size()) {
    return absl::DataLossError(
        absl::StrCat("state of the trainer: '", lines[0].substr(0, 80), "'"));
  }
  batch_.clear();
  std::size_t used = lines[0].size() + 1;
  for (std::size_t i = 1; i <= waiting; ++i) {
    LONGTAIL_ASSIGN_OR_RETURN(Example example, ParseExample(lines[i]));
    batch_.push_back(std::move(example));
    used += lines[i].size() + 1;
  }
  if (used > text.size()) return absl::DataLossError("state of the trainer: it is cut off");
  LONGTAIL_ASSIGN_OR_RETURN(scores_, ProgressiveScores::Load(text.substr(used)));
  return absl::OkStatus();
}

}  // namespace longtail::examples
