# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values of the target file that no program measures in cycles, with the reason."""

FORM = "part of the instructions' form ([isa.md](isa.md)); the target's reader takes no other value"
PLACE = "says where nodes are; what they cost is the length of ways (`mesh.hop`)"
EDGE = "nothing crosses the edge of the die during a run"
HOST = "before cycle 0 and after the end"

REASONS = {
    "die.rows": PLACE, "die.columns": PLACE, "die.usable_nodes": PLACE, "die.disabled": PLACE,
    "die.not_forwarding": PLACE,
    "die.clock": "turns cycles into seconds, nothing else",
    "node.threads": "`.thread` takes no other number; `slots-simd`, `decode-rotation` and `train` use them",
    "node.fetch_window": "fetch sets no limit but misses (rule of the model)",
    "node.fetch_instructions": "fetch sets no limit but misses (rule of the model)",
    "node.instruction_base": FORM, "node.instruction_long": FORM,
    "scalar.registers": FORM, "scalar.register_bits": FORM,
    "vector.registers": FORM, "vector.register_bytes": FORM, "vector.masks": FORM, "vector.mask_bits": FORM,
    "vector.lanes": FORM, "vector.scalar_float": FORM, "vector.simd_memory_operands": FORM,
    "vector.matrix_memory_operands": FORM, "vector.offset_bits": FORM, "vector.gather8_granules": FORM,
    "vector.gather16_granules": FORM, "vector.gather_offset_bits": FORM,
    "vector.estimate_bits": "what is computed, not when: `Numerics.EstimatesHaveTwelveBits`",
    "matrix.rows": FORM, "matrix.columns": FORM, "matrix.depth": FORM, "matrix.formats": FORM,
    "matrix.fp32_step": FORM,
    "sram.bytes": "an address beyond is a fault: `Faults.*`",
    "sram.port_bytes": "a load or store of 64 bytes is one access: `slots-agu`, `slots-store`",
    "sram.vector_alignment": "another address is a fault: `Faults.*`",
    "mesh.route_links": "a longer route is refused: `Routes.*`",
    "mesh.reduction": "there is none",
    "sync.semaphores": FORM,
    "sync.semaphore_bits": "a greater value is a fault: `Faults.SemaphoreOverflow`",
    "edge": EDGE, "dip": HOST,
}


def reason(key: str) -> str:
    """The reason of a key or of its group, empty if it is measured."""
    return REASONS.get(key) or REASONS.get(key.split(".")[0], "")
