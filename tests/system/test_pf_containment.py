#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bad guest on VF1, a good one on VF0, each a process of its own: what becomes of the bad one, how soon, who is
named, and what the good one notices. Always: outcome, attribution, results. With GV_CONTAIN_SECONDS=5, on a machine
that does nothing else, also the good one's throughput. One table at the end (docs/containment.md)."""
import json
import os
import signal
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
TABLE = {}  # case -> what the table says of it: fate, time, event; share per policy
BAD = ("guard", "contain", "vf-reset", "vf-fault", "vf-error", "vf-message", "gpu")


class Actor:
    """A guest process; told() is what it prints at its end."""

    def __init__(self, rig, vf, role, seconds=0):
        self.p = subprocess.Popen(
            [os.path.join(TESTS, "system-actor"), "vfio-user:%s/vf%d.sock" % (rig.gpu_dir, vf), role,
             str(seconds), EXAMPLES], stdout=subprocess.PIPE, stderr=rig.log, text=True)
        line = self.p.stdout.readline()
        assert line == "ready\n", (role, line, self.p.wait(30), rig.read_log())

    def ask(self):
        """How far is "work"? It answers when the launch under way has ended. Returns when that was asked."""
        self.p.send_signal(signal.SIGUSR1)
        return time.monotonic()

    def answer(self):
        return json.loads(self.p.stdout.readline())["done"] - 1

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
        """That event, or None."""
        wait_for(lambda: any(text in e["text"] for e in self.events(vf)), seconds)
        return next((e["text"] for e in self.events(vf) if text in e["text"]), None)


def note(case, fate, begin=None, event="-"):
    TABLE.setdefault(case, {}).update(
        fate=fate, time="-" if begin is None else "%.0f ms" % (1000 * (time.monotonic() - begin)), event=event)


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

    def reset(self, stage, case, fate):
        """By the operator; it says what the VF is worth afterwards."""
        begin = time.monotonic()
        stage.cli("vf", "reset", "1")
        self.assertLess(time.monotonic() - begin, 20)
        note(case, fate, begin, stage.saw(1, "reset"))
        self.assertEqual(self.vf(stage)["state"], "IDLE")
        self.assertTrue(self.vf(stage)["scrub"]["clean"])

    def fate(self, stage, case, fate, text):
        """Of one that is still at it: what the manager does about it, and says."""
        begin = time.monotonic()

        def seen():
            event = stage.saw(1, text)
            self.assertIsNotNone(event, stage.read_log())
            note(case, fate, begin, event)
        return seen

    def test_endless_kernel(self):
        """Has its slices, and no more: that is no offence."""
        with Stage() as s:
            bad = Actor(s, 1, "endless")
            self.neighbour(s)
            self.assertEqual(s.events(1), [])
            self.assertIsNone(bad.p.poll())
            self.reset(s, "endless kernel", "has its slices; FLR by hand")
            bad.end()

    def test_doorbell_storm(self):
        """Rung in vain: nobody is told, nobody is stopped."""
        with Stage(guard={}) as s:
            bad = Actor(s, 1, "doorbells")
            self.neighbour(s)
            self.assertEqual((self.vf(s)["resets"], self.vf(s)["guard"]["state"]), (0, "normal"))
            self.assertGreater(bad.end()["done"], 1000)
            note("doorbell storm", "rings in vain")

    def test_message_storm_ends_in_quarantine(self):
        with Stage() as s:
            bad = Actor(s, 1, "messages")
            self.neighbour(s, self.fate(s, "mailbox storm", "quarantine", "quarantined: messages"))
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
            self.neighbour(s, self.fate(s, "page-fault storm", "FLR", "reset: faults"))
            self.assertTrue(wait_for(lambda: self.vf(s)["resets"] >= 1))
            self.assertGreater(self.vf(s)["guard"]["faults"]["total"], 500)
            bad.end()

    def test_garbage_hurts_its_author(self):
        with Stage() as s:
            bad = Actor(s, 1, "garbage")
            self.neighbour(s)
            bad.end()
            self.reset(s, "garbage ring", "its queues stop; FLR by hand")
            self.assertEqual(Actor(s, 1, "work", 0.2).told()["wrong"], 0)

    def test_killed_in_exclusive_access(self):
        """Nobody else gets the engines until its time is over: that is bounded."""
        with Stage() as s:
            bad = Actor(s, 1, "exclusive")
            self.assertEqual(self.vf(s)["state"], "EXCLUSIVE")
            begin = time.monotonic()
            bad.end(signal.SIGKILL)
            self.assertTrue(wait_for(lambda: self.vf(s)["state"] == "IDLE"))
            self.assertLess(time.monotonic() - begin, 30)
            note("killed in exclusive access", "FLR", begin, s.saw(1, "reset"))
            self.neighbour(s)

    def test_one_that_wants_exclusive_access_all_the_time_waits_as_long_as_it_had_it(self):
        with Stage() as s:
            bad = Actor(s, 1, "again")
            begin = time.monotonic()
            self.neighbour(s, lambda: time.sleep(1))
            done, took = bad.end()["done"], time.monotonic() - begin
            self.assertGreater(done, 1)
            self.assertLess(done * 0.1, 0.7 * took)  # 0.83 if it did not wait
            note("exclusive access all the time", "waits as long as it had it")

    def test_interrupt_storm_is_paused(self):
        with Stage(guard=INTERRUPTS) as s:
            bad = Actor(s, 1, "interrupts")
            self.neighbour(s, self.fate(s, "interrupt storm", "pause", "paused: interrupts"), role="slow")
            bad.end()
            self.assertTrue(s.saw(1, "normal again, was paused"))

    def test_one_that_never_answers_is_reset_all_the_same(self):
        with Stage() as s:
            bad = Actor(s, 1, "deaf")
            self.neighbour(s, lambda: self.reset(s, "never answers FLR notification", "FLR all the same"))
            bad.end()

    def test_an_engine_that_does_not_stop_is_reset(self):
        with Stage(gpu_args=("--stall", "1")) as s:
            bad = Actor(s, 1, "work")

            def stall():
                s.gpu.send_signal(signal.SIGUSR2)
                self.fate(s, "GPUIOV command not answered", "told, then FLR", "contained after")()
            self.neighbour(s, stall)
            for step in ("hangs: ", "step 2 of 3: FLR"):
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


