#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains test/models/digits.onnx. Run by hand, in an environment of its own; set-up never does:

    pip install torch==2.13.0 scikit-learn==1.9.1 onnx==1.23.2
    python scripts/models/train_digits.py test/models

The data are scikit-learn's 8x8 handwritten digits (1797 images, from the UCI repository's test set of
the Optical Recognition of Handwritten Digits). 360 of them, chosen by class share and seed, are held
out and written beside the model: digits-images.npy [360,1,1,8,8] float32 in 0..1 (one leading
dimension more than the model's input) and digits-labels.npy [360] int64.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 20
EPOCHS = 120
BATCH = 64


def network() -> nn.Module:
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *block(1, 16), *block(16, 32), nn.MaxPool2d(2),
        *block(32, 48), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(48 * 2 * 2, 64), nn.ReLU(), nn.Linear(64, 10))


def shifted(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each batch moved by up to one pixel in each direction, with a little noise."""
    dy, dx = (int(torch.randint(-1, 2, (), generator=generator)) for _ in range(2))
    noise = torch.randn(images.shape, generator=generator) * 0.03
    return torch.roll(nn.functional.pad(images, (1, 1, 1, 1)), (dy, dx), (2, 3))[:, :, 1:-1, 1:-1] + noise


def main(folder: Path) -> None:
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    data = load_digits()
    images = (data.images / 16.0).astype(np.float32)[:, None]
    train_x, test_x, train_y, test_y = train_test_split(
        images, data.target.astype(np.int64), test_size=360, random_state=SEED, stratify=data.target)
    x, y = torch.from_numpy(train_x), torch.from_numpy(train_y)

    model = network()
    generator = torch.Generator().manual_seed(SEED)
    steps = EPOCHS * ((len(x) + BATCH - 1) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    model.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = nn.functional.cross_entropy(model(shifted(x[rows], generator)), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        right = (model(torch.from_numpy(test_x)).argmax(1).numpy() == test_y).sum()
    print(f"held-out images classified right: {right} of {len(test_y)}")

    torch.onnx.export(model, (torch.zeros(1, 1, 8, 8),), str(folder / "digits.onnx"), dynamo=False,
                      opset_version=17, input_names=["image"], output_names=["scores"])
    np.save(folder / "digits-images.npy", test_x[:, None])
    np.save(folder / "digits-labels.npy", test_y)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
