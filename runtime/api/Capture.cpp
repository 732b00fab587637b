// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results of layers, copied while a run goes on.
#include "dojo/Runtime/Runtime.h"

#include "Boxes.h"
#include "dojo/Image/ElementType.h"

#include <cstring>

namespace dojo {

using image::Box;
using image::TensorRef;

namespace {

// The elements of a box, row-major, from a node's memory.
void copyBox(const Box &box, int64_t elementBytes, std::span<const uint8_t> sram,
             std::vector<uint8_t> &bytes) {
  TensorRef whole;
  whole.shape = box.size;
  Box part = box;
  part.lo.assign(box.lo.size(), 0);
  int64_t size = elementBytes;
  for (int64_t extent : box.size)
    size *= extent;
  bytes.resize(size);
  forEachRun(whole, part, elementBytes, [&](uint32_t address, int64_t offset, int64_t run) {
    std::memcpy(bytes.data() + offset, sram.data() + address, run);
    return true;
  });
}

} // namespace

bool Runtime::captureTensors(std::span<const uint32_t> tensors, std::string &error) {
  std::map<uint32_t, std::vector<CapturedBox>> wanted;
  for (uint32_t index : tensors) {
    if (index >= program.tensors.size()) {
      error = "there is no tensor " + std::to_string(index);
      return false;
    }
    const TensorRef &tensor = program.tensors[index];
    if (tensor.firstLayer < 0 || program.layers[tensor.firstLayer].endPc < 0) {
      error = "tensor \"" + tensor.name + "\" cannot be captured: " +
              (tensor.firstLayer < 0 ? "it is no result of a layer"
                                     : "the image does not say where its layer ends");
      return false;
    }
    std::vector<CapturedBox> &boxes = wanted[index];
    for (const Box &box : tensor.boxes)
      for (int64_t node : program.nodeSets[box.nodeSet].nodes())
        boxes.push_back({node, &box, {}});
  }
  captures = std::move(wanted);
  die->clearCaptures();
  for (auto &[index, boxes] : captures) {
    const TensorRef &tensor = program.tensors[index];
    int64_t elementBytes = image::findElementType(tensor.type)->bytes;
    auto end = uint32_t(program.layers[tensor.firstLayer].endPc);
    // A function writes to its own box alone: nodes may run on several host threads.
    for (CapturedBox &captured : boxes)
      die->addCapture(uint32_t(captured.node), 0, end,
                      [&captured, elementBytes](int64_t, unsigned, uint32_t, uint64_t,
                                                std::span<const uint8_t> sram) {
                        copyBox(*captured.box, elementBytes, sram, captured.bytes);
                      });
  }
  return true;
}

void Runtime::forgetCaptures() {
  for (auto &[index, boxes] : captures)
    for (CapturedBox &captured : boxes)
      captured.bytes.clear();
}

std::span<const Runtime::CapturedBox> Runtime::captured(uint32_t tensor) const {
  auto found = captures.find(tensor);
  return found == captures.end() ? std::span<const CapturedBox>() : found->second;
}

bool Runtime::getCaptured(uint32_t tensor, std::vector<uint8_t> &bytes, std::string &error) const {
  auto found = captures.find(tensor);
  if (found == captures.end()) {
    error = "tensor " + std::to_string(tensor) + " was not captured";
    return false;
  }
  const TensorRef &ref = program.tensors[tensor];
  int64_t elementBytes = image::findElementType(ref.type)->bytes;
  bytes.assign(image::tensorBytes(ref), 0);
  for (const CapturedBox &captured : found->second) {
    if (captured.bytes.empty()) {
      error = "node " + std::to_string(captured.node) + " did not reach the end of layer " +
              std::to_string(ref.firstLayer);
      return false;
    }
    // The packed box, as memory that starts at address 0.
    Box packed = *captured.box;
    packed.address = 0;
    int64_t stride = elementBytes;
    for (size_t d = packed.size.size(); d-- > 0;) {
      packed.strides[d] = stride;
      stride *= packed.size[d];
    }
    forEachRun(ref, packed, elementBytes, [&](uint32_t address, int64_t offset, int64_t run) {
      std::memcpy(bytes.data() + offset, captured.bytes.data() + address, run);
      return true;
    });
  }
  return true;
}

} // namespace dojo
