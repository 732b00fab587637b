#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Renews the corpus of the importer's fuzzer: a small model of each op, some damaged.

    make_corpus.py FOLDER
"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Import" / "ONNX"))
from op_cases import CASES  # noqa: E402
from op_draw import Draw  # noqa: E402
from op_models import FIRST_OPSET, model_of, opsets_of, with_constants  # noqa: E402

LARGEST = 700  # bytes


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number, (op, first, make) in enumerate(CASES):
        opset = opsets_of(op, max(first, FIRST_OPSET))[-1]
        models = []
        for _ in range(20):
            case = make(Draw(rng, opset), op)
            model = model_of(case, opset)
            if number % 5 == 1:  # all of it computed by the importer
                model = with_constants(model, case.inputs)
            models.append(model.SerializeToString())
        data = min(models, key=len)
        if len(data) > LARGEST:
            continue
        (folder / f"{op.lower()}.onnx").write_bytes(data)
        if number % 6 == 0:
            (folder / f"{op.lower()}-truncated.onnx").write_bytes(data[: int(rng.integers(1, len(data)))])
        if number % 6 == 3:
            flipped = bytearray(data)
            for at in rng.integers(0, len(data), 3):
                flipped[at] ^= 1 << int(rng.integers(0, 8))
            (folder / f"{op.lower()}-flipped.onnx").write_bytes(flipped)
    (folder / "random.onnx").write_bytes(rng.integers(0, 256, 200, dtype=np.uint8).tobytes())


if __name__ == "__main__":
    main()
