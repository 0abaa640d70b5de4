// Reaches into what the public handles keep to themselves.
#pragma once

#include <memory>
#include <utility>

#include "longtail/worker.h"
#include "worker/key_batch_plan.h"
#include "worker/pending_state.h"

namespace longtail {

class WorkerAccess {
 public:
  static Pending MakePending(std::shared_ptr<Pending::State> state) {
    return Pending(std::move(state));
  }
  static const std::shared_ptr<KeyBatch::Plan>& PlanOf(const KeyBatch& batch) {
    return batch.plan_;
  }
};

}  // namespace longtail
