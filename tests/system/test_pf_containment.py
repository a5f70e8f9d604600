#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bad guest on VF1, a good one on VF0, each a process of its own: what becomes of the bad one, who is named,
and what the good one notices. Always: outcome, attribution, results. With GV_CONTAIN_SECONDS=5, on a machine that
does nothing else, also the good one's throughput (docs/containment.md)."""
import json
import os
import signal
import statistics
import subprocess
import time
import unittest

from pf_rig import Rig, main, profile, wait_for

TESTS = os.environ.get("GV_TESTS", "build/tests")
EXAMPLES = os.environ.get("GV_EXAMPLES", "build/examples")
LONG = float(os.environ.get("GV_CONTAIN_SECONDS", "0"))

# What the bad one may do in a second, and what happens above that; low, so that it happens soon.
GUARD = {"messages": {"limit": 100, "window_ms": 1000, "policy": "quarantine"},
         "faults": {"limit": 500, "window_ms": 1000, "policy": "flr"}}
INTERRUPTS = {"interrupts": {"limit": 20, "window_ms": 1000, "policy": "pause"}}  # a good one has hundreds, too
BAD = ("guard", "contain", "vf-reset", "vf-fault", "vf-error", "vf-message", "gpu")


class Actor:
    """A guest process; told() is what it prints at its end."""

    def __init__(self, rig, vf, role, seconds=0):
        self.p = subprocess.Popen(
            [os.path.join(TESTS, "system-actor"), "vfio-user:%s/vf%d.sock" % (rig.gpu_dir, vf), role,
             str(seconds), EXAMPLES], stdout=subprocess.PIPE, stderr=rig.log, text=True)
        line = self.p.stdout.readline()
        assert line == "ready\n", (role, line, self.p.wait(30), rig.read_log())

    def told(self, timeout=60):
        out, _ = self.p.communicate(timeout=timeout)
        return json.loads(out) if out.strip() else None

    def end(self, how=signal.SIGTERM):
        if self.p.poll() is None:
            self.p.send_signal(how)
        try:
            return self.told(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return self.told(20)


class Stage(Rig):
    """Two VFs that share the engines by time slices, and a good guest on VF0."""

    def __init__(self, policy="fair", guard=None, gpu_args=()):
        split = profile(128, 128, scheduler={"policy": policy, "preempt_timeout_ms": 300},
                        guard=GUARD if guard is None else guard)
        for vf in split["vfs"]:
            vf["quantum_ms"] = 6
        super().__init__(split, gpu_args=gpu_args)

    def events(self, vf=None, kinds=BAD):
        lines = self.cli("--json", "events").stdout.splitlines()
        return [e for e in map(json.loads, lines)
                if e["kind"] in kinds and (vf is None or e.get("vf") == vf)]

    def saw(self, vf, text, seconds=20):
        return wait_for(lambda: any(text in e["text"] for e in self.events(vf)), seconds)


class Matrix(unittest.TestCase):
    def neighbour(self, stage, meanwhile=lambda: None, role="work"):
        """The good one works; its results must be right, and it must not be blamed or reset."""
        good = Actor(stage, 0, role)
        meanwhile()
        time.sleep(0.3)
        report = good.end()
        self.assertIsNotNone(report, stage.read_log())
        self.assertEqual((report["wrong"], report["resets"]), (0, 0), stage.read_log())
        self.assertGreater(report["done"], 0)
        self.assertEqual(stage.events(0), [], "the wrong one is blamed")

    def vf(self, stage, vf=1):
        return stage.json("vf", "show", str(vf))

    def test_endless_kernel(self):
        """Has its slices, and no more: that is no offence."""
        with Stage() as s:
            bad = Actor(s, 1, "endless")
            self.neighbour(s)
            self.assertEqual(s.events(1), [])
            self.assertIsNone(bad.p.poll())
            begin = time.monotonic()
            s.cli("vf", "reset", "1")
            self.assertLess(time.monotonic() - begin, 20)
            bad.end()

    def test_doorbell_storm(self):
        """Rung in vain: nobody is told, nobody is stopped."""
        with Stage(guard={}) as s:
            bad = Actor(s, 1, "doorbells")
            self.neighbour(s)
            self.assertEqual((self.vf(s)["resets"], self.vf(s)["guard"]["state"]), (0, "normal"))
            self.assertGreater(bad.end()["done"], 1000)

    def test_message_storm_ends_in_quarantine(self):
        with Stage() as s:
            bad = Actor(s, 1, "messages")
            self.neighbour(s, lambda: self.assertTrue(s.saw(1, "quarantined: messages")))
            self.assertTrue(wait_for(lambda: self.vf(s)["state"] == "OFF"))
            vf = self.vf(s)
            self.assertEqual((vf["pool"], vf["guard"]["state"]), ("quarantined", "quarantined"))
            self.assertTrue(vf["scrub"]["clean"])
            p = s.cli("vf", "claim", "1", "--owner", "eve", ok=False)
            self.assertIn("is in quarantine", p.stderr)
            bad.end()
            s.cli("vf", "unquarantine", "1")
            self.assertEqual(Actor(s, 1, "work", 0.2).told()["wrong"], 0)

    def test_fault_storm_ends_in_a_reset(self):
        with Stage() as s:
            bad = Actor(s, 1, "faults")
            self.neighbour(s, lambda: self.assertTrue(s.saw(1, "reset: faults")))
            self.assertTrue(wait_for(lambda: self.vf(s)["resets"] >= 1))
            self.assertGreater(self.vf(s)["guard"]["faults"]["total"], 500)
            bad.end()

    def test_garbage_hurts_its_author(self):
        with Stage() as s:
            bad = Actor(s, 1, "garbage")
            self.neighbour(s)
            bad.end()
            s.cli("vf", "reset", "1")
            self.assertEqual(Actor(s, 1, "work", 0.2).told()["wrong"], 0)

    def test_killed_in_exclusive_access(self):
        """Nobody else gets the engines until its time is over: that is bounded."""
        with Stage() as s:
            bad = Actor(s, 1, "exclusive")
            self.assertEqual(self.vf(s)["state"], "EXCLUSIVE")
            bad.end(signal.SIGKILL)
            begin = time.monotonic()
            self.neighbour(s)
            self.assertLess(time.monotonic() - begin, 30)
            self.assertTrue(wait_for(lambda: self.vf(s)["state"] == "IDLE"))
            self.assertTrue(s.saw(1, "reset"))

    def test_interrupt_storm_is_paused(self):
        with Stage(guard=INTERRUPTS) as s:
            bad = Actor(s, 1, "interrupts")
            self.neighbour(s, lambda: self.assertTrue(s.saw(1, "paused: interrupts")), role="slow")
            bad.end()
            self.assertTrue(s.saw(1, "normal again, was paused"))

    def test_one_that_never_answers_is_reset_all_the_same(self):
        with Stage() as s:
            bad = Actor(s, 1, "deaf")

            def reset():
                begin = time.monotonic()
                s.cli("vf", "reset", "1")
                self.assertLess(time.monotonic() - begin, 20)
            self.neighbour(s, reset)
            self.assertEqual(self.vf(s)["state"], "IDLE")
            self.assertTrue(self.vf(s)["scrub"]["clean"])
            bad.end()

    def test_an_engine_that_does_not_stop_is_reset(self):
        with Stage(gpu_args=("--stall", "1")) as s:
            bad = Actor(s, 1, "work")
            self.neighbour(s, lambda: s.gpu.send_signal(signal.SIGUSR2))
            for step in ("hangs: ", "step 2 of 3: FLR", "contained after"):
                self.assertTrue(s.saw(1, step), s.read_log())
            self.assertEqual(self.vf(s)["containment"]["hangs"], 1)
            report = bad.end()  # it has noticed, recovered, and gone on
            self.assertEqual((report["wrong"], report["resets"]), (0, 1))

    def test_a_reset_of_the_whole_gpu_gives_everybody_back(self):
        with Stage() as s:
            guests = [Actor(s, i, "work") for i in range(2)]
            p = s.cli("gpu", "reset", ok=False)
            self.assertEqual(p.returncode, 1)
            self.assertIn("is in use", p.stderr)
            took = s.json("gpu", "reset", "--force")["took_ms"]
            print("whole-GPU reset: %d ms with two guests at work" % took, flush=True)
            self.assertTrue(wait_for(lambda: all(self.vf(s, i)["state"] == "ACTIVE" for i in range(2))))
            time.sleep(0.2)
            for g in guests:
                report = g.end()
                self.assertEqual((report["wrong"], report["resets"]), (0, 1), s.read_log())
            self.assertEqual(s.json("status")["num_vfs"], 2)


def beside(role, guard):
    """Launches per second of the good one beside somebody else."""
    with Stage(guard=guard) as s:
        other = Actor(s, 1, role)
        report = Actor(s, 0, "work", LONG).told()
        other.end(signal.SIGKILL)
    assert (report["wrong"], report["resets"]) == (0, 0), report
    return report["done"] / report["seconds"]


@unittest.skipUnless(LONG, "GV_CONTAIN_SECONDS is not set")
class Throughput(unittest.TestCase):
    """Of the good one, beside each bad one and beside "busy", who has always work and does nothing wrong; in turns,
    the median of three."""
    ROLES = ("endless", "doorbells", "messages", "faults", "garbage", "exclusive", "interrupts", "deaf")
    SHARE = 0.95

    def test_share(self):
        low = []
        for role in self.ROLES:
            pairs = [(beside("busy", {}), beside(role, GUARD)) for _ in range(3)]
            share = statistics.median(bad / good for good, bad in pairs)
            print("%-12s %4.0f %%  launches/s %s" % (role, 100 * share,
                  ", ".join("%.1f beside busy %.1f beside it" % p for p in pairs)), flush=True)
            if share < self.SHARE:
                low.append(role)
        self.assertEqual(low, [])


if __name__ == "__main__":
    main()
