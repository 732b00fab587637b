// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Driver/Options.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace llvm;
using namespace dojo::driver;

namespace {
std::string tool = "dojo";

cl::OptionCategory category("Compiling");

cl::opt<std::string> input(cl::Positional, cl::desc("MODEL.onnx|FILE.mlir|FILE.s"),
                           cl::cat(category));
cl::opt<std::string> output("o", cl::desc("Where the result goes"), cl::value_desc("OUT.d1"),
                            cl::cat(category));
cl::list<std::string> shapes("shape", cl::desc("Shape of a graph input; NAME= is a scalar"),
                             cl::value_desc("NAME=1x3x224x224"), cl::cat(category));
cl::list<std::string> dims("dim", cl::desc("Value of a symbolic dimension, in every input"),
                           cl::value_desc("NAME=N"), cl::cat(category));
cl::list<std::string> constants("const", cl::desc("Bind a graph input at compile time"),
                                cl::value_desc("NAME=FILE.npy"), cl::cat(category));
cl::opt<bool> demoteDoubles("demote-f64", cl::cat(category),
                            cl::desc("Compute doubles in fp32; else they are only moved and cast"));
cl::opt<std::string> precision(
    "precision", cl::init("bf16"), cl::value_desc("bf16|fp32"), cl::cat(category),
    cl::desc("bf16: matrix products on bf16 operands, the rest in fp32; fp32: all in fp32"));
cl::opt<std::string> store("store", cl::value_desc("fp32"), cl::cat(category),
                           cl::desc("Keep tensors between ops in fp32"));
cl::opt<std::string> target("target", cl::init("d1"), cl::cat(category),
                            cl::value_desc("d1|d1-pessimistic|FILE"), cl::desc("The machine"));
cl::opt<std::string> positions("nodes", cl::value_desc("RxC"), cl::cat(category),
                               cl::desc("Use the top-left R x C positions of the target"));
cl::list<std::string> dead("dead", cl::value_desc("R,C"), cl::cat(category),
                           cl::desc("A position that cannot compute, hold, inject or eject"));
cl::opt<unsigned> optLevel("O", cl::Prefix, cl::init(2), cl::cat(category),
                           cl::desc("0: no overlap, no fusion, for debugging; 2 (default): all"));
cl::opt<int64_t> codeBytes("code-bytes", cl::cat(category),
                           cl::desc("SRAM of a node to keep for code (default: what it takes)"));
cl::opt<Emit> emit("emit", cl::init(Emit::Image), cl::cat(category), cl::desc("Stop at a level:"),
                   cl::values(clEnumValN(Emit::Import, "import", "linalg on whole tensors"),
                              clEnumValN(Emit::Placed, "placed", "layers with plans"),
                              clEnumValN(Emit::Mesh, "mesh", "buffers, transfers, node kernels"),
                              clEnumValN(Emit::D1, "d1", "instructions as IR"),
                              clEnumValN(Emit::Asm, "asm", "assembly"),
                              clEnumValN(Emit::Image, "image", "machine code (default)")));
cl::opt<bool> plan("plan", cl::cat(category), cl::desc("Print the layer table and stop"));
cl::opt<bool> check("check", cl::cat(category),
                    cl::desc("List everything that is not supported and stop"));
cl::opt<bool> listOps("list-ops", cl::cat(category),
                      cl::desc("Print the ops that are read, with opset versions, and stop"));
cl::opt<bool> verify("verify", cl::init(true), cl::cat(category),
                     cl::desc("Check the finished image (default: on)"));
cl::opt<bool> timing("timing", cl::cat(category), cl::desc("Say where the time went"));
cl::opt<std::string> report("report", cl::value_desc("FILE.json"), cl::cat(category),
                            cl::desc("Write what was decided, or not supported, as JSON"));

[[noreturn]] void usage(const Twine &message) { std::exit(fail(Usage, message)); }

/// NAME=VALUE at the last '='.
std::pair<std::string, std::string> splitName(const std::string &text, StringRef option) {
  size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0)
    usage("--" + option + " wants NAME=VALUE, got '" + text + "'");
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<int64_t> parseShape(StringRef text, StringRef name) {
  std::vector<int64_t> dims;
  SmallVector<StringRef> parts;
  if (!text.empty())
    text.split(parts, 'x');
  for (StringRef part : parts) {
    int64_t value;
    if (part.getAsInteger(10, value) || value < 0)
      usage("--shape " + name + ": '" + part + "' is not a dimension; write 1x3x224x224");
    dims.push_back(value);
  }
  return dims;
}
} // namespace

int dojo::driver::fail(int status, const Twine &message) {
  errs() << tool << ": " << message << "\n";
  return status;
}

Options dojo::driver::parseOptions(int argc, char **argv, StringRef overview,
                                   ArrayRef<const cl::OptionCategory *> own) {
  tool = sys::path::stem(argv[0]).str();
  SmallVector<const cl::OptionCategory *> shown(own);
  shown.push_back(&category);
  cl::HideUnrelatedOptions(shown);
  cl::ParseCommandLineOptions(argc, argv, overview);
  Options o;
  if (input.empty() && !listOps)
    usage("no input given; see --help");
  o.input = input;
  o.output = output;
  o.report = report;
  for (const std::string &text : shapes) {
    auto [name, value] = splitName(text, "shape");
    o.shapes.push_back({name, parseShape(value, name)});
  }
  for (const std::string &text : dims) {
    auto [name, value] = splitName(text, "dim");
    int64_t number;
    if (StringRef(value).getAsInteger(10, number) || number < 0)
      usage("--dim " + name + ": '" + value + "' is not a dimension; write NAME=1");
    o.dims.push_back({name, number});
  }
  for (const std::string &text : constants)
    o.constants.push_back(splitName(text, "const"));
  o.demoteDoubles = demoteDoubles;
  if (precision != "bf16" && precision != "fp32")
    usage("--precision is bf16 or fp32, not '" + precision + "'");
  if (!store.empty() && store != "fp32")
    usage("--store takes fp32 only, not '" + store + "'");
  if (codeBytes < 0)
    usage("--code-bytes " + Twine(codeBytes) + ": a number of bytes is not negative");
  if (optLevel != 0 && optLevel != 2)
    usage("-O" + Twine(optLevel) + ": levels are -O0 and -O2");
  o.precision = precision;
  o.store = store;
  o.target = target;
  o.nodes = positions;
  for (std::string position : dead) {
    std::replace(position.begin(), position.end(), ',', ':');
    o.dead.push_back(position);
  }
  o.optLevel = optLevel;
  if (codeBytes.getNumOccurrences())
    o.codeBytes = codeBytes;
  o.emit = emit;
  o.plan = plan;
  o.check = check;
  o.listOps = listOps;
  o.verify = verify;
  o.timing = timing;
  return o;
}
