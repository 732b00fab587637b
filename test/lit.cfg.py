# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os

import lit.formats
from lit.llvm import llvm_config

config.name = "dojo"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".s", ".td"]
config.excludes = ["Inputs", "fuzz", "models", "timing", "unit", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.dojo_obj_root, "test")
config.environment["PYTHONPATH"] = config.test_source_root
config.substitutions.append(("%python", config.python))
# Turns the text of an ONNX model in a test into a file: %onnx TEXT OUT.onnx
config.substitutions.append(("%onnx", config.venv_python + " " + os.path.join(
    config.test_source_root, "Import", "ONNX", "Inputs", "to_onnx.py")))
config.substitutions.append(("%source_root", os.path.dirname(config.test_source_root)))
config.substitutions.append(("%mlir_libs", config.llvm_lib_dir))
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.dojo_tools_dir, append_path=True)
llvm_config.add_tool_substitutions(
    ["FileCheck", "not", "count", "split-file", "mlir-opt", "mlir-runner"],
    [config.llvm_tools_dir])
