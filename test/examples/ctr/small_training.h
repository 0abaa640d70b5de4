// A training small enough for a test, on synthetic examples.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "examples/ctr/ctr_trainer.h"
#include "examples/ctr/train_config.h"
#include "longtail/cluster.h"

namespace longtail::examples::test {

/// DeepFM with dropout, momentum in no part zero: something of everything that has state.
TrainConfig SmallConfig();

/// A directory that is gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A cluster and a trainer on it.
struct SmallTraining {
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<CtrTrainer> trainer;

  /// Trains `steps` steps of pass `epoch` over the synthetic examples, from example `first` on.
  void Train(const TrainConfig& config, std::uint64_t epoch, std::uint64_t first,
             std::uint64_t steps);

  /// Hashes of the table's content and of the dense parameters.
  std::string State();
};

SmallTraining Start(const TrainConfig& config, const std::string& store = "");

/// Goes on from a checkpoint in `store`.
SmallTraining Resume(const TrainConfig& config, const std::string& store, const std::string& name);

}  // namespace longtail::examples::test
