"""Makes the pictures of this folder: every kind that the formats have, small. `python make.py FOLDER`, with Pillow."""

import struct
import sys
import zlib
from pathlib import Path

from PIL import Image

OUT = Path(sys.argv[1])
WIDTH, HEIGHT = 13, 11


def expect(name, width, height, pixels):
    """Prints what a decoder must find: FNV-1a of the 8-bit RGB."""
    state = 0xCBF29CE484222325
    for byte in (byte for pixel in pixels for byte in pixel):
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    print(f"{name} {width}x{height} {state:016x}")


def to8(sample, most):
    """Rounded to nearest."""
    return (sample * 255 * 2 + most) // (2 * most)


def over_white(colour, alpha):
    return [(c * alpha + 255 * (255 - alpha) + 127) // 255 for c in colour]


def every():
    return ((x, y) for y in range(HEIGHT) for x in range(WIDTH))


def value(x, y, channel, most):
    """A sample: a gradient with some noise."""
    noise = (x * 73 + y * 151 + channel * 37) % 29
    return min(most, (x * (3 - channel) + y * (channel + 1)) * most // 60 + noise * most // 290)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(name, colour, depth, interlaced=False, palette=0, trns=b"", before=b"", turn=False):
    """A PNG; filters take turns from row to row."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    most = (palette or 1 << depth) - 1
    colours = [[(n * 41 + k * 90) % 256 for k in range(3)] for n in range(palette)]

    def seen(x, y):
        samples = [value(x, y, c, most) for c in range(channels)]
        if colour == 3:
            index = samples[0]
            return over_white(colours[index], trns[index] if index < len(trns) else 255)
        if trns and samples == list(struct.unpack(f">{channels}H", trns)):
            return [255] * 3
        *rest, alpha = [to8(sample, most) for sample in samples + [most] * (colour < 4)]
        return over_white(rest * (3 // len(rest)), alpha)

    if turn:
        expect(f"{name}.png", HEIGHT, WIDTH, (seen(y, HEIGHT - 1 - x) for y in range(WIDTH) for x in range(HEIGHT)))
    else:
        expect(f"{name}.png", WIDTH, HEIGHT, (seen(x, y) for x, y in every()))
    step = max(1, channels * depth // 8)
    data = b""
    for left, top, across, down in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        columns = range(left, WIDTH, across)
        if not columns:
            continue
        above = None
        for number, y in enumerate(range(top, HEIGHT, down)):
            bits = 0
            for x in columns:
                for channel in range(channels):
                    bits = bits << depth | value(x, y, channel, most)
            count = len(columns) * channels * depth
            row = (bits << (-count % 8)).to_bytes((count + 7) // 8, "big")
            above = above or bytes(len(row))
            kind = number % 5
            data += bytes([kind])
            for at, sample in enumerate(row):
                a = row[at - step] if at >= step else 0
                b = above[at]
                c = above[at - step] if at >= step else 0
                paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
                data += bytes([sample - [0, a, b, (a + b) // 2, paeth][kind] & 255])
            above = row
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, int(interlaced))
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
    if colour == 3:
        file += chunk(b"PLTE", bytes(sum(colours, [])))
    if trns:
        file += chunk(b"tRNS", trns)
    (OUT / f"{name}.png").write_bytes(file + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def exif(orientation):
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)


for interlaced in [False, True]:
    tail = "_interlaced" * interlaced
    for depth in [1, 2, 4, 8, 16]:
        png(f"grey{depth}{tail}", 0, depth, interlaced)
        if depth <= 8:
            png(f"palette{depth}{tail}", 3, depth, interlaced, min(1 << depth, 40))
        else:
            png(f"rgb16{tail}", 2, 16, interlaced)
            png(f"greyalpha16{tail}", 4, 16, interlaced)
            png(f"rgba16{tail}", 6, 16, interlaced)
    png(f"rgb8{tail}", 2, 8, interlaced)
    png(f"greyalpha8{tail}", 4, 8, interlaced)
    png(f"rgba8{tail}", 6, 8, interlaced)
png("grey2_trns", 0, 2, trns=struct.pack(">H", 1))
png("grey16_trns", 0, 16, trns=struct.pack(">H", value(5, 5, 0, 65535)))
png("rgb8_trns", 2, 8, trns=struct.pack(">3H", *(value(4, 2, c, 255) for c in range(3))))
png("rgb16_trns", 2, 16, trns=struct.pack(">3H", *(value(4, 2, c, 65535) for c in range(3))))
png("palette4_trns", 3, 4, palette=16, trns=bytes(range(0, 240, 24)))
png("rgb8_turned", 2, 8, before=chunk(b"eXIf", exif(6)), turn=True)
png("grey8_profile", 0, 8, before=chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2000))) + chunk(b"gAMA", b"\0\1\x86\xa0"))

side = (37, 29)
colour = Image.new("RGB", side)
colour.putdata([tuple(value(x, y, c, 255) for c in range(3)) for y in range(side[1]) for x in range(side[0])])
grey = colour.convert("L")
inks = Image.new("CMYK", side)
inks.putdata([tuple(value(x, y, c, 255) for c in range(4)) for y in range(side[1]) for x in range(side[0])])


def jpeg(name, picture, **options):
    path = OUT / f"{name}.jpg"
    picture.save(path, "JPEG", **{"quality": 85, **options})
    return path


jpeg("grey", grey)
jpeg("grey_progressive", grey, progressive=True)
for sampling in ["4:4:4", "4:2:2", "4:2:0"]:
    for progressive in [False, True]:
        tail = sampling.replace(":", "") + "_progressive" * progressive
        jpeg(f"ycc{tail}", colour, subsampling=sampling, progressive=progressive)
jpeg("rgb", colour, keep_rgb=True)
jpeg("restarts", colour, restart_marker_blocks=2)
jpeg("restarts_progressive", colour, restart_marker_rows=1, progressive=True)
jpeg("coarse", colour, quality=5, optimize=True)
for turn in range(1, 9):
    jpeg(f"turned{turn}", colour, exif=b"Exif\0\0" + exif(turn))


def relaid(name, old, width, height, factors):
    """The blocks of another picture in another order: Pillow writes no such factors."""
    data = bytearray((OUT / f"{old}.jpg").read_bytes())
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    data[frame + 11] = factors
    (OUT / f"{name}.jpg").write_bytes(data)


for tail in ["", "_progressive"]:
    relaid(f"ycc440{tail}", f"ycc422{tail}", side[1], side[0], 0x12)
    relaid(f"ycc411{tail}", f"ycc420{tail}", side[0], 24, 0x41)
upright = Image.new("RGB", (320, 640))
upright.paste((255, 0, 0), (160, 160, 320, 320))
jpeg("spot_turned", upright.rotate(90, expand=True), exif=b"Exif\0\0" + exif(6))
cmyk = jpeg("cmyk", inks).read_bytes()
jpeg("cmyk_progressive", inks, progressive=True)
# The same numbers, said to be luma, chroma and black.
at = cmyk.index(b"Adobe") + 11
assert cmyk[at] == 0
(OUT / "ycck.jpg").write_bytes(cmyk[:at] + b"\x02" + cmyk[at + 1 :])


def bmp(name, bits, *, header=40, compression=0, masks=(), top_down=False, palette=0, used=None, cut=0, clear=False, runs=None, seen=None):
    """A BMP. In a `clear` one all alpha is 0. `runs` are its pixels where they are run lengths, and `seen` is what they say."""
    most = (palette or 2) - 1
    size = 3 if header == 12 else 4
    colours = [[(n * 41 + k * 90) % 256 for k in range(3)] for n in range(palette)]
    table = b"".join(bytes(c[::-1]) + bytes(size - 3) for c in colours)

    def field(mask, sample):
        low = mask & -mask
        return sample * (mask // low) // 255 * low if mask else 0

    def number(x, y):
        samples = [value(x, y, c, 255) for c in range(3)] + [0 if clear else value(x, y, 3, 255)]
        return sum(field(m, s) for m, s in zip(masks, samples))

    def colour(x, y):
        if palette:
            return colours[value(x, y, 0, most)]
        if not masks:
            return [value(x, y, c, 255) for c in range(3)]
        channels = [to8((number(x, y) & m) // (m & -m), m // (m & -m)) if m else 0 for m in masks]
        opaque = len(masks) < 4 or not masks[3] or all(number(*at) & masks[3] == 0 for at in every())
        return over_white(channels[:3], 255 if opaque else channels[3])

    data = b""
    for y in range(HEIGHT) if top_down else reversed(range(HEIGHT)):
        if palette:
            joined = 0
            for x in range(WIDTH):
                joined = joined << bits | value(x, y, 0, most)
            joined <<= -(WIDTH * bits) % 8
            row = joined.to_bytes((WIDTH * bits + 7) // 8, "big")
        elif not masks:
            row = b"".join(bytes(colour(x, y)[::-1]) + bytes(bits // 8 - 3) for x in range(WIDTH))
        else:
            row = b"".join(number(x, y).to_bytes(bits // 8, "little") for x in range(WIDTH))
        data += row + bytes(-len(row) % 4)
    data = runs if runs is not None else data[: len(data) - cut]
    height = -HEIGHT if top_down else HEIGHT
    if header == 12:
        info = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
    else:
        info = struct.pack("<IiiHH", header, WIDTH, height, 1, bits)
        info += struct.pack("<IIIIII", compression, len(data), 2835, 2835, palette if used is None else used, 0)
        info += struct.pack(f"<{len(masks)}I", *masks) if compression in (3, 6) else b""
        info = info[:header].ljust(header, b"\0") if header > 40 or header < 40 else info
    file = struct.pack("<2sIII", b"BM", 14 + len(info) + len(table) + len(data), 0, 14 + len(info) + len(table))
    (OUT / f"{name}.bmp").write_bytes(file + info + table + data)
    pixels = [colours[i] for i in seen] if seen else [colour(x, y) for x, y in every()]
    expect(f"{name}.bmp", WIDTH, HEIGHT, pixels)


bmp("os2_1", 1, header=12, palette=2)
bmp("os2_4", 4, header=12, palette=16)
bmp("os2_8", 8, header=12, palette=256)
bmp("os2_24", 24, header=12)
bmp("os2_short", 24, header=16)
bmp("os2_long", 8, header=64, palette=200)
for bits in [1, 2, 4, 8]:
    bmp(f"indices{bits}", bits, palette=min(1 << bits, 100))
bmp("indices8_few", 8, palette=9, used=0)
bmp("bytes", 24)
bmp("bytes_unfilled", 24, cut=1)
bmp("bytes_top_down", 24, top_down=True)
bmp("longs", 32)
bmp("shorts_555", 16, compression=3, masks=(0x7C00, 0x3E0, 0x1F))
bmp("shorts_565", 16, compression=3, masks=(0xF800, 0x7E0, 0x1F), top_down=True)
bmp("shorts_4444", 16, header=56, compression=3, masks=(0xF00, 0xF0, 0xF, 0xF000))
bmp("shorts_alpha0", 16, header=56, compression=3, masks=(0x7C00, 0x3E0, 0x1F, 0x8000), clear=True)
bmp("longs_10", 32, header=52, compression=3, masks=(0x3FF00000, 0xFFC00, 0x3FF))
bmp("longs_alpha", 32, header=124, compression=3, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000))
bmp("longs_alpha_behind", 32, compression=6, masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000))
bmp("longs_profile", 32, header=108)

# Rows from below: single pixels, a run, a long run that is cut off, a move of 2 and 3, and nothing of the last three.
row = lambda *indices: list(indices) + [0] * (WIDTH - len(indices))
stored = [row(1, 2, 3, 3, 3), row(*[4] * 13), row(5, 5), row(), row(), row(0, 0, 0, 0, 6, 6, 6), row(7), row(8)]
stored += [row() for _ in range(HEIGHT - len(stored))]
whole = [index for line in reversed(stored) for index in line]
runs = bytes([0, 3, 1, 2, 3, 0, 2, 3, 0, 0, 40, 4, 0, 0, 2, 5, 0, 2, 2, 3, 3, 6, 0, 0, 1, 7, 0, 0, 1, 8, 0, 1])
bmp("runs8", 8, compression=1, palette=16, runs=runs, seen=whole)
runs = bytes([0, 5, 0x12, 0x33, 0x30, 0, 0, 0, 40, 0x44, 0, 0, 2, 0x55, 0, 2, 2, 3, 3, 0x66, 0, 0, 1, 0x70, 0, 0, 1, 0x80, 0, 1])
bmp("runs4", 4, compression=2, palette=16, runs=runs, seen=whole)


def pnm(name, kind, most=1):
    """A PNM: `kind` is the digit behind its P. Texts have comments, and lines that end anywhere."""
    channels = 3 if kind in (3, 6) else 1
    bits = kind in (1, 4)
    rows = [[[value(x, y, c, most) for c in range(channels)] for x in range(WIDTH)] for y in range(HEIGHT)]
    header = f"P{kind}\n# {name}\n{WIDTH} {HEIGHT}" + ("" if bits else f"\n{most}")
    samples = [sample for row in rows for pixel in row for sample in pixel]
    if kind == 1:
        data = "".join(str(sample) + "\n# a bit\n" * (at == 20) for at, sample in enumerate(samples)).encode()
    elif kind < 4:
        data = "".join(f"{sample}" + ("\n# more\n" if at % 7 == 6 else "  ") for at, sample in enumerate(samples)).encode()
    elif kind == 4:
        filled = [[*(pixel[0] for pixel in row), *[0] * (-WIDTH % 8)] for row in rows]
        data = b"".join(int("".join(map(str, row)), 2).to_bytes(len(row) // 8, "big") for row in filled)
    else:
        data = b"".join(sample.to_bytes(2 if most > 255 else 1, "big") for sample in samples)
    (OUT / name).write_bytes(header.encode() + b"\n" + data)
    seen = [[to8(most - s if bits else s, most) for s in pixel] * (3 // channels) for row in rows for pixel in row]
    expect(name, WIDTH, HEIGHT, seen)


pnm("bits.pbm", 4)
pnm("bits_text.pbm", 1)
pnm("grey.pgm", 5, 255)
pnm("grey_text.pgm", 2, 100)
pnm("grey16.pgm", 5, 1000)
pnm("colours.ppm", 6, 200)
pnm("colours_text.ppm", 3, 40000)
pnm("colours16.ppm", 6, 65535)


def gif(name, most, *, transparent=None, at=None, **options):
    """A GIF of shades; `at` is where it lies on a larger screen. A second picture behind it is not looked at."""
    colours = [[(n * 41 + k * 90) % 256 for k in range(3)] for n in range(most + 1)]
    picture = Image.new("P", (WIDTH, HEIGHT))
    picture.putpalette(sum(colours, []))
    picture.putdata([value(x, y, 0, most) for x, y in every()])
    if transparent is not None:
        options["transparency"] = transparent
    path = OUT / f"{name}.gif"
    picture.save(path, "GIF", optimize=False, **options)
    seen = lambda x, y: [255] * 3 if value(x, y, 0, most) == transparent else colours[value(x, y, 0, most)]
    if at is None:
        return expect(f"{name}.gif", WIDTH, HEIGHT, (seen(x, y) for x, y in every()))
    (left, top), (width, height) = at, (17, 19)
    data = bytearray(path.read_bytes())
    frame = data.index(struct.pack("<BHHHH", 0x2C, 0, 0, WIDTH, HEIGHT))
    data[6:10] = struct.pack("<HH", width, height)
    data[frame + 1 : frame + 5] = struct.pack("<HH", left, top)
    path.write_bytes(data)
    inside = lambda x, y: 0 <= x - left < WIDTH and 0 <= y - top < HEIGHT
    pixels = (seen(x - left, y - top) if inside(x, y) else [255] * 3 for y in range(height) for x in range(width))
    expect(f"{name}.gif", width, height, pixels)


gif("shades", 199)
gif("interlaced", 14, interlace=1)
gif("bits", 1)
gif("transparent", 30, transparent=9)
gif("part", 60, at=(3, 7))
gif("beyond", 60, at=(9, 12))
gif("moving", 100, save_all=True, append_images=[Image.new("P", (WIDTH, HEIGHT))])


def webp(name, picture, seen=None, **options):
    """A WebP; of a lossy one Pillow's own decoder, libwebp, says what is seen."""
    path = OUT / f"{name}.webp"
    picture.save(path, "WEBP", **options)
    seen = seen or Image.open(path).convert("RGBA")
    pixels = [over_white(pixel[:3], pixel[3]) for pixel in seen.convert("RGBA").getdata()]
    expect(f"{name}.webp", *seen.size, pixels)


clear = colour.copy()
clear.putalpha(grey)
webp("lossless", colour, colour, lossless=True)
webp("lossless_alpha", clear, clear, lossless=True, exact=True)
webp("lossless_shades", grey.convert("RGB"), grey, lossless=True)
webp("lossless_turned", colour, colour.rotate(-90, expand=True), lossless=True, exif=b"Exif\0\0" + exif(6))
webp("lossy", colour, quality=80)
webp("lossy_alpha", clear, quality=60, exact=True)
webp("lossy_coarse", colour, quality=1)
webp("moving", colour, colour, lossless=True, save_all=True, append_images=[colour.rotate(180)])
