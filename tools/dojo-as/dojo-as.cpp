// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dojo-as: assembly to image. Status 0 ok, 1 usage or unwritable output, 2 the source is wrong.

#include "dojo/Assembler/Assembler.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

const char *const usage = "usage: dojo-as FILE.s -o OUT.d1\n"
                          "  FILE.s   assembly (docs/assembly.md), - for standard input\n";

bool readSource(const std::string &path, std::string &text) {
  if (path == "-") {
    char buffer[65536];
    while (size_t count = fread(buffer, 1, sizeof(buffer), stdin))
      text.append(buffer, count);
    return !ferror(stdin);
  }
  std::ifstream file(path, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(file), {});
  return file.good() || file.eof();
}

} // namespace

int main(int argc, char **argv) {
  std::string source, output;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      fputs(usage, stdout);
      return 0;
    }
    bool isOption = argument.size() > 1 && argument[0] == '-';
    if (argument == "-o" && i + 1 < argc && output.empty())
      output = argv[++i];
    else if (!isOption && source.empty())
      source = argument;
    else {
      fprintf(stderr, "dojo-as: unexpected argument '%s'\n%s", argument.c_str(), usage);
      return 1;
    }
  }
  if (source.empty() || output.empty()) {
    fputs(usage, stderr);
    return 1;
  }

  std::string text, error;
  if (!readSource(source, text)) {
    fprintf(stderr, "dojo-as: cannot read %s: %s\n", source.c_str(), strerror(errno));
    return 2;
  }
  dojo::image::Image image;
  std::vector<dojo::assembler::Error> errors;
  if (!dojo::assembler::assemble(text, image, errors)) {
    for (const auto &e : errors) {
      if (e.line)
        fprintf(stderr, "%s:%u: error: %s\n", source.c_str(), e.line, e.message.c_str());
      else
        fprintf(stderr, "%s: error: %s\n", source.c_str(), e.message.c_str());
    }
    return 2;
  }
  if (!dojo::image::writeImage(image, output, error)) {
    fprintf(stderr, "dojo-as: %s\n", error.c_str());
    return 1;
  }
  return 0;
}
