#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every shipped profile passes the JSON schema, every bad one fails it.

Three kinds of bad profiles are beyond a schema: text that is not JSON at all or
repeats a key (the parser's scan refuses it), labels used twice and lists longer
than num_vfs (the parser's checks), and what only a given GPU cannot do (plan-*).
"""
import glob
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    print("SKIP: python3-jsonschema is not installed")
    sys.exit(77)

BEYOND = {"duplicate-key", "vf-duplicate-key", "label-twice", "vfs-more-than-num",
          # JSON readers in general see these as the plain value
          "escaped-key", "num-vfs-exponent", "fb-fraction"}


def main(root):
    with open(os.path.join(root, "configs/schema/profile.schema.json")) as f:
        schema = json.load(f)
    checker = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)
    checker.check_schema(schema)
    validator = checker(schema)
    wrong = 0

    def refuse_constant(name):
        raise ValueError(name)

    def verdict(path):
        try:
            with open(path, encoding="utf-8") as f:
                return validator.is_valid(json.load(f, parse_constant=refuse_constant))
        except (ValueError, RecursionError):
            return None

    good = glob.glob(os.path.join(root, "configs/profiles/*.json"))
    bad = glob.glob(os.path.join(root, "tests/data/bad-profiles/*.json"))
    if not good or not bad:
        print("no profiles found under", root)
        return 1
    for path in good:
        if verdict(path) is not True:
            print("the schema refuses", path)
            wrong += 1
    for path in bad:
        name = os.path.basename(path)[:-5]
        beyond = name in BEYOND or name.startswith("plan-")
        if bool(verdict(path)) != beyond:
            print("the schema", "accepts" if not beyond else "refuses", path)
            wrong += 1
    print(f"{len(good)} good, {len(bad)} bad profiles, {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1]))
