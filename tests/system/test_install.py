#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cmake --install gives a complete tree, and systemd takes what is in it."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ["GV_BUILD"]
WORST_EXPOSURE = 20  # tenths; "systemd-analyze security" gives a plain service 9.6

EXPECTED = """
bin/gpuvisord bin/gpuvisor-keeper bin/gpuvisor bin/gpuvisor-guest bin/gpuvisor-gpu
lib/systemd/system/gpuvisord.service lib/systemd/system/gpuvisord@.service
lib/tmpfiles.d/gpuvisor.conf lib/sysusers.d/gpuvisor.conf lib/modprobe.d/gpuvisor.conf
share/man/man1/gpuvisor.1 share/man/man1/gpuvisor-guest.1 share/man/man1/gpuvisor-gpu.1 share/man/man8/gpuvisord.8 share/man/man8/gpuvisor-keeper.8
share/bash-completion/completions/gpuvisor share/bash-completion/completions/gpuvisord
share/gpuvisor/schema/profile.schema.json share/gpuvisor/prometheus/gpuvisor.rules.yml
share/gpuvisor/profiles/even-4.json share/doc/*/install.md
include/gpuvisor/gv/vf_guest.h LIB/gpuvisor/libgv-vf-guest.a LIB/pkgconfig/gpuvisor-guest.pc
""".split()

PROGRAM = """
#include <gv/vf_guest.h>
#include <stdio.h>
int main(void)
{
	struct gv_err err = {0};
	int rc = gv_fail(&err, -EIO, "works");
	puts(err.text);
	return rc == -EIO && gv_now_ns() ? 0 : 1;
}
"""


def run(*args, **more):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **more)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="gvinst")
        p = run("cmake", "--install", BUILD, env=dict(os.environ, DESTDIR=cls.dir))
        assert p.returncode == 0, p.stdout
        with open(os.path.join(BUILD, "CMakeCache.txt")) as f:
            cls.cache = f.read()
        cls.prefix = cls.cached("CMAKE_INSTALL_PREFIX")
        cls.lib = cls.cached("CMAKE_INSTALL_LIBDIR")
        cls.root = cls.dir + cls.prefix

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def cached(cls, name):
        """A variable of the configure step."""
        return re.search(r"^%s:[A-Z]+=(.*)$" % name, cls.cache, re.M)[1]

    def unit(self, name):
        return os.path.join(self.root, "lib/systemd/system", name)

    def test_the_tree_is_complete(self):
        for pattern in EXPECTED:
            with self.subTest(pattern):
                self.assertTrue(glob.glob(os.path.join(self.root, pattern.replace("LIB", self.lib, 1))))

    def test_programs_of_one_s_own_build_against_it(self):
        if not shutil.which("pkg-config") or not shutil.which("cc"):
            self.skipTest("no pkg-config or cc")
        if self.cached("GV_SANITIZE"):
            self.skipTest("libraries with sanitizers are for their own build only")
        pc = os.path.join(self.root, self.lib, "pkgconfig")
        flags = run("pkg-config", "--define-variable=prefix=" + self.root, "--cflags", "--libs", "gpuvisor-guest",
                    env=dict(os.environ, PKG_CONFIG_PATH=pc))
        self.assertEqual(flags.returncode, 0, flags.stdout)
        source, program = os.path.join(self.dir, "p.c"), os.path.join(self.dir, "p")
        with open(source, "w") as f:
            f.write(PROGRAM)
        p = run("cc", "-o", program, source, *flags.stdout.split())
        self.assertEqual(p.returncode, 0, p.stdout)
        p = run(program)
        self.assertEqual((p.returncode, p.stdout), (0, "works\n"))

    def test_systemd_takes_the_units(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        # Programs that a unit names must be there: under this root they are.
        for name in "gpuvisord.service", "gpuvisord@one.service":
            with self.subTest(name):
                with open(self.unit(name.replace("one", ""))) as f:
                    text = f.read().replace(self.prefix + "/bin", self.root + "/bin")
                path = os.path.join(self.dir, name)
                with open(path, "w") as f:
                    f.write(text)
                p = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
                self.assertEqual((p.returncode, p.stdout), (0, ""))

    def test_the_service_is_hardened(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        p = run("systemd-analyze", "security", "--offline=yes", "--threshold=%d" % WORST_EXPOSURE,
                self.unit("gpuvisord.service"))
        self.assertEqual(p.returncode, 0, p.stdout)

    def test_users_and_directories_can_be_made(self):
        root = os.path.join(self.dir, "root")
        for tool, conf in ("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d"):
            if not shutil.which(tool):
                self.skipTest("no " + tool)
            os.makedirs(os.path.join(root, "etc"), exist_ok=True)
            args = [tool, "--root=" + root]
            if tool == "systemd-tmpfiles":
                args.append("--create")
            if os.geteuid():
                self.skipTest("only root makes users")
            p = run(*args, os.path.join(self.root, "lib", conf, "gpuvisor.conf"))
            self.assertEqual(p.returncode, 0, p.stdout)
        with open(os.path.join(root, "etc/passwd")) as f:
            self.assertRegex(f.read(), r"(?m)^gpuvisor:")
        claims = os.stat(os.path.join(root, "run/gpuvisor/claims"))
        self.assertNotEqual(claims.st_uid, 0)
        self.assertEqual(claims.st_mode & 0o7777, 0o755)


if __name__ == "__main__":
    unittest.main(verbosity=2)
