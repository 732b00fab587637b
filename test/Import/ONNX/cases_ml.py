# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models of ai.onnx.ml's ops on numbers, for op_cases.py."""
import numpy as np
from onnx import helper, numpy_helper

from op_draw import Case, Draw

DOMAIN = "ai.onnx.ml"


def case(op: str, arrays: list, outputs=("y",), **attrs) -> Case:
    inputs = {"xwbcde"[i]: a for i, a in enumerate(arrays)}
    node = helper.make_node(op, list(inputs), list(outputs), domain=DOMAIN, name=f"the_{op}",
                            **{k: v for k, v in attrs.items() if v is not None})
    return Case(op, [node], inputs, outputs=tuple(outputs))


def rows(d: Draw, dtype=None) -> np.ndarray:
    return d.array([d.int(1, 5), d.channels(6)], dtype or d.pick(np.float32, np.float32, np.int64, np.int32))


def floats(array) -> list[float]:
    return [float(x) for x in np.asarray(array).reshape(-1)]


def binarizer(d: Draw, op: str) -> Case:
    return case(op, [rows(d, np.float32)], threshold=d.pick(0.0, 0.5, -1.0))


def scaler(d: Draw, op: str) -> Case:
    x = rows(d, np.float32)
    size = d.pick(1, x.shape[1])
    return case(op, [x], offset=floats(d.array([size])), scale=floats(d.array([size])))


def imputer(d: Draw, op: str) -> Case:
    x = rows(d, d.pick(np.float32, np.int64))
    size = d.pick(1, x.shape[1])
    if x.dtype == np.int64:
        values = [int(v) for v in d.array([size], np.int64)]
        return case(op, [x], imputed_value_int64s=values, replaced_value_int64=int(x[0, 0]))
    marker = d.pick(float("nan"), 2.5)
    x[d.rng.random(x.shape) < 0.3] = marker
    return case(op, [x], imputed_value_floats=floats(d.array([size])), replaced_value_float=marker)


def normalizer(d: Draw, op: str) -> Case:
    return case(op, [np.abs(rows(d, np.float32)) + np.float32(0.1)], norm=d.pick("MAX", "L1", "L2"))


def vectorizer(d: Draw, op: str) -> Case:
    n = d.int(1, 4)
    arrays = [d.array([n, d.int(1, 4)]) for _ in range(d.int(1, 3))]
    return case(op, arrays, inputdimensions=[a.shape[1] for a in arrays])


def extractor(d: Draw, op: str) -> Case:
    x = rows(d, d.pick(np.float32, np.int64))
    return case(op, [x, d.rng.integers(0, x.shape[1], [1, d.int(1, 5)])])


def encoder(d: Draw, op: str) -> Case:
    count = d.int(1, 8)
    keys = [int(k) for k in d.rng.permutation(12)[:count]]
    x = d.rng.integers(0, 12, d.dims(1, 3))
    attrs = {}
    if d.flip():
        x = x.astype(np.float32)
        attrs["keys_floats"] = floats(keys)
    else:
        attrs["keys_int64s"] = keys
    if d.flip():
        attrs["values_floats"], attrs["default_float"] = floats(d.array([count])), 0.5
    else:
        attrs["values_int64s"], attrs["default_int64"] = [int(v) for v in d.array([count], np.int64)], -3
    return case(op, [x], **attrs)


def linear(d: Draw, op: str) -> Case:
    x = rows(d, np.float32)
    targets = d.int(1, 4) if op == "LinearRegressor" else d.int(2, 4)
    weights = dict(coefficients=floats(d.array([targets, x.shape[1]])), intercepts=floats(d.array([targets])))
    if op == "LinearRegressor":
        return case(op, [x], targets=targets, **weights)
    return case(op, [x], ("label", "scores"), classlabels_ints=[int(v) for v in d.rng.permutation(9)[:targets]],
                post_transform=d.pick("NONE", "LOGISTIC", "SOFTMAX"), **weights)


def one_hot(d: Draw, op: str) -> Case:
    count = d.int(1, 20)
    x = d.rng.integers(0, 12, d.dims(1, 2)).astype(d.pick(np.int64, np.int32, np.float32))
    return case(op, [x], cats_int64s=[int(v) for v in d.rng.permutation(24)[:count]], zeros=1)


def kernel(d: Draw) -> dict:
    return dict(kernel_type=d.pick("LINEAR", "POLY", "RBF", "SIGMOID"),
                kernel_params=[d.pick(0.1, 0.3), d.pick(0.0, 0.5), d.pick(2.0, 3.0)])


