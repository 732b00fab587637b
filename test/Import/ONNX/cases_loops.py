# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models whose loops and branches the whole mesh takes step by step, for check_ops.py."""
import numpy as np
from onnx import TensorProto, helper

from cases_flow import value
from op_draw import Case, Draw

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def mixing(d: Draw, state: str, seen: str, result: str, products: float = 0.6) -> list:
    """Nodes by which each element of the result depends on several of the state; it stays small."""
    if d.flip(products):
        nodes = [helper.make_node("MatMul", [state, seen], [f"{result}_0"])]
    else:
        nodes = [helper.make_node("Softmax", [state], [f"{result}_1"], axis=-1),
                 helper.make_node("Add", [f"{result}_1", state], [f"{result}_0"])]
    return [*nodes, helper.make_node("Tanh", [f"{result}_0"], [result])]


def loops(d: Draw, op: str) -> Case:
    """Steps counted at run time, a condition on what is carried, values that change places, rows
    that are collected, reads at the number of the step, a loop in the loop."""
    width, trips = d.int(1, 6), d.int(0, 4)
    dims = [d.int(1, 4), width]
    inputs = {"x": d.array(dims), "w": d.array([width, width]), "m": np.asarray(trips, np.int64)}
    constants = {"one": np.asarray(1, np.int64)}
    reads = d.flip(0.4)
    nodes = [*mixing(d, "moved" if reads else "s", "w", "next"), helper.make_node("Identity", ["go"], ["go_on"])]
    carried, starts, ends = ["s"], ["x"], ["next"]
    steps = trips
    if d.flip(0.4):  # ends earlier, by what it counts
        limit = d.int(1, 5)
        inputs |= {"limit": np.asarray(limit, np.int64), "k": np.asarray(0, np.int64)}
        nodes[-1:] = [helper.make_node("Add", ["c", "one"], ["c_next"]),
                      helper.make_node("Less", ["c_next", "limit"], ["go_on"])]
        carried, starts, ends = [*carried, "c"], [*starts, "k"], [*ends, "c_next"]
        steps = min(trips, limit)
    if d.flip(0.4):  # the state before
        carried, starts, ends = [*carried, "p"], [*starts, "x"], [*ends, "p_next"]
        nodes.append(helper.make_node("Identity", ["s"], ["p_next"]))
    if d.flip(0.3):
        carried, starts, ends = [*carried, "same"], [*starts, "w"], [*ends, "same_next"]
        nodes.append(helper.make_node("Identity", ["same"], ["same_next"]))
    if reads:
        inputs["table"] = d.array([5, width])
        nodes[0:0] = [helper.make_node("Gather", ["table", "i"], ["seen"]), helper.make_node("Add", ["s", "seen"], ["moved"])]
    if d.flip(0.3):
        inputs["n"] = np.asarray(d.int(0, 2), np.int64)
        inner = helper.make_graph(
            [*mixing(d, "e", "w", "e_next"), helper.make_node("Identity", ["go2"], ["go2_on"])], "inner",
            [value("j", INT64, []), value("go2", BOOL, []), value("e", FLOAT, dims)],
            [value("go2_on", BOOL, []), value("e_next", FLOAT, dims)])
        nodes.append(helper.make_node("Loop", ["n", "", "next"], ["further"], body=inner))
        ends[0] = "further"
    types = {"s": (FLOAT, dims), "p": (FLOAT, dims), "c": (INT64, []), "same": (FLOAT, [width, width])}
    results = [value("go_on", BOOL, []), *(value(end, *types[name]) for name, end in zip(carried, ends))]
    outputs = [f"y{i}" for i in range(len(carried))]
    if trips and steps == trips and d.flip():  # as many rows as it may take steps
        constants["m"] = inputs.pop("m")
        inputs["first"] = np.asarray(True)
        nodes.append(helper.make_node("ReduceMax", [ends[0]], ["row"], keepdims=0))
        results.append(value("row"))
        outputs.append("rows")
    body = helper.make_graph(
        nodes, "body", [value("i", INT64, []), value("go", BOOL, []), *(value(name, *types[name]) for name in carried)],
        results)
    node = helper.make_node("Loop", ["m", "first" if "first" in inputs else "", *starts], outputs, name="the_Loop", body=body)
    return Case(op, [node], inputs, constants, tuple(outputs))


def branches(d: Draw, op: str) -> Case:
    """Branches too long to compute both."""
    width = d.int(1, 5)
    dims = [d.int(1, 3), width]
    graphs = []
    for name in ("then", "else"):
        nodes, last = [], "x"
        for i in range(d.int(7, 9)):
            nodes += mixing(d, last, "w", f"{name}{i}", products=0.2)  # each rounds in bf16
            last = f"{name}{i}"
        nodes += [helper.make_node("Mul", [last, "x"], [f"{name}_y"]), helper.make_node("Identity", ["w"], [f"{name}_z"])]
        graphs.append(helper.make_graph(nodes, name, [], [value(f"{name}_y"), value(f"{name}_z")]))
    node = helper.make_node("If", ["c"], ["y", "z"], name="the_If", then_branch=graphs[0], else_branch=graphs[1])
    return Case(op, [node], {"x": d.array(dims), "w": d.array([width, width]), "c": np.asarray(d.flip())}, {}, ("y", "z"))


def rows(d: Draw, op: str) -> Case:
    """More rows than a step looks through."""
    width, steps = d.int(1, 3), d.int(129, 140)
    nodes = [helper.make_node("Gather", ["table", "i"], ["seen"]), helper.make_node("Softmax", ["s"], ["mixed"], axis=-1),
             helper.make_node("Sub", ["mixed", "seen"], ["next"]), helper.make_node("Identity", ["go"], ["go_on"]),
             helper.make_node("Neg", ["next"], ["row"])]
    body = helper.make_graph(
        nodes, "body", [value("i", INT64, []), value("go", BOOL, []), value("s", FLOAT, [width])],
        [value("go_on", BOOL, []), value("next", FLOAT, [width]), value("row", FLOAT, [width])])
    node = helper.make_node("Loop", ["m", "first", "x"], ["y", "rows"], name="the_Loop", body=body)
    return Case(op, [node], {"x": d.array([width]), "table": d.array([steps, width]), "first": np.asarray(True)},
                {"m": np.asarray(steps, np.int64)}, ("y", "rows"))


def recurrences(d: Draw, op: str) -> Case:
    """More steps than are written out."""
    name, gates = d.pick(("RNN", 1), ("GRU", 3), ("LSTM", 4))
    direction = d.pick("forward", "reverse", "bidirectional")
    ways = 2 if direction == "bidirectional" else 1
    steps, batch, width, hidden = 260 // ways, d.int(1, 2), d.int(1, 3), d.int(1, 5)
    arrays = {"x": d.array([steps, batch, width]), "w": d.array([ways, gates * hidden, width]) / 2,
              "r": d.array([ways, gates * hidden, hidden]) / 2, "b": d.array([ways, 2 * gates * hidden]) / 2}
    if d.flip():
        arrays["lengths"] = d.rng.integers(1, steps + 1, [batch]).astype(np.int32)
    outputs = ("y", "yh", "yc")[:3 if name == "LSTM" else 2]
    node = helper.make_node(name, list(arrays), outputs, hidden_size=hidden, direction=direction)
    constants = {n: arrays.pop(n) for n in ("w", "r", "b") if d.flip()}
    return Case(op, [node], arrays, constants, outputs)


LOOP_CASES = [("mesh_loops", 11, loops), ("mesh_branches", 13, branches), ("mesh_rows", 13, rows),
              ("mesh_recurrences", 14, recurrences)]
