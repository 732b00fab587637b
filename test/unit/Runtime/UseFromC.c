/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A C program's view of the interface: everything in it, once. */
#include "dojo-c/dojo.h"

#include <string.h>

int useFromC(const char *path, const float *x, float *y);

int useFromC(const char *path, const float *x, float *y) {
  dojo_runtime *runtime = NULL;
  dojo_status status = dojo_load(path, &runtime);
  if (status != DOJO_OK)
    return status;

  dojo_tensor_info in, out;
  int good = dojo_num_inputs(runtime) == 2 && dojo_num_outputs(runtime) == 2 &&
             dojo_input_info(runtime, 0, &in) == DOJO_OK &&
             dojo_output_info(runtime, 0, &out) == DOJO_OK && strcmp(in.name, "x") == 0 &&
             strcmp(in.type, "f32") == 0 && in.rank == 2 && in.shape[1] == 16 && in.bytes == 128 &&
             strcmp(dojo_target_name(runtime), "d1") == 0;

  int64_t k = 5, n = 0;
  dojo_run_options options = dojo_default_run_options();
  options.threads = 2;
  dojo_counters counters;
  good = good && dojo_set_input(runtime, in.name, x, in.bytes) == DOJO_OK &&
         dojo_set_input(runtime, "k", &k, sizeof k) == DOJO_OK &&
         dojo_run(runtime, &options) == DOJO_OK &&
         dojo_get_output(runtime, out.name, y, out.bytes) == DOJO_OK &&
         dojo_get_output(runtime, "n", &n, sizeof n) == DOJO_OK && n == 5 &&
         dojo_get_counters(runtime, &counters) == DOJO_OK && counters.cycles > 0 &&
         counters.instructions == 16 && counters.nodes_used == 2;
  dojo_free(runtime);
  return good ? 0 : -1;
}
