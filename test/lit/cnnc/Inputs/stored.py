"""stored.py FOLDER KIND GROUP CHOICE REASON: writes a choice into the only stored result of FOLDER.

KIND is algorithms or schedules; empty for a GROUP that is a key of the file."""
import glob
import json
import sys

folder, kind, group, choice, reason = sys.argv[1:]
(path,) = glob.glob(folder + "/tuned-*.json")
with open(path, encoding="utf-8") as file:
    stored = json.load(file)
(stored[kind] if kind else stored)[group] = [choice, reason]
with open(path, "w", encoding="utf-8") as file:
    json.dump(stored, file)
