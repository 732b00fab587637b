# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How an output differs from what is expected, for all tests that compare element by element."""
import numpy as np


def as_written(got: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was read from a file in the type of `want`, if .npy files have no name for that."""
    if got.dtype.kind == "V" and got.dtype.itemsize == want.dtype.itemsize:
        got = got.view(want.dtype)
    return got, want


def is_integer(dtype: np.dtype) -> bool:
    """Booleans and the integers of ml_dtypes too."""
    return dtype.kind in "biu" or dtype.name.startswith(("int", "uint"))


def difference(got: np.ndarray, want: np.ndarray, allowed) -> str:
    """Why the output is wrong, or nothing. Integers must be equal; floats may differ by `allowed(w)`,
    where w are the expected values as float64, those that are not finite as 0; by nothing if it is
    None. NaN equals NaN, infinities must be equal."""
    got, want = as_written(got, want)
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}"
    with np.errstate(all="ignore"):
        if is_integer(want.dtype):
            wrong = got != want
        else:
            g, w = got.astype(np.float64), want.astype(np.float64)
            wrong = ~((g == w) | (np.isnan(g) & np.isnan(w)))
            if allowed is not None:
                close = np.abs(g - w) <= allowed(np.where(np.isfinite(w), w, 0))
                wrong &= ~(np.isfinite(g) & np.isfinite(w) & close)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0]) if want.ndim else ()
    return (f"{np.count_nonzero(wrong)} of {want.size} values differ, the first at {list(at)}: "
            f"{got[at]} instead of {want[at]}")
