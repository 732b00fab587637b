// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The prose of the instruction set manual; `dojo-tblgen -gen-isa-manual` puts the tables between.

#ifndef DOJO_D1_MANUAL_TD
#define DOJO_D1_MANUAL_TD

class ManualText<string markdown> {
  string text = markdown;
}

def ManualIntro : ManualText<[{# The D1 instruction set

Generated from the records in `dialects/D1`; `ninja -C build update-docs` renews it.

Tesla never published an encoding, mnemonics, register counts or latencies of D1. All encodings here
are this project's. The label of an instruction says where the *operation* comes from: **D** it is
documented that D1 does this, **I** it follows from documented figures, **X** it is invented.

## State

| | per thread (four of them) | |
|---|---|---|
| `x0`..`x31` | 64 bits | `x0` reads 0, writes to it are lost |
| `v0`..`v31` | 64 bytes: 16 lanes of 32 bits | |
| `m0`..`m7` | 64 bits, bit i masks lane or granule i | `m0` reads all ones, writes to it are lost |
| program counter | | |

| | per node | |
|---|---|---|
| `acc0`..`acc7` | 8x8 fp32 | |
| `s0`..`s255` | counters of 16 bits | 0 at start |
| SRAM | bytes 0 to 1,310,719 | code, tables and data |

## Instructions in memory

Little endian, 4-byte aligned, 4 or 8 bytes long. Bit 0 is 0 in a 4-byte and 1 in an 8-byte
instruction; bits 1 to 7 are the major opcode. Major opcode 0 of 4 bytes is never defined, so zeroed
memory is no program. Bits that neither opcode nor operands use are zero. An unknown opcode, a bit set
that must be zero, or an undefined value of an enumeration makes an *undefined instruction*, a fault.

## Operands

* `target`: bytes from the address of the branch itself, a multiple of 4; encoded divided by 4. In
  assembly a label or an absolute address.
* `mem`: `off(xN)` accesses xN + off; `(xN)+inc` or `(xN)-inc` accesses xN, then adds the increment to
  xN. The offset is signed, -2048 to 2047 bytes. All registers are read before any is written. If an
  instruction writes its base register too, its result stays and the increment is lost; two
  post-increments of one register both use its old value, and the last written one stays.
* Scalar accesses are naturally aligned, vector accesses and matrix blocks 2-byte aligned; anything
  else, or an address outside SRAM, is a fault. Masked-off lanes and granules access nothing and never
  fault.
* `etype`: what a lane is in memory. Loads widen to 32 bits (integers by their sign, bf16 and f16 to
  fp32), stores narrow.

## Arithmetic

fp32: round to nearest even, fused multiply-add, denormal inputs and results are zero, NaN results are
0x7FC00000. min and max: NaN if either operand is one, -0 < +0. Integers wrap. Loads, stores, moves and
bit operations keep bits. Narrowing to f16 keeps denormals, to bf16 flushes them. Matrix step: for each
pair of k in ascending order, first the odd k, then the even, each a fused multiply-add in fp32.
}]>;

def ManualFormats : ManualText<[{
## Formats

Bits from high to low. The operands of an instruction, as written in assembly, take the fields in the
order of the second column; a memory operand takes base, mode (0 offset, 1 post-increment) and off.

}]>;

def ManualInstructions : ManualText<[{
## Instructions

The timing classes are:

}]>;

def ManualDescriptors : ManualText<[{
## Transfer descriptors

A list is an array of these, 64 bytes each, little endian, from a multiple of 64 up to one of kind `end`.

| bytes | |
|---|---|
| 0 | kind: 0 end, 1 push, 2 pull, 3 copy, 4 wait, 5 signal |
| 1 | flags: bit 0 local address from a register, 1 first count from a register, 2 has a far semaphore, 3 has an own semaphore, 4 multicast |
| 2, 3 | x register of the address, of the first count |
| 4..7 | local address |
| 8..9, 10..11 | destination node (row * columns + column), die |
| 8, 9, 10, 11 | multicast instead: kind (0 run of the own row, 1 run of a column), first, last, column |
| 12..15 | remote address |
| 16..19 | bytes of the innermost run |
| 20..31 | three counts, innermost first; unused ones are 1 |
| 32..43 | three local strides, signed bytes |
| 44..55 | three remote strides, signed bytes |
| 56, 57 | far semaphore, own semaphore |
| 58..59 | count of a wait or signal |
| 60..61 | route index; 0xFFFF: along the row, then the column |
| 62..63 | zero |

Multicast to a run of the own row: columns first to last, all on one side of the sender. To a run of a
column: along the own row to `column`, then rows first to last of it, all on one side of the own row or
with it at one end. `first` is the end nearer to the turn; first > last runs towards smaller indices.
}]>;

#endif // DOJO_D1_MANUAL_TD
