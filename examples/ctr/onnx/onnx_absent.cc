#include "examples/ctr/onnx/onnx_model.h"

namespace longtail::examples {

absl::StatusOr<std::string> EncodeOnnxModel(const ModelSpec&, const ModelParameters&) {
  return absl::UnimplementedError(
      "export-onnx: this build has no ONNX: want onnx.proto and Protobuf where it is built "
      "(Debian: libonnx-dev, libprotobuf-dev, protobuf-compiler)");
}

}  // namespace longtail::examples
