// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Programs.h"

#include "dojo/Assembler/Assembler.h"

#include <cstdio>
#include <cstdlib>

namespace dojo::bench {
namespace {

image::Image assembled(const std::string &body) {
  std::string source = ".target d1\n.node all\n.org 0x100000\n.thread 0\n" + body;
  image::Image image;
  std::vector<assembler::Error> errors;
  if (!assembler::assemble(source, image, errors)) {
    for (const assembler::Error &e : errors)
      std::fprintf(stderr, "dojo-bench: line %u: %s\n", e.line, e.message.c_str());
    std::abort(); // the text above is part of this program
  }
  return image;
}

} // namespace

image::Image fusedLoop() {
  std::string text = "li x9, 24\nouter: li x1, 0\nli x2, 0x4000\nli x3, 64\n"
                     "vld v0, (x1)+64, w32, m0\nvld v1, (x1)+64, w32, m0\n"
                     "next:\n";
  for (int b = 0; b < 4; ++b)
    text += "vld v" + std::to_string(4 + b) + ", (x2)+64, w32, m0\n";
  for (int b = 0; b < 4; ++b)
    for (int a = 0; a < 2; ++a)
      text += "mm acc" + std::to_string(2 * b + a) + ", v" + std::to_string(a) + ", v" +
              std::to_string(4 + b) + ", 0, bf16\n";
  text += "vld v0, (x1)+64, w32, m0\nvld v1, (x1)+64, w32, m0\n"
          "loop x3, next\nloop x9, outer\nhalt\n";
  return assembled(text);
}

image::Image mixedCode() {
  return assembled(R"(
        li x9, 40
        li.s x6, 3
outer:  li x1, 0
        li x2, 0x8000
        li x3, 64
next:   vld v0, (x1)+64, w32, m0
        vld v1, 64(x1), w32, m0
        mm acc0, v0, v1, 0, bf16
        addi x4, x4, 1
        mm acc1, v2, v1, 0, bf16
        vfadd v8, v8, v9
        mm acc2, v3, v1, 0, bf16
        add x5, x4, x6
        mm acc3, v4, v1, 0, bf16
        vld v2, 128(x1), w32, m0
        mm acc4, v0, v5, 0, bf16
        vfmax v10, v8, v11
        mm acc5, v2, v5, 0, bf16
        vld v3, 192(x1), w32, m0
        mm acc6, v3, v5, 0, bf16
        vfma v12, v8, v9, v12
        mm acc7, v4, v5, 0, bf16
        vld v4, 256(x1), bf16, m0
        sub x7, x5, x4
        mm.vm acc0, v0, 320(x1), 0, bf16
        vst v10, (x2)+64, w32, m0
        vfmul.x v13, v13, x6
        andi x8, x7, 255
        slli x8, x8, 1
        loop x3, next
        loop x9, outer
        halt
)");
}

} // namespace dojo::bench
