"""Writes PNG files of two classes, red and blue, of different sizes; grey.png and wide.png beside them.

    make_images.py FOLDER
"""
import os
import random
import struct
import sys
import zlib


def png(path, width, height, colour, depth, pixel):
    """`pixel(x, y)` gives the samples of a pixel."""
    rows = b""
    for y in range(height):
        samples = [s for x in range(width) for s in pixel(x, y)]
        rows += b"\0" + struct.pack(f">{len(samples)}{'H' if depth == 16 else 'B'}", *samples)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
            file.write(struct.pack(">I", len(data)) + kind + data +
                       struct.pack(">I", zlib.crc32(kind + data)))


rng = random.Random(1)
for split, count in (("train", 30), ("test", 10)):
    for name, bright in (("red", 0), ("blue", 2)):
        folder = f"{sys.argv[1]}/{split}/{name}"
        os.makedirs(folder)
        for i in range(count):
            png(f"{folder}/{i}.png", 12 - i % 3, 9 + i % 4, 2, 8,
                lambda x, y: [rng.randrange(160, 256) if c == bright else rng.randrange(64)
                              for c in range(3)])
png("grey.png", 30, 20, 4, 8, lambda x, y: [x * 8, 255 - y])
png("wide.png", 8, 8, 2, 16, lambda x, y: [65535, x * 100, y * 100])
