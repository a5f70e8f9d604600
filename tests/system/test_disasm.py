#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gpuvisor-guest disasm: its text is llvm-objdump's for every example kernel, and it refuses what
it must refuse with one line."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

GUEST = os.path.join(os.environ["GV_BIN"], "gpuvisor-guest")
EXAMPLES = sorted(glob.glob(os.path.join(os.environ["GV_EXAMPLES"], "*.co")))
OBJDUMP = shutil.which("llvm-objdump-14")
failed = 0


def check(what, ok, said=""):
    global failed
    print(("ok   " if ok else "FAIL ") + what)
    if not ok:
        failed += 1
        print("     " + str(said))


def disasm(*args, stdin=None):
    return subprocess.run([GUEST, *args], input=stdin, capture_output=True, text=True, timeout=60)


def llvm(path):
    """Text of each address."""
    out = subprocess.run([OBJDUMP, "-d", path], capture_output=True, text=True, check=True).stdout
    line = re.compile(r"^\t(.*?)\s*// ([0-9A-F]+): ")
    return {int(m[2], 16): m[1] for m in map(line.match, out.splitlines()) if m}


def compare(path):
    name = os.path.basename(path)
    ran = disasm("--json", "disasm", path)
    check(f"{name}: disasm succeeds", ran.returncode == 0, ran.stderr)
    kernels = json.loads(ran.stdout)["kernels"]
    theirs = llvm(path)
    ours = [i for k in kernels for i in k["instructions"]]
    wrong = [(hex(i["offset"]), i["text"], theirs.get(i["offset"]))
             for i in ours if theirs.get(i["offset"]) != i["text"]]
    check(f"{name}: {len(ours)} instructions as llvm-objdump has them", ours and not wrong, wrong[:3])
    ends = [k["name"] for k in kernels if "s_endpgm" not in [i["text"] for i in k["instructions"]]]
    check(f"{name}: each kernel to its end", not ends, ends)


def labels(path):
    """Every label that a branch names stands before an instruction."""
    text = disasm("disasm", path).stdout
    named = set(re.findall(r"\b(L\d+)$", text, re.M))
    check("branches lead to labels", named and named == set(re.findall(r"^(L\d+):$", text, re.M)), text)


def refuses(what, status, said, *args, stdin=None):
    ran = disasm(*args, stdin=stdin)
    ok = ran.returncode == status and said in ran.stderr and not ran.stdout
    check("refuses " + what, ok and len(ran.stderr.splitlines()) == 1, ran)


def main():
    if not os.path.exists(GUEST) or not EXAMPLES or not OBJDUMP:
        print("SKIP: gpuvisor-guest, example kernels or llvm-objdump-14 are missing")
        return 77
    for path in EXAMPLES:
        compare(path)
    labels(next(p for p in EXAMPLES if "matmul" in p))
    raw = disasm("disasm", "--raw", "-", stdin="0x8001ff03, 1234\nbf820000")
    check("words from standard input", [s.split(None, 2)[-1] for s in raw.stdout.splitlines()] ==
          ["00001234  s_add_u32 s1, s3, 0x1234", "s_branch 0  ; 0xc"], raw)
    refuses("what is no code object", 1, "not", "disasm", __file__)
    refuses("an unknown kernel", 1, "there is:", "disasm", EXAMPLES[0], "nope")
    refuses("words that are none", 1, "no hexadecimal word", "disasm", "--raw", "-", stdin="80010203 xyz")
    refuses("nothing", 1, "no words", "disasm", "--raw", "-", stdin="")
    refuses("a missing file", 1, "No such file", "disasm", "/nonexistent.co")
    refuses("no argument", 2, "disasm takes", "disasm")
    print(f"{failed} failed")
    return 1 if failed else 0


sys.exit(main())
