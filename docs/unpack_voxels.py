#!/usr/bin/env python3
"""Voxels that numpy has packed to bits, as a folder for each class, which `cnnc train` takes.

    python3 docs/unpack_voxels.py chair_monitor_packbits.npz voxels/

The .npz has an array for each class: bytes of the shape (samples, side^3 / 8), eight cells each, the first in the highest bit. The result has
voxels/CLASS/all.npy: bytes of the shape (samples, side, side, side). Only Python's own modules are needed.
"""

import ast
import struct
import sys
import zipfile
from pathlib import Path

MAGIC = b"\x93NUMPY"
# The eight cells of each byte.
BITS = [bytes(value >> (7 - bit) & 1 for bit in range(8)) for value in range(256)]


def read(data: bytes) -> tuple[int, int, bytes]:
    """Samples, bytes of each, and all of them."""
    if data[:6] != MAGIC or data[6] not in (1, 2, 3):
        sys.exit("not an array of numpy")
    form, start = ("<H", 10) if data[6] == 1 else ("<I", 12)
    (length,) = struct.unpack_from(form, data, 8)
    header = ast.literal_eval(data[start : start + length].decode("latin1"))
    if header["descr"] != "|u1" or header["fortran_order"] or len(header["shape"]) != 2:
        sys.exit(f"bytes of the shape (samples, packed cells) are expected, not {header}")
    samples, each = header["shape"]
    packed = data[start + length :]
    if len(packed) != samples * each:
        sys.exit("the array is not as long as its header says")
    return samples, each, packed


def write(path: Path, shape: tuple[int, ...], cells: bytes) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MAGIC + b"\x01\x00" + struct.pack("<H", len(header)) + header.encode() + cells)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with zipfile.ZipFile(sys.argv[1]) as arrays:
        for name in arrays.namelist():
            samples, each, packed = read(arrays.read(name))
            side = round((8 * each) ** (1 / 3))
            if side**3 != 8 * each:
                sys.exit(f"{name}: {8 * each} cells are no cube")
            cells = b"".join(BITS[byte] for byte in packed)
            write(Path(sys.argv[2]) / Path(name).stem / "all.npy", (samples, side, side, side), cells)


if __name__ == "__main__":
    main()
