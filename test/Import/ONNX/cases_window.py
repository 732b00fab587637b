# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of convolutions, pools and resizing, for op_cases.py."""
import numpy as np

from op_draw import Case, Draw, simple


def window(d: Draw, rank: int) -> tuple[dict, list[int], list[int]]:
    """Attributes of a window, its kernel and the spatial dimensions of an input for it."""
    kernel = [d.int(1, 4) for _ in range(rank)]
    attrs, dilations = {}, [1] * rank
    if d.flip():
        attrs["strides"] = [d.int(1, 3) for _ in range(rank)]
    mode = d.pick("pads", "pads", "none", "SAME_UPPER", "SAME_LOWER", "VALID")
    if mode == "pads":
        attrs["pads"] = [d.int(0, k - 1) for k in kernel] + [d.int(0, k - 1) for k in kernel]
    elif mode != "none":
        attrs["auto_pad"] = mode
    if d.flip(0.4) and not mode.startswith("SAME"):
        dilations = attrs["dilations"] = [d.int(1, 3) for _ in range(rank)]
    spatial = [(k - 1) * dil + 1 + d.int(0, 8 if rank < 3 else 4) for k, dil in zip(kernel, dilations)]
    return attrs, kernel, spatial


def conv(d: Draw, op: str) -> Case:
    rank = d.pick(1, 2, 2, 2, 3)
    attrs, kernel, spatial = window(d, rank)
    groups, per, filters = d.pick((1, d.channels(6), d.channels(9)), (2, d.int(1, 3), d.int(1, 3)),
                                  (d.channels(6), 1, 1), (3, 1, 2), (3, 2, 1))
    if groups > 1:
        filters *= groups
        attrs["group"] = groups
    if d.flip():
        attrs["kernel_shape"] = kernel
    arrays = [d.array([d.batch(), per * groups, *spatial]), d.array([filters, per, *kernel])]
    if d.flip():
        arrays.append(d.array([filters]))
    return simple(d, op, arrays, constant=d.pick((1, 2), (1, 2), (), (1,)), **attrs)


def pool(d: Draw, op: str) -> Case:
    rank = d.pick(1, 2, 2, 3)
    attrs, kernel, spatial = window(d, rank)
    if op == "AveragePool" and d.opset < 19 or op == "MaxPool" and d.opset < 10:
        attrs.pop("dilations", None)
    if d.opset >= 10 and d.flip(0.4) and "auto_pad" not in attrs:
        attrs["ceil_mode"] = 1
    if op == "AveragePool" and d.flip():
        attrs["count_include_pad"] = 1
    return simple(d, op, [d.array([d.batch(), d.channels(5), *spatial])], kernel_shape=kernel, **attrs)


def global_pool(d: Draw, op: str) -> Case:
    return simple(d, op, [d.array([d.batch(), d.channels(5), *d.dims(1, 3)])])


def resize(d: Draw, op: str) -> Case:
    dims = [1, d.int(1, 3), d.int(2, 6), d.int(2, 6)]
    mode = d.pick("nearest", "nearest", "nearest", "linear")
    if d.opset < 11 or op == "Upsample":
        grow = [2.0, 3.0, 1.0, 1.5]
        scales = np.asarray([1, 1, d.pick(*grow), d.pick(*grow)], np.float32)
        if d.opset < 9:
            return simple(d, op, [d.array(dims)], scales=[float(s) for s in scales], mode=mode)
        return simple(d, op, [d.array(dims), scales], constant=(1,), mode=mode)
    attrs = {"mode": d.pick(mode, mode, "cubic"),
             "coordinate_transformation_mode": d.pick("half_pixel", "asymmetric", "align_corners",
                                                      "pytorch_half_pixel")}
    if attrs["mode"] == "nearest":
        attrs["nearest_mode"] = d.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    if attrs["mode"] == "cubic":
        attrs["cubic_coeff_a"] = d.pick(-0.5, -0.75)
    empty = np.zeros([0], np.float32)
    absent = empty if d.opset < 13 else None
    if d.flip():
        sizes = np.asarray(dims[:2] + [d.int(1, 12), d.int(1, 12)], np.int64)
        return simple(d, op, [d.array(dims), absent, absent, sizes], constant=(1, 2, 3), **attrs)
    choices = [2.0, 3.0, 1.0, 0.5, 4.0]
    scales = np.asarray([1, 1, d.pick(*choices), d.pick(*choices)], np.float32)
    return simple(d, op, [d.array(dims), absent, scales], constant=(1, 2), **attrs)
