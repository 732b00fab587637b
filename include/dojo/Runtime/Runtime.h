// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs an image on the emulated die: load, describe, set inputs, run, get outputs, read counters.
// The runtime copies bytes; it never computes on elements.
#ifndef DOJO_RUNTIME_RUNTIME_H
#define DOJO_RUNTIME_RUNTIME_H

#include "dojo/Emulator/Session.h"
#include "dojo/Image/Image.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dojo {

class Runtime {
public:
  enum class Status { Ok, BadInput, Fault, Reported };

  /// Loads an image file. Null with \p error if the file is bad or the emulator does not model its
  /// target.
  static std::unique_ptr<Runtime> load(const std::string &path, std::string &error);
  /// As load, from an image in memory, which must be sound (image::validate).
  static std::unique_ptr<Runtime> create(image::Image image, std::string &error);

  /// Where the host's time went in load or create.
  struct Loading {
    double seconds = 0;      ///< reading, checking, decoding, declaring; not placing
    double placeSeconds = 0; ///< placing data
    uint64_t placedBytes = 0;
  };
  const Loading &loading() const { return loadTimes; }

  /// Inputs, outputs, layers and everything else the image says about itself.
  const image::Image &image() const { return program; }

  /// Copies an input's elements, row-major; they are placed at the start of every run. False with
  /// \p error if there is no such input or it has another number of bytes.
  [[nodiscard]] bool setInput(const std::string &name, std::span<const uint8_t> bytes,
                              std::string &error);

  /// A watchdog that no sound run reaches: 20 million cycles and 100 times the layers' estimates.
  /// Where data decide how often layers run, at least 2 billion: a second of the die.
  uint64_t watchdog() const;

  /// Places the inputs and runs to the end. BadInput if an input was never set; Fault if the
  /// machine stopped, with its place and, where known, the ONNX nodes in \p error; Reported if it
  /// came to its end, but checks that the options ask for have reports, then in \p error, a blank
  /// line between two. May be called again: the same inputs give the same bytes and cycles.
  [[nodiscard]] Status run(const emu::RunOptions &options, std::string &error);

  /// The same in pieces: start or resume, then session() as far as wanted, then finish. What start
  /// and finish return is run's part of it; a run that has not ended may be finished, too. BadInput
  /// if none is under way.
  [[nodiscard]] bool start(const emu::RunOptions &options, std::string &error);
  /// The run under way, until the next start, resume or finish; null if there is none.
  emu::Session *session() { return live.get(); }
  [[nodiscard]] Status finish(std::string &error);

  /// Writes the state of the run under way to a file, which appears whole or not at all. False with
  /// \p error if it cannot be written, or the state cannot be saved (Session::save).
  [[nodiscard]] bool saveSnapshot(const std::string &path, std::string &error);
  /// Goes on with a run that was saved of the same image; inputs set here count for later runs. See
  /// Session::resume for the options. False with \p error if the file is no such snapshot.
  [[nodiscard]] bool resume(const std::string &path, const emu::RunOptions &options,
                            std::string &error);

  /// Elements of an output after a run, row-major.
  [[nodiscard]] bool getOutput(const std::string &name, std::vector<uint8_t> &bytes,
                               std::string &error) const;
  /// Gathers any tensor of the image from where its boxes say it is now.
  [[nodiscard]] bool readTensor(const image::TensorRef &tensor, std::vector<uint8_t> &bytes,
                                std::string &error) const;

  /// A box of a tensor as one node held it when its layer ended there.
  struct CapturedBox {
    int64_t node = 0;
    const image::Box *box = nullptr;
    std::vector<uint8_t> bytes; ///< its elements, row-major; empty: the node did not get so far
  };

  /// Every run from now on copies the results of layers, given as indices into image().tensors,
  /// from each node that holds a part, at the end of the layer on that node: before a byte is sent
  /// on or used again. Replaces what was asked for before; an empty list ends it. Takes host time
  /// and memory only: outputs, counters and cycles of a run stay as they are. False with \p error
  /// if one is not a layer's result or the image does not say where its layer ends.
  [[nodiscard]] bool captureTensors(std::span<const uint32_t> tensors, std::string &error);

  /// What the last run captured of a tensor: each of its boxes, in their order, on each node that
  /// holds it. After a fault there are boxes without bytes. Empty for a tensor not asked for.
  std::span<const CapturedBox> captured(uint32_t tensor) const;

  /// All elements of a captured tensor, row-major in its physical shape; those that the image
  /// places nowhere are zero. False with \p error if the tensor was not asked for or a part of it
  /// is missing.
  [[nodiscard]] bool getCaptured(uint32_t tensor, std::vector<uint8_t> &bytes,
                                 std::string &error) const;

  /// Of the last run.
  const emu::Counters &counters() const { return last; }
  /// Why the last run stopped, if it did not come to its end.
  const std::optional<emu::Fault> &fault() const { return lastFault; }
  /// What the checks of the last run found, also if it did not come to its end.
  const emu::CheckResult &checks() const { return lastChecks; }
  /// A report of theirs in words, with the ONNX nodes.
  std::string describe(const emu::CheckReport &report) const;
  /// Cycles of each layer of the last run: its end less that of the layer before, the end of a
  /// layer being the latest completion of an instruction of it or of an earlier layer, the last
  /// layer's the end of the run. They sum to counters().cycles. Empty if timing was off. Of layers
  /// that a loop runs again the last time counts: the times before are part of the first of them.
  std::vector<uint64_t> layerCycles() const;
  /// Busiest node's matrix and SIMD operations over the mean of the nodes that had any; 1 if none.
  double busiestOverMean(size_t layer) const;
  /// model_macs / (cycles x multiply-adds a cycle x usable nodes of the target). 0 without cycles.
  double utilization() const;

  /// For captures and memory inspection.
  emu::Machine &machine() { return *die; }

private:
  explicit Runtime(image::Image image) : program(std::move(image)) {}
  bool place(std::string &error);
  bool placeData(std::string &error);
  bool declareSegments(std::string &error);
  void forgetCaptures();
  bool imageSum(uint64_t &out, std::string &error);
  std::string describeLayer(int32_t layer) const;
  std::vector<emu::OutputBytes> outputBytes() const;

  image::Image program;
  Loading loadTimes;
  std::optional<uint64_t> sum; // of the image's file form
  std::unique_ptr<emu::Machine> die;
  std::unique_ptr<emu::Session> live;
  std::map<std::string, std::vector<uint8_t>> inputs;
  std::map<uint32_t, std::vector<CapturedBox>> captures; // by tensor
  emu::Counters last;
  std::optional<emu::Fault> lastFault;
  emu::CheckResult lastChecks;
  bool timed = false;
};

} // namespace dojo

#endif