def similarities(x: np.ndarray, attrs: dict) -> np.ndarray:
    """The kernel of rows and support vectors."""
    vectors = np.reshape(attrs["support_vectors"], [-1, x.shape[1]])
    gamma, shift, degree = attrs["kernel_params"]
    products = x @ vectors.T
    return {"LINEAR": products, "POLY": (gamma * products + shift) ** degree,
            "SIGMOID": np.tanh(gamma * products + shift),
            "RBF": np.exp(-gamma * ((x[:, None] - vectors) ** 2).sum(2))}[attrs["kernel_type"]]


def clear(terms: np.ndarray, rho: float) -> bool:
    """Whether no sum along the last dimension is so close to zero that rounding to bf16 decides it."""
    return np.all(np.abs(terms.sum(1) + rho) > 0.1 * np.abs(terms).sum(1))


def svm_regressor(d: Draw, op: str) -> Case:
    x, count = rows(d, np.float32), d.pick(0, 1, 5, 20)
    for _ in range(100):
        attrs = kernel(d) if count else {}
        if count:
            attrs.update(n_supports=count, support_vectors=floats(d.array([count, x.shape[1]])))
        attrs.update(coefficients=floats(d.array([count or x.shape[1]])), rho=floats(d.array([1])))
        if clear((similarities(x, attrs) if count else x) * attrs["coefficients"], attrs["rho"][0]):
            break
    model = case(op, [x], one_class=d.pick(0, 0, 1), **attrs)
    model.types = (np.float32,)
    return model


def clear_votes(x: np.ndarray, attrs: dict) -> bool:
    terms = similarities(x, attrs)
    weights = np.reshape(attrs["coefficients"], [-1, terms.shape[1]])
    of = np.repeat(np.arange(len(attrs["vectors_per_class"])), attrs["vectors_per_class"])
    pairs = [(i, j) for i in range(of[-1] + 1) for j in range(i + 1, of[-1] + 1)]
    return all(clear(np.hstack([terms[:, of == i] * weights[j - 1, of == i],
                                terms[:, of == j] * weights[i, of == j]]), rho)
               for (i, j), rho in zip(pairs, attrs["rho"]))


def svm_classifier(d: Draw, op: str) -> Case:
    x, classes = rows(d, np.float32), d.int(2, 5)
    labels = [int(v) for v in d.rng.permutation(9)[:classes]]
    if d.flip(0.2):
        model = case(op, [x], ("label", "scores"), classlabels_ints=labels, post_transform=d.pick("NONE", "SOFTMAX"),
                     kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0],
                     coefficients=floats(d.array([classes, x.shape[1]])), rho=floats(d.array([1])))
        # onnxruntime takes the second of two classes where the first has the greater score; where there are
        # more, onnx.reference does not look at the labels.
        model.trusted, model.types = classes > 2, (np.int64, np.float32)
        return model
    per_class = [d.int(1, 6) for _ in range(classes)]
    count, pairs = sum(per_class), classes * (classes - 1) // 2
    for _ in range(100):
        attrs = dict(coefficients=floats(d.array([classes - 1, count])), rho=floats(d.array([pairs])),
                     support_vectors=floats(d.array([count, x.shape[1]])), vectors_per_class=per_class, **kernel(d))
        if clear_votes(x, attrs):
            break
    transform = d.pick("NONE", "NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO")
    if d.flip():
        attrs["prob_a"], attrs["prob_b"] = floats(-np.abs(d.array([pairs])) - 0.5), floats(d.array([pairs]) / 10)
    elif classes == 2:  # of others, onnxruntime takes the score itself for a probability
        transform = d.pick("NONE", "LOGISTIC")
    model = case(op, [x], ("label", "scores"), classlabels_ints=labels, post_transform=transform, **attrs)
    model.types = (np.int64, np.float32)
    # The iteration to probabilities ends when it is near enough: a step more in one row is no mistake.
    model.atol = 5e-3 if "prob_a" in attrs else model.atol
    return model


def grow(d: Draw, depth: int, nodes: list) -> int:
    """Appends a tree to `nodes`, (feature, split, mode, true, false) or None for a leaf; its place."""
    place = len(nodes)
    nodes.append(None)
    if depth > 0 and d.flip(0.8):
        left, right = grow(d, depth - 1, nodes), grow(d, depth - 1, nodes)
        nodes[place] = (d.int(0, 3), float(np.float32(d.rng.standard_normal())), left, right)
    return place


