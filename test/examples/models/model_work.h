// Small random batches and rows for the tests of models, and a model with all it needs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "examples/common/nn/gemm.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {

/// How the fields of a random batch are filled.
enum class Filling {
  kSingle,          ///< One key a field.
  kSeveral,         ///< 0 to 3 keys a field.
  kSeveralWeighted  ///< The same, with values.
};

/// A batch with the rows of its keys; keys repeat.
struct ModelWork {
  Batch batch;
  std::vector<float> rows;
  std::vector<std::uint32_t> inverse;

  SparseInput input() const { return {&batch, rows, inverse}; }
};

/// A random batch of `size` examples for `spec`.
ModelWork MakeModelWork(const ModelSpec& spec, std::size_t size, Filling filling,
                        std::uint64_t seed);

/// Examples begin .. begin + count of a batch, over the same rows.
ModelWork Part(const ModelWork& whole, std::size_t begin, std::size_t count);

/// A spec of that name with 3 fields, 2 numbers, narrow layers of odd widths.
ModelSpec SmallSpec(const std::string& name);

/// Dense parameters none of which is zero, biases and batch norm's included.
ModelParameters MakeDenseParameters(const ModelSpec& spec, std::uint64_t seed);

/// A model of the spec over these parameters; fails the test if it cannot be made.
std::unique_ptr<Model> MakeTestModel(const ModelSpec& spec, const ModelParameters& parameters);

}  // namespace longtail::examples
