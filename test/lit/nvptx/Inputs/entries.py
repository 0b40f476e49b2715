"""Prints the entries of a manifest for a GPU, their launches, and what they do with what is prepared."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    manifest = json.load(file)
for entry in manifest["entries"]:
    prepared = any(buffer["role"] == "prepared" for buffer in entry["buffers"])
    does = "none" if not prepared else "written" if entry["name"] == "prepare" else "read"
    print(f"{entry['name']} {len(entry['launches'])} launches, prepared: {does}")
    print(*("  " + launch["layer"] for launch in entry["launches"]), sep="\n")
print("prepared bytes", manifest["prepared_bytes"])
