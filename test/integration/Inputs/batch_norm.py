"""Usage: batch_norm.py write DIR | compare DIR

write: the nets of training.json whose batch norms follow a convolution or a linear layer, one that
follows a ReLU, and one that is used twice, as DIR/NAME.cnn with weights trained by PyTorch
(DIR/NAME.safetensors), images (NAME.raw) and a C program (NAME.c, beside/NAME.c) that prints the
outputs. compare: DIR/NAME.txt and NAME_beside.txt against PyTorch, which folds nothing."""
import array
import json
import os
import sys

PARITY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "parity")
sys.path.insert(0, PARITY)
import safetensors_stdlib as st  # noqa: E402

NETS = ("bn_image", "bn_options", "bn_blocks", "bn_features", "bn_residual", "bn_shared", "dropout_image",
        "merged_norm")
PREPARED = "bn_features"  # reads only what was prepared of its weights, so that they are no argument
PROGRAM = """#include "NET.h"
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  void *image = aligned_alloc(UPPER_ALIGNMENT, (IMAGE * 4 + 63) / 64 * 64);
  float *logits = aligned_alloc(UPPER_ALIGNMENT, (LOGITS * 4 + 63) / 64 * 64);
  void *workspace = aligned_alloc(UPPER_ALIGNMENT, (UPPER_WORKSPACE_BYTES + 63) / 64 * 64);
  FILE *file = fopen(argv[1], "rb");
  if (!file || !fread(image, IMAGE * 4, 1, file))
    return 1;
  LOAD
#ifdef UPPER_PREPARED_BYTES
  void *prepared = aligned_alloc(UPPER_ALIGNMENT, (UPPER_PREPARED_BYTES + 63) / 64 * 64);
  if (NET_prepare_weights(WEIGHTS prepared, workspace))
    return 1;
#define PREPARED prepared,
#else
#define PREPARED
#endif
  if (NET_predict(WEIGHTS PREPARED image, UPPER_BATCH, logits, workspace))
    return 1;
  for (int i = 0; i < LOGITS; ++i)
    printf("%.9g\\n", logits[i]);
  return argc < 2;
}
"""
LOAD = """void *weights = aligned_alloc(UPPER_ALIGNMENT, (UPPER_WEIGHTS_BYTES + 63) / 64 * 64);
  file = fopen(argv[2], "rb");
  if (!file || !fread(weights, UPPER_WEIGHTS_BYTES, 1, file))
    return 1;"""


def main():
    folder = sys.argv[2]
    golden = st.read(os.path.join(PARITY, "training.safetensors"))
    with open(os.path.join(PARITY, "training.json"), encoding="utf-8") as file:
        cases = {case["name"]: case for case in json.load(file)}
    for name in NETS:
        case, net = cases[name], "net_" + name
        path = os.path.join(folder, net)
        given = {key[len(name) + 1:]: tensor for key, tensor in golden.items()
                 if key.startswith(name + ".")}
        logits = st.values(given["logits"])
        if sys.argv[1] == "compare":
            for kind in ("", "_beside")[:1 + (name != PREPARED)]:
                with open(path + kind + ".txt", encoding="utf-8") as file:
                    ours = [float(line) for line in file]
                largest = max(map(abs, logits))
                error = max(abs(a - b) for a, b in zip(ours, logits, strict=True)) / largest
                if not error < 1e-5:
                    sys.exit(f"{net}{kind}: differs from PyTorch by {error} of the largest output")
            continue
        with open(path + ".cnn", "w", encoding="utf-8") as file:
            file.write(f"net {net}(image: {case['image']}) {{\n  {case['body']}\n}}\n")
        state = {}
        for key, tensor in given.items():
            if key.startswith("after."):
                data = array.array("f", st.values(tensor)).tobytes()
                state[key[6:]] = ("float32", tensor[1], data)
        st.write(path + ".safetensors", state)
        image = st.values(given["image"])
        with open(path + ".raw", "wb") as file:
            file.write(array.array("f", image).tobytes())
        for kind, load, weights in (("", "", ""), ("_beside", LOAD, "weights,")):
            if kind and name == PREPARED:
                continue
            text = PROGRAM.replace("LOAD", load).replace("WEIGHTS ", weights + " ")
            text = text.replace("IMAGE", str(len(image))).replace("LOGITS", str(len(logits)))
            text = text.replace("NET", net).replace("UPPER", net.upper())
            program = os.path.join(folder, kind and "beside", net + ".c")
            with open(program, "w", encoding="utf-8") as file:
                file.write(text)
    print(" ".join(f"net_{name}:{cases[name]['batch']}" for name in NETS))


main()
