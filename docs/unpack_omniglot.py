#!/usr/bin/env python3
"""Omniglot's archives, as folders that `cnnc train` and `cnnc evaluate --one-shot` take.

    python3 docs/unpack_omniglot.py omniglot/ images_background_small1.zip images_background_small2.zip all_runs.zip

The result has characters/ALPHABET.CHARACTER.TURN/*.png, a folder for each character in each of its four quarter turns, which count as characters of their own; judge.txt with every twentieth character in all turns, which
`--test` takes; and runs/run01/…, the one-shot runs as they are. Archives may have characters in common, which are there once. Only Python's own modules are needed.
"""

import struct
import sys
import zipfile
import zlib
from pathlib import Path

# The eight pixels of each byte, as digits.
BITS = [f"{value:08b}".encode() for value in range(256)]
PNG = b"\x89PNG\r\n\x1a\n"
# One character in so many judges.
EVERY = 20


def bits(data: bytes, name: str) -> list[bytes]:
    """The pixels of a PNG of one bit each, as digits, row by row: 1 is white (PNG, 3rd edition, sections 7 to 9)."""
    if not data.startswith(PNG):
        sys.exit(f"{name}: not a PNG")
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if (depth, colour, interlaced) != (1, 0, 0):
        sys.exit(f"{name}: black and white of one bit are expected")
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    rows, stride = zlib.decompress(packed), (width + 7) // 8
    above, picture = bytes(stride), []
    for y in range(height):
        kind, row = rows[y * (stride + 1)], bytearray(rows[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride if kind else 0):
            left, corner = (row[x - 1], above[x - 1]) if x else (0, 0)
            row[x] = row[x] + predicted(kind, left, above[x], corner) & 255
        above = bytes(row)
        picture.append(b"".join(BITS[byte] for byte in row)[:width])
    return picture


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    """What a filter adds to a byte."""
    if kind == 4:
        distances = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
        return [left, up, corner][distances.index(min(distances))]
    return [0, left, up, (left + up) // 2][kind]


def png(picture: list[bytes]) -> bytes:
    height, width = len(picture), len(picture[0])
    stride = (width + 7) // 8
    rows = b"".join(b"\0" + int(row.ljust(8 * stride, b"0"), 2).to_bytes(stride, "big") for row in picture)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def turned(picture: list[bytes]) -> list[bytes]:
    """By a quarter, clockwise."""
    return [bytes(row) for row in zip(*picture[::-1])]


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    characters: set[str] = set()
    for archive in sys.argv[2:]:
        with zipfile.ZipFile(archive) as files:
            for name in files.namelist():
                parts = Path(name).parts
                if ".." in parts or name.endswith("/") or "__MACOSX" in parts:
                    continue
                if parts[0].startswith("run"):
                    place = out / "runs" / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(files.read(name))
                elif name.endswith(".png") and len(parts) > 3:
                    character = f"{parts[-3]}.{parts[-2].removeprefix('character')}"
                    characters.add(character)
                    picture = bits(files.read(name), name)
                    for turn in range(4):
                        place = out / "characters" / f"{character}.{90 * turn}" / parts[-1]
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(png(picture))
                        picture = turned(picture)
    judging = sorted(characters)[::EVERY]
    lines = [f"{character}.{90 * turn}\n" for character in judging for turn in range(4)]
    (out / "judge.txt").write_text("".join(lines))
    print(f"{len(characters)} characters, {len(judging)} of which judge")


if __name__ == "__main__":
    main()
