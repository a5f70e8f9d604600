#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""shares.py equal|exclusive VFS.json: what `gpuvisor --json vf list` says about memory."""
import json
import sys

what, vfs = sys.argv[1], json.load(open(sys.argv[2]))
ranges = sorted((v["fb_offset_mib"], v["fb_offset_mib"] + v["fb_mib"]) for v in vfs)
print(ranges)
if what == "equal":
    sizes = {end - start for start, end in ranges}
    sys.exit(0 if len(vfs) > 1 and len(sizes) == 1 else 1)
sys.exit(0 if len(vfs) > 1 and all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:])) else 1)
