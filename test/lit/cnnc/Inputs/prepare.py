"""prepare.py PARITY: the weights of prepare.cnn (w.safetensors) and an image for it, as image.raw and image.npy.
PARITY is the folder of safetensors_stdlib.py."""
import array
import random
import struct
import sys

sys.path.insert(0, sys.argv[1])
import safetensors_stdlib  # noqa: E402

random.seed(7)


def floats(shape, low=-1.0, high=1.0):
    count = 1
    for extent in shape:
        count *= extent
    numbers = array.array("f", [random.uniform(low, high) for _ in range(count)])
    return "float32", shape, numbers.tobytes()


safetensors_stdlib.write("w.safetensors", {
    "conv1.weight": floats((4, 2, 3, 3)), "conv1.bias": floats((4,)), "bn1.weight": floats((4,)),
    "bn1.bias": floats((4,)), "bn1.running_mean": floats((4,)),
    "bn1.running_var": floats((4,), 0.5, 2.0), "linear1.weight": floats((3, 64)), "linear1.bias": floats((3,))})
image = floats((2, 8, 8))[2]
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 8, 8), }"
header += " " * (-(len(header) + 11) % 64) + "\n"
with open("image.raw", "wb") as file:
    file.write(image)
with open("image.npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + image)
