"""Prints what a record of test/benchmark/gpu --dry says:  check_record.py RECORD.json"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    record = json.load(file)
gpu = record["gpu"]["devices"]["devices"][1]
print(f"{gpu['device']} {gpu['name']},", "passed," if record["passed"] else "failed,",
      "measured" if record["measured"] else "nothing measured")
for line in record["parity"]:
    print("parity:", line["what"], "passed" if line["passed"] else line["output"])
for line in record["identity"]:
    if "what" in line:
        print("identity:", line["what"], "passed" if line["passed"] else line["output"])
        continue
    assert line["passed"] and len(set(line["checksums"])) == 1, line
    print(f"identity: {line['net']}, {len(line['checksums'])} equal checksums")
assert all("skipped" in line for line in record["sanitizer"]), record["sanitizer"]
print("sanitizer: skipped")
for row in record["times"]:
    assert row["most"] == 0.3 and row["batch"] == 2, row
    for name, cell in row["cells"].items():
        if name.startswith("cnnc") and "error" not in cell:
            assert 0 < cell["ms"] <= cell["ms_median"], cell
            print(f"times: {row['net']}, {name}, {len(cell['gpu']['launches'])} kernels")
    errors = [cell["error"] for name, cell in row["cells"].items() if name.startswith("torch")]
    print(len(errors), "of PyTorch's cells say", *set(errors))
