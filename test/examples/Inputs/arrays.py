# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes FOLDER/x.npy, two rows of numbers, and FOLDER/y.npy, the sum of the rows twice."""
import os
import struct
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def save(name, values):
    header = str({"descr": "<f4", "fortran_order": False, "shape": (2, 16)}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    with open(f"{folder}/{name}.npy", "wb") as file:
        file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header)
        file.write(struct.pack("<32f", *values))


x = [float(i * i % 31 - 9) for i in range(32)]
save("x", x)
save("y", 2 * [x[i] + x[16 + i] for i in range(16)])
