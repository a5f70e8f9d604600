#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Time slices with real processes: VFs that are busy all the time get what the profile says, changes count
while they run, and what they compute is right. GV_SLICES_SECONDS=10 measures that long (docs/gpuvisord.md);
else a test ends as soon as what it waits for is so."""
import os
import subprocess
import time
import unittest

from pf_rig import BIN, Rig, main, profile, wait_for

EXAMPLES = os.environ.get("GV_EXAMPLES", os.path.join(BIN, "..", "examples"))
ENDLESS = 2048  # a product of such matrices takes longer than any test
SECONDS = float(os.environ.get("GV_SLICES_SECONDS", "0"))


def jain(x):
    return sum(x) ** 2 / (len(x) * sum(v * v for v in x)) if any(x) else 0


def split(vfs, policy="fair", weights=None, **more):
    p = profile(*[128] * vfs, scheduler={"policy": policy}, **more)
    for vf, weight in zip(p["vfs"], weights or [1] * vfs):
        vf["weight"] = weight
    return p


class Slices(unittest.TestCase):
    def setUp(self):
        self.guests = []

    def tearDown(self):
        for g in self.guests:
            g.kill()
            g.communicate()

    def run_matmul(self, rig, vf, n, a, b, out):
        args = [os.path.join(BIN, "gpuvisor-guest"), "--device", "vfio-user:%s/vf%d.sock" % (rig.gpu_dir, vf),
                "run", os.path.join(EXAMPLES, "matmul_lds.co"), "matmul_lds", "--grid", "%d,%d" % (n, n),
                "--block", "16,16", "--arg", "buf:" + a, "--arg", "buf:" + b,
                "--arg", "out:%d:%s" % (4 * n * n, out), "--arg", "u32:%d" % n]
        g = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.guests.append(g)
        return g

    def endless(self, rig, vfs):
        zeros = rig.write("zeros", "\0" * (4 * ENDLESS * ENDLESS))
        for vf in range(vfs):
            self.run_matmul(rig, vf, ENDLESS, zeros, zeros, os.path.join(rig.dir, "out%d" % vf))
        self.assertTrue(wait_for(lambda: all(v["busy"] and v["slices"] for v in self.slices(rig)), 60),
                        rig.read_log())

    @staticmethod
    def slices(rig):
        return [v["scheduler"] for v in rig.json("status")["vfs"]]

    def shares_become(self, rig, fair, what):
        """True as soon as fair(time that each VF had the engines since now) is; never before SECONDS."""
        before, end = [v["ran_ns"] for v in self.slices(rig)], time.monotonic() + 60
        least, ran = time.monotonic() + SECONDS, []

        def so():
            nonlocal ran
            ran = [v["ran_ns"] - b for v, b in zip(self.slices(rig), before)]
            return time.monotonic() > least and min(ran) > 50e6 and fair(ran)

        self.assertTrue(wait_for(so, end - time.monotonic()), (what, ran, rig.json("status")["scheduler"]))
        if SECONDS:
            print(what, [round(r / 1e6) for r in ran], "ms")

    def test_equal_ones_get_equal_shares_and_weights_can_change_while_they_run(self):
        with Rig(split(4), vram_mib=1024) as rig:
            self.endless(rig, 4)
            self.shares_become(rig, lambda ran: jain(ran) >= 0.98, "four equal ones")
            path = rig.write("new.json", split(4, weights=[3, 1, 1, 1]))
            self.assertIn("no VF is touched", rig.cli("diff", path).stdout)
            rig.cli("apply", path)
            self.shares_become(rig, lambda ran: abs(ran[0] / (sum(ran[1:]) / 3) - 3) <= 0.15, "weights 3:1:1:1")
            s = rig.json("status")
            self.assertEqual(s["scheduler"]["policy"], "fair")
            self.assertEqual(s["scheduler"]["hangs"], 0)
            self.assertEqual([v["state"] for v in s["vfs"]], ["ACTIVE"] * 4)
            for v in s["vfs"]:
                self.assertTrue(0 < v["scheduler"]["switch_p50_ns"] <= v["scheduler"]["switch_p99_ns"])
            self.assertIn("engines: fair", rig.cli("status").stdout)

    def test_what_is_switched_computes_right_under_every_policy(self):
        n = 256
        with Rig(split(3), vram_mib=1024) as rig:
            subprocess.run([os.path.join(BIN, "gv-example"), "gen", "matmul_lds", str(n), rig.dir], check=True,
                           stdout=subprocess.DEVNULL)
            a, b = os.path.join(rig.dir, "a.bin"), os.path.join(rig.dir, "b.bin")
            for policy in ("fair", "fixed", "best-effort", "none"):
                rig.cli("apply", rig.write("p.json", split(3, policy)))
                outs = [os.path.join(rig.dir, "out%d" % vf) for vf in range(3)]
                guests = [self.run_matmul(rig, vf, n, a, b, out) for vf, out in enumerate(outs)]
                for g in guests:
                    text = g.communicate(timeout=60)[0]
                    self.assertEqual(g.returncode, 0, (policy, text))
                for out in outs:
                    os.rename(out, os.path.join(rig.dir, "out.bin"))
                    p = subprocess.run([os.path.join(BIN, "gv-example"), "check", "matmul_lds", str(n), rig.dir],
                                       capture_output=True, text=True)
                    self.assertEqual(p.returncode, 0, (policy, p.stdout, p.stderr))
                self.assertEqual(rig.json("status")["scheduler"]["policy"], policy)


if __name__ == "__main__":
    main()
