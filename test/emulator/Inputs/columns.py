"""The input of columns.mlir, and whether a result is its log(sum(exp(x))) of columns:  columns.py write|check FILE"""
import math
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "parity"))
import safetensors_stdlib as st  # noqa: E402

ROWS, COLUMNS = 32, 256
data = [i % 17 / 17 for i in range(ROWS * COLUMNS)]
if sys.argv[1] == "write":
    st.write(sys.argv[2], {"x": ("float32", (ROWS, COLUMNS), struct.pack(f"<{len(data)}f", *data))})
else:
    found = st.values(st.read(sys.argv[2])["infer.y"])
    wanted = [math.log(sum(map(math.exp, data[column::COLUMNS]))) for column in range(COLUMNS)]
    # Two functions and 32 additions in f32.
    assert all(abs(a - b) <= 2e-6 * b for a, b in zip(found, wanted, strict=True)), (found, wanted)
    print("right")
