# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All random models: the op or what else names them, the first opset, and the generator (see op_draw.py)."""
from cases_elem import ELEM_CASES
from cases_flow import FLOW_CASES
from cases_index import INDEX_CASES
from cases_loops import LOOP_CASES
from cases_matrix import (batch_norm, gemm, group_norm, instance_norm, layer_norm, matmul, reduction, softmax)
from cases_ml import ML_CASES
from cases_move import (concat, depth_space, expand, flatten, gather, identity, reshape, shape_chain, slice_, split,
                        squeeze, tile, transpose, unsqueeze)
from cases_pointwise import binary, cast, clip, logical_not, unary, variadic, where
from cases_signal import SIGNAL_CASES
from cases_types import TYPE_CASES
from cases_window import conv, global_pool, pool, resize

CASES = [
    *((op, 7, unary) for op in ("Relu LeakyRelu Sigmoid Tanh HardSigmoid Elu Selu Softplus Softsign Neg "
                                "Abs Reciprocal Floor Ceil Sqrt Exp Log Sin Cos").split()),
    ("Erf", 9, unary), ("Sign", 9, unary), ("ThresholdedRelu", 10, unary), ("Round", 11, unary),
    ("Celu", 12, unary), ("HardSwish", 14, unary), ("Mish", 18, unary), ("Gelu", 20, unary),
    *((op, 7, binary) for op in "Add Sub Mul Div Pow Less Greater Equal And Or Xor PRelu".split()),
    ("Mod", 10, binary), ("LessOrEqual", 12, binary), ("GreaterOrEqual", 12, binary),
    *((op, 8, variadic) for op in "Sum Mean Min Max".split()),
    ("Where", 9, where), ("Clip", 7, clip), ("Not", 7, logical_not), ("Cast", 9, cast),
    ("Conv", 7, conv), ("Gemm", 7, gemm), ("MatMul", 7, matmul), ("BatchNormalization", 7, batch_norm),
    ("InstanceNormalization", 7, instance_norm), ("LayerNormalization", 17, layer_norm),
    ("GroupNormalization", 21, group_norm),
    ("AveragePool", 7, pool), ("GlobalMaxPool", 7, global_pool),
    ("GlobalAveragePool", 7, global_pool), ("Softmax", 7, softmax), ("LogSoftmax", 7, softmax),
    *(("Reduce" + op, 7, reduction) for op in ("Sum Mean Max Min Prod L1 L2 SumSquare LogSum "
                                               "LogSumExp").split()),
    ("Concat", 7, concat), ("Split", 7, split), ("Reshape", 7, reshape), ("Flatten", 9, flatten),
    ("Transpose", 7, transpose), ("Slice", 7, slice_), ("Squeeze", 7, squeeze),
    ("Unsqueeze", 7, unsqueeze), ("Upsample", 7, resize),
    ("Identity", 7, identity), ("Dropout", 7, identity), ("Expand", 8, expand), ("Tile", 7, tile),
    ("Gather", 7, gather), ("DepthToSpace", 7, depth_space), ("SpaceToDepth", 7, depth_space),
    ("shape_chain", 7, shape_chain),
    *ELEM_CASES, *ML_CASES, *SIGNAL_CASES, *FLOW_CASES, *LOOP_CASES, *INDEX_CASES, *TYPE_CASES,
]
LAST_OPSET = {"Upsample": 9, "GlobalLpPool": 21, "MaxRoiPool": 21}
