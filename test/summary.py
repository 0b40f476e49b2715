#!/usr/bin/env python3
"""Turns lit's JUnit report into the closing line "N passed, N failed[, N skipped]".

in:  the file of lit --xunit-xml-output; out: the line on stdout; status 0 when something passed
     and nothing failed. Tests that were not asked for (--filter) are not counted.
"""
import sys
import xml.etree.ElementTree as ElementTree

try:
    cases = list(ElementTree.parse(sys.argv[1]).iter("testcase"))
except (OSError, ElementTree.ParseError) as error:
    sys.exit(f"error: no test results: {error}")
cases = [case for case in cases
         if not any("not selected" in skip.get("message", "") for skip in case.iter("skipped"))]
failed = sum(c.find("failure") is not None for c in cases)
skipped = sum(c.find("skipped") is not None for c in cases)
passed = len(cases) - failed - skipped
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(0 if passed and not failed else 1)
