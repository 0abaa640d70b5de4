// An ONNX graph in the making: nodes by the names of what they give.
//
// Source: ONNX, "Operator Schemas", opset 13; "Open Neural Network Exchange Intermediate
//         Representation", version 7.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx.pb.h"

namespace longtail::examples {

/// Values are named; the first dimension of each that depends on an input is the batch.
class OnnxGraph {
 public:
  explicit OnnxGraph(const std::string& name);

  /// A float input [batch, shape…].
  std::string Input(const std::string& name, std::initializer_list<std::int64_t> shape);

  /// Names `value` as a float output [batch].
  void Output(const std::string& name, const std::string& value);

  /// Constants; a name says what they are, and must be new.
  std::string Floats(const std::string& name, std::vector<std::int64_t> shape,
                     std::span<const float> values);
  std::string Integers(std::span<const std::int64_t> values);
  std::string Integers(std::initializer_list<std::int64_t> values) {
    return Integers(std::span(values.begin(), values.size()));
  }

  /// An attribute of a node: one whole number, several, or a float.
  struct Attribute {
    const char* name;
    std::vector<std::int64_t> integers{};
    float number = 0;
    enum class Kind : std::uint8_t { kInteger, kIntegers, kFloat } kind = Kind::kInteger;
  };

  /// Adds a node of one output and gives its name.
  std::string Node(const char* op, std::vector<std::string> inputs,
                   const std::vector<Attribute>& attributes = {});

  /// What several models need.
  std::string Reshape(const std::string& value, std::initializer_list<std::int64_t> shape) {
    return Node("Reshape", {value, Integers(shape)});
  }
  std::string Columns(const std::string& value, std::int64_t begin, std::int64_t end,
                      std::int64_t axis) {
    return Node("Slice", {value, Integers({begin}), Integers({end}), Integers({axis})});
  }
  std::string Sum(const std::string& value, std::initializer_list<std::int64_t> axes) {
    return Node("ReduceSum", {value, Integers(axes)}, {{.name = "keepdims", .integers = {0}}});
  }
  std::string Join(std::vector<std::string> values) {
    return Node("Concat", std::move(values), {{.name = "axis", .integers = {1}}});
  }

  /// The model as bytes; `description` is for people.
  std::string Serialize(const std::string& description);

 private:
  onnx::ModelProto model_;
  int nodes_ = 0;
  int constants_ = 0;
};

}  // namespace longtail::examples
