// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Model.h"

using namespace llvm;

namespace mlir::dojo::onnximport {
void collectReads(const onnx::NodeProto &node, SmallVectorImpl<StringRef> &names) {
  for (const auto &input : node.input())
    if (!input.empty())
      names.push_back(input);
  auto collect = [&](const onnx::GraphProto &graph) {
    for (const auto &inner : graph.node())
      collectReads(inner, names);
    for (const auto &output : graph.output())
      names.push_back(output.name());
  };
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      collect(attribute.g());
    for (const auto &graph : attribute.graphs())
      collect(graph);
    // Gradient names the value to differentiate.
    if (node.op_type() == "Gradient" && attribute.name() == "y")
      names.push_back(attribute.s());
  }
}

bool orderGraph(onnx::GraphProto &graph, ImportReport &report) {
  const int count = graph.node_size();
  StringMap<int> producers; // -1: an input or initialiser
  for (const auto &init : graph.initializer())
    if (!producers.try_emplace(init.name(), -1).second)
      report.errors.push_back("two initializers have the name '" + init.name() + "'");
  StringMap<bool> inputs;
  for (const auto &input : graph.input()) {
    if (!inputs.try_emplace(input.name(), true).second)
      report.errors.push_back("two inputs have the name '" + input.name() + "'");
    producers.try_emplace(input.name(), -1);
  }
  for (int i = 0; i < count; ++i)
    for (const auto &output : graph.node(i).output())
      if (!output.empty() && !producers.try_emplace(output, i).second)
        report.errors.push_back("node '" + graph.node(i).name() + "' defines '" + output +
                                "', which is already defined");
  if (!report.errors.empty())
    return false;

  std::vector<SmallVector<int>> needs(count);
  for (int i = 0; i < count; ++i) {
    SmallVector<StringRef> names;
    collectReads(graph.node(i), names);
    for (StringRef name : names) {
      auto it = producers.find(name);
      if (it != producers.end() && it->second >= 0)
        needs[i].push_back(it->second);
    }
    for (const auto &input : graph.node(i).input())
      if (!input.empty() && !producers.count(input))
        report.errors.push_back("node '" + graph.node(i).name() + "' reads '" + input +
                                "', which nothing defines");
  }

  // Depth first from the outputs: what is never reached is unused, a node met again while it is
  // still open closes a cycle.
  enum class State : char { New, Open, Done };
  std::vector<State> state(count, State::New);
  std::vector<bool> live(count, false);
  std::vector<int> order;
  auto visit = [&](int root) {
    std::vector<std::pair<int, size_t>> stack{{root, 0}};
    while (!stack.empty()) {
      auto &[node, next] = stack.back();
      if (next == 0) {
        if (state[node] == State::Done) {
          stack.pop_back();
          continue;
        }
        state[node] = State::Open;
      }
      if (next == needs[node].size()) {
        state[node] = State::Done;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      int need = needs[node][next++];
      if (state[need] == State::Open) {
        std::string cycle;
        auto first = find_if(stack, [&](const auto &entry) { return entry.first == need; });
        for (auto it = first; it != stack.end(); ++it)
          cycle += "'" + graph.node(it->first).name() + "' needs ";
        report.errors.push_back("the graph has a cycle: " + cycle + "'" + graph.node(need).name() +
                                "'");
        return false;
      }
      if (state[need] == State::New)
        stack.push_back({need, 0});
    }
    return true;
  };
  // Cycles are errors even where no output needs them. Visiting in the order of the file leaves a
  // sorted graph as it is.
  for (int i = 0; i < count; ++i)
    if (state[i] == State::New && !visit(i))
      return false;

  SmallVector<int> pending;
  for (const auto &output : graph.output()) {
    auto it = producers.find(output.name());
    if (it == producers.end())
      report.errors.push_back("nothing defines the output '" + output.name() + "'");
    else if (it->second >= 0)
      pending.push_back(it->second);
  }
  if (!report.errors.empty())
    return false;
  while (!pending.empty()) {
    int node = pending.pop_back_val();
    if (live[node])
      continue;
    live[node] = true;
    pending.append(needs[node].begin(), needs[node].end());
  }

  google::protobuf::RepeatedPtrField<onnx::NodeProto> sorted;
  for (int i : order)
    if (live[i])
      sorted.Add()->Swap(graph.mutable_node(i));
  graph.mutable_node()->Swap(&sorted);
  return true;
}

} // namespace mlir::dojo::onnximport
