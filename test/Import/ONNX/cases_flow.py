# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random models with subgraphs, recurrent ops, attention and ranges, for check_ops.py."""
import numpy as np
from onnx import TensorProto, helper

from op_draw import Case, Draw, simple

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name: str, elem: int = FLOAT, dims=None):
    return helper.make_tensor_value_info(name, elem, dims)


def recurrent(d: Draw, op: str) -> Case:
    gates, functions = {"RNN": (1, 1), "GRU": (3, 2), "LSTM": (4, 3)}[op]
    steps, batch, width = d.int(1, 5), d.int(1, 3), d.int(1, 6)
    hidden = d.int(15, 20) if d.flip(0.1) else d.int(1, 6)
    direction = d.pick("forward", "reverse", "bidirectional")
    ways = 2 if direction == "bidirectional" else 1
    scaled = lambda dims: d.array(dims) * np.float32(0.5)
    # No oracle has layout 1 together with a direction other than forward.
    layout = int(d.opset >= 14 and direction == "forward" and d.flip(0.2))
    state = [batch, ways, hidden] if layout else [ways, batch, hidden]
    arrays = [d.array([batch, steps, width] if layout else [steps, batch, width]),
              scaled([ways, gates * hidden, width]), scaled([ways, gates * hidden, hidden]),
              scaled([ways, 2 * gates * hidden]) if d.flip(0.7) else None,
              d.rng.integers(1, steps + 1, [batch]).astype(np.int32) if not layout and d.flip(0.4) else None,
              d.array(state) if d.flip() else None]
    attrs = {"hidden_size": hidden, "direction": direction}
    if layout:
        attrs["layout"] = 1
    if op == "LSTM":
        arrays += [d.array(state) if d.flip() else None, scaled([ways, 3 * hidden]) if not layout and d.flip(0.4) else None]
    if op == "GRU":
        attrs["linear_before_reset"] = d.int(0, 1)
    if not layout and d.flip(0.4):
        names = [d.pick("Tanh", "Sigmoid", "Relu", "HardSigmoid", "Softsign") for _ in range(functions)]
        attrs["activations"] = names * ways
    if not layout and d.flip(0.2):
        attrs["clip"] = 0.6
    outputs = ("y", "yh", "yc")[:3 if op == "LSTM" else 2]
    if d.flip(0.2):
        outputs = ("", *outputs[1:])
    constant = tuple(i for i in (1, 2, 3, 7) if d.flip())
    case = simple(d, op, arrays, constant=constant, outputs=outputs, **attrs)
    case.outputs = tuple(o for o in outputs if o)
    return case


def body_nodes(d: Draw, state: str, seen: str, result: str) -> list:
    """A few elementwise nodes from two values to one."""
    first = helper.make_node(d.pick("Add", "Sub", "Mul"), [state, seen], [f"{result}_0"])
    return [first, helper.make_node(d.pick("Tanh", "Neg", "Relu", "Sigmoid"), [f"{result}_0"], [result])]


def choose(d: Draw, op: str) -> Case:
    dims = d.dims(0, 3)
    x, w = d.array(dims), d.array(dims)
    branches = []
    for name in ("then", "else"):
        branches.append(helper.make_graph(body_nodes(d, "x", "w", f"{name}_y"), name, [], [value(f"{name}_y")]))
    node = helper.make_node("If", ["c"], ["y"], name="the_If", then_branch=branches[0], else_branch=branches[1])
    condition = np.asarray(d.flip())
    inputs, constants = {"x": x, "w": w}, {}
    (constants if d.flip(0.3) else inputs)["c"] = condition
    return Case(op, [node], inputs, constants)


def loop(d: Draw, op: str) -> Case:
    """Trips and condition at compile time or not; the condition may depend on what is carried."""
    dims = d.dims(0, 2, 4)
    trips = d.int(0, 5)
    stops = d.flip(0.4)
    nodes = [*body_nodes(d, "s", "w", "next"),
             helper.make_node("Identity", ["go"], ["go_on"])]
    inputs, constants = {"x": d.array(dims), "w": d.array(dims)}, {"m": np.asarray(trips, np.int64)}
    if stops:
        nodes[-1] = helper.make_node("Less", ["total", "limit"], ["go_on"])
        nodes.insert(2, helper.make_node("ReduceSum", ["next"], ["total"], keepdims=0))
        inputs["limit"] = np.asarray(d.pick(-1, 0, 2), np.float32)
    results = [value("go_on", BOOL, []), value("next")]
    outputs = ["y"]
    if not stops and trips and d.flip():
        step = helper.make_node("Cast", ["i"], ["step"], to=FLOAT)
        nodes += [step, helper.make_node("Mul", ["next", "step"], ["row"])]
        results.append(value("row"))
        outputs.append("rows")
    body = helper.make_graph(nodes, "body", [value("i", INT64, []), value("go", BOOL, []), value("s", FLOAT, dims)],
                             results)
    condition = np.asarray(True if not stops else d.flip(0.8))
    (inputs if stops and d.flip() else constants)["c"] = condition
    node = helper.make_node("Loop", ["m", "c" if stops or d.flip() else "", "x"], outputs, name="the_Loop", body=body)
    return Case(op, [node], inputs, constants, tuple(outputs))


