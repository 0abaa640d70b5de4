#include "examples/ctr/onnx/prediction_samples.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "examples/common/nn/logistic_loss.h"

namespace longtail::examples {
namespace {

// Source: NumPy, "NEP 1, a simple file format for NumPy arrays", version 1.0.
absl::Status WriteNpy(const std::string& path, std::span<const std::size_t> shape,
                      std::span<const float> values) {
  constexpr std::size_t kPreambleBytes = 10;
  constexpr std::size_t kAlignment = 64;
  std::string header = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (",
                                    absl::StrJoin(shape, ", "), ",), }");
  header.resize(
      (kPreambleBytes + header.size() + kAlignment) / kAlignment * kAlignment - kPreambleBytes - 1,
      ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << "\x93NUMPY" << '\x01' << '\x00' << static_cast<char>(header.size() & 255)
       << static_cast<char>(header.size() >> 8) << header;
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("'", path, "': cannot be written; is the disk full?"));
}

void Append(std::span<const float> values, std::size_t count, std::vector<float>& all) {
  all.insert(all.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

absl::StatusOr<std::uint64_t> WritePredictionSamples(CtrTrainer& trainer, BatchPipeline& batches,
                                                     std::uint64_t count,
                                                     const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("making directory '", directory, "': ", error.message()));
  }
  const std::size_t fields = trainer.model_spec().field_count;
  const std::size_t row_dim = RowDim(trainer.model_spec());
  const std::size_t numeric_count = trainer.model_spec().numeric_count;
  std::vector<float> rows;
  std::vector<float> numbers;
  std::vector<float> logits;
  Batch batch;
  CtrTrainer::Scores scores;
  scores.wants_pooled_rows = true;
  while (logits.size() < count) {
    LONGTAIL_RETURN_IF_ERROR(batches.Next(batch));
    if (batch.size == 0) break;
    LONGTAIL_RETURN_IF_ERROR(trainer.Score(batch, std::nullopt, scores));
    const std::size_t taken =
        static_cast<std::size_t>(std::min<std::uint64_t>(batch.size, count - logits.size()));
    Append(scores.pooled_rows, taken * fields * row_dim, rows);
    Append(batch.numeric, taken * numeric_count, numbers);
    Append(scores.logits, taken, logits);
  }
  std::vector<float> probabilities;
  for (const float logit : logits) probabilities.push_back(Sigmoid(logit));
  const std::size_t n = logits.size();
  const std::size_t rows_shape[] = {n, fields, row_dim};
  const std::size_t numbers_shape[] = {n, numeric_count};
  LONGTAIL_RETURN_IF_ERROR(WriteNpy(directory + "/rows.npy", rows_shape, rows));
  LONGTAIL_RETURN_IF_ERROR(WriteNpy(directory + "/numbers.npy", numbers_shape, numbers));
  LONGTAIL_RETURN_IF_ERROR(WriteNpy(directory + "/logit.npy", {&n, 1}, logits));
  LONGTAIL_RETURN_IF_ERROR(WriteNpy(directory + "/probability.npy", {&n, 1}, probabilities));
  return n;
}

}  // namespace longtail::examples
