// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface: a thin layer over Runtime. No exception leaves it.
#include "dojo-c/dojo.h"

#include "dojo/Runtime/Runtime.h"

#include <cstring>
#include <exception>

struct dojo_runtime {
  std::unique_ptr<dojo::Runtime> runtime;
};

namespace {

thread_local std::string lastError;

dojo_status fail(dojo_status status, std::string text) {
  lastError = std::move(text);
  return status;
}

// Runs a body that may throw (memory can run out).
template <class F> dojo_status guarded(F body) {
  try {
    return body();
  } catch (const std::exception &e) {
    return fail(DOJO_BAD_IMAGE, e.what());
  }
}

dojo_status describe(const std::vector<dojo::image::TensorRef> &list, size_t index,
                     dojo_tensor_info *info) {
  if (!info || index >= list.size())
    return fail(DOJO_BAD_ARGUMENT, "there is no tensor with this index");
  const dojo::image::TensorRef &t = list[index];
  *info = {t.name.c_str(), t.type.c_str(), t.shape.size(), t.shape.data(),
           size_t(dojo::image::tensorBytes(t))};
  return DOJO_OK;
}

} // namespace

const char *dojo_last_error(void) { return lastError.c_str(); }

dojo_status dojo_load(const char *path, dojo_runtime **runtime) {
  if (!path || !runtime)
    return fail(DOJO_BAD_ARGUMENT, "dojo_load: a null pointer");
  *runtime = nullptr;
  return guarded([&] {
    std::string error;
    std::unique_ptr<dojo::Runtime> loaded = dojo::Runtime::load(path, error);
    if (!loaded)
      return fail(DOJO_BAD_IMAGE, error);
    *runtime = new dojo_runtime{std::move(loaded)};
    return DOJO_OK;
  });
}

void dojo_free(dojo_runtime *runtime) { delete runtime; }

size_t dojo_num_inputs(const dojo_runtime *runtime) {
  return runtime ? runtime->runtime->image().inputs.size() : 0;
}

size_t dojo_num_outputs(const dojo_runtime *runtime) {
  return runtime ? runtime->runtime->image().outputs.size() : 0;
}

dojo_status dojo_input_info(const dojo_runtime *runtime, size_t index, dojo_tensor_info *info) {
  if (!runtime)
    return fail(DOJO_BAD_ARGUMENT, "dojo_input_info: a null pointer");
  return describe(runtime->runtime->image().inputs, index, info);
}

dojo_status dojo_output_info(const dojo_runtime *runtime, size_t index, dojo_tensor_info *info) {
  if (!runtime)
    return fail(DOJO_BAD_ARGUMENT, "dojo_output_info: a null pointer");
  return describe(runtime->runtime->image().outputs, index, info);
}

const char *dojo_target_name(const dojo_runtime *runtime) {
  return runtime ? runtime->runtime->image().target.name.c_str() : "";
}

dojo_status dojo_set_input(dojo_runtime *runtime, const char *name, const void *data,
                           size_t bytes) {
  if (!runtime || !name || (!data && bytes))
    return fail(DOJO_BAD_ARGUMENT, "dojo_set_input: a null pointer");
  return guarded([&] {
    std::string error;
    std::span<const uint8_t> elements(static_cast<const uint8_t *>(data), bytes);
    return runtime->runtime->setInput(name, elements, error) ? DOJO_OK
                                                             : fail(DOJO_BAD_IMAGE, error);
  });
}

dojo_run_options dojo_default_run_options(void) { return {1, 1, 0, 0, 0}; }

dojo_status dojo_run(dojo_runtime *runtime, const dojo_run_options *options) {
  if (!runtime)
    return fail(DOJO_BAD_ARGUMENT, "dojo_run: a null pointer");
  return guarded([&] {
    dojo::emu::RunOptions run;
    if (options) {
      run.threads = options->threads ? options->threads : 1;
      run.timing = options->timing != 0;
      if (options->use_jitter)
        run.jitterSeed = options->jitter_seed;
    }
    run.watchdog = options && options->watchdog ? options->watchdog : runtime->runtime->watchdog();
    std::string error;
    switch (runtime->runtime->run(run, error)) {
    case dojo::Runtime::Status::Ok:
      return DOJO_OK;
    case dojo::Runtime::Status::BadInput:
      return fail(DOJO_BAD_IMAGE, error);
    case dojo::Runtime::Status::Fault:
    case dojo::Runtime::Status::Reported: // no option asks for checks
      break;
    }
    return fail(DOJO_FAULT, error);
  });
}

dojo_status dojo_get_output(const dojo_runtime *runtime, const char *name, void *data,
                            size_t bytes) {
  if (!runtime || !name || (!data && bytes))
    return fail(DOJO_BAD_ARGUMENT, "dojo_get_output: a null pointer");
  return guarded([&] {
    std::string error;
    std::vector<uint8_t> elements;
    if (!runtime->runtime->getOutput(name, elements, error))
      return fail(DOJO_BAD_ARGUMENT, error);
    if (elements.size() != bytes)
      return fail(DOJO_BAD_ARGUMENT, "output \"" + std::string(name) + "\" has " +
                                         std::to_string(elements.size()) + " bytes, not " +
                                         std::to_string(bytes));
    if (bytes)
      std::memcpy(data, elements.data(), bytes);
    return DOJO_OK;
  });
}

dojo_status dojo_get_counters(const dojo_runtime *runtime, dojo_counters *counters) {
  if (!runtime || !counters)
    return fail(DOJO_BAD_ARGUMENT, "dojo_get_counters: a null pointer");
  const dojo::Runtime &r = *runtime->runtime;
  const dojo::emu::Counters &c = r.counters();
  auto packetBytes = uint64_t(r.image().target.packetBytes);
  *counters = {
      c.cycles,    c.instructions,      c.matrixSteps,  c.packets, c.linkPackets * packetBytes,
      c.nodesUsed, r.image().modelMacs, r.utilization()};
  return DOJO_OK;
}
