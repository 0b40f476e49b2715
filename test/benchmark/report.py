"""A record of measurements as text and as a picture (SVG).

    report.py RECORD.json [--svg FILE]

The record is what `run` writes: `machine`, `date`, `threads`, and for every row its `cells`, the best and
the median time of each system or the reason why there is none."""
import argparse
import json
import math
import re
from xml.sax.saxutils import escape

OURS = "cnnc"


def number(value, digits=3):
    """Three digits, and no exponent."""
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    places = digits - 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{places}f}"


def label(row):
    channels, side = row["input"][0], row["input"][1]
    return f"{row['net']} {channels}x{side}x{side} {row['mode']} {row['batch']}"


def best_peer(row):
    """Its name; None where no peer ran."""
    times = {name: cell["ms"] for name, cell in row["cells"].items() if name != OURS and "ms" in cell}
    return min(times, key=times.get) if times else None


def percent(row, name):
    cell = row["cells"][name]
    if not row.get("peak") or not row.get("gflop"):
        return None
    return 100 * row["gflop"] / (cell["ms"] / 1e3) / row["peak"]


def ratio(row):
    peer, ours = best_peer(row), row["cells"].get(OURS, {})
    return ours["ms"] / row["cells"][peer]["ms"] if peer and "ms" in ours else None


def lay_out(rows):
    """Lines of a Markdown table, columns aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in rows]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def comparison(record):
    rows = [["network", "mode", "batch", "ms", "of peak", "best peer", "ms", "of peak", "ratio",
             "aim", "memory MB", "PyTorch's", "compile s", "cached s"]]
    for row in record["rows"]:
        ours, peer = row["cells"].get(OURS, {}), best_peer(row)

        def show(name):
            share = percent(row, name)
            return [number(row["cells"][name]["ms"]), f"{share:.0f}%" if share else ""]
        aim = row.get("most")
        torch = row["cells"].get("torch", {})
        line = [f"{row['net']} {row['input'][1]}", row["mode"], str(row["batch"])]
        line += show(OURS) if "ms" in ours else ["-", ""]
        line += [peer, *show(peer)] if peer else ["-", "", ""]
        line += [f"{ratio(row):.2f}" if ratio(row) else "", f"{aim:.2f}" if aim else ""]
        line += [str(cell.get("rss_mb", "")) for cell in (ours, torch)]
        line += [f"{ours[name]:.1f}" if name in ours else "" for name in ("compile_s",
                                                                            "compile_cached_s")]
        rows.append(line)
    return lay_out(rows)


def systems(record):
    names = []
    for row in record["rows"]:
        names += [name for name in row["cells"] if name not in names]
    return names


def all_times(record):
    """Milliseconds of every system; notes below say why some are missing."""
    names, notes = systems(record), []
    rows = [["network", "mode", "batch", *names]]
    for row in record["rows"]:
        line = [f"{row['net']} {row['input'][1]}", row["mode"], str(row["batch"])]
        for name in names:
            cell = row["cells"].get(name)
            if cell and "error" in cell:
                note = f"{name}: {cell['error']}"
                if note not in notes:
                    notes.append(note)
                line.append(f"[{notes.index(note) + 1}]")
            else:
                line.append(number(cell["ms"]) if cell else "")
        rows.append(line)
    return lay_out(rows) + [""] * bool(notes) + [f"[{i}] {note}" for i, note in enumerate(notes, 1)]


def versions(record):
    found = {}
    for row in record["rows"]:
        for name, cell in row["cells"].items():
            if "version" in cell:
                # torch-compile is PyTorch; builds stand behind - or +
                number = re.split("[-+]", cell["version"])[0]
                found.setdefault(name.split("-")[0], number)
    return ", ".join(f"{name} {version}" for name, version in found.items())


def layer_tables(record):
    lines = []
    for row in record.get("layers", []):
        rows = [["layer", "algorithm", "tile", "ms", "of peak", "predicted", "oneDNN ms", "ratio"]]
        for layer in row["lines"]:
            theirs = layer.get("onednn_ms")
            rows.append([layer["name"], layer["algorithm"], layer["tile"], f"{layer['ms']:.4f}",
                         f"{layer['percent_of_peak']:.0f}%" if "percent_of_peak" in layer else "",
                         f"{layer['predicted_ms']:.4f}" if "predicted_ms" in layer else "",
                         f"{theirs:.4f}" if theirs else "",
                         f"{layer['ms'] / theirs:.2f}" if theirs else ""])
        lines += ["", f"{label(row)}, layers beside oneDNN through PyTorch {row['torch']}"
                  if row.get("torch") else f"{label(row)}, layers", "", *lay_out(rows)]
    return lines


def text(record):
    machine = record["machine"]
    peaks = [row["peak"] for row in record["rows"] + record.get("layers", []) if row.get("peak")]
    lines = [f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; "
             f"{record['threads']} threads; {record['date']}",
             f"smallest of all times of {record['rounds']} rounds of {record['seconds']:g} s, "
             "systems in turn" +
             (f"; FMA peak {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s" if peaks else "")]
    if record["rows"]:
        lines += [versions(record), "", *comparison(record), "", "all times, ms", "",
                  *all_times(record)]
    return "\n".join(lines + layer_tables(record)) + "\n"


COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#76b7b2", "#edc948", "#b07aa1", "#9c755f", "#ff9da7",
           "#79706e")


def picture(record):
    """A line per row: the time of each system over the best peer's, on a logarithmic axis."""
    rows = [row for row in record["rows"] if best_peer(row)]
    names = [name for name in systems(record) if name != OURS]
    left, width, height, top = 250, 900, 26, 70
    low, high = math.log(0.1), math.log(10)

    def place(value):
        at = (min(max(math.log(value), low), high) - low) / (high - low)
        return left + at * (width - left - 20)
    bottom = top + height * len(rows)
    machine = f"{record['machine']['cpu']}, {record['threads']} threads, {record['date']}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 40}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{bottom + 40}" fill="white"/>',
           f'<text x="10" y="20">time over the best peer\'s: {escape(machine)}</text>']
    for i, name in enumerate([OURS, *names]):
        colour = "#d62728" if name == OURS else COLOURS[(i - 1) % len(COLOURS)]
        x = 10 + i * 88
        out += [f'<circle cx="{x + 5}" cy="40" r="4" fill="{colour}"/>',
                f'<text x="{x + 13}" y="44" font-size="10">{escape(name)}</text>']
    for value in (0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10):
        x = place(value)
        out += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 8}" y2="{bottom}" stroke="#ddd"/>',
                f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>']
    for i, row in enumerate(rows):
        y, reference = top + height * i + 8, row["cells"][best_peer(row)]["ms"]
        out.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(label(row))}</text>')
        if row.get("most"):
            x = place(row["most"])
            out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 9}" y2="{y + 9}" stroke="#d62728" '
                       'stroke-dasharray="3 2"/>')
        for name, cell in sorted(row["cells"].items(), key=lambda item: item[0] == OURS):
            if "ms" not in cell:
                continue
            colour = "#d62728" if name == OURS else COLOURS[names.index(name) % len(COLOURS)]
            out.append(f'<circle cx="{place(cell["ms"] / reference):.1f}" cy="{y}" '
                       f'r="{6 if name == OURS else 4}" fill="{colour}"><title>{escape(name)} '
                       f'{number(cell["ms"])} ms</title></circle>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record")
    parser.add_argument("--svg")
    options = parser.parse_args()
    with open(options.record, encoding="utf-8") as file:
        record = json.load(file)
    print(text(record), end="")
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write(picture(record))


if __name__ == "__main__":
    main()
