#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Puts models, inputs and reference outputs into a folder; scripts/setup runs it.

    prepare.py FOLDER

For each MODEL (digits, ppocr-cls, ppocr-logits, resnet50):
  MODEL.onnx
  MODEL-input.npy      inputs, stacked: one leading dimension more than the model's input
  MODEL-labels.npy     int64, where the right answer is known
  MODEL-expected.npy   onnxruntime's outputs, stacked
  MODEL-bf16.npy       the same with operands of products rounded to bf16 (bf16_reference.py)
  MODEL-one-input.npy, MODEL-one-expected.npy, MODEL-one-bf16.npy   the first of each, not stacked
and models.json with names, shapes, bf16 errors and onnxruntime's count of right answers.
ppocr-logits is ppocr-cls up to its Softmax, whose outputs are near 0 and 1 whatever the arithmetic.
Nothing is done if the folder was made by the same scripts from the same files.
"""
import hashlib
import json
import shutil
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx

import bf16_reference
import compare
import make_ocr_inputs
import make_resnet50

ROOT = Path(__file__).resolve().parents[2]
OCR = "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx"
RESNET_IMAGES = 4


def key() -> str:
    files = sorted([*Path(__file__).parent.glob("*.py"), *(ROOT / "test/models").glob("digits*"),
                    ROOT / "scripts/requirements.txt"])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def ocr_logits(path: Path) -> onnx.ModelProto:
    model = onnx.load(path)
    softmax = next(n for n in model.graph.node if n.op_type == "Softmax")
    after = [n for n in model.graph.node if n is softmax or softmax.output[0] in n.input]
    for node in after:
        model.graph.node.remove(node)
    model.graph.output[0].name = softmax.input[0]
    return model


def refer(folder: Path, name: str, inputs: np.ndarray, labels: np.ndarray | None) -> dict:
    model = onnx.load(folder / f"{name}.onnx")
    expected = bf16_reference.run(model, inputs, bf16=False)
    bf16 = bf16_reference.run(model, inputs, bf16=True)
    for what, array in (("input", inputs), ("expected", expected), ("bf16", bf16)):
        np.save(folder / f"{name}-{what}.npy", array)
        np.save(folder / f"{name}-one-{what}.npy", array[0])
    entry = {
        "input": model.graph.input[0].name, "input_shape": list(inputs.shape[1:]),
        "output": model.graph.output[0].name, "output_shape": list(expected.shape[1:]),
        "slices": len(inputs), "bf16_error": float(compare.relative_l2(bf16, expected).max())}
    if labels is not None:
        np.save(folder / f"{name}-labels.npy", labels)
        for what, array in (("right", expected), ("right_bf16", bf16)):
            entry[what] = int((array.reshape(len(labels), -1).argmax(axis=1) == labels).sum())
    print(name, entry, flush=True)
    return entry


def prepare(folder: Path) -> dict:
    models = {}
    data = ROOT / "test/models"
    shutil.copyfile(data / "digits.onnx", folder / "digits.onnx")
    models["digits"] = refer(folder, "digits", np.load(data / "digits-images.npy"),
                             np.load(data / "digits-labels.npy"))

    inputs, labels = make_ocr_inputs.inputs()
    shutil.copyfile(metadata.distribution("rapidocr-onnxruntime").locate_file(OCR),
                    folder / "ppocr-cls.onnx")
    onnx.save(ocr_logits(folder / "ppocr-cls.onnx"), folder / "ppocr-logits.onnx")
    for name in ("ppocr-cls", "ppocr-logits"):
        models[name] = refer(folder, name, inputs, labels)
        if models[name]["right"] != len(labels):
            sys.exit(f"{name}: onnxruntime classifies {models[name]['right']} of {len(labels)} lines right")

    onnx.save(make_resnet50.build(), folder / "resnet50.onnx")
    models["resnet50"] = refer(folder, "resnet50", make_resnet50.images(RESNET_IMAGES), None)
    return models


def main(folder: Path) -> None:
    stamp = folder / ".made-from"
    if stamp.exists() and stamp.read_text() == key() and (folder / "models.json").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    models = prepare(folder)
    (folder / "models.json").write_text(json.dumps(models, indent=2) + "\n")
    stamp.write_text(key())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
