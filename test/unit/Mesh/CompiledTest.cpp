// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled images against what the compiler meant: changes that leave an image sound in itself are
// found by the comparison, changes of routes by walking them.

#include "dojo/Conversion/ImageWriter.h"
#include "dojo/ISA/ISA.h"
#include "dojo/Pipelines/Pipelines.h"
#include "dojo/Pipelines/Registration.h"
#include "dojo/Verify/Verify.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <functional>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::dojo;
using ::dojo::isa::Descriptor;
using ::dojo::verify::Check;
using ::dojo::verify::Report;
using ::dojo::verify::Verdict;
namespace isa = ::dojo::isa;
namespace image = ::dojo::image;

namespace {

// Differences, and then a transpose, which sends from every node to every other.
constexpr const char *model = R"mlir(
#id = affine_map<(i, j) -> (i, j)>
#swap = affine_map<(i, j) -> (j, i)>
func.func @main(%x: tensor<24x24xf32>) -> tensor<24x24xf32> {
  %d = dojo.layer "difference" ins(%x : tensor<24x24xf32>) -> tensor<24x24xf32> {
  ^bb0(%in: tensor<24x24xf32>):
    %e = tensor.empty() : tensor<24x24xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<24x24xf32>) outs(%e : tensor<24x24xf32>) {
    ^bb0(%l: f32, %o: f32):
      %c = arith.constant 2.0 : f32
      %0 = arith.subf %l, %c : f32
      linalg.yield %0 : f32
    } -> tensor<24x24xf32>
    dojo.yield %r : tensor<24x24xf32>
  }
  %t = dojo.layer "transpose" ins(%d : tensor<24x24xf32>) -> tensor<24x24xf32> {
  ^bb0(%in: tensor<24x24xf32>):
    %e = tensor.empty() : tensor<24x24xf32>
    %r = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
        ins(%in : tensor<24x24xf32>) outs(%e : tensor<24x24xf32>) {
    ^bb0(%l: f32, %o: f32):
      %0 = arith.addf %l, %l : f32
      linalg.yield %0 : f32
    } -> tensor<24x24xf32>
    dojo.yield %r : tensor<24x24xf32>
  }
  return %t : tensor<24x24xf32>
}
)mlir";

/// An image for three rows of three nodes; the one in the middle is dead and its router silent.
/// A barrier stands between the layers.
struct Compiled {
  image::Image image;
  ::dojo::verify::Intent intent;
  std::vector<uint8_t> code, data; ///< the image's, to be changed

  Compiled() {
    DialectRegistry registry;
    registerDialects(registry);
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(model, &context);
    PipelineOptions options;
    options.target = DOJO_SILENT_TARGET;
    options.nodes = "3x3";
    options.dead.push_back("1:1");
    options.optLevel = 0;
    PassManager passes(&context);
    for (Level level : {Level::Placed, Level::Mesh, Level::D1})
      addPassesTo(level, passes, options);
    if (!module || failed(passes.run(*module)) || failed(buildImage(*module, image, &intent))) {
      ADD_FAILURE() << "does not compile";
      return;
    }
    code.assign(image.code.begin(), image.code.end());
    data.assign(image.data.begin(), image.data.end());
    image.code = code;
    image.data = data;
  }
  Compiled(const Compiled &) = delete;

  Report check() const {
    Report report;
    ::dojo::verify::verifyCompiled(image, intent, report);
    return report;
  }
  Report checkImageAlone() const {
    Report report;
    ::dojo::verify::verifyImage(image, report);
    return report;
  }

  uint8_t *at(int64_t node, uint32_t address) {
    for (const image::Load &load : image.loads) {
      const image::Blob &blob = image.blobs[load.blob];
      if (image.nodeSets[load.nodeSet].contains(node) && load.address <= address &&
          address < load.address + blob.bytes)
        return (blob.code ? code : data).data() + blob.offset + (address - load.address);
    }
    return nullptr;
  }

  /// Calls `fn` with each descriptor of each node's list until it returns true, then writes the
  /// changed descriptor. False if it never does.
  bool change(const std::function<bool(int64_t node, Descriptor &)> &fn) {
    for (int64_t node : image.target.usableNodes()) {
      isa::Inst list;
      uint8_t *text = at(node, uint32_t(image.entries[0].pc[2]));
      if (!text || !isa::decode(text, 8, list) || list.op != isa::Opcode::LIST)
        return false;
      for (auto address = uint32_t(list.f[0]);; address += Descriptor::bytes) {
        Descriptor d;
        uint8_t *bytes = at(node, address);
        if (!bytes || !Descriptor::decode(bytes, d, nullptr) || d.kind == Descriptor::Kind::End)
          break;
        if (!fn(node, d))
          continue;
        d.encode(bytes);
        return true;
      }
    }
    return false;
  }
};

bool isRouted(const Descriptor &d) { return d.route != Descriptor::rowThenColumn; }

void expectFound(const Report &report, Check by, const std::string &text) {
  EXPECT_EQ(report.verdict(by), Verdict::Error) << report.toString();
  EXPECT_NE(report.toString().find(text), std::string::npos) << report.toString();
}

