#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lines of text, upright and upside down, as the PP-OCR text-direction classifier takes them.

    make_ocr_inputs.py INPUTS.npy LABELS.npy

INPUTS is float32 [16,1,3,48,192], LABELS int64 [16]: 0 upright, 1 turned by 180 degrees.
Rendered with Pillow's bundled font, then PP-OCR's preprocessing: height 48, at most 192 wide, BGR,
(x/255 - 0.5) / 0.5, zeros to the right.
"""
import math
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT, WIDTH = 48, 192
LINES = [  # text, ink, paper
    ("Dojo D1", (0, 0, 0), (255, 255, 255)),
    ("354 nodes", (20, 20, 120), (240, 240, 230)),
    ("Hello, world", (255, 255, 255), (30, 60, 30)),
    ("Total: 42.50", (40, 40, 40), (250, 240, 200)),
    ("EXIT 7", (255, 255, 255), (180, 30, 30)),
    ("Gate B12", (255, 220, 0), (20, 20, 20)),
    ("chapter one", (90, 40, 0), (255, 250, 240)),
    ("No parking", (200, 0, 0), (255, 255, 255)),
]


def render(text, ink, paper) -> Image.Image:
    font = ImageFont.load_default(size=40)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (math.ceil(right - left) + 16, math.ceil(bottom - top) + 12), paper)
    ImageDraw.Draw(image).text((8 - left, 6 - top), text, font=font, fill=ink)
    return image


def preprocess(image: Image.Image) -> np.ndarray:
    width = min(WIDTH, math.ceil(HEIGHT * image.width / image.height))
    bgr = np.asarray(image.resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)[:, :, ::-1]
    out = np.zeros((3, HEIGHT, WIDTH), np.float32)
    out[:, :, :width] = (bgr.transpose(2, 0, 1) / 255 - 0.5) / 0.5
    return out


def inputs() -> tuple[np.ndarray, np.ndarray]:
    upright = [render(*line) for line in LINES]
    images = upright + [image.transpose(Image.Transpose.ROTATE_180) for image in upright]
    labels = np.repeat(np.arange(2, dtype=np.int64), len(LINES))
    return np.stack([preprocess(image)[None] for image in images]), labels


if __name__ == "__main__":
    x, y = inputs()
    np.save(sys.argv[1], x)
    np.save(sys.argv[2], y)