def forest(d: Draw, op: str) -> Case:
    """TreeEnsembleRegressor and TreeEnsembleClassifier."""
    x, targets = d.array([d.int(1, 6), 4]), d.int(2, 4)
    # What the least weight of a target is that no leaf has, the standard does not say.
    aggregate = d.pick("SUM", "AVERAGE", "MIN", "MAX")
    if op == "TreeEnsembleRegressor" and aggregate in ("MIN", "MAX"):
        targets = 1
    mode = d.pick("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT")
    lists = {k: [] for k in "treeids nodeids featureids values modes truenodeids falsenodeids".split()}
    weights = {k: [] for k in "treeids nodeids ids weights".split()}
    for tree in range(d.int(1, 5)):
        nodes = []
        grow(d, d.int(1, 4), nodes)
        for place, node in enumerate(nodes):
            feature, split, left, right = node or (0, 0.0, 0, 0)
            for key, value in zip(lists, (tree, place, feature, split, mode if node else "LEAF", left, right)):
                lists[key].append(value)
            if not node:
                for target in range(targets) if d.flip(0.3) else [d.int(0, targets - 1)]:
                    weight = float(np.float32(d.rng.standard_normal()))
                    # Whether a class without a weight beats one with a negative weight, the standard does not say.
                    weight = abs(weight) if op == "TreeEnsembleClassifier" else weight
                    for key, value in zip(weights, (tree, place, target, weight)):
                        weights[key].append(value)
    attrs = {f"nodes_{k}": v for k, v in lists.items()}
    if d.flip():
        attrs["base_values"] = floats(d.array([targets]))
    if op == "TreeEnsembleRegressor":
        attrs.update({f"target_{k}": v for k, v in weights.items()})
        model = case(op, [x], n_targets=targets, aggregate_function=aggregate, **attrs)
        model.trusted = False  # onnxruntime leaves base_values out where no tree has a weight
        return model
    attrs.update({f"class_{k}": v for k, v in weights.items()})
    if len(set(weights["ids"])) < 2:  # a score of one class is another kind of model
        attrs["class_ids"] = [i % targets for i in range(len(weights["ids"]))]
        if len(set(attrs["class_ids"])) < 2:
            return forest(d, op)
    model = case(op, [x], ("label", "scores"), classlabels_int64s=[int(v) for v in d.rng.permutation(9)[:targets]],
                 post_transform=d.pick("NONE", "SOFTMAX", "LOGISTIC"), **attrs)
    model.trusted = "base_values" not in attrs and targets > 2  # as above; it takes two for one and its opposite
    return model


def ensemble(d: Draw, op: str) -> Case:
    x, aggregate = d.array([d.int(1, 6), 4]), d.pick(0, 1, 2, 3)
    targets = d.int(1, 3) if aggregate < 2 else 1
    inner, leaves, roots = [], [], []
    for _ in range(d.int(1, 4)):
        nodes = []
        grow(d, d.int(1, 4), nodes)
        if nodes[0] is None:
            nodes = [(d.int(0, 3), 0.25, 1, 2), None, None]
        names = {}
        for place, node in enumerate(nodes):
            names[place] = (0, len(inner)) if node else (1, len(leaves))
            (inner if node else leaves).append([node, names])
        roots.append(names[0][1])
    def side(i):
        return [names[node[i]] for node, names in inner]
    members = []
    modes = [d.pick(0, 1, 2, 3, 6) for _ in inner]
    for mode in modes:
        if mode == 6:
            members += [*floats(d.rng.choice(x.reshape(-1), 2)), float("nan")]
    tensor = numpy_helper.from_array
    return case(op, [x], n_targets=targets, tree_roots=roots, aggregate_function=aggregate,
                nodes_featureids=[node[0] for node, _ in inner],
                nodes_splits=tensor(np.float32([node[1] for node, _ in inner])),
                nodes_modes=tensor(np.uint8(modes)),
                nodes_truenodeids=[i for _, i in side(2)], nodes_trueleafs=[leaf for leaf, _ in side(2)],
                nodes_falsenodeids=[i for _, i in side(3)], nodes_falseleafs=[leaf for leaf, _ in side(3)],
                membership_values=tensor(np.float32(members)) if members else None,
                leaf_targetids=[d.int(0, targets - 1) for _ in leaves],
                leaf_weights=tensor(d.array([len(leaves)])))


ML_CASES = [
    ("Binarizer", 12, binarizer), ("Scaler", 12, scaler), ("Imputer", 12, imputer), ("Normalizer", 12, normalizer),
    ("FeatureVectorizer", 12, vectorizer), ("ArrayFeatureExtractor", 12, extractor), ("LabelEncoder", 12, encoder),
    ("OneHotEncoder", 12, one_hot), ("SVMRegressor", 12, svm_regressor), ("SVMClassifier", 12, svm_classifier),
    ("LinearRegressor", 12, linear), ("LinearClassifier", 12, linear), ("TreeEnsemble", 12, ensemble),
    ("TreeEnsembleRegressor", 12, forest), ("TreeEnsembleClassifier", 12, forest),
]
