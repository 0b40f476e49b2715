"""What is decided for the layers of LeNet and ResNet-18: algorithm, register tile, layout, reason.

    decisions.py CPU [--cnnc CNNC]           prints it
    decisions.py --update [--cnnc CNNC]      writes decisions/CPU.txt for every CPU

Where a decision is meant to change, look at the difference that --update makes. Of reasons the cost
model's numbers are left out: they may change where nothing is decided otherwise."""
import argparse
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "..", "..", "examples")
CPUS = ("haswell", "znver4", "sapphirerapids")
CASES = (("lenet/lenet.cnn", "lenet", "train", 128), ("resnet/resnet.cnn", "resnet18", "train", 16),
         ("resnet/resnet.cnn", "resnet18", "infer", 1))


def layout(types):
    """Of the first result: `plain`, `blocks of 16`, `halo 1x1`."""
    found = re.search(r"#cnn\.layout<order = \[[\d, ]+\](?:, block = (\d+))?(?:, halo = \[([\d, ]+)\])?",
                      types)
    if not found or not found[1]:
        return "plain" + (", zeros around" if found and found[2] else "")
    return f"blocks of {found[1]}" + (", zeros around" if found[2] else "")


def why(reason):
    parts = []
    for part in reason.split("; "):
        part = re.sub(r": \d+ cycles estimated, (direct|stored) \d+$", "", part)
        if not re.search(r"accumulators|cycles", part):
            parts.append(part)
    return "; ".join(parts)


def decisions(text):
    """Lines of the groups in which multiply-adds were counted, in the order in which they run."""
    for function in re.split(r"(?=func\.func @)", text)[1:]:
        entry = re.match(r"func\.func @([\w.]+)", function)[1]
        if entry not in ("train_step", "infer") or (entry == "infer" and "@train_step" in text):
            continue
        counted = re.search(r"cnn\.group_flops = \{(.*?)\}", function)
        names = re.findall(r'"?([\w.]+)"? = \d+', counted[1]) if counted else []
        yield f"@{entry}"
        for line in function.split("\n"):
            group = re.search(r'cnn\.group "([^"]+)".*-> (.*?) schedule (#cnn\.\w+<.*?>)'
                              r'(?: because "([^"]*)")?', line)
            if not group or not any(f"{group[1]}.".startswith(f"{name}.") for name in names):
                continue
            name, types, schedule, reason = group.groups()
            if re.search(r"\.(rows\d|winograd_input|winograd_weight)$", name):
                continue  # conversions, and what has the tile of its algorithm
            nest = re.match(r'#cnn\.nest<"(\w+)", vector = (\d+), tile = \[([\d, ]*)\]', schedule)
            if nest:
                tile = nest[3].replace(", ", "x")
                made = f"{nest[1]} {tile} vector {nest[2]}, {layout(types)}"
            else:
                made = re.sub(r"#cnn\.|[<>]", " ", schedule).strip()
            yield f"  {name}: {made}; {why(reason or '')}".rstrip("; ")


def show(cnnc, cpu):
    lines = []
    for file, net, mode, batch in CASES:
        done = subprocess.run([cnnc, os.path.join(EXAMPLES, file), "--net", net, "--mode", mode,
                               "--batch", str(batch), f"-mcpu={cpu}", "--emit=scheduled"],
                              stdout=subprocess.PIPE, check=True, text=True)
        lines += [f"{net}, {mode}, batch {batch}", *decisions(done.stdout), ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cpu", nargs="?", choices=CPUS)
    parser.add_argument("--cnnc", default="build/bin/cnnc")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if not options.update:
        print(show(options.cnnc, options.cpu), end="")
        return
    folder = os.path.join(HERE, "decisions")
    os.makedirs(folder, exist_ok=True)
    for cpu in CPUS:
        with open(os.path.join(folder, f"{cpu}.txt"), "w", encoding="utf-8") as file:
            file.write(show(options.cnnc, cpu))


if __name__ == "__main__":
    main()
