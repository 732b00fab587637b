// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-objdump: what is in an image. Status 0 ok, 1 usage, 3 the image is bad.

#include "Dump.h"
#include "dojo/Assembler/Assembler.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

namespace {

const char *const usage =
    "usage: dojo-objdump [options] IMAGE.d1\n"
    "  --programs   assembly of every distinct program, with addresses and bytes\n"
    "  --sections   sections of the file, totals of the image\n"
    "  --manifest   inputs, outputs, tensors, layers, target, certificate (JSON)\n"
    "  --map NODE   what lies in a node's SRAM; NODE is ROW,COLUMN or a number\n"
    "  --source     assembly that dojo-as makes into the same programs, data included\n"
    "Without options: --sections --programs.\n";

struct Options {
  bool programs = false, sections = false, manifest = false, source = false;
  std::string map, path;
};

bool parseOptions(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--programs")
      options.programs = true;
    else if (argument == "--sections")
      options.sections = true;
    else if (argument == "--manifest")
      options.manifest = true;
    else if (argument == "--source")
      options.source = true;
    else if (argument == "--map" && i + 1 < argc)
      options.map = argv[++i];
    else if (argument.substr(0, 1) != "-" && options.path.empty())
      options.path = argument;
    else {
      std::cerr << "dojo-objdump: unexpected argument '" << argument << "'\n";
      return false;
    }
  }
  if (!options.programs && !options.manifest && !options.source && options.map.empty() &&
      !options.sections)
    options.programs = options.sections = true;
  return !options.path.empty();
}

/// ROW,COLUMN or a node number.
bool parseNode(const std::string &text, const dojo::Target &target, int64_t &node) {
  const char *end = text.data() + text.size();
  int64_t first = -1, second = -1;
  auto result = std::from_chars(text.data(), end, first);
  if (result.ec != std::errc() || first < 0)
    return false;
  if (result.ptr == end) {
    node = first;
    return node < target.positions();
  }
  if (*result.ptr != ',')
    return false;
  result = std::from_chars(result.ptr + 1, end, second);
  if (result.ec != std::errc() || result.ptr != end || first >= target.rows || second < 0 ||
      second >= target.columns)
    return false;
  node = target.node(first, second);
  return true;
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
    std::cout << usage;
    return 0;
  }
  Options options;
  if (!parseOptions(argc, argv, options)) {
    std::cerr << usage;
    return 1;
  }
  std::ifstream stream(options.path, std::ios::binary);
  auto file = std::make_shared<std::vector<uint8_t>>();
  if (stream)
    file->assign(std::istreambuf_iterator<char>(stream), {});
  if (!stream && !stream.eof()) {
    std::cerr << "dojo-objdump: cannot read " << options.path << ": " << strerror(errno) << "\n";
    return 3;
  }
  dojo::image::Image image;
  std::string error;
  if (!dojo::image::parseImage(*file, file, image, error)) {
    std::cerr << "dojo-objdump: " << options.path << ": " << error << "\n";
    return 3;
  }
  int64_t node = -1;
  if (!options.map.empty() && !parseNode(options.map, image.target, node)) {
    std::cerr << "dojo-objdump: no node '" << options.map << "' on this die\n";
    return 1;
  }
  if (options.sections)
    dojo::objdump::dumpSections(*file, image, std::cout);
  if (options.programs)
    dojo::assembler::print(image, {.data = false, .bytes = true}, std::cout);
  if (options.source)
    dojo::assembler::print(image, {.data = true, .bytes = false}, std::cout);
  if (options.manifest)
    dojo::objdump::dumpManifest(*file, std::cout);
  if (node >= 0)
    dojo::objdump::dumpMap(image, node, std::cout);
  return std::cout.flush() ? 0 : 1;
}
