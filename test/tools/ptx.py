"""PTX text, taken apart: kernels, their instructions, and the loops that these stand in."""
import re

ENTRY = re.compile(r"\.entry\s+(\w+)")
LABEL = re.compile(r"(\$\w+):")
# Of an instruction, which a type or a modifier follows; names of kernels and labels have no dot.
BEGINNING = re.compile(r"\s*(?:@!?%p\d+\s+)?[a-z]\w*\.")
INSTRUCTION = re.compile(r"\s*(?:@!?%p\d+\s+)?([a-z]\w*(?:\.\w+(?:::\w+)*)*)\s*(.*?);")


class Instruction:
    def __init__(self, opcode, operands, line):
        self.opcode, self.operands, self.line = opcode, operands, line
        self.parts = opcode.split(".")

    def is_memory(self):
        return self.parts[0] in ("ld", "st", "ldu", "atom", "red", "ldmatrix") or self.opcode.startswith(("cp.async.ca", "cp.async.cg"))

    def space(self):
        """Of memory accesses; "" for generic ones."""
        names = ("global", "shared", "local", "param", "const")
        return next((part for part in self.parts if part in names), "shared" if self.parts[0] == "ldmatrix" else "")


class Kernel:
    """`loops`: (first, last) of `code` for every branch backwards, innermost ones in `inner`."""

    def __init__(self, name):
        self.name, self.code, self.loops, self.labels = name, [], [], {}
        self.threads = 0

    def finish(self):
        for at, instruction in enumerate(self.code):
            if instruction.parts[0] == "bra":
                target = self.labels.get(instruction.operands.strip())
                if target is not None and target <= at:
                    self.loops.append((target, at))
        self.inner = [(a, b) for a, b in self.loops
                      if not any((c, d) != (a, b) and a <= c and d <= b for c, d in self.loops)]

    def opcodes(self, first=0, last=None):
        return [i.opcode for i in self.code[first:None if last is None else last + 1]]

    def count(self, prefix, first=0, last=None):
        return sum(opcode.startswith(prefix) for opcode in self.opcodes(first, last))


class Module:
    def __init__(self, text):
        self.text, self.kernels = text, []
        kernel, label, begun = None, None, ""
        for number, line in enumerate(text.splitlines(), 1):
            # Those with many operands stand on several lines.
            line = begun + line.split("//")[0]
            begun = ""
            if kernel and BEGINNING.match(line) and ";" not in line:
                begun = line + " "
                continue
            if match := ENTRY.search(line):
                kernel = Kernel(match[1])
                self.kernels.append(kernel)
            elif match := re.match(r"\s*\.(?:maxntid|reqntid)\s+(.*)", line):
                kernel.threads = 1
                for extent in match[1].split(","):
                    kernel.threads *= int(extent)
            elif match := LABEL.match(line):
                label = match[1]
                kernel.labels[label] = len(kernel.code)
            elif kernel and not line.lstrip().startswith(".") and (match := INSTRUCTION.match(line)):
                kernel.code.append(Instruction(match[1], match[2], number))
        for kernel in self.kernels:
            kernel.finish()
