// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dojo/Conversion/Machine.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

static bool parsePair(StringRef text, StringRef separator, int64_t &a, int64_t &b) {
  auto [first, second] = text.split(separator);
  return !first.getAsInteger(10, a) && !second.getAsInteger(10, b) && a >= 0 && b >= 0;
}

bool mlir::dojo::loadMachine(const std::string &target, const std::string &nodes,
                             ArrayRef<std::string> dead, ::dojo::Target &out, std::string &error) {
  ::dojo::Target machine;
  if (!::dojo::loadTarget(target, machine, error))
    return false;
  if (!nodes.empty()) {
    int64_t rows = 0, columns = 0;
    if (!parsePair(nodes, "x", rows, columns)) {
      error = "'" + nodes + "' is not a partition; write rows x columns, such as 4x5";
      return false;
    }
    ::dojo::Target part;
    if (!machine.withPartition(rows, columns, part, error))
      return false;
    machine = std::move(part);
  }
  for (const std::string &position : dead) {
    int64_t row = 0, column = 0;
    if (!parsePair(position, position.find(':') == std::string::npos ? "," : ":", row, column)) {
      error = "'" + position + "' is not a position; write row,column, such as 3,7";
      return false;
    }
    ::dojo::Target without;
    if (!machine.withDead(row, column, without, error))
      return false;
    machine = std::move(without);
  }
  out = std::move(machine);
  return true;
}

void mlir::dojo::setMachine(ModuleOp module, StringRef target, StringRef nodes,
                            ArrayRef<std::string> dead, const ::dojo::Target &machine) {
  Builder b(module.getContext());
  SmallVector<Attribute> positions;
  for (const std::string &p : dead)
    positions.push_back(b.getStringAttr(p));
  module->setAttr("dojo.machine",
                  b.getDictionaryAttr({b.getNamedAttr("target", b.getStringAttr(target)),
                                       b.getNamedAttr("nodes", b.getStringAttr(nodes)),
                                       b.getNamedAttr("dead", b.getArrayAttr(positions)),
                                       b.getNamedAttr("hash", b.getStringAttr(machine.hash()))}));
}

FailureOr<::dojo::Target> mlir::dojo::getMachine(ModuleOp module) {
  auto attr = module->getAttrOfType<DictionaryAttr>("dojo.machine");
  auto text = [&](StringRef key) {
    auto value = attr ? attr.getAs<StringAttr>(key) : StringAttr();
    return value ? value.str() : std::string();
  };
  if (!attr || text("target").empty())
    return mlir::emitError(module.getLoc(),
                           "names no machine (attribute dojo.machine); run dojo-place first");
  std::vector<std::string> dead;
  if (auto positions = attr.getAs<ArrayAttr>("dead"))
    for (Attribute p : positions)
      if (auto s = dyn_cast<StringAttr>(p))
        dead.push_back(s.str());
  ::dojo::Target machine;
  std::string error;
  if (!loadMachine(text("target"), text("nodes"), dead, machine, error))
    return mlir::emitError(module.getLoc(), "dojo.machine: ") << error;
  if (!text("hash").empty() && text("hash") != machine.hash())
    return mlir::emitError(module.getLoc(), "was placed for another version of target '")
           << text("target") << "'; place it again";
  return machine;
}
