// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Report.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace llvm;

namespace dojo::golden {

/// "3,7": row and column.
static std::string place(const image::Image &image, int64_t node) {
  return formatv("{0},{1}", node / image.target.columns, node % image.target.columns);
}

static std::string number(double value, const char *style) {
  if (std::isinf(value))
    return "inf";
  std::string text;
  raw_string_ostream(text) << format(style, value);
  return text;
}

/// The ONNX nodes of a layer, or its own name where it comes from none.
static std::string namesOf(const image::Layer &layer) {
  std::string text;
  for (const std::string &name : layer.onnxNames)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "(" + layer.name + ")" : text;
}

void printTable(raw_ostream &os, const image::Image &image, const std::vector<Row> &rows,
                bool elementwise) {
  std::vector<std::string> names;
  size_t width = 10;
  for (const Row &row : rows) {
    names.push_back(row.output ? row.tensor->name : namesOf(image.layers[row.layer]));
    width = std::max(width, std::min<size_t>(names.back().size(), 44));
  }
  os << "layer  " << left_justify("ONNX nodes", width)
     << formatv("  {0,-12} {1,9} {2,9} {3,9}", "op", "elements", "rel. L2", "largest");
  os << (elementwise ? formatv(" {0,9}", "/allowed").str() : "") << "  worst element  node\n";
  for (auto [row, name] : zip_equal(rows, names)) {
    const Comparison &c = row.comparison;
    const image::Layer &layer = image.layers[row.layer];
    if (name.size() > width)
      name = name.substr(0, width - 2) + "..";
    os << formatv("{0,5}  ", row.layer) << left_justify(name, width)
       << formatv("  {0,-12} {1,9} {2,9} {3,9}", row.output ? "output" : layer.op, c.elements,
                  number(c.relativeL2, "%.2e"), number(c.largest, "%.2e"));
    if (elementwise)
      os << formatv(" {0,9}", number(c.partOfAllowed, "%.3g"));
    if (c.worst.index >= 0)
      os << "  " << elementText(*row.tensor, c.worst.index) << "  " << place(image, c.worst.node);
    os << (c.good ? "\n" : "  DIFFERS\n");
  }
}

void printDifference(raw_ostream &os, const image::Image &image, const Row &row) {
  const Comparison &c = row.comparison;
  const image::Layer &layer = image.layers[row.layer];
  os << "\nfirst difference: ";
  if (row.output)
    os << "output \"" << row.tensor->name << "\" at the end of the run, of ";
  os << "layer " << row.layer << ", \"" << layer.name << "\" (" << layer.op << ", plan "
     << layer.plan << ")\n";
  os << "  ONNX node" << (layer.onnxNames.size() == 1 ? "  " : "s ") << namesOf(layer) << "\n";
  if (!row.value.empty())
    os << "  value      " << row.value << "\n";
  if (const Element &e = c.first; e.index >= 0) {
    os << "  element    " << elementText(*row.tensor, e.index) << " of ";
    ListSeparator x("x");
    for (int64_t extent : row.tensor->logicalShape)
      os << x << extent;
    os << " " << row.tensor->type << "\n";
    os << "  node       " << place(image, e.node) << " (row, column)\n";
    os << "  got        " << number(e.got, "%.9g") << "\n";
    os << "  expected   " << number(e.expected, "%.9g");
    if (c.outside > 0)
      os << " +- " << number(e.allowed, "%.3g");
    os << "\n";
  }
  if (c.outside > 0) {
    os << "  in all     " << c.outside << " of " << c.elements << " elements on " << c.nodes.size()
       << " of the nodes that hold it:";
    size_t shown = 0;
    for (int64_t node : c.nodes)
      if (++shown <= 12)
        os << " " << place(image, node);
    os << (c.nodes.size() > 12 ? " ...\n" : "\n");
  }
  if (c.missing > 0)
    os << "  no node holds " << c.missing << " elements\n";
  if (!c.normGood && c.outside == 0)
    os << "  the norm of the difference is " << number(c.relativeL2, "%.3g")
       << " of what was expected, allowed are " << number(row.tolerance.l2, "%.3g") << "\n";
}

} // namespace dojo::golden
