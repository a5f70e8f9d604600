#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gpuvisord and gpuvisor-gpu in their system call filter: every thread is, and all of it works in there."""
import glob
import os
import subprocess
import unittest

from pf_rig import BIN, Rig, main, profile, wait_for

# Sanitizers do more than serve, and their leak check starts a process.
MODE = "log" if os.environ.get("GV_SANITIZE") else "kill"
OFF, FILTER = "0", "2"  # "Seccomp:" of /proc/PID/status


def threads(process):
    """[(name, filter, no_new_privs)]"""
    found = []
    for path in glob.glob("/proc/%d/task/*/status" % process.pid):
        with open(path) as f:
            s = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
        found.append((s["Name"], s["Seccomp"], s["NoNewPrivs"]))
    return found


class Sandbox(unittest.TestCase):
    def check(self, process, seccomp):
        all_threads = threads(process)
        self.assertGreater(len(all_threads), 1)
        for name, mode, no_new_privs in all_threads:
            self.assertEqual((mode, no_new_privs), (seccomp, "0" if seccomp == OFF else "1"), name)

    def test_every_thread_is_in_it_and_killed_if_it_leaves_it(self):
        """As it is by default, but that a call which would be refused ends the process."""
        with Rig(profile(64, 64), daemon_args=("--seccomp", MODE, "--metrics", "0"),
                 gpu_args=("--seccomp", MODE)) as r:
            r.cli("status")
            self.check(r.daemon, FILTER)
            self.check(r.gpu, FILTER)
            r.cli("apply", r.write("p.json", profile(128, 64, 64)))
            r.cli("vf", "reset", "1")
            p = subprocess.run([os.path.join(BIN, "gpuvisor-guest"), "--device",
                                "vfio-user:%s/vf0.sock" % r.gpu_dir, "test"], capture_output=True, text=True, timeout=100)
            self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
            self.assertTrue(wait_for(lambda: r.json("vf", "show", "0")["state"] == "IDLE"))  # its guest has left
            r.cli("rollback")
            r.cli("disable")
            self.check(r.daemon, FILTER)
            self.check(r.gpu, FILTER)
            self.assertEqual(r.stop_daemon(), 0, r.read_log())

    def test_it_can_be_switched_off(self):
        with Rig(profile(64), daemon_args=("--seccomp", "off"), gpu_args=("--seccomp", "off")) as r:
            r.cli("status")
            self.check(r.daemon, OFF)
            self.check(r.gpu, OFF)

    def test_an_unknown_mode_is_wrong_use(self):
        for program in "gpuvisord", "gpuvisor-gpu":
            p = subprocess.run([os.path.join(BIN, program), "--seccomp", "maybe"], capture_output=True, text=True, timeout=20)
            self.assertEqual(p.returncode, 2)
            self.assertIn("maybe", p.stderr)


if __name__ == "__main__":
    main()
