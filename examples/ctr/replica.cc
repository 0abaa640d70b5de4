#include "examples/ctr/replica.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "examples/common/nn/logistic_loss.h"
#include "examples/ctr/backoff.h"

namespace longtail::examples {
namespace {

// Grows and never shrinks, so that a warm step allocates nothing.
template <typename T>
void EnsureSize(std::vector<T>& v, std::size_t size) {
  if (v.size() < size) v.resize(size);
}

}  // namespace

Replica::Replica(std::unique_ptr<Worker> worker, TableId table, std::unique_ptr<Model> model,
                 const BackoffSpec& backoff)
    : worker_(std::move(worker)),
      table_(table),
      model_(std::move(model)),
      backoff_(backoff),
      parameter_gradients_(model_->layout().size()) {}

absl::Status Replica::Prepare(ReplicaSlot& slot) {
  std::span<const Key> keys = slot.batch.keys;
  if (backoff_.below != 0) {
    KeysWithBackoff(slot.batch, slot.keys_to_pull);
    keys = slot.keys_to_pull;
  }
  return worker_->Prepare(table_, keys, slot.keys);
}

absl::Status Replica::BeginPull(ReplicaSlot& slot, Counts counts,
                                std::optional<std::uint32_t> steps_ahead) {
  const std::size_t unique = slot.keys.unique_size();
  EnsureSize(slot.rows, unique * model_->row_dim());
  PullItem item{.keys = &slot.keys, .rows = RowsOf(slot)};
  if (counts == Counts::kYes || backoff_.below != 0) {
    EnsureSize(slot.counts, unique);
    item.counts = std::span(slot.counts).first(unique);
  }
  slot.pull = worker_->PullAsync(std::span(&item, 1), {.steps_ahead = steps_ahead});
  return absl::OkStatus();
}

absl::Status Replica::FinishPull(ReplicaSlot& slot) {
  return slot.pull.Wait();
}

std::span<float> Replica::RowsOf(ReplicaSlot& slot) const {
  return std::span(slot.rows).first(slot.keys.unique_size() * model_->row_dim());
}

void Replica::BackOff(ReplicaSlot& slot, Sighting sighting) const {
  if (is_switching()) {
    UseBackoff(slot.batch, backoff_.below, slot.keys.inverse(), slot.counts, slot.row_of_key);
  } else if (is_adding()) {
    AddBackoff(slot.batch, backoff_.below, sighting, slot.keys.inverse(), slot.counts, RowsOf(slot),
               model_->row_dim(), slot.added);
  }
}

SparseInput Replica::InputOf(const ReplicaSlot& slot) const {
  return {.batch = &slot.batch,
          .rows = std::span(slot.rows).first(slot.keys.unique_size() * model_->row_dim()),
          .inverse = is_switching() ? std::span<const std::uint32_t>(slot.row_of_key)
                                    : slot.keys.inverse().first(slot.batch.keys.size())};
}

absl::Status Replica::Train(ReplicaSlot& slot, const ReplicaStep& step) {
  BackOff(slot, step.counts_occurrences ? Sighting::kNew : Sighting::kAgain);
  const std::size_t n = slot.batch.size;
  const std::size_t row_floats = slot.keys.unique_size() * model_->row_dim();
  loss_sum_ = 0;
  EnsureSize(logits_, n);
  EnsureSize(logit_gradients_, n);
  if (row_gradients_.size() < row_floats) row_gradients_ = AlignedBuffer(row_floats * 5 / 4);
  const std::span<float> row_gradients = row_gradients_.span().first(row_floats);
  if (n == 0) {  // The data ended within a global batch: this worker's share of it is empty.
    std::ranges::fill(parameter_gradients_.span(), 0.0F);
  } else {
    const std::span<float> logits = std::span(logits_).first(n);
    LONGTAIL_RETURN_IF_ERROR(model_->Forward(InputOf(slot),
                                             {.training = true,
                                              .seed = step.seed,
                                              .step = step.step,
                                              .first_example = step.first_example},
                                             logits));
    const std::span<float> logit_gradients = std::span(logit_gradients_).first(n);
    loss_sum_ = LogisticLoss(logits, slot.batch.labels, step.gradient_scale, logit_gradients);
    LONGTAIL_RETURN_IF_ERROR(
        model_->Backward(logit_gradients, row_gradients, parameter_gradients_.span()));
    if (is_adding()) ShareGradients(slot.added, row_gradients, model_->row_dim());
  }
  return absl::OkStatus();
}

absl::Status Replica::Push(ReplicaSlot& slot, const ReplicaStep& step) {
  LONGTAIL_RETURN_IF_ERROR(Flush());
  const std::size_t row_floats = slot.keys.unique_size() * model_->row_dim();
  const PushItem item{.keys = &slot.keys,
                      .counts_occurrences = step.counts_occurrences,
                      .gradients = row_gradients_.span().first(row_floats)};
  push_ =
      worker_->PushAsync(std::span(&item, 1), {.learning_rate_scale = step.learning_rate_factor});
  if (sender_ != nullptr) {
    LONGTAIL_ASSIGN_OR_RETURN(
        dense_push_,
        sender_->Push(*worker_, step.step, parameter_gradients_.span(),
                      slot.batch.size == 0 ? std::span<const float>() : model_->state_update()));
  }
  if (served_sender_ != nullptr) {
    if (step.dense_gradient_scale != 1.0F) {
      for (float& g : parameter_gradients_.span()) g *= step.dense_gradient_scale;
    }
    LONGTAIL_ASSIGN_OR_RETURN(
        dense_push_,
        served_sender_->Push(*worker_, parameter_gradients_.span(), step.learning_rate_factor));
  }
  end_of_step_ = worker_->EndStepAsync();
  is_pushed_ = true;
  return absl::OkStatus();
}

absl::Status Replica::Flush() {
  if (is_pushed_) {
    LONGTAIL_RETURN_IF_ERROR(push_.Wait());
    if (sender_ != nullptr || served_sender_ != nullptr) {
      LONGTAIL_RETURN_IF_ERROR(dense_push_.Wait());
    }
    LONGTAIL_RETURN_IF_ERROR(end_of_step_.Wait());
  }
  return absl::OkStatus();
}

absl::Status Replica::Predict(ReplicaSlot& slot) {
  BackOff(slot, Sighting::kNew);
  EnsureSize(logits_, slot.batch.size);
  return model_->Forward(InputOf(slot), {.training = false},
                         std::span(logits_).first(slot.batch.size));
}

}  // namespace longtail::examples