def scan(d: Draw, op: str) -> Case:
    batched = d.opset < 9
    dims, steps = [d.int(1, 4) for _ in range(d.int(1, 2))], d.int(1, 5)
    nodes = [*body_nodes(d, "s", "e", "next"), helper.make_node("Add", ["next", "w"], ["row"])]
    body = helper.make_graph(nodes, "body", [value("s", FLOAT, dims), value("e", FLOAT, dims)],
                             [value("next", FLOAT, dims), value("row", FLOAT, dims)])
    attrs = {"num_scan_inputs": 1}
    inputs = {"x": d.array(dims), "w": d.array(dims)}
    if batched:
        batch = d.int(1, 2)
        inputs = {"x": d.array([batch, *dims]), "seq": d.array([batch, steps, *dims]), "w": d.array(dims)}
        if d.flip():
            attrs["directions"] = [1]
        names = ["", "x", "seq"]
    else:
        axis = d.int(0, len(dims))
        inputs["seq"] = d.array([*dims[:axis], steps, *dims[axis:]])
        attrs |= {"scan_input_axes": [axis], "scan_output_axes": [d.int(0, len(dims))],
                  "scan_input_directions": [d.int(0, 1)], "scan_output_directions": [d.int(0, 1)]}
        names = ["x", "seq"]
    node = helper.make_node("Scan", names, ["y", "rows"], name="the_Scan", body=body, **attrs)
    return Case(op, [node], inputs, {}, ("y", "rows"))


def nested(d: Draw, op: str) -> Case:
    """A branch on the step inside a loop inside a scan, each of which reads values from outside."""
    dims, steps, trips = [d.int(1, 4)], d.int(1, 3), d.int(1, 3)
    then = helper.make_graph([helper.make_node("Add", ["s", "w"], ["then_y"])], "then", [], [value("then_y")])
    other = helper.make_graph([helper.make_node("Mul", ["s", "e"], ["else_y"])], "else", [], [value("else_y")])
    inner = helper.make_graph(
        [helper.make_node("Equal", ["i", "one"], ["first"]),
         helper.make_node("If", ["first"], ["next"], then_branch=then, else_branch=other),
         helper.make_node("Identity", ["go"], ["go_on"])],
        "inner", [value("i", INT64, []), value("go", BOOL, []), value("s", FLOAT, dims)],
        [value("go_on", BOOL, []), value("next", FLOAT, dims)])
    body = helper.make_graph(
        [helper.make_node("Loop", ["m", "", "t"], ["after"], body=inner), helper.make_node("Tanh", ["after"], ["row"])],
        "body", [value("t", FLOAT, dims), value("e", FLOAT, dims)],
        [value("after", FLOAT, dims), value("row", FLOAT, dims)])
    node = helper.make_node("Scan", ["x", "seq"], ["y", "rows"], name="the_Scan", body=body, num_scan_inputs=1)
    return Case(op, [node], {"x": d.array(dims), "w": d.array(dims), "seq": d.array([steps, *dims])},
                {"m": np.asarray(trips, np.int64), "one": np.asarray(1, np.int64)}, ("y", "rows"))


def range_(d: Draw, op: str) -> Case:
    dtype = d.pick(np.float32, np.int64, np.int32)
    start, delta = d.int(-5, 5), d.pick(1, 2, -1, -3, 4)
    bounds = [np.asarray(v, dtype) for v in (start, start + delta * d.int(0, 9) + d.int(0, 1), delta)]
    if dtype == np.float32:
        bounds[2] = bounds[2] / np.float32(4)
        if d.flip(0.3):  # more than is folded
            bounds = [np.float32(0), np.float32(20000), np.float32(1)]
    case = simple(d, op, bounds, constant=(0, 1, 2), outputs=("r",))
    n = max(0, int(np.ceil((float(bounds[1]) - float(bounds[0])) / float(bounds[2]))))
    case.nodes.append(helper.make_node("Add", ["r", "v"], ["y"]))
    case.inputs["v"] = d.array([n], dtype)
    case.outputs = ("y",)
    return case


