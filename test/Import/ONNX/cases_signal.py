# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of convolutions, resampling, pooling and signal processing, for op_cases.py."""
import numpy as np

from cases_move import pad
from cases_window import pool, resize
from op_draw import Case, Draw, simple


def resize_forms(d: Draw, op: str) -> Case:
    """Half of them of modes that onnxruntime does not have or computes otherwise."""
    if d.opset < 11 or d.flip():
        return resize(d, op)
    dims = [d.int(1, 2), d.int(1, 3), d.int(2, 7), d.int(2, 7)]
    attrs = {"mode": d.pick("linear", "cubic", "nearest"),
             "coordinate_transformation_mode": d.pick("half_pixel", "asymmetric", "align_corners")}
    crop = d.flip(0.4)
    if crop:
        attrs["coordinate_transformation_mode"] = "tf_crop_and_resize"
        attrs["extrapolation_value"] = d.pick(0.0, 2.5)
    elif d.opset >= 19 and d.flip(0.3):
        attrs["coordinate_transformation_mode"] = "half_pixel_symmetric"
    if attrs["mode"] == "nearest":
        attrs["nearest_mode"] = d.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    elif d.opset >= 18 and d.flip(0.4):
        attrs["antialias"] = 1
    if attrs["mode"] == "cubic" and d.flip(0.4):
        attrs["exclude_outside"] = 1
    axes = [0, 1, 2, 3]
    if d.opset >= 18 and d.flip():
        axes = d.pick([2, 3], [3, 2], [2])
        attrs["axes"] = axes
    # Positions half way between two neighbours depend on how the oracle rounds.
    scales = np.asarray([d.pick(1.71, 0.57, 1.29, 0.83) if a > 1 else 1 for a in axes], np.float32)
    starts = [d.rng.uniform(-0.2, 0.4) if a > 1 else 0 for a in axes]
    ends = [d.rng.uniform(0.5, 1.1) if a > 1 else 1 for a in axes]
    roi = np.asarray(starts + ends, np.float32) if crop else np.zeros([0], np.float32)
    dtype = np.float32
    if d.flip(0.15):
        dtype = np.uint8 if attrs["mode"] == "nearest" else np.int32
        attrs.update({name: 2.0 for name in attrs if name == "extrapolation_value"})  # no half, which may go either way
    case = simple(d, op, [d.array(dims, dtype), roi, scales],
                  constant=d.pick((1, 2), (2,)) if crop else (1, 2), **attrs)
    case.trusted = False
    return case


