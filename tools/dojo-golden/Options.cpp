// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

#include <cmath>
#include <cstdlib>

using namespace llvm;
using namespace dojo::golden;

static const char overview[] =
    R"(Finds the first layer, node and element that differ from MLIR's CPU lowering.

  dojo-golden model.onnx --input x=x.npy
  dojo-golden model.onnx --input x=random:1 --nodes 4x5 --precision fp32
  dojo-golden model.onnx --input x=x.npy --image model.d1

Compiles the model as dojo-compile would (same options), runs the image on the emulated die and copies
every layer's result from the nodes that hold it at the moment the layer ends. MLIR computes each layer
on the host, from the same operands, with the same rounding; the two are compared in order. Prints a
line for each layer, then the first that differs: its ONNX nodes, the element, the node that held it,
what it was and what it should be. docs/golden.md explains the table and the tolerances.

Status: 0 all equal, 1 usage, 2 the model cannot be compiled, 3 image or input is bad, 4 fault on the machine, 5 something differs.
)";

namespace {
cl::OptionCategory category("Comparing");

cl::list<std::string> inputs("input", cl::value_desc("NAME=FILE.npy|NAME=random:SEED"),
                             cl::cat(category), cl::desc("A graph input, as for dojo-run"));
cl::opt<int64_t> slice("slice", cl::init(0), cl::value_desc("N"), cl::cat(category),
                       cl::desc("Of files with one more leading dimension: which (default: 0)"));
cl::opt<std::string> image("image", cl::value_desc("FILE.d1"), cl::cat(category),
                           cl::desc("Run this image instead, compiled from the model with the same "
                                    "options"));
cl::opt<Reference> reference(
    "reference", cl::init(Reference::Layers), cl::cat(category), cl::desc("Compare with:"),
    cl::values(clEnumValN(Reference::Layers, "layers",
                          "each layer alone, on the operands that the nodes had (default)"),
               clEnumValN(Reference::Chain, "chain",
                          "all layers one after the other, from the inputs"),
               clEnumValN(Reference::Model, "model",
                          "the imported model in its own precision, value by value")));
cl::opt<std::string> maxRelL2("max-rel-l2", cl::value_desc("X"), cl::cat(category),
                              cl::desc("Allow ||got - expected|| <= X ||expected|| with chain and "
                                       "model (default: fp32 1e-4, bf16 1e-1)"));
cl::opt<unsigned> threads("host-threads", cl::value_desc("N"), cl::cat(category),
                          cl::desc("Host threads of the emulator (default: all)"));

[[noreturn]] void usage(const Twine &message) {
  std::exit(dojo::driver::fail(dojo::driver::Usage, message));
}
} // namespace

Options dojo::golden::parseOptions(int argc, char **argv) {
  // dojo-compile's alone.
  for (StringRef name : {"plan", "check", "emit"})
    cl::getRegisteredOptions()[name]->setHiddenFlag(cl::ReallyHidden);
  Options o;
  o.compile = driver::parseOptions(argc, argv, overview, {&category});
  if (o.compile.plan || o.compile.check || o.compile.emit != driver::Emit::Image)
    usage("--plan, --check and --emit are dojo-compile's; this tool always runs an image");
  for (const std::string &text : inputs) {
    size_t at = text.rfind('=');
    if (at == std::string::npos)
      usage("--input needs NAME=FILE, not '" + text + "'");
    for (const run::Binding &other : o.inputs)
      if (other.name == text.substr(0, at))
        usage("--input is given twice for '" + other.name + "'");
    o.inputs.push_back({text.substr(0, at), text.substr(at + 1)});
  }
  o.image = image;
  if (!o.image.empty() && !o.compile.output.empty())
    usage("with --image nothing is compiled to an image that -o could take");
  o.reference = reference;
  if (maxRelL2.getNumOccurrences()) {
    char *end = nullptr;
    double value = std::strtod(maxRelL2.c_str(), &end);
    if (maxRelL2.empty() || *end || !std::isfinite(value) || value < 0)
      usage("--max-rel-l2 needs a number that is not negative, not '" + maxRelL2 + "'");
    if (o.reference == Reference::Layers)
      usage("--max-rel-l2 needs --reference chain or model; layers have tolerances of their own");
    o.maxRelL2 = value;
  }
  if (slice < 0)
    usage("--slice counts from 0");
  o.slice = slice;
  if (threads.getNumOccurrences() && (threads < 1 || threads > 1024))
    usage("--host-threads needs a number from 1 to 1024");
  o.threads = threads;
  return o;
}
