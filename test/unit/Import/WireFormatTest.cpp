// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/Import/ONNX/WireFormat.h"
#include "onnx/onnx_pb.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::dojo::onnximport;

namespace {

constexpr size_t kKeep = 16;

std::string randomBytes(std::mt19937 &random, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i)
    bytes.push_back(char(random()));
  return bytes;
}

/// A model with tensors at every place that can hold one; their raw data, in order of the fields'
/// numbers within each message, is what the test compares.
onnx::ModelProto modelWithTensors(std::mt19937 &random) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("a name that is long enough to be mistaken for data");
  auto fill = [&](onnx::TensorProto *tensor) {
    tensor->add_dims(3);
    tensor->set_data_type(onnx::TensorProto::UINT8);
    tensor->set_name("t");
    tensor->set_raw_data(randomBytes(random, random() % 64));
    tensor->set_doc_string("behind the data");
  };
  auto *graph = model.mutable_graph();
  fill(graph->add_initializer());
  fill(graph->add_initializer());
  auto *node = graph->add_node();
  auto *attribute = node->add_attribute();
  fill(attribute->mutable_t());
  fill(attribute->add_tensors());
  auto *inner = node->add_attribute()->mutable_g();
  fill(inner->add_initializer());
  fill(inner->add_node()->add_attribute()->mutable_t());
  fill(graph->add_sparse_initializer()->mutable_values());
  fill(model.add_functions()->add_node()->add_attribute()->mutable_t());
  return model;
}

/// Every tensor of `message`, at any depth, by reflection.
void collect(const google::protobuf::Message &message,
             std::vector<const onnx::TensorProto *> &tensors) {
  if (auto *tensor = dynamic_cast<const onnx::TensorProto *>(&message)) {
    tensors.push_back(tensor);
    return;
  }
  const auto *reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor *> fields;
  reflection->ListFields(message, &fields);
  for (const auto *field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE)
      continue;
    if (!field->is_repeated()) {
      collect(reflection->GetMessage(message, field), tensors);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      collect(reflection->GetRepeatedMessage(message, field, i), tensors);
  }
}

TEST(WireFormat, LargeRawDataAreFoundInTheFile) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    onnx::ModelProto model = modelWithTensors(random);
    const std::string file = model.SerializeAsString();
    auto moved = moveRawDataOut(file, kKeep);
    ASSERT_TRUE(bool(moved)) << llvm::toString(moved.takeError());
    onnx::ModelProto copy;
    ASSERT_TRUE(copy.ParseFromString(*moved));
    std::vector<const onnx::TensorProto *> before, after;
    collect(model, before);
    collect(copy, after);
    ASSERT_EQ(before.size(), 8u);
    ASSERT_EQ(after.size(), before.size());
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(after[i]->doc_string(), before[i]->doc_string());
      EXPECT_EQ(after[i]->dims(0), 3);
      if (before[i]->raw_data().size() <= kKeep) {
        EXPECT_EQ(after[i]->raw_data(), before[i]->raw_data());
        EXPECT_EQ(after[i]->external_data_size(), 0);
        continue;
      }
      EXPECT_FALSE(after[i]->has_raw_data());
      EXPECT_EQ(after[i]->data_location(), onnx::TensorProto::EXTERNAL);
      ASSERT_EQ(after[i]->external_data_size(), 3);
      EXPECT_EQ(after[i]->external_data(0).value(), kModelFileLocation.str());
      EXPECT_EQ(file.substr(std::stoul(after[i]->external_data(1).value()),
                            std::stoul(after[i]->external_data(2).value())),
                before[i]->raw_data());
    }
  }
}

TEST(WireFormat, EveryTruncationIsAnErrorOrAShorterModel) {
  std::mt19937 random(1);
  const std::string file = modelWithTensors(random).SerializeAsString();
  for (size_t n = 0; n < file.size(); ++n) {
    auto moved = moveRawDataOut(llvm::StringRef(file).take_front(n), kKeep);
    onnx::ModelProto copy, whole;
    const bool parses = whole.ParseFromString(file.substr(0, n));
    EXPECT_EQ(bool(moved), parses) << n;
    if (!moved)
      llvm::consumeError(moved.takeError());
  }
}

TEST(WireFormat, DamagedBytesNeverCrash) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    std::string file = modelWithTensors(random).SerializeAsString();
    for (unsigned i = 0, e = 1 + random() % 4; i < e; ++i)
      file[random() % file.size()] = char(random());
    if (auto moved = moveRawDataOut(file, kKeep)) {
      onnx::ModelProto copy;
      (void)copy.ParseFromString(*moved);
    } else {
      llvm::consumeError(moved.takeError());
    }
  }
}

TEST(WireFormat, DataSaidTwiceStaysForTheChecker) {
  onnx::ModelProto model;
  auto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_raw_data(std::string(100, 'x'));
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto moved = moveRawDataOut(model.SerializeAsString(), kKeep);
  ASSERT_TRUE(bool(moved));
  onnx::ModelProto copy;
  ASSERT_TRUE(copy.ParseFromString(*moved));
  EXPECT_EQ(copy.graph().initializer(0).raw_data().size(), 100u);
}

TEST(WireFormat, DeepNestingIsAnError) {
  onnx::GraphProto graph;
  for (int depth = 0; depth < 200; ++depth) {
    onnx::GraphProto outer;
    outer.add_node()->add_attribute()->mutable_g()->Swap(&graph);
    graph.Swap(&outer);
  }
  onnx::ModelProto model;
  model.mutable_graph()->Swap(&graph);
  auto moved = moveRawDataOut(model.SerializeAsString(), kKeep);
  ASSERT_FALSE(bool(moved));
  EXPECT_NE(llvm::toString(moved.takeError()).find("nested too deeply"), std::string::npos);
}

} // namespace