def conv_transpose(d: Draw, op: str) -> Case:
    spatial = d.pick([d.int(1, 7)], [d.int(1, 5), d.int(1, 5)], [2, d.int(1, 3), d.int(1, 3)])
    groups = d.pick(1, 1, 1, 2, 3)
    rank = len(spatial)
    kernel = [d.int(1, 4) for _ in spatial]
    attrs = {"group": groups}
    strides = [d.int(1, 3) for _ in spatial]
    dilations = [d.pick(1, 1, 2) for _ in spatial]
    if d.flip(0.8):
        attrs["strides"] = strides
    else:
        strides = [1] * rank
    if d.flip(0.4):
        attrs["dilations"] = dilations
    else:
        dilations = [1] * rank
    if d.flip(0.4):
        attrs["output_padding"] = [d.int(0, max(max(strides[i], dilations[i]) - 1, 0)) for i in range(rank)]
    whole = [strides[i] * (spatial[i] - 1) + (kernel[i] - 1) * dilations[i] + 1 for i in range(rank)]
    if d.flip(0.5):
        attrs["pads"] = [d.int(0, (whole[i % rank] - 1) // 2) for i in range(2 * rank)]
    elif d.flip(0.3):
        attrs["auto_pad"] = d.pick("VALID", "SAME_UPPER", "SAME_LOWER")
        attrs.pop("output_padding", None)
    x = d.array([d.int(1, 2), groups * d.int(1, 3), *spatial])
    w = d.array([x.shape[1], d.int(1, 3), *kernel])
    arrays = [x, w] + ([d.array([groups * w.shape[1]])] if d.flip() else [])
    return simple(d, op, arrays, constant=d.pick((), (1,), (1, 2)), **attrs)


def windows(d: Draw, spatial: list) -> tuple[list, dict]:
    kernel = [d.int(1, min(3, n)) for n in spatial]
    attrs = {}
    if d.flip():
        attrs["strides"] = [d.int(1, 2) for _ in spatial]
    if d.flip():
        attrs["pads"] = [d.int(0, kernel[i % len(spatial)] - 1) for i in range(2 * len(spatial))]
    if d.flip(0.3) and all(n >= 5 for n in spatial):
        attrs["dilations"] = [d.int(1, 2) for _ in spatial]
    return kernel, attrs


def quantized(d: Draw, dims: list) -> np.ndarray:
    return d.rng.integers(0, 256, dims).astype(d.pick(np.uint8, np.int8))


def zero_point(d: Draw, like: np.ndarray, dims: list) -> np.ndarray:
    return d.rng.integers(0, 100, dims).astype(like.dtype)


def conv_integer(d: Draw, op: str) -> Case:
    spatial = [d.int(3, 7), d.int(3, 7)]
    kernel, attrs = windows(d, spatial)
    groups = d.pick(1, 1, 2)
    # onnxruntime has these for uint8 inputs only.
    x = d.rng.integers(0, 256, [d.int(1, 2), groups * d.int(1, 3), *spatial]).astype(np.uint8)
    w = quantized(d, [groups * d.int(1, 4), x.shape[1] // groups, *kernel])
    attrs["group"] = groups
    per_channel = op == "QLinearConv" and w.dtype == np.int8 and d.flip()
    if op == "ConvInteger":
        arrays = [x, w]
        if d.flip(0.7):
            arrays.append(zero_point(d, x, []))
            if d.flip():
                arrays.append(zero_point(d, w, []))
        return simple(d, op, arrays, constant=d.pick((), (1,), (1, 2, 3)), **attrs)
    scale = lambda dims: (d.rng.random(dims) * 0.05 + 0.01).astype(np.float32)
    own = [w.shape[0]] if per_channel else []
    arrays = [x, scale([]), zero_point(d, x, []), w, scale(own),
              np.zeros(own, np.int8) if per_channel else zero_point(d, w, []),
              np.float32(d.pick(0.5, 1.25)), zero_point(d, x, [])]
    if d.flip():
        arrays.append(d.rng.integers(-500, 500, [w.shape[0]]).astype(np.int32))
    return simple(d, op, arrays, constant=d.pick((), (3,), (1, 2, 3, 4, 5, 6, 7)), **attrs)


def matmul_integer(d: Draw, op: str) -> Case:
    m, k, n = d.int(1, 9), d.channels(20), d.channels(20)
    batch = d.dims(0, 2, 3)
    a = quantized(d, batch + [m, k]) if op == "QLinearMatMul" else d.rng.integers(0, 256, batch + [m, k]).astype(np.uint8)
    b = quantized(d, batch + [k, n])
    if op == "QLinearMatMul" and a.dtype == np.int8:
        b = b.astype(np.int8)
    constant = d.pick((), (1,), (1, 2))
    if op == "MatMulInteger":
        arrays = [a, b]
        if d.flip(0.7):
            arrays.append(zero_point(d, a, []))
            if d.flip():
                arrays.append(zero_point(d, b, [] if batch else d.pick([], [n])))
        return simple(d, op, arrays, constant=constant)
    scale = lambda dims: (d.rng.random(dims) * 0.05 + 0.01).astype(np.float32)
    arrays = [a, scale([]), zero_point(d, a, []), b, scale([]), zero_point(d, b, []),
              np.float32(d.pick(0.5, 2.25)), zero_point(d, a, [])]
    return simple(d, op, arrays, constant=d.pick((), (3,)))


SIGNAL_CASES = [
    ("Resize", 10, resize_forms), ("ConvTranspose", 7, conv_transpose),
    ("ConvInteger", 10, conv_integer), ("QLinearConv", 10, conv_integer),
    ("MatMulInteger", 10, matmul_integer), ("QLinearMatMul", 10, matmul_integer),
]


def fourier(d: Draw, op: str) -> Case:
    complex_input = d.flip()
    inverse = d.flip(0.4)
    half = d.flip(0.4) and (inverse or not complex_input)
    dims = d.dims(1, 3, 5)
    axis = d.int(0, len(dims) - 1)
    dims[axis] = d.pick(d.int(2, 20), 30, 33, 64, 67, 128, 144, 210)
    if 0 in dims:
        dims = [max(n, 1) for n in dims]
    x = d.array(dims + [2 if complex_input or (inverse and half) else 1])
    attrs = {"inverse": int(inverse), "onesided": int(half)}
    length = d.pick(None, None, np.int64(dims[axis] + d.int(1, 9)), np.int64(max(dims[axis] - d.int(0, 3), 1)))
    if inverse and half and length is None and dims[axis] < 2:
        length = np.int64(4)
    arrays = [x, length]
    if d.opset >= 20:
        arrays.append(np.int64(axis - (len(dims) + 1 if d.flip() else 0)))
    else:
        attrs["axis"] = axis
        if length is None:
            arrays.pop()
    case = simple(d, op, arrays, constant=(1, 2), **attrs)
    case.trusted = False
    return case


def stft(d: Draw, op: str) -> Case:
    length, frame = d.int(20, 60), d.int(3, 16)
    x = d.array([d.int(1, 3), length, d.pick(1, 2)])
    arrays = [x, np.int64(d.int(1, 9)), d.array([frame]) if d.flip() else None, np.int64(frame)]
    half = 0 if x.shape[2] == 2 else d.int(0, 1)
    case = simple(d, op, arrays, constant=(1, 3), onesided=half)
    case.trusted = False
    return case


def window(d: Draw, op: str) -> Case:
    attrs = {"periodic": d.int(0, 1)}
    case = simple(d, op, [np.asarray(d.int(2, 40), d.pick(np.int32, np.int64))], constant=(0,), **attrs)
    case.trusted = False
    return case


def mel(d: Draw, op: str) -> Case:
    bins, length, rate = d.int(2, 12), d.pick(32, 64, 100), d.pick(8000, 16000)
    # Edges for which no frequency lies within rounding of a whole row of the spectrum.
    edges = [np.float32(d.pick(0.0, 101.3)), np.float32(d.pick(3000.7, 3907.3))]
    arrays = [np.int32(bins), np.int32(length), np.int32(rate), *edges]
    case = simple(d, op, arrays, constant=d.pick((0, 1), (0, 1), (0, 1, 2, 3, 4)))
    case.trusted = False
    return case


def einsum(d: Draw, op: str) -> Case:
    equation = d.pick("ij,jk->ik", "ij,jk", "bij,bjk->bik", "...ij,...jk->...ik", "ii->i", "ii", "bii->bi", "ij->ji",
                      "ij->", "i,i", "i,j->ij", ",ij->ij", "ij,jk,kl->il", "abc,cd,def->abef", "b...->...b",
                      "bhid,bhjd->bhij", "ijk,ijk->j", "...i,i->...", "ba,ca,da->bcd", "ij,ij->ij", "aab,bc->ca")
    terms = equation.split("->")[0].split(",")
    size = {letter: d.int(1, 6) for letter in "abcdefhijkl"}
    ellipsis = d.dims(0, 2, 4)
    dtype = d.pick(np.float32, np.float32, np.int32)
    arrays = []
    for term in terms:
        own = [size[c] for c in term if c != "."]
        if "..." in term:
            at = term.index(".")
            own[at:at] = [1 if d.flip(0.2) else n for n in ellipsis][d.int(0, len(ellipsis)) if d.flip(0.2) else 0:]
        arrays.append(d.array(own, dtype))
    constant = (len(arrays) - 1,) if len(arrays) > 1 and d.flip(0.3) else ()
    case = simple(d, op, arrays, constant=constant, equation=equation)
    case.trusted = False
    return case


SIGNAL_CASES += [
    ("DFT", 17, fourier), ("STFT", 17, stft), ("HannWindow", 17, window), ("HammingWindow", 17, window),
    ("BlackmanWindow", 17, window), ("MelWeightMatrix", 17, mel), ("Einsum", 12, einsum),
]


def pool_places(d: Draw, op: str) -> Case:
    spatial = d.pick([d.int(4, 9)], [d.int(4, 9), d.int(4, 9)], [4, 5, d.int(4, 6)])
    kernel, attrs = windows(d, spatial)
    if d.opset < 10:
        attrs.pop("dilations", None)
    if d.flip():
        attrs["storage_order"] = 1
    x = d.array([d.int(1, 2), d.channels(4), *spatial])
    if d.flip(0.3):
        x = np.round(x)  # equal elements in a window
    return simple(d, op, [x], outputs=("y", "z"), kernel_shape=kernel, **attrs)


def lp_pool(d: Draw, op: str) -> Case:
    spatial = d.pick([d.int(4, 9)], [d.int(4, 9), d.int(4, 9)], [4, 5, d.int(4, 6)])
    attrs = {"p": d.pick(1, 2, 3)} if d.flip(0.7) else {}
    x = d.array([d.int(1, 2), d.channels(4), *spatial])
    if op == "LpPool":
        kernel, more = windows(d, spatial)
        if d.opset < 18:
            more.pop("dilations", None)
        attrs.update(more, kernel_shape=kernel)
    return simple(d, op, [x], **attrs)


def max_pool(d: Draw, op: str) -> Case:
    return pool_places(d, op) if d.opset >= 8 and d.flip() else pool(d, op)


SIGNAL_CASES += [("MaxPool", 7, max_pool), ("LpPool", 7, lp_pool), ("GlobalLpPool", 7, lp_pool)]


def grid_sample(d: Draw, op: str) -> Case:
    volume = d.opset >= 20 and d.flip(0.3)
    space = [d.int(2, 6) for _ in range(3 if volume else 2)]
    old = d.opset < 20
    mode = d.pick("bilinear" if old else "linear", "nearest", "bicubic" if old else "cubic")
    if volume and mode == "cubic":
        mode = "linear"
    attrs = {"mode": mode, "padding_mode": d.pick("zeros", "border", "reflection"), "align_corners": d.int(0, 1)}
    x = d.array([d.int(1, 2), d.int(1, 3), *space])
    out = [d.int(1, 4) for _ in space]
    grid = d.rng.uniform(-1.6, 1.6, [x.shape[0], *out, len(space)]).astype(np.float32)
    case = simple(d, op, [x, grid], **attrs)
    case.trusted = False
    return case


def affine_grid(d: Draw, op: str) -> Case:
    n, space = d.int(1, 3), [d.int(2, 5) for _ in range(d.int(2, 3))]
    case = simple(d, op, [d.array([n, len(space), len(space) + 1]), np.asarray([n, 2, *space], np.int64)],
                  constant=(1,), align_corners=d.int(0, 1))
    case.trusted = False
    return case


def col2im(d: Draw, op: str) -> Case:
    rank = d.int(1, 2)
    image, block = [d.int(3, 7) for _ in range(rank)], [d.int(1, 3) for _ in range(rank)]
    attrs = {"strides": [d.int(1, 3) for _ in image], "pads": [d.int(0, 1) for _ in range(2 * rank)]}
    if d.flip(0.3):
        attrs["dilations"] = [d.int(1, 2 if image[i] > 4 else 1) for i in range(rank)]
    dilations = attrs.get("dilations", [1] * rank)
    count = 1
    for i in range(rank):
        reach = (block[i] - 1) * dilations[i] + 1
        count *= (image[i] + attrs["pads"][i] + attrs["pads"][rank + i] - reach) // attrs["strides"][i] + 1
    x = d.array([d.int(1, 2), d.int(1, 3) * int(np.prod(block)), count])
    case = simple(d, op, [x, np.asarray(image, np.int64), np.asarray(block, np.int64)], constant=(1, 2), **attrs)
    case.trusted = False
    return case


def roi_align(d: Draw, op: str) -> Case:
    x = d.array([d.int(1, 3), d.int(1, 3), d.int(4, 9), d.int(4, 9)])
    count = d.int(1, 4)
    starts = d.rng.uniform(-2, 6, [count, 2])
    rois = np.concatenate([starts, starts + d.rng.uniform(0.3, 9, [count, 2])], 1).astype(np.float32)
    attrs = {"mode": d.pick("avg", "max"), "output_height": d.int(1, 4), "output_width": d.int(1, 4),
             "spatial_scale": d.pick(1.0, 0.7), "sampling_ratio": d.pick(0, 1, 2, 3)}
    if d.opset >= 16:
        attrs["coordinate_transformation_mode"] = d.pick("half_pixel", "output_half_pixel")
    else:
        attrs["mode"] = "avg"
    batch = d.rng.integers(0, x.shape[0], [count])
    return simple(d, op, [x, rois, batch], constant=d.pick((), (1, 2)), **attrs)


def deform_conv(d: Draw, op: str) -> Case:
    groups, parts = d.pick(1, 1, 2), d.pick(1, 1, 2, 3)
    kernel, strides = [d.int(1, 3), d.int(1, 3)], [d.int(1, 2), d.int(1, 2)]
    dilations, pads = [d.pick(1, 1, 2) for _ in kernel], [d.int(0, 1) for _ in range(4)]
    reach = [(k - 1) * dil + 1 for k, dil in zip(kernel, dilations)]
    space = [max(r, 2) + d.int(0, 3) for r in reach]  # one pixel alone has no positions for the reference
    out = [(space[i] + pads[i] + pads[2 + i] - reach[i]) // strides[i] + 1 for i in range(2)]
    n, c, taps = d.int(1, 2), groups * parts * d.int(1, 2), kernel[0] * kernel[1]
    w = d.array([groups * d.int(1, 2), c // groups, *kernel])
    offsets = d.rng.uniform(-2, 2, [n, parts * taps * 2, *out]).astype(np.float32)
    arrays = [d.array([n, c, *space]), w, offsets, d.array([w.shape[0]]) if d.flip() else None,
              d.rng.random([n, parts * taps, *out]).astype(np.float32) if d.flip() else None]
    while arrays[-1] is None:
        arrays.pop()
    attrs = {name: v for name, v in (("strides", strides), ("dilations", dilations), ("pads", pads))
             if d.flip(0.3) or set(v) - {int(name != "pads")}}
    return simple(d, op, arrays, constant=d.pick((), (1,), (1, 3)), group=groups, offset_group=parts, **attrs)


def max_roi_pool(d: Draw, op: str) -> Case:
    x = d.array([d.int(1, 3), d.int(1, 3), d.int(4, 9), d.int(4, 9)])
    count = d.int(1, 4)
    starts = d.rng.integers(-1, 6, [count, 2])
    rois = np.concatenate([d.rng.integers(0, x.shape[0], [count, 1]), starts,
                           starts + d.rng.integers(0, 7, [count, 2])], 1).astype(np.float32)
    return simple(d, op, [x, rois], pooled_shape=[d.int(1, 4), d.int(1, 4)], spatial_scale=d.pick(1.0, 0.7))


def max_unpool(d: Draw, op: str) -> Case:
    n, c, out = d.int(1, 2), d.int(1, 3), [d.int(1, 4), d.int(1, 4)]
    whole = n * c * int(np.prod(out)) * 4
    places = d.rng.permutation(whole)[: n * c * int(np.prod(out))].reshape([n, c, *out]).astype(np.int64)
    case = simple(d, op, [d.array([n, c, *out]), places], kernel_shape=[2, 2], strides=[2, 2])
    case.trusted = False
    return case


def center_crop_pad(d: Draw, op: str) -> Case:
    dims = [n or 1 for n in d.dims(1, 4)]
    axes = [int(a) for a in d.rng.permutation(len(dims))[: d.int(1, len(dims))]]
    attrs = {"axes": [a - (len(dims) if d.flip(0.3) else 0) for a in axes]}
    if d.flip(0.3):
        axes, attrs = range(len(dims)), {}
    shape = np.asarray([d.int(1, dims[a] + 4) for a in axes], d.pick(np.int64, np.int32))
    return simple(d, op, [d.array(dims, d.pick(np.float32, np.float32, np.int64, np.bool_)), shape], constant=(1,), **attrs)


def pad_fill(d: Draw, op: str) -> Case:
    """The fill value known at run time only, for half of the cases."""
    if d.opset < 11 or d.flip():
        return pad(d, op)
    dims = [n + 1 for n in d.dims(1, 4, 5)]
    pads = [d.int(-1, 2) for _ in range(2 * len(dims))]
    dtype = d.pick(np.float32, np.int32)
    return simple(d, op, [d.array(dims, dtype), np.asarray(pads, np.int64), np.asarray(d.pick(3, -2), dtype)],
                  constant=(1,))


SIGNAL_CASES += [
    ("GridSample", 16, grid_sample), ("AffineGrid", 20, affine_grid), ("Col2Im", 18, col2im),
    ("RoiAlign", 10, roi_align), ("MaxRoiPool", 7, max_roi_pool), ("MaxUnpool", 9, max_unpool), ("Pad", 7, pad_fill),
    ("DeformConv", 19, deform_conv), ("CenterCropPad", 18, center_crop_pad),
]
