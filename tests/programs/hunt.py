#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hunts for programs that differ between x86-64 and the emulated GPU.

    hunt.py [--csmith] [--levels 0,1,2,3] [--keep DIR] GV_PROGRAMS FIRST COUNT

Programs FIRST .. FIRST + COUNT - 1 of generate.py, or of csmith, in batches; those that are wrong
(or that a compiler refuses) stay in DIR. Exit 1 when any is wrong.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 20
SKIPPED = 77


def csmith(seed, path):
    flags = ["--seed", str(seed), "--no-argc", "--concise", "--max-funcs", "4", "--max-block-depth", "3"]
    flags += [["--float"], ["--no-volatiles"], ["--no-packed-struct"], []][seed % 4]
    text = subprocess.run(["csmith"] + flags, stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode()
    text = text.replace('#include "csmith.h"', '#include "csmith_run.h"')
    text = re.sub(r"#include <.*>\n", "", text)
    text = re.sub(r"int main \(void\)", "static int csmith_main(void)", text)
    with open(path, "w") as f:
        f.write(text)


def generate(seed, directory):
    subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), str(seed), directory], check=True)


def batch(a, first, count):
    """One directory of programs; what gv-programs said about those that are not right."""
    work = os.path.join(a.keep, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    for seed in range(first, first + count):
        if a.csmith:
            csmith(seed, os.path.join(work, f"csmith-{seed}.c"))
        else:
            generate(seed, work)
    done = subprocess.run([a.gv_programs, "--quiet", "--levels", a.levels, "--timeout", "60", "--source", work,
                           "--cache", os.path.join(work, "cache")], stdout=subprocess.PIPE).stdout.decode()
    if "skipped:" in done:
        print(done, end="")
        sys.exit(SKIPPED)
    if " right;" not in done:
        sys.exit(f"hunt: {a.gv_programs} gave no answer")
    bad = [line for line in done.splitlines() if " FAILED" in line]
    for line in bad:
        for ending in (".c", ".cl"):
            source = os.path.join(work, line.split()[0] + ending)
            if os.path.exists(source):
                shutil.copy(source, a.keep)
    return bad, done


def is_refused(line):
    """A compiler failed, or the program does not end on x86-64 either (then it has no reference)."""
    return "not built" in line or ".ref: No such file" in line


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--csmith", action="store_true")
    p.add_argument("--levels", default="0,1,2,3")
    p.add_argument("--keep", default="hunt")
    p.add_argument("gv_programs")
    p.add_argument("first", type=int)
    p.add_argument("count", type=int)
    a = p.parse_args()
    wrong = refused = 0
    for first in range(a.first, a.first + a.count, BATCH):
        count = min(BATCH, a.first + a.count - first)
        bad, done = batch(a, first, count)
        refused += sum(is_refused(line) for line in bad)
        wrong += sum(not is_refused(line) for line in bad)
        print(f"{first}..{first + count - 1}: {done.splitlines()[-1]}")
        print("\n".join(line[:200] for line in bad), end="\n" if bad else "", flush=True)
    print(f"{a.count} programs: {wrong} wrong, {refused} not built")
    return 1 if wrong else 0


sys.exit(main())