def attention(d: Draw, op: str) -> Case:
    batch, heads, group = d.int(1, 2), d.int(1, 2), d.int(1, 2)
    length, total, size, vsize = d.int(1, 5), d.int(1, 6), d.int(1, 8), d.int(1, 8)
    arrays = [d.array([batch, heads * group, length, size]), d.array([batch, heads, total, size]),
              d.array([batch, heads, total, vsize])]
    attrs = {}
    past = d.int(0, 3) if d.flip(0.3) else None
    keys = total + (past or 0)
    mask = None
    if d.flip(0.4):
        mask = d.array([length, keys], d.pick(np.float32, np.bool_))
        if mask.dtype == np.bool_:
            mask[:, 0] = True
    if mask is not None or past is not None:
        arrays.append(mask)
    if past is not None:
        arrays += [d.array([batch, heads, past, size]), d.array([batch, heads, past, vsize])]
    elif d.flip(0.4) and mask is None:
        attrs["is_causal"] = 1
    if d.flip(0.3):
        attrs["scale"] = 0.3
    if d.flip(0.3):
        attrs["softcap"] = 2.0
    outputs = ("y", "k", "v") if past is not None else ("y",)
    case = simple(d, op, arrays, outputs=outputs, **attrs)
    case.trusted = False
    return case


def linear_attention(d: Draw, op: str) -> Case:
    batch, length, heads, group = d.int(1, 2), d.int(1, 5), d.int(1, 3), d.int(1, 2)
    size, vsize = d.int(1, 6), d.int(1, 6)
    rule = d.pick("linear", "gated", "delta", "gated_delta")
    key = d.array([batch, length, heads, size])
    if "delta" in rule:  # else states grow
        key /= np.linalg.norm(key, axis=-1, keepdims=True) + np.float32(0.01)
    decay = beta = None
    if "gated" in rule:
        decay = -np.abs(d.array([batch, length, heads * d.pick(1, size)]))
    if "delta" in rule:
        beta = d.rng.random([batch, length, d.pick(1, heads)]).astype(np.float32)
    arrays = [d.array([batch, length, heads * group * size]), key.reshape(batch, length, heads * size),
              d.array([batch, length, heads * vsize]), d.array([batch, heads, size, vsize]) if d.flip() else None,
              decay, beta]
    while arrays[-1] is None:
        arrays.pop()
    attrs = {"q_num_heads": heads * group, "kv_num_heads": heads, "update_rule": rule}
    if d.flip(0.3):
        attrs["scale"] = 0.7
    case = simple(d, op, arrays, outputs=("y", "s"), **attrs)
    case.trusted = False
    return case


def modifier(d: Draw, name: str):
    """A graph from rank-4 scores or probabilities to others."""
    kind = d.pick("Add", "Mul", "Tanh", "Where")
    constants = [helper.make_tensor(f"{name}_c", FLOAT, [], [d.pick(0.5, 1.25)])]
    if kind == "Where":
        nodes = [helper.make_node("Greater", [f"{name}_v", f"{name}_c"], [f"{name}_m"]),
                 helper.make_node("Where", [f"{name}_m", f"{name}_c", f"{name}_v"], [f"{name}_w"])]
    else:
        nodes = [helper.make_node(kind, [f"{name}_v", f"{name}_c"][: 1 if kind == "Tanh" else 2], [f"{name}_w"])]
    dims = ["B", "H", "L", "S"]
    return helper.make_graph(nodes, name, [value(f"{name}_v", FLOAT, dims)], [value(f"{name}_w", FLOAT, dims)],
                             constants if kind != "Tanh" else [])


def flex_attention(d: Draw, op: str) -> Case:
    batch, heads, group = d.int(1, 2), d.int(1, 2), d.int(1, 2)
    length, total, size, vsize = d.int(1, 5), d.int(1, 6), d.int(1, 8), d.int(1, 8)
    arrays = [d.array([batch, heads * group, length, size]), d.array([batch, heads, total, size]),
              d.array([batch, heads, total, vsize])]
    attrs = {name: modifier(d, name) for name in ("score_mod", "prob_mod") if d.flip(0.4)}
    if d.flip(0.3):
        attrs["scale"] = 0.3
    case = simple(d, op, arrays, domain="ai.onnx.preview", **attrs)
    case.trusted = False
    return case


FLOW_CASES = [
    *((op, 7, recurrent) for op in ("RNN", "GRU", "LSTM")),
    ("If", 7, choose), ("Loop", 7, loop), ("Scan", 8, scan), ("nested_graphs", 9, nested),
    ("Range", 11, range_), ("Attention", 23, attention),
    ("LinearAttention", 27, linear_attention), ("FlexAttention", 26, flex_attention),
]
