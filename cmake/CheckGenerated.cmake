# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -DGENERATED=... -DPAGE=... -P CheckGenerated.cmake: fails if a page in the tree is not what
# its generator makes now.
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${GENERATED} ${PAGE}
                RESULT_VARIABLE differs ERROR_QUIET)
if(differs)
  message(FATAL_ERROR "${PAGE} is out of date; `ninja update-docs` in the build folder renews it")
endif()