TEST(Compiled, IsAccepted) {
  Compiled c;
  Report report = c.check();
  EXPECT_EQ(report.verdict(), Verdict::Accept) << report.toString();
  EXPECT_EQ(c.intent.transfers.size(), report.statistics.transfers);
  EXPECT_GT(c.intent.listings.size(), 3u);
  EXPECT_FALSE(c.image.routes.empty());
}

TEST(Compiled, SignalsTakeRoutesToo) {
  Compiled c;
  auto routedSignal = [](int64_t, Descriptor &d) {
    return d.kind == Descriptor::Kind::Signal && isRouted(d);
  };
  EXPECT_TRUE(c.change(routedSignal));
}

TEST(Compiled, OtherInstruction) {
  // A sum in place of a difference: a sound image that computes something else.
  Compiled c;
  bool changed = false;
  for (const image::Blob &blob : c.image.blobs)
    for (uint64_t i = 0; blob.code && i < blob.bytes && !changed;) {
      isa::Inst inst;
      uint8_t *bytes = c.code.data() + blob.offset + i;
      ASSERT_TRUE(isa::decode(bytes, blob.bytes - i, inst));
      std::string line = isa::disassemble(inst, 0);
      if (size_t place = line.find("vfsub"); place == 0) {
        isa::Inst other;
        std::vector<uint8_t> encoded;
        std::string error;
        ASSERT_TRUE(isa::parseInst(line.replace(0, 5, "vfadd"), 0, {}, other, &error)) << error;
        ASSERT_TRUE(isa::encode(other, encoded, &error)) << error;
        ASSERT_EQ(encoded.size(), inst.bytes);
        std::copy(encoded.begin(), encoded.end(), bytes);
        changed = true;
      }
      i += inst.bytes;
    }
  ASSERT_TRUE(changed);
  EXPECT_EQ(c.checkImageAlone().verdict(), Verdict::Accept);
  expectFound(c.check(), Check::Instructions, "was emitted");
}

TEST(Compiled, OtherBytesSent) {
  // One push sends the run below: written by the same kernel, so the image is sound.
  Compiled c;
  uint32_t first = UINT32_MAX;
  int64_t owner = -1;
  ASSERT_TRUE(c.change([&](int64_t node, Descriptor &d) {
    if (d.kind != Descriptor::Kind::Push || d.multicast || d.node == node)
      return false;
    if (owner != node)
      owner = node, first = d.localAddress;
    std::swap(first, d.localAddress);
    return first != d.localAddress;
  }));
  EXPECT_EQ(c.check().count(Check::Transfers), 2u);
  expectFound(c.check(), Check::Transfers, "was not planned");
  expectFound(c.check(), Check::Transfers, "was planned to send");
}

TEST(Compiled, WithoutCertificate) {
  for (const char *key : {"numbers", "cycle_free"}) {
    Compiled c;
    c.image.certificate.erase(key);
    EXPECT_EQ(c.checkImageAlone().verdict(), Verdict::Accept);
    expectFound(c.check(), Check::Transfers,
                std::string("the certificate of the routes has no \"") + key + "\"");
  }
}

TEST(Compiled, CertificateOfOtherRoutes) {
  Compiled c;
  auto &numbers = c.image.certificate["numbers"];
  std::vector<int32_t> values = numbers.get<std::vector<int32_t>>();
  for (int32_t &value : values)
    value = value < 0 ? value : int32_t(values.size()) - value;
  numbers = values;
  expectFound(c.check(), Check::Transfers, "the certificate does not hold");
}

TEST(Compiled, RouteAcrossTheSilentRouter) {
  Compiled c;
  ASSERT_TRUE(c.change([](int64_t, Descriptor &d) {
    return isRouted(d) && (d.route = Descriptor::rowThenColumn, true);
  }));
  expectFound(c.check(), Check::Transfers, "which does not forward");
}

TEST(Compiled, RouteTooShort) {
  Compiled c;
  c.image.routes[0].pop_back();
  expectFound(c.check(), Check::Transfers, "names route 0, which ends at");
}

TEST(Compiled, SendToSomeoneElse) {
  // The one waits for an arrival more than comes, the other for one less.
  Compiled c;
  ASSERT_TRUE(c.change([](int64_t node, Descriptor &d) {
    if (d.kind != Descriptor::Kind::Push || d.multicast || d.node == node || isRouted(d))
      return false;
    d.node = d.node == 0 || node == 0 ? 40 : 0;
    return d.node != node;
  }));
  expectFound(c.checkImageAlone(), Check::Transfers, "are waited for");
}

TEST(Compiled, ArrivalUnannounced) {
  Compiled c;
  ASSERT_TRUE(c.change([](int64_t node, Descriptor &d) {
    if (d.kind != Descriptor::Kind::Push || d.multicast || d.node == node)
      return false;
    d.hasFarSemaphore = false;
    return true;
  }));
  expectFound(c.checkImageAlone(), Check::Transfers, "its arrival is announced to nobody");
}

} // namespace
