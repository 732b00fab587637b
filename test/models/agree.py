#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compiled models in every way the emulator has, which must agree.

    agree.py TOOLS MODELS IMAGES

IMAGES is a folder that run_models.py filled. Each image is run on one input with the plain and with the
fast engine, on every host path, with 1, 2 and 3 threads, with timing on and off, nodes in random orders:
outputs, memory, counts and cycles of layers must be the same (dojo-agree). ResNet-50 and dies with dead
positions are run in fewer combinations; ResNet-50 in fp32 without the plain engine, which takes a minute.
Prints a line per image.
"""
import subprocess
import sys
from pathlib import Path

from run_models import INPUTS


def main() -> None:
    tools, models, images = (Path(argument) for argument in sys.argv[1:4])
    found = sorted(images.glob("*.d1"))
    if not found:
        sys.exit(f"no images in {images}; run_models.py makes them")
    bad = 0
    for image in found:
        model, precision, _, _, _ = image.stem.split(".")
        command = [tools / "dojo-agree", image,
                   "--input", f"{INPUTS[model][0]}={models / f'{model}-one-input.npy'}"]
        if model == "resnet50" or "damaged" in images.name or "silent" in images.name:
            command.append("--few")
        if model == "resnet50" and precision == "fp32":
            command.append("--no-plain")
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        bad += done.returncode != 0
        print(f"{image.stem}: {done.stdout.strip()}{done.stderr.strip()}", flush=True)
    if bad:
        sys.exit(f"{bad} of {len(found)} images run differently")
    print(f"{len(found)} images, all the same")


if __name__ == "__main__":
    main()
