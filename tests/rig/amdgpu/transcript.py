#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a VF and its PF manager said to each other, from a timeline of `gpuvisor trace`: a line per message, "> " from the VF,
"< " to it.

    transcript.py TRACE.json VF
"""
import json
import sys

ARROW = {"message-in": ">", "message-out": "<"}


def main(path, vf):
    with open(path) as f:
        events = json.load(f)["traceEvents"]
    tracks = {e["tid"] for e in events if e.get("name") == "thread_name"
              and e["args"]["name"].split()[0] == f"VF{vf}"}
    said = [e for e in events if e.get("cat") in ARROW and e["tid"] in tracks]
    for e in sorted(said, key=lambda e: e["ts"]):
        print(ARROW[e["cat"]], e["name"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