# What VF1 does while the good one is measured, and what is done about it at the beginning.
CASES = {
    "endless kernel": ("endless", None),
    "doorbell storm": ("doorbells", None),
    "mailbox storm": ("messages", None),
    "page-fault storm": ("faults", None),
    "garbage ring": ("garbage", None),
    "killed in exclusive access": ("exclusive", lambda s, bad: bad.p.kill()),
    "exclusive access all the time": ("again", None),
    "interrupt storm": ("interrupts", None),
    "never answers FLR notification": ("deaf", lambda s, bad: s.cli("vf", "reset", "1")),
    "GPUIOV command not answered": ("busy", lambda s, bad: s.gpu.send_signal(signal.SIGUSR2)),
}
# Beside whom it must not be worse off: under "fair" one that has the same right to the engines and uses it well; under
# "fixed", where everybody's slices are its own, one that has no work at all.
PEERS = {"fair": "busy", "fixed": "deaf"}
SHARE = 0.95


class Processor:
    """VF1's machine has a processor, and that is always busy. On silicon it is not the GPU's; here it gets what the
    engines and the good one leave. So it is with peers, too."""

    def __init__(self, guest):
        self.spins = subprocess.Popen(["timeout", "60", "nice", "-n", "19", "sh", "-c", "while :; do :; done"])
        for task in os.listdir("/proc/%d/task" % guest.p.pid):
            os.setpriority(os.PRIO_PROCESS, int(task), 19)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.spins.terminate()
        self.spins.wait()


def launches_per_second(policy, role, offend=None):
    with Stage(policy=policy, gpu_args=("--stall", "1")) as s:
        good, bad = Actor(s, 0, "work"), Actor(s, 1, role)
        with Processor(bad):
            begin = good.ask()
            if offend:
                offend(s, bad)
            before = good.answer()
            time.sleep(max(0, begin + LONG / 2 - time.monotonic()))
            end = good.ask()
            done = good.answer() - before
        report = good.end()
        bad.end(signal.SIGKILL)
        assert (report["wrong"], report["resets"]) == (0, 0), (report, s.events(0), s.read_log())
    return done / (end - begin)


@unittest.skipUnless(LONG, "GV_CONTAIN_SECONDS is not set")
class Throughput(unittest.TestCase):
    """Of the good one, beside each bad one; compared with what it has just before and just after that beside a peer."""

    def shares(self, policy):
        before = launches_per_second(policy, PEERS[policy])
        for case, (role, offend) in CASES.items():
            now = launches_per_second(policy, role, offend)
            after = launches_per_second(policy, PEERS[policy])
            TABLE.setdefault(case, {})[policy] = 2 * now / (before + after)
            print("%-6s %-31s %6.1f/s, beside %s %6.1f and %6.1f" % (policy, case, now, PEERS[policy], before, after),
                  flush=True)
            before = after
        self.assertEqual([c for c in CASES if TABLE[c][policy] < SHARE], [])

    def test_fair(self):
        self.shares("fair")

    def test_fixed(self):
        self.shares("fixed")


def tearDownModule():
    """Case, fate, how soon, throughput of the neighbour per policy, event."""
    row = "%-31s %-28s %8s %6s %6s  %s"
    print(row % ("VF1", "becomes of it", "after", *PEERS, "event"))
    for case in CASES:
        r = TABLE.get(case, {})
        shares = ["%.0f %%" % (100 * r[p]) if p in r else "-" for p in PEERS]
        print(row % (case, r.get("fate", "-"), r.get("time", "-"), *shares, r.get("event", "-")), flush=True)


if __name__ == "__main__":
    main()
