/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C interface of the runtime: load an image, describe it, set inputs, run, get outputs, read
 * counters. One runtime must not be used by two threads at once; different runtimes may.
 *
 * Functions that can fail return a status; dojo_last_error() then has one line of text. Pointers
 * in dojo_tensor_info and the text of a target live as long as the runtime.
 */
#ifndef DOJO_C_DOJO_H
#define DOJO_C_DOJO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define DOJO_API
#else
#define DOJO_API __attribute__((visibility("default")))
#endif

/* The same numbers as the tools' exit statuses. */
typedef enum dojo_status {
  DOJO_OK = 0,
  DOJO_BAD_ARGUMENT = 1, /* a null pointer, an index or a name that does not exist */
  DOJO_BAD_IMAGE = 3,    /* a bad image file, or an input that is missing or of the wrong size */
  DOJO_FAULT = 4         /* the machine stopped */
} dojo_status;

typedef struct dojo_runtime dojo_runtime;

typedef struct dojo_tensor_info {
  const char *name;
  const char *type; /* "f32", "bf16", "i64", "bool", ... */
  size_t rank;
  const int64_t *shape;
  size_t bytes; /* of all elements, row-major */
} dojo_tensor_info;

/* Start from dojo_default_run_options(). */
typedef struct dojo_run_options {
  unsigned threads; /* of the host; any number gives the same results */
  int timing;       /* 0: function only, no cycles */
  int use_jitter;   /* delay trains and thread starts at random, by jitter_seed */
  uint64_t jitter_seed;
  uint64_t watchdog; /* cycles, or with timing off instructions of a thread; 0: by the image's
                        estimates */
} dojo_run_options;

typedef struct dojo_counters {
  uint64_t cycles; /* 0 with timing off */
  uint64_t instructions;
  uint64_t matmul_steps;
  uint64_t packets;
  uint64_t link_bytes;
  uint64_t nodes_used;
  uint64_t model_macs;
  double utilization;
} dojo_counters;

/* The text of the last failure in this thread; "" if there was none. */
DOJO_API const char *dojo_last_error(void);

DOJO_API dojo_status dojo_load(const char *path, dojo_runtime **runtime);
/* Null is allowed. */
DOJO_API void dojo_free(dojo_runtime *runtime);

DOJO_API size_t dojo_num_inputs(const dojo_runtime *runtime);
DOJO_API size_t dojo_num_outputs(const dojo_runtime *runtime);
DOJO_API dojo_status dojo_input_info(const dojo_runtime *runtime, size_t index,
                                     dojo_tensor_info *info);
DOJO_API dojo_status dojo_output_info(const dojo_runtime *runtime, size_t index,
                                      dojo_tensor_info *info);
/* The name of the target, e.g. "d1". */
DOJO_API const char *dojo_target_name(const dojo_runtime *runtime);

/* Copies the elements. An input stays set for all runs that follow. */
DOJO_API dojo_status dojo_set_input(dojo_runtime *runtime, const char *name, const void *data,
                                    size_t bytes);
DOJO_API dojo_run_options dojo_default_run_options(void);
/* Options may be null: the defaults. */
DOJO_API dojo_status dojo_run(dojo_runtime *runtime, const dojo_run_options *options);
/* Copies the elements; bytes must be those of the output. */
DOJO_API dojo_status dojo_get_output(const dojo_runtime *runtime, const char *name, void *data,
                                     size_t bytes);
/* Of the last run. */
DOJO_API dojo_status dojo_get_counters(const dojo_runtime *runtime, dojo_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
