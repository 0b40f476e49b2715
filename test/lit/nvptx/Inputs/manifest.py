"""Prints the launches of a manifest, with the names of their buffers, and checks them against the PTX."""
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    manifest = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    ptx = file.read()
parameters = {name: text.count(".param") for name, text in
              re.findall(r"\.entry (\w+)\(([^)]*)\)", ptx)}
print(manifest["target"], manifest["arch"], "batch", manifest["batch"])
for entry in manifest["entries"]:
    for launch in entry["launches"]:
        arguments = [entry["buffers"][a["buffer"]] for a in launch["arguments"]]
        names = [b.get("name", b["role"]) + f"+{a['offset']}"
                 for a, b in zip(launch["arguments"], arguments)]
        print(f"{entry['name']}: {launch['kernel']} for {launch['layer']}, grid {launch['grid']}, "
              f"block {launch['block']}: {' '.join(names)}")
        if parameters.get(launch["kernel"]) != len(arguments) or launch["shared"] != 0:
            sys.exit(f"{launch['kernel']} has {parameters.get(launch['kernel'])} parameters")
print("every kernel of the manifest is in the PTX, with as many parameters")
