// All settings of a CTR training, as its config file has them.
//
//   title     text
//   data      schema (path, from the config file), directory (of the data; else the schema's),
//   train,
//             validation, test (names of splits), shuffle (examples held; 0: none),
//             frequency_field, min_count, or synthetic {…} in place of schema and splits
//   model     name, dim, hidden, bottom, cross_layers, dropout, embedding_dropout, batch_norm,
//             numeric_embedding, linear, pooling ("mean" | "sum")
//   sparse    optimizer {rule, …}, initializer {kind, …}, gradient ("mean" | "sum" over the batch),
//             backoff (a count), backoff_own ("waits" | "added"; see backoff.h), format {…}, tail
//             {…}, eviction {…}
//   dense     optimizer {rule, …}, initial_scale (of the weights' initial values)
//   training  batch, epochs, workers, prefetch (0 | 1), seed, schedule {warmup, decay, steps,
//   final} device    name ("" | "auto" | "cpu" | "cuda:0"; "": the trainer of the host's threads),
//   depth,
//             exact_steps, cache_rows, cache_steps, keys_max, graph; see DeviceConfig
//   cluster   lanes, partitions, step_mode ("synchronous" | "asynchronous" | "bounded"),
//             staleness (steps; bounded alone), audit_evictions (a file a lane of every key
//             evicted); to servers of a cluster: wire_values ("fp32" | "bf16" | "fp16" | "int8"),
//             wire_rows (the same, for rows alone), name_key_lists (bool); row_cache_mib (of each
//             worker; 0: none), row_cache_steps (how long a row is served from there)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "examples/common/data/synthetic_criteo.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/ctr/backoff.h"
#include "examples/ctr/learning_rate_schedule.h"
#include "examples/ctr/models/model_spec.h"
#include "longtail/row_format.h"
#include "longtail/step_mode.h"
#include "longtail/table_spec.h"

namespace longtail::examples {

/// Synthetic splits: examples 0 … train-1, then validation, then test.
struct SyntheticData {
  SyntheticOptions options;
  std::uint64_t train = 1'000'000;
  std::uint64_t validation = 100'000;
  std::uint64_t test = 100'000;
};

struct DataConfig {
  std::string schema;     ///< Path of the schema file, absolute or from the working directory.
  std::string directory;  ///< Where relative file names begin; empty: the schema's own.
  std::string train = "train";
  std::string validation;  ///< Empty: none.
  std::string test;        ///< Empty: none.
  std::size_t shuffle = 1 << 20;
  std::string frequency_field;  ///< Empty: no view by one field.
  std::uint32_t min_count = 0;  ///< Rarer features are dropped; 0: none. See count_threshold.h.
  std::optional<SyntheticData> synthetic;
};

/// Over which the gradients of rows are taken. Dense parameters always take the mean.
enum class SparseGradient : std::uint8_t { kMean, kSum };

/// The most steps in flight on a device.
inline constexpr std::uint32_t kDeviceDepthMax = 16;

/// Training on a device (device/device_trainer.h), instead of on the host's threads.
struct DeviceConfig {
  std::string name{};  ///< As of ParseDeviceName; empty: none.
  /// Steps in flight. A step's rows are pulled while depth - 1 steps before it are not pushed: so
  /// many steps old they are. 1 is exact.
  std::uint32_t depth = 3;
  /// So many steps at the beginning are trained on exact rows: there they change most, and steps
  /// that all overshoot at once make sums of squares so large that rows learn slowly ever after.
  std::uint32_t exact_steps = 100;
  std::uint32_t cache_rows = 0;   ///< Rows kept in the device's memory; 0: none.
  std::uint32_t cache_steps = 0;  ///< For how many steps such a row is used before it is pulled.
  std::uint32_t keys_max = 0;     ///< Of a batch; 0: twice its fields.
  bool graph = false;             ///< The dense part of a step is one launch; changes no bit.
  std::string trace{};  ///< A file for the times of a step's stages; empty: none. No config has it.
};

struct TrainConfig {
  std::string title = "CTR training";
  DataConfig data;
  ModelSpec model;
  TableSpec table;  ///< Name, dim, seed and linear columns are the trainer's to set.
  SparseGradient sparse_gradient = SparseGradient::kMean;
  BackoffSpec backoff;
  DenseOptimizerSpec dense;
  float dense_initial_scale = 1;  ///< Times the initial values of weights; biases start at 0.
  std::size_t batch = 1024;       ///< Examples of a step, over all workers.
  std::uint32_t epochs = 1;
  std::uint32_t workers = 1;  ///< Threads that each take an equal part of every batch.
  std::uint32_t prefetch =
      1;  ///< Steps that a pull is ahead: 0 is exact, 1 overlaps and is one step old.
  DeviceConfig device;
  std::uint64_t seed = 1;
  LearningRateSchedule schedule;
  std::uint32_t lanes = 1;
  std::uint32_t partitions = 64;
  StepMode step_mode = StepMode::kSynchronous;
  std::uint32_t staleness = 0;   ///< See ClusterOptions.
  bool audit_evictions = false;  ///< In the run's directory; see ClusterOptions::eviction_audit.
  // Of the table's rows, see WorkerOptions. Dense parameters travel as fp32.
  WireValues wire_gradients = WireValues::kFloat32;
  WireValues wire_rows = WireValues::kFloat32;
  bool name_key_lists = false;
  // Of each worker, see WorkerOptions::row_cache_bytes.
  std::uint32_t row_cache_mib = 0;
  std::uint32_t row_cache_steps = 0;
};

/// Reads a config; `name` is for messages, relative paths in it begin in `directory`. Comments are
/// allowed, unknown keys are errors.
///
/// Errors: InvalidArgument, naming the key, its value and what was wanted.
absl::StatusOr<TrainConfig> ParseTrainConfig(std::string_view text, const std::string& name,
                                             const std::string& directory);

/// Reads the file at `path`. Errors: NotFound; as ParseTrainConfig.
absl::StatusOr<TrainConfig> LoadTrainConfig(const std::string& path);

}  // namespace longtail::examples
