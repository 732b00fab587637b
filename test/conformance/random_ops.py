# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks outputs of random ops: what is certain exactly, the rest by distribution.

Each check gets the node, the inputs and outputs by position (None where absent) and says what is
wrong, or nothing. Counts of independent draws must lie within 5 standard deviations of their mean.
"""
import math

import numpy as np

SIGMAS = 5


def _count(what: str, hits: int, probabilities: np.ndarray) -> str:
    p = probabilities.astype(np.float64)
    mean, deviation = p.sum(), math.sqrt((p * (1 - p)).sum())
    return "" if abs(hits - mean) <= SIGMAS * deviation + 1e-6 else f"{hits} {what}, expected about {mean:.1f}"


def bernoulli(node, inputs, outputs) -> str:
    p, drawn = inputs[0].astype(np.float64), outputs[0]
    values = drawn.astype(np.float64)
    if not np.isin(values, (0, 1)).all():
        return "values other than 0 and 1"
    if (values[p == 0] != 0).any() or (values[p == 1] != 1).any():
        return "certain draws are wrong"
    return _count("ones", int(values.sum()), p)


def dropout(node, inputs, outputs) -> str:
    data = inputs[0]
    ratio = float(inputs[1]) if len(inputs) > 1 and inputs[1] is not None else 0.5
    training = len(inputs) > 2 and inputs[2] is not None and bool(inputs[2])
    if not training:
        ratio = 0.0
    kept = outputs[1].astype(bool) if len(outputs) > 1 and outputs[1] is not None else outputs[0] != 0
    want = np.where(kept, data / (1 - ratio), 0).astype(data.dtype)
    if not np.allclose(outputs[0], want, rtol=1e-3, atol=1e-7):
        return "values are neither 0 nor scaled as the mask says"
    if len(outputs) < 2 and ratio == 0:
        return "" if (outputs[0] == data).all() else "values were dropped"
    return _count("kept", int(kept.sum()), np.full(data.size, 1 - ratio))


CHECKS = {"Bernoulli": bernoulli, "Dropout": dropout}
