#include "examples/ctr/onnx/onnx_graph.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

constexpr std::int64_t kOpset = 13;
constexpr std::int64_t kIrVersion = 7;  // The one that came with that opset.

void DescribeFloats(const std::string& name, std::span<const std::int64_t> shape,
                    onnx::ValueInfoProto& value) {
  value.set_name(name);
  onnx::TypeProto_Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto_DataType_FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::int64_t size : shape) type.mutable_shape()->add_dim()->set_dim_value(size);
}

}  // namespace

OnnxGraph::OnnxGraph(const std::string& name) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("longtail");
  model_.add_opset_import()->set_version(kOpset);
  model_.mutable_graph()->set_name(name);
}

std::string OnnxGraph::Input(const std::string& name, std::initializer_list<std::int64_t> shape) {
  DescribeFloats(name, std::span(shape.begin(), shape.size()),
                 *model_.mutable_graph()->add_input());
  return name;
}

void OnnxGraph::Output(const std::string& name, const std::string& value) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type("Identity");
  node.set_name(absl::StrCat("output.", name));
  node.add_input(value);
  node.add_output(name);
  DescribeFloats(name, {}, *model_.mutable_graph()->add_output());
}

std::string OnnxGraph::Floats(const std::string& name, std::vector<std::int64_t> shape,
                              std::span<const float> values) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto_DataType_FLOAT);
  for (const std::int64_t size : shape) tensor.add_dims(size);
  tensor.set_raw_data(values.data(), values.size_bytes());  // Little-endian, as ONNX wants it.
  return name;
}

std::string OnnxGraph::Integers(std::span<const std::int64_t> values) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(absl::StrCat("constant.", constants_++));
  tensor.set_data_type(onnx::TensorProto_DataType_INT64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const std::int64_t value : values) tensor.add_int64_data(value);
  return tensor.name();
}

std::string OnnxGraph::Node(const char* op, std::vector<std::string> inputs,
                            const std::vector<Attribute>& attributes) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op);
  node.set_name(absl::StrCat("node.", nodes_));
  for (std::string& input : inputs) node.add_input(std::move(input));
  node.add_output(absl::StrCat("value.", nodes_++));
  for (const Attribute& attribute : attributes) {
    onnx::AttributeProto& added = *node.add_attribute();
    added.set_name(attribute.name);
    switch (attribute.kind) {
      case Attribute::Kind::kInteger:
        added.set_type(onnx::AttributeProto_AttributeType_INT);
        added.set_i(attribute.integers.front());
        break;
      case Attribute::Kind::kIntegers:
        added.set_type(onnx::AttributeProto_AttributeType_INTS);
        for (const std::int64_t value : attribute.integers) added.add_ints(value);
        break;
      case Attribute::Kind::kFloat:
        added.set_type(onnx::AttributeProto_AttributeType_FLOAT);
        added.set_f(attribute.number);
        break;
    }
  }
  return node.output(0);
}

std::string OnnxGraph::Serialize(const std::string& description) {
  model_.set_doc_string(description);
  return model_.SerializeAsString();
}

}  // namespace longtail::examples
