#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program's --help names is in its manual page and in the shell's completion."""
import glob
import os
import re
import shutil
import subprocess
import unittest

from pf_rig import BIN, SOURCE

PROGRAMS = ("gpuvisor", "gpuvisord", "gpuvisor-keeper", "gpuvisor-replay", "gpuvisor-guest", "gpuvisor-gpu")
COMPLETION = os.path.join(SOURCE, "scripts/completion/gpuvisor.bash")
EVERYWHERE = {"--help", "--version"}
NO_VERBS = ("gpuvisord", "gpuvisor-keeper", "gpuvisor-replay", "gpuvisor-gpu")


def help_of(program):
    return subprocess.run([os.path.join(BIN, program), "--help"], capture_output=True, text=True, timeout=20, check=True).stdout


def options(text):
    """"  --follow, --since N  what they do": those before the text, which may name others' options."""
    left = "\n".join(re.findall(r"^  (--.*?)(?:  .*)?$", text, re.M))
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", left)) - EVERYWHERE


def verbs(program):
    if program in NO_VERBS:
        return set()
    return {m[1] for m in re.finditer(r"^  ([a-z]+(?: [a-z]+)?)(?: .*)?$", help_of(program), re.M)}


def complete(*words):
    """What bash offers for the last of these words; the first is the program."""
    script = """. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gpuvisor; printf '%s\\n' "${COMPREPLY[@]}" """
    p = subprocess.run(["bash", "-c", script, "-", COMPLETION, os.path.join(BIN, words[0]), *words[1:]],
                       capture_output=True, text=True, timeout=30)
    assert not p.stderr, p.stderr
    return set(p.stdout.split("\n")) - {""}


class Documents(unittest.TestCase):
    def programs(self):
        found = [p for p in PROGRAMS if os.access(os.path.join(BIN, p), os.X_OK)]
        self.assertIn("gpuvisor", found)
        for p in found:
            with self.subTest(p):
                yield p

    def manual(self, program):
        path = glob.glob(os.path.join(SOURCE, "docs/man", program + ".[18]"))
        self.assertEqual(len(path), 1, "a manual page of " + program)
        with open(path[0]) as f:
            return f.read()

    def test_every_option_is_in_the_manual(self):
        for program in self.programs():
            manual = self.manual(program)
            for option in sorted(options(help_of(program))):
                with self.subTest(option):
                    self.assertTrue(re.search(r"(Fl |-)%s\b" % option[1:], manual))

    def test_every_verb_is_in_the_manual(self):
        for program in self.programs():
            manual = self.manual(program)
            for verb in sorted(verbs(program)):
                with self.subTest(verb):
                    self.assertTrue(re.search(r"^\.(It Cm (.* )?|BI? \"?)%s\b" % verb, manual, re.M))

    def test_the_manual_names_nothing_that_is_gone(self):
        for program in self.programs():
            known = options(help_of(program)) | EVERYWHERE
            manual = self.manual(program)
            for option in re.findall(r"^\.It Fl (-[a-z0-9-]+)|, Fl (-[a-z0-9-]+)", manual, re.M):
                option = "-" + (option[0] or option[1])
                with self.subTest(option):
                    self.assertIn(option, known | {"--config"})  # gpuvisord's other name of --profile
            for verb in re.findall(r"^\.It Cm ([a-z]+(?: [a-z]+)?)", manual, re.M):
                if verbs(program):
                    with self.subTest(verb):
                        self.assertIn(verb, verbs(program))

    def test_manuals_have_no_mistakes(self):
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc")
        for program in self.programs():
            path = glob.glob(os.path.join(SOURCE, "docs/man", program + ".[18]"))[0]
            p = subprocess.run(["mandoc", "-Tlint", "-Werror", path], capture_output=True, text=True, timeout=20)
            self.assertEqual((p.returncode, p.stdout), (0, ""))

    def test_the_shell_completes_every_option_and_every_verb(self):
        for program in self.programs():
            self.assertLessEqual(options(help_of(program)), complete(program, "--"))
            for verb in sorted(verbs(program)):
                with self.subTest(verb):
                    words = verb.split()
                    self.assertIn(words[-1], complete(program, *words[:-1], ""))

    def test_the_shell_completes_values(self):
        self.assertEqual(complete("gpuvisord", "--log-level", "w"), {"warn"})
        self.assertEqual(complete("gpuvisord", "--seccomp", ""), {"off", "log", "enforce", "kill"})
        profiles = os.path.join(SOURCE, "configs/profiles/")
        self.assertIn(profiles + "even-4.json", complete("gpuvisor", "plan", profiles))
        self.assertIn(profiles + "even-4.json", complete("gpuvisord", "--profile", profiles))
        self.assertEqual(complete("gpuvisor", "--json", "--dry-run", "ap"), {"apply"})
        self.assertEqual(complete("gpuvisor", "--socket", "/x", "vf", "rel"), {"release"})
        self.assertEqual(complete("gpuvisor", "status", ""), set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
