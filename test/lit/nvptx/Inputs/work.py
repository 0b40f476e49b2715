"""Prints what a manifest says that launches do:  work.py MANIFEST ENTRY LAYER..."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    manifest = json.load(file)
entry = next(entry for entry in manifest["entries"] if entry["name"] == sys.argv[2])
for launch in entry["launches"]:
    if launch["layer"] in sys.argv[3:]:
        print(launch["layer"] + ":", *(f"{key} {value}" for key, value in launch["work"].items()))
