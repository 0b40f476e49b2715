"""Checks the picture of record.json:  check_picture.py FILE.svg."""

import math
import sys
import xml.etree.ElementTree

root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
svg = "{http://www.w3.org/2000/svg}"
marks = [circle for circle in root.iter(svg + "circle") if circle.find(svg + "title") is not None]
titles = [mark.find(svg + "title").text for mark in marks]
assert titles == ["torch 6.00 ms", "torch-compile 4.80 ms", "cnnc 1.20 ms", "torch 1,256 ms"], titles
# On one logarithmic axis: 1.2 of 4.8 lies as far from 1 as 4 does, and 6 of 4.8 beyond.
torch, compiled, ours, alone = (float(mark.get("cx")) for mark in marks)
assert compiled == alone, (compiled, alone)
scale = (torch - compiled) / math.log(6.0 / 4.8)
assert abs((ours - compiled) / scale - math.log(1.2 / 4.8)) < 0.01
aims = [line for line in root.iter(svg + "line") if line.get("stroke-dasharray")]
assert abs((float(aims[0].get("x1")) - compiled) / scale - math.log(0.3)) < 0.01
texts = [text.text for text in root.iter(svg + "text")]
assert "lenet 1x28x28 train 128" in texts and "vgg11 1x224x224 infer 16" in texts, texts
assert any("Some & CPU" in text for text in texts), texts
