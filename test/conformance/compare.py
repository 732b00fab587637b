# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares outputs with expected ones."""
import sys
from pathlib import Path

import ml_dtypes
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "Import" / "ONNX"))
import differences  # noqa: E402

ULPS = 4  # allowed in types narrower than float


def is_narrow(dtype: np.dtype) -> bool:
    """float16, bfloat16 or one of the float8 and float4 types."""
    return dtype == np.float16 or dtype.name.startswith(("bfloat", "float8", "float4", "float6"))


def ulp(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The distance to the next value of the type, of finite `values` in float64."""
    info = ml_dtypes.finfo(dtype)
    size = np.abs(values)
    exponent = np.floor(np.log2(np.where(size > 0, size, 1)))
    least = float(info.smallest_subnormal)
    return np.maximum(np.where(size > 0, np.exp2(exponent) * float(info.eps), least), least)


def difference(got: np.ndarray, want: np.ndarray, rtol: float, atol: float, exact: bool) -> str:
    """Why the output is wrong, or nothing: |got - want| <= atol + rtol * |want| for floats, in narrow
    types or within 4 ulp."""
    def allowed(w):
        bound = atol + rtol * np.abs(w)
        return np.maximum(bound, ULPS * ulp(w, want.dtype)) if is_narrow(want.dtype) else bound

    return differences.difference(got, want, None if exact else allowed)
