// The dense part of a click-through model as an ONNX model, for runtimes of others.
//
//   inputs   rows        [batch, field_count, row_dim]   pooled rows of each field (PoolRows); of a
//                                                        field with one key, that key's row
//            numbers     [batch, numeric_count]          if the model has numbers and uses them
//   outputs  logit       [batch]
//            probability [batch]                         the logistic function of it
//
// It computes what a replica does in evaluation: no dropout, running statistics of batch norm.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {

/// The bytes of an ONNX model.
///
/// Errors: as Validate(spec); InvalidArgument if a parameter that the spec wants is not there;
///         Unimplemented in a build without ONNX.
absl::StatusOr<std::string> EncodeOnnxModel(const ModelSpec& spec,
                                            const ModelParameters& parameters);

}  // namespace longtail::examples
