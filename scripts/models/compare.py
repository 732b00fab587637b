#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How far outputs are from the reference, and whether that is near enough.

    compare.py FOLDER MODEL GOT.npy --precision bf16|fp32 [--one]

compares GOT with FOLDER/MODEL-expected.npy (see prepare.py) and ends with status 5 if too far;
--one: GOT is the output of MODEL-one-input.npy.

The rules, for each slice of the stacked outputs:
  relative L2 error <= 1e-4 in fp32, <= max(2e-2, 1.5 e) in bf16, e being the worst relative L2 error
  over the slices of onnxruntime with the operands of products rounded to bf16 (bf16_reference.py);
  top-1 is that of the reference if its two best scores differ by more than 4 times the rms error
  allowed, which is the bound above times the rms of the slice.
"""
import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FP32_BOUND, BF16_BOUND, BF16_FACTOR, TOP1_FACTOR = 1e-4, 2e-2, 1.5, 4.0


def relative_l2(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """|got - expected| / |expected| for each slice of the leading dimension; not finite counts as inf."""
    g = got.reshape(len(got), -1).astype(np.float64)
    e = expected.reshape(len(expected), -1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.linalg.norm(g - e, axis=1)
        result = np.where(error == 0, 0.0, error / np.linalg.norm(e, axis=1))
    return np.where(np.isfinite(g).all(axis=1), result, np.inf)


def bound(precision: str, expected: np.ndarray, bf16: np.ndarray) -> float:
    """The relative L2 error allowed; bf16 is the rounded reference, stacked like expected."""
    if precision == "fp32":
        return FP32_BOUND
    return max(BF16_BOUND, BF16_FACTOR * float(relative_l2(bf16, expected).max()))


def top1(got: np.ndarray, expected: np.ndarray, allowed: float) -> tuple[np.ndarray, np.ndarray]:
    """For each slice: does top-1 agree, and must it."""
    g, e = got.reshape(len(got), -1), expected.reshape(len(expected), -1).astype(np.float64)
    best = np.sort(e, axis=1)[:, -2:]
    rms = np.sqrt((e**2).mean(axis=1))
    return g.argmax(axis=1) == e.argmax(axis=1), best[:, 1] - best[:, 0] > TOP1_FACTOR * allowed * rms


@dataclass
class Verdict:
    worst: float  # relative L2 error of the worst slice
    allowed: float
    agree: int  # slices whose top-1 agrees
    slices: int
    wrong: int  # slices whose top-1 had to agree and does not

    @property
    def ok(self) -> bool:
        return self.worst <= self.allowed and self.wrong == 0

    def __str__(self) -> str:
        return (f"{'ok' if self.ok else 'TOO FAR'}: relative L2 {self.worst:.2e} (allowed "
                f"{self.allowed:.2e}), top-1 agrees in {self.agree} of {self.slices}"
                + (f", wrong in {self.wrong} that are decided" if self.wrong else ""))


def compare(got: np.ndarray, expected: np.ndarray, bf16: np.ndarray, precision: str) -> Verdict:
    """got may hold fewer slices than expected: the first ones. The bound comes from all."""
    if got.shape[1:] != expected.shape[1:] or not 0 < len(got) <= len(expected):
        raise ValueError(f"outputs of shape {list(got.shape)}, reference of {list(expected.shape)}")
    allowed = bound(precision, expected, bf16)
    expected = expected[:len(got)]
    agree, must = top1(got, expected, allowed)
    return Verdict(float(relative_l2(got, expected).max()), allowed, int(agree.sum()), len(got),
                   int((must & ~agree).sum()))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model")
    parser.add_argument("got", type=Path)
    parser.add_argument("--precision", choices=["bf16", "fp32"], required=True)
    parser.add_argument("--one", action="store_true")
    a = parser.parse_args()
    got = np.load(a.got)
    verdict = compare(got[None] if a.one else got, np.load(a.folder / f"{a.model}-expected.npy"),
                      np.load(a.folder / f"{a.model}-bf16.npy"), a.precision)
    print(f"{a.model}, {a.precision}: {verdict}")
    return 0 if verdict.ok else 5


if __name__ == "__main__":
    sys.exit(main())
