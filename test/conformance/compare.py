# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares outputs with expected ones."""
import ml_dtypes
import numpy as np

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
    """Why the output is wrong, or nothing. Integers are compared exactly, floats by
    |got - want| <= atol + rtol * |want|, in narrow types or within 4 ulp; NaN equals NaN."""
    if got.dtype.kind == "V" and got.dtype.itemsize == want.dtype.itemsize:
        got = got.view(want.dtype)
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}"
    if want.dtype.kind in "biu" or want.dtype.name.startswith(("int", "uint")):
        wrong = got != want
    else:
        g, w = got.astype(np.float64), want.astype(np.float64)
        with np.errstate(all="ignore"):
            allowed = np.zeros(w.shape) if exact else atol + rtol * np.abs(w)
            if is_narrow(want.dtype) and not exact:
                allowed = np.maximum(allowed, ULPS * ulp(np.where(np.isfinite(w), w, 0), want.dtype))
            same = (g == w) | (np.isnan(g) & np.isnan(w))
            wrong = ~(same | (np.isfinite(g) & np.isfinite(w) & (np.abs(g - w) <= allowed)))
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0]) if want.ndim else ()
    return (f"{np.count_nonzero(wrong)} of {want.size} values differ, the first at {list(at)}: "
            f"{got[at]} instead of {want[at]}")
