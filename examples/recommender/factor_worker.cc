#include "examples/recommender/factor_worker.h"

#include <cmath>
#include <span>
#include <utility>

#include "base/status_macros.h"

namespace longtail::examples::recommender {

FactorWorker::FactorWorker(std::unique_ptr<Worker> worker, const RecommenderConfig& config,
                           const FactorTables& tables, const FactorKeys& keys, const Dataset& data,
                           const NegativeSampler& sampler, const Gemm& gemm)
    : worker_(std::move(worker)),
      config_(config),
      keys_(keys),
      steps_of_epoch_(MicroBatchMaker::StepsOfEpoch(data, config.batch)),
      maker_(data, sampler, config.model, config.loss, config.seed),
      towers_(config.model, config.loss, data.mean_rating, gemm) {
  users_.is_used = config.model.user_row;
  users_.table = tables.users;
  items_.is_used = true;
  items_.table = tables.items;
  history_.is_used = config.model.history == History::kOwn;
  history_.table = tables.history;
}

absl::Status FactorWorker::Prepare(Part& part) {
  LONGTAIL_RETURN_IF_ERROR(worker_->Prepare(part.table, part.wanted, part.keys));
  const std::size_t floats = part.keys.unique_size() * config_.model.row_dim();
  part.rows.resize(floats);
  part.gradients.assign(floats, 0);
  pulls_.push_back({.keys = &part.keys, .rows = part.rows});
  return absl::OkStatus();
}

absl::StatusOr<double> FactorWorker::Step(std::uint64_t step) {
  maker_.Make(step, config_.batch, config_.workers, worker_->rank(), batch_);
  for (Part* const part : {&users_, &items_, &history_}) part->wanted.clear();
  for (const std::uint32_t user : batch_.users) users_.wanted.push_back(keys_.users[user]);
  // The items to be found, then those drawn, then the histories.
  for (const std::uint32_t item : batch_.items) items_.wanted.push_back(keys_.items[item]);
  for (const std::uint32_t item : batch_.negatives) items_.wanted.push_back(keys_.items[item]);
  Part& histories = history_.is_used ? history_ : items_;
  const std::size_t history_begin = histories.wanted.size();
  for (const std::uint32_t item : batch_.history) histories.wanted.push_back(keys_.items[item]);

  double loss = 0;
  pulls_.clear();
  pushes_.clear();
  if (batch_.size() != 0) {
    for (Part* const part : {&users_, &items_, &history_}) {
      if (part->is_used) LONGTAIL_RETURN_IF_ERROR(Prepare(*part));
    }
    LONGTAIL_RETURN_IF_ERROR(worker_->Pull(pulls_));
    const std::span<const std::uint32_t> items = items_.keys.inverse();
    TowerInput input{.users = {},
                     .items = items.subspan(0, batch_.size()),
                     .ratings = batch_.ratings,
                     .history = {},
                     .offsets = batch_.offsets,
                     .negatives = items.subspan(batch_.size(), batch_.negatives.size()),
                     .logit_offsets = batch_.logit_offsets};
    if (users_.is_used) input.users = users_.keys.inverse();
    if (!batch_.history.empty()) input.history = histories.keys.inverse().subspan(history_begin);
    loss = towers_.Train(
        input, {.users = users_.rows, .items = items_.rows, .history = history_.rows},
        {.users = users_.gradients, .items = items_.gradients, .history = history_.gradients});
  }
  LONGTAIL_RETURN_IF_ERROR(Flush());
  const std::uint64_t epoch = step / steps_of_epoch_;
  if (batch_.size() != 0) {
    for (Part* const part : {&users_, &items_, &history_}) {
      if (!part->is_used) continue;
      pushes_.push_back(
          {.keys = &part->keys, .counts_occurrences = epoch == 0, .gradients = part->gradients});
    }
    const float factor = std::pow(config_.decay, static_cast<float>(epoch));
    push_ = worker_->PushAsync(pushes_, {.learning_rate_scale = factor});
  }
  end_of_step_ = worker_->EndStepAsync();
  is_pushed_ = true;
  return loss;
}

absl::Status FactorWorker::Flush() {
  if (!std::exchange(is_pushed_, false)) return absl::OkStatus();
  LONGTAIL_RETURN_IF_ERROR(push_.Wait());
  return end_of_step_.Wait();
}

}  // namespace longtail::examples::recommender
