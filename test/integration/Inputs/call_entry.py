"""call_entry.py OBJECT ENTRY: a C program that calls an entry point of a compiled net once.

The manifest in the object says what the buffers are. State, inputs and labels are filled with
numbers that depend on a tensor's name and the place in it alone, so that objects for different
processors get the same. Prints a line for each result and each tensor of the new state: its name
and its numbers.
"""
import json
import sys
import zlib

SIZE = {"f32": 4, "i32": 4, "u8": 1, "f64": 8}

HEAD = """#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static double at(uint32_t seed, uint32_t i) {
  uint32_t x = (i * 2654435761u) ^ seed;
  x ^= x >> 16, x *= 0x7feb352du, x ^= x >> 15, x *= 0x846ca68bu, x ^= x >> 16;
  return x / 4294967296.0;
}
static void fill(void *to, uint32_t seed, uint32_t count, double low, double high) {
  for (uint32_t i = 0; i < count; ++i)
    ((float *)to)[i] = (float)(low + (high - low) * at(seed, i));
}
static void print(const char *name, const void *from, uint32_t count) {
  printf("%s", name);
  for (uint32_t i = 0; i < count; ++i)
    printf(" %.9g", ((const float *)from)[i]);
  printf("\\n");
}
"""


def count_of(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def fill_state(tensor, memory):
    """Weights by their fan; what starts from a constant near it."""
    init = tensor["init"]
    if init["kind"] == "constant":
        low, high = init["value"] + 0.0, init["value"] + 0.25
    else:
        high = init["fan_in"] ** -0.5
        low = -high
    return (f"  fill({memory} + {tensor['offset']}, {zlib.crc32(tensor['name'].encode())}u, "
            f"{count_of(tensor['shape'])}, {low}, {high});")


def main():
    data = open(sys.argv[1], "rb").read()
    begin = data.index(b'{"abi":')
    manifest = json.loads(data[begin:data.index(b"\0", begin)])
    entry = next(e for e in manifest["entries"] if e["name"] == sys.argv[2])
    body, after = [], []
    for i, buffer in enumerate(entry["buffers"]):
        role = buffer["role"]
        count = count_of(buffer.get("shape", []))
        size = buffer.get("bytes", count * SIZE[buffer["element"]] if "element" in buffer else 0)
        body.append(f"  static alignas(64) char b{i}[{size}];")
        if role == "state_in":
            body += [fill_state(t, f"b{i}") for t in manifest["state"]]
        elif role == "state_out":
            after += [f"  print(\"{t['name']}\", b{i} + {t['offset']}, {count_of(t['shape'])});"
                      for t in manifest["state"] if t["element"] == "f32"]
        elif role == "output":
            after.append(f"  print(\"{buffer['name']}\", b{i}, {count});")
        elif role == "input" and buffer["name"] == "rows":
            body.append(f"  *(int32_t *)b{i} = {manifest['batch']};")
        elif role == "input" and buffer["element"] == "i32":
            body += [f"  for (int k = 0; k < {count}; ++k)", f"    ((int32_t *)b{i})[k] = k % 10;"]
        elif role == "input":
            low, high = ("-1", "1") if buffer["shape"] else ("0.01", "0.01")
            seed = zlib.crc32(buffer["name"].encode())
            body.append(f"  fill(b{i}, {seed}u, {count}, {low}, {high});")
        elif role not in ("arena", "scratch"):
            sys.exit(f"a buffer of role {role}")
    buffers = ", ".join(f"b{i}" for i in range(len(entry["buffers"])))
    print(HEAD + f"void {entry['symbol']}(void *const *buffers, const void *context);")
    print("int main(void) {", *body, f"  void *buffers[] = {{{buffers}}};",
          f"  {entry['symbol']}(buffers, NULL);", *after, "  return 0;", "}", sep="\n")


main()
