#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/isolation.md names every case of tests/attack once, and nothing else: check_doc.py SOURCE-DIR"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
cases = {}
for path in sorted((root / "tests/attack").glob("test_*.c")):
    for case in re.findall(r"\bUT\((\w+)\)", path.read_text()):
        cases[case] = path.name

document = (root / "docs/isolation.md").read_text()
named, section, bad = [], None, 0
for line in document.splitlines():
    heading = re.match(r"## .*`(test_\w+\.c)`", line)
    if heading:
        section = heading[1]
    if line.startswith("## ") and not heading:
        section = None
    if not (section and line.startswith("| ")):
        continue
    for case in re.findall(r"`(\w+)`", line.split("|")[1]):
        named.append(case)
        if cases.get(case) != section:
            print(f"{case}: under {section}, is {'in ' + cases[case] if case in cases else 'no case'}")
            bad += 1
for case in cases:
    if named.count(case) != 1:
        print(f"{case} of {cases[case]}: {named.count(case)} times in docs/isolation.md, must be once")
        bad += 1
print(f"{len(cases)} cases, {bad} wrong")
sys.exit(1 if bad or not cases else 0)
