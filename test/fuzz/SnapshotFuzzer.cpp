// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer target of saved runs: any bytes are a state of snapshot.s to go on from, or an error.
// Sums and sizes are made to fit first: they would hide what lies behind them.
#include "dojo/Assembler/Assembler.h"
#include "dojo/Runtime/Runtime.h"
#include "runtime/image/Format.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

using namespace dojo;

namespace {

constexpr size_t headerBytes = 32, sumBytes = 8; // runtime/api/Snapshot.cpp

[[noreturn]] void stop(const std::string &error) {
  std::fprintf(stderr, "snapshot-fuzzer: error: %s\n", error.c_str());
  std::abort();
}

// An open file without a name.
class File {
public:
  File() : file(memfd_create("snapshot", 0)), path("/proc/self/fd/" + std::to_string(file)) {}
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File() { close(file); }
  void write(const std::vector<uint8_t> &bytes) {
    if (ftruncate(file, 0) != 0 ||
        pwrite(file, bytes.data(), bytes.size(), 0) != ssize_t(bytes.size()))
      stop("cannot write a file in memory");
  }

  const int file;
  const std::string path;
};

struct Program {
  std::unique_ptr<Runtime> runtime;
  uint64_t imageSum = 0;

  Program() {
    std::ifstream file(DOJO_FUZZ_PROGRAM);
    std::string text((std::istreambuf_iterator<char>(file)), {}), error;
    image::Image image;
    std::vector<assembler::Error> errors;
    if (!assembler::assemble(text, image, errors))
      stop(errors.front().message);
    std::vector<uint8_t> bytes;
    if (!image::serialize(image, bytes, error))
      stop(error);
    imageSum = image::checksum(bytes);
    runtime = Runtime::create(std::move(image), error);
    if (!runtime)
      stop(error);
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Program program;
  static File file;
  std::vector<uint8_t> bytes(data, data + size);
  if (size >= headerBytes + sumBytes) {
    uint64_t state = size - headerBytes - sumBytes;
    std::memcpy(&bytes[16], &program.imageSum, 8);
    std::memcpy(&bytes[24], &state, 8);
    uint64_t sum = image::checksum(std::span(bytes).first(size - sumBytes));
    std::memcpy(&bytes[size - sumBytes], &sum, sumBytes);
  }
  file.write(bytes);

  Runtime &runtime = *program.runtime;
  emu::RunOptions options;
  options.threads = 1;
  options.engine = size % 2 ? emu::Engine::Fast : emu::Engine::Plain;
  options.watchdog = 1'000'000;
  std::string error;
  if (!runtime.resume(file.path, options, error)) {
    if (error.empty() || runtime.session())
      std::abort();
    return 0;
  }
  // It goes on, by a number of cycles that no state can make long, and can be saved.
  emu::Session &session = *runtime.session();
  if (session.advanceTo(session.now() + 5'000)) {
    std::vector<uint8_t> saved;
    if (!session.save(saved, error))
      std::abort();
  }
  if (runtime.finish(error) == Runtime::Status::BadInput)
    std::abort();
  return 0;
}
