"""Usage: check_groups.py FUSED.mlir SINGLE.mlir: checks the groups of a fused module (printed with local
locations), beside the same module with one operation in each group.

Every operation stands in a group; a group has one reduction, window or scatter, and one pooling at most
behind it; its name is its own; nothing that was in SINGLE is lost; fusion leaves fewer values between
groups."""

import re
import sys

ANCHORS = {"conv", "conv_data_grad", "conv_weight_grad", "linear", "matmul", "reduce_sum", "reduce_max",
           "nonfinite", "max_pool", "avg_pool", "max_pool_grad", "avg_pool_grad"}
OUTSIDE = {"group", "yield", "read", "write", "reshape", "param"}


def read(path):
    groups, current, names = [], None, set()
    for line in open(path, encoding="utf-8"):
        op = re.search(r"(?:^|= )\s*cnn\.([a-z_]+)", line)
        if not op:
            continue
        if op[1] == "group":
            name = re.search(r'cnn\.group "([^"]*)"', line)[1]
            assert name not in names, f"two groups are called {name}"
            names.add(name)
            current = (name, [], line)
            groups.append(current)
        elif op[1] == "yield":
            values = line.split(":")[0].count("%")
            assert values > 0, f"{current[0]} has no result"
            groups[-1] = current + (values,)
            current = None
        elif current:
            assert op[1] not in OUTSIDE, f"{op[1]} in group {current[0]}"
            current[1].append(op[1])
        else:
            assert op[1] in OUTSIDE, f"{op[1]} stands outside of groups"
    return groups


fused, single = read(sys.argv[1]), read(sys.argv[2])
for name, ops, _, _ in single:
    assert len(ops) == 1, f"{name} has {len(ops)} operations"
for name, ops, _, _ in fused:
    anchors = [op for op in ops if op in ANCHORS]
    pooled = len(anchors) == 2 and anchors[1] in ("max_pool", "avg_pool") and not anchors[0].endswith("grad")
    assert len(anchors) <= 1 or pooled, f"{name} has the anchors {anchors}"
before = [op for _, ops, _, _ in single for op in ops if op in ANCHORS]
after = [op for _, ops, _, _ in fused for op in ops if op in ANCHORS]
assert sorted(before) == sorted(after), "anchors were lost or copied"
assert len(fused) < len(single), "nothing was fused"
values = [sum(group[3] for group in groups) for groups in (fused, single)]
assert values[0] < values[1], f"{values[0]} values between groups, {values[1]} without fusion"
print(f"{len(single)} operations in {len(fused)} groups, {values[0]} values between them")
