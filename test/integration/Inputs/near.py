"""near.py TOLERANCE A B: two files of numbers agree, relative to the largest of B."""
import sys

first, second = ([float(word) for word in open(path, encoding="utf-8").read().split()]
                 for path in sys.argv[2:4])
scale = max(map(abs, second))
for a, b in zip(first, second, strict=True):
    if not abs(a - b) <= float(sys.argv[1]) * scale:
        sys.exit(f"{a} against {b}")
print(len(first), "numbers agree")
