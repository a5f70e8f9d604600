#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gpuvisord is killed, restarted and replaced while guests use its VFs: they notice nothing.

`--count N`: how often it is killed in each test (8); `--policy P`: how VFs share the engines. Figures
go to stdout.
"""
import array
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

from pf_rig import BIN, SOURCE, Rig, main, profile, wait_for

LONG = 60
VFS = 4  # that compute; one more is played with
COUNT = 8
POLICY = None
GUEST = os.path.join(BIN, "gpuvisor-guest")
KEEPER = os.path.join(BIN, "gpuvisor-keeper")
CODE = os.path.join(BIN, "..", "examples", "vector_add.co")

REQ_INIT, REL_INIT, REQ_FINI, REL_FINI, REQ_DATA = 1, 2, 3, 4, 6
READY_TO_RESET = 201
READY, FLR, FLR_DONE, DATA_READY = 1, 2, 3, 7
MMIO = 5


def register(name):
    """Byte offset of a register, from the table of all of them."""
    with open(os.path.join(SOURCE, "docs/registers.md")) as f:
        return int(re.search(r"^\| %s \| (0x[0-9a-f]+)" % name, f.read(), re.M).group(1), 16)


TRN = register("BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0")
RCV = register("BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0")
CONTROL = register("BIF_BX_PF0_MAILBOX_CONTROL")


def few():
    """The short form has no time to do everything often."""
    return COUNT if COUNT > 8 else 2


class RawVf:
    """A guest's end of the mailbox, by hand."""

    def __init__(self, path):
        self.id = 0
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(LONG)
        self.s.connect(path)
        self.call(1, struct.pack("<HH", 0, 1) + b"{}\0")

    def call(self, command, payload):
        self.id += 1
        self.s.sendall(struct.pack("<HHIII", self.id, command, 16 + len(payload), 0, 0) + payload)
        head = self.take(16)
        ident, _, size, flags, error = struct.unpack("<HHIII", head)
        assert ident == self.id and flags & 1 and not error, (ident, flags, error)
        return self.take(size - 16)

    def take(self, n):
        data = b""
        while len(data) < n:
            got = self.s.recv(n - len(data))
            if not got:
                raise ConnectionError("the GPU hung up")
            data += got
        return data

    def read(self, byte, n=4):
        return int.from_bytes(self.call(9, struct.pack("<QII", byte, MMIO, n))[16:], "little")

    def write(self, byte, value, n=4):
        self.call(10, struct.pack("<QII", byte, MMIO, n) + value.to_bytes(n, "little"))

    def send(self, code):
        self.write(CONTROL, 0, 1)
        self.write(TRN, code)
        self.write(CONTROL, 1, 1)

    def acked(self):
        return bool(self.read(CONTROL, 1) & 2)

    def hear(self, code, seconds=LONG):
        ok = wait_for(lambda: self.read(RCV) == code, seconds)
        self.write(CONTROL + 1, 2, 1)
        return ok

    def ask(self, code, reply=None):
        self.send(code)
        assert wait_for(self.acked, LONG), "no ACK of %u" % code
        assert reply is None or self.hear(reply), "no answer to %u" % code

    def close(self):
        """Now, although a guest that a worker just forked has a copy until it executes."""
        self.s.shutdown(socket.SHUT_RDWR)
        self.s.close()


class Worker(threading.Thread):
    """Computes on a VF, one guest process after the other, and looks at every result."""

    def __init__(self, rig, vf):
        super().__init__(daemon=True)
        self.uri = "vfio-user:%s/vf%u.sock" % (rig.gpu_dir, vf)
        self.dir = os.path.join(rig.dir, "w%u" % vf)
        os.mkdir(self.dir)
        self.enough = threading.Event()
        self.runs, self.failure = 0, None
        n = 1 << 18
        self.a = array.array("f", (random.randrange(1 << 20) for _ in range(n)))
        self.b = array.array("f", (random.randrange(1 << 20) for _ in range(n)))
        self.sum = array.array("f", (x + y for x, y in zip(self.a, self.b)))
        for name, data in (("a", self.a), ("b", self.b)):
            with open(os.path.join(self.dir, name), "wb") as f:
                f.write(data.tobytes())

    def verb(self):
        if not os.path.exists(CODE) or self.runs % 3 == 2:
            return ["copy", "24M"]  # compares by itself
        return ["run", CODE, "vector_add", "--grid", "262144", "--block", "256", "--arg", "buf:%s/a" % self.dir,
                "--arg", "buf:%s/b" % self.dir, "--arg", "out:1048576:%s/c" % self.dir, "--arg", "u32:262144"]

    def once(self):
        verb = self.verb()
        p = subprocess.run([GUEST, "--device", self.uri, *verb], capture_output=True, text=True, timeout=4 * LONG)
        if p.returncode:
            return "%s: %s%s" % (verb[0], p.stdout, p.stderr)
        if verb[0] == "run":
            with open(os.path.join(self.dir, "c"), "rb") as f:
                if f.read() != self.sum.tobytes():
                    return "run: wrong result"
        return None

    def run(self):
        while not self.failure and not self.enough.is_set():
            try:
                self.failure = self.once()
            except (OSError, subprocess.SubprocessError) as e:
                self.failure = str(e)
            self.runs += not self.failure


class Journal:
    def __init__(self, directory):
        self.dir = directory

    def path(self):
        return [os.path.join(self.dir, n) for n in os.listdir(self.dir) if n.endswith(".journal")][0]

    def look(self):
        self.was = os.stat(self.path()).st_size

    def wait_for_more(self):
        """Until something is decided."""
        end = time.monotonic() + LONG
        while os.stat(self.path()).st_size == self.was and time.monotonic() < end:
            time.sleep(0.0005)

    def tear(self):
        """Killed in a write: the first bytes of a record, which has no effect yet."""
        with open(self.path(), "r+b") as f:
            head = f.read(32)
            f.seek(0, 2)
            f.write((head + bytes(8))[:random.randrange(1, 40)])

    def make_newer(self):
        """As the next version would write it: its first record says 2, and its CRC is right."""
        with open(self.path(), "r+b") as f:
            data = bytearray(f.read())
            size = 32 + struct.unpack_from("<I", data, 12)[0]
            struct.pack_into("<H", data, 4, 2)
            struct.pack_into("<I", data, 24, 0)
            struct.pack_into("<I", data, 24, zlib.crc32(bytes(data[:size])))
            f.seek(0)
            f.write(data)


class Setup(unittest.TestCase):
    def start(self, what, **more):
        self.rig = Rig(vram_mib=768, daemon_args=())
        self.addCleanup(self.rig.close)
        self.rig.stop_daemon()
        self.state = os.path.join(self.rig.dir, "state")
        if POLICY and what is not None:
            # No hang is looked for here: a busy machine may well need longer than 500 ms.
            what = dict(what, scheduler={"policy": POLICY},
                        vfs=[dict(v, preempt_timeout_ms=10000) for v in what["vfs"]])
        self.what = what
        self.options = ("--state-dir", self.state)
        self.rig.daemon = self.rig.start_daemon(what, self.options)
        self.wait_daemon()
        self.journal = Journal(self.state)

    def wait_daemon(self):
        self.assertTrue(wait_for(lambda: self.rig.cli("status", ok=False).returncode == 0 or
                                 self.rig.daemon.poll() is not None, LONG), self.rig.read_log())
        self.assertIsNone(self.rig.daemon.poll(), self.rig.read_log())
        return time.monotonic()

    def kill(self):
        self.rig.daemon.kill()
        self.rig.daemon.wait(LONG)

    def again(self):
        self.rig.daemon = self.rig.start_daemon(self.what, self.options)
        back = self.wait_daemon()
        boot = self.rig.json("status")["boot"]
        self.assertEqual(boot["path"], "taken-over", self.rig.read_log())
        return back, boot


class Guests(Setup):
    def setUp(self):
        self.start(profile(*[96] * VFS, 64))
        self.slowest = 0.0

    def situation(self, vf=VFS):
        """What is known, and what happened to this VF."""
        lines = [re.sub(r"vfio-user:\S+ PF: ", "", line) for line in self.rig.read_log().splitlines()
                 if "VF%u:" % vf in line or "took" in line or "warn" in line]
        return "\n".join([self.rig.cli("status", ok=False).stdout, *lines[-60:]])

    def in_window(self, raw):
        """Killed in exclusive access: the guest goes on in it."""
        raw.ask(REQ_INIT, READY)
        self.kill()
        _, boot = self.restart()
        raw.ask(REL_INIT)
        raw.ask(REQ_FINI, READY)
        raw.ask(REL_FINI)
        return boot

    def asked_meanwhile(self, raw):
        """What is asked while nobody is there is answered when somebody is."""
        self.kill()
        raw.send(REQ_DATA)
        back, boot = self.restart()
        self.assertTrue(raw.hear(DATA_READY), self.rig.read_log())
        self.slowest = max(self.slowest, time.monotonic() - back)
        self.come_and_go(raw)
        return boot

    @staticmethod
    def come_and_go(raw):
        raw.ask(REQ_INIT, READY)
        raw.ask(REL_INIT)
        raw.ask(REQ_FINI, READY)
        raw.ask(REL_FINI)

    def in_flr(self, _):
        """Killed while a VF is reset and scrubbed."""
        p = subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", self.rig.sock, "vf", "reset", str(VFS)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.random() * 0.06)
        self.kill()
        p.wait(LONG)
        return self.restart()[1]

    def somewhere(self, _):
        time.sleep(random.random() * 0.3)
        self.kill()
        return self.restart()[1]

    def restart(self):
        self.spoil()
        return self.again()

    def idle(self):
        return self.rig.json("vf", "show", str(VFS))["state"] == "IDLE"

    def one(self, play):
        raw = RawVf("%s/vf%u.sock" % (self.rig.gpu_dir, VFS))
        try:
            boot = play(raw)
        except AssertionError as e:
            raise AssertionError(self.situation()) from e
        finally:
            raw.close()
        self.assertEqual(boot["vfs_adopted"], VFS + 1)
        self.assertTrue(wait_for(self.idle, LONG), self.rig.read_log())
        return boot

    def check_all(self, spoil, found, count):
        self.spoil = spoil
        workers = [Worker(self.rig, n) for n in range(VFS)]
        for w in workers:
            self.addCleanup(w.enough.set)
        plays = (self.somewhere, self.asked_meanwhile, self.in_window, self.in_flr)
        took, redone = [], 0
        for w in workers:
            w.start()
        for i in range(count):
            boot = self.one(plays[i % len(plays)])
            self.assertEqual(boot["journal_found"], found)
            took.append(boot["total_us"] / 1000)
            redone += boot["jobs_redone"]
            for n, w in enumerate(workers):
                self.assertIsNone(w.failure, w.failure and self.situation(n))
        for w in workers:
            w.enough.set()
        for w in workers:
            w.join(4 * LONG)
            self.assertIsNone(w.failure, w.failure and self.situation(workers.index(w)))
            self.assertFalse(w.is_alive())
        runs = sum(w.runs for w in workers)
        self.assertGreater(runs, 0)
        self.assertEqual(len(self.rig.vf_sockets()), VFS + 1)
        print("\n%s journal: killed %u times, %u guests computed, all results right; takeover %.1f ms at most, "
              "%.1f in the middle; %u steps begun again; slowest answer %.0f ms after the return" %
              (found, count, runs, max(took), sorted(took)[len(took) // 2], redone, self.slowest * 1000))
        self.assertLess(self.slowest, 10)  # 1 s, but for machines that are busy otherwise

    def test_nothing_is_lost_with_the_journal(self):
        self.check_all(lambda: None, "whole", COUNT)

    def test_nothing_is_lost_with_a_torn_journal(self):
        self.check_all(self.journal.tear, "torn", few())

    def test_nothing_is_lost_with_a_journal_of_the_next_version(self):
        self.check_all(self.journal.make_newer, "newer", few())


class Apply(Setup):
    def test_an_apply_is_done_or_not_done(self):
        self.start(profile(64, 64))
        files = [self.rig.write("a.json", profile(128, 64, 64)), self.rig.write("b.json", profile(64, 64))]
        sizes = {(128, 64, 64): 0, (64, 64): 0}
        became = {"none": 0, "rolled-back": 0, "finished": 0}
        for i in range(COUNT):
            now = len(self.rig.json("status")["vfs"])
            self.journal.look()
            p = subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", self.rig.sock, "apply",
                                  files[now == 3]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.journal.wait_for_more()
            time.sleep(random.random() * 0.04)
            self.kill()
            p.wait(LONG)
            _, boot = self.again()
            vfs = self.rig.json("status")["vfs"]
            sizes[tuple(v["fb_mib"] for v in vfs)] += 1  # else: a KeyError
            became[boot["apply"]] += 1
            self.assertEqual(len(self.rig.vf_sockets()), len(vfs))
            out = subprocess.run([GUEST, "--device", "vfio-user:%s/vf%u.sock" % (self.rig.gpu_dir, i % 2), "copy",
                                  "1M"], capture_output=True, text=True, timeout=LONG)
            self.assertEqual(out.returncode, 0, (out.stderr, self.rig.read_log()))
        print("\nkilled %u times in an apply: %s" % (COUNT, became))


class GpuReset(Setup):
    """Killed in a reset of the whole GPU, in which the hardware forgets whose it is."""

    def kill_in_reset(self, raw, nth):
        p = subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", self.rig.sock, "gpu", "reset", "--force"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(wait_for(lambda: raw.read(RCV) == FLR, LONG), self.rig.read_log())
        before = self.said("PSP mode 1")
        raw.send(READY_TO_RESET)
        end = time.monotonic() + (LONG if nth % 4 else random.random() * 0.05)
        while self.said("PSP mode 1") == before and time.monotonic() < end:
            time.sleep(0.0005)
        time.sleep(random.random() * 0.02 * (nth % 4 / 2))
        self.kill()
        p.wait(LONG)

    def said(self, what):
        return len(re.findall("whole-GPU reset: " + what, self.rig.read_log()))

    def test_it_is_finished_and_no_vf_is_lost(self):
        """Guests hear what they hear in any other: VF0 runs when it begins, VF1 has exclusive access."""
        self.start(profile(96, 96, 64))
        became = {}
        for i in range(COUNT // 2):
            raws = [RawVf("%s/vf%u.sock" % (self.rig.gpu_dir, n)) for n in range(2)]
            raws[0].ask(REQ_INIT, READY)
            raws[0].ask(REL_INIT)
            raws[1].ask(REQ_INIT, READY)
            before = self.said("done")
            self.kill_in_reset(raws[0], i)
            _, boot = self.again()
            self.assertEqual((boot["vfs_adopted"], len(self.rig.vf_sockets())), (3, 3), self.rig.read_log())
            self.assertTrue(raws[0].hear(FLR_DONE), self.rig.read_log())
            self.assertTrue(wait_for(lambda: {v["state"] for v in self.rig.json("status")["vfs"]} == {"IDLE"}, LONG),
                            self.rig.read_log())
            became[boot["apply"]] = became.get(boot["apply"], 0) + 1
            self.assertTrue(boot["apply"] == "none" or wait_for(lambda n=before: self.said("done") > n, LONG),
                            self.rig.read_log())
            for raw in raws:
                raw.close()
            out = subprocess.run([GUEST, "--device", "vfio-user:%s/vf1.sock" % self.rig.gpu_dir, "copy", "1M"],
                                 capture_output=True, text=True, timeout=LONG)
            self.assertEqual(out.returncode, 0, (out.stderr, self.rig.read_log()))
        print("\nkilled %u times in a reset of the whole GPU: %s" % (COUNT // 2, became))


class Lives(Setup):
    def test_a_stop_that_keeps_and_one_that_does_not(self):
        self.start(profile(64, 64))
        self.rig.stop_daemon()
        self.assertEqual(self.rig.vf_sockets(), [])
        self.options += ("--on-stop", "keep")
        self.rig.daemon = self.rig.start_daemon(self.what, self.options)
        self.wait_daemon()
        self.assertEqual(self.rig.json("status")["boot"]["path"], "cold")
        self.assertEqual(self.rig.stop_daemon(), 0)
        self.assertEqual(len(self.rig.vf_sockets()), 2)
        self.again()
        self.rig.daemon.send_signal(signal.SIGINT)
        self.assertEqual(self.rig.daemon.wait(LONG), 0)
        self.assertEqual(self.rig.vf_sockets(), [])

    def test_a_claim_outlives_the_daemon(self):
        self.start(profile(64, 64))
        with self.rig.connect() as s:
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"vf.claim","params":{"vf":1,"owner":"me"}}\n')
            self.assertIn(b'"owner":"me"', s.recv(4096))
            self.kill()
        self.again()
        self.assertEqual([v.get("owner") for v in self.rig.json("vf", "list")], [None, "me"])

    def test_a_forced_reset(self):
        self.start(profile(64, 64))
        self.kill()
        os.environ["GPUVISOR_RESET"] = "1"
        self.addCleanup(os.environ.pop, "GPUVISOR_RESET", None)
        self.rig.daemon = self.rig.start_daemon(profile(64), self.options)
        self.wait_daemon()
        status = self.rig.json("status")
        self.assertEqual(status["boot"]["path"], "forced")
        self.assertIn("reset", [s["step"] for s in status["boot"]["steps"]])
        self.assertEqual(len(status["vfs"]), 1)

    def test_the_keeper_restarts_replaces_and_ends_it(self):
        self.start(None)
        self.rig.stop_daemon()
        path = self.rig.write("k.json", profile(64, 64))
        self.rig.daemon = subprocess.Popen(
            [KEEPER, os.path.join(BIN, "gpuvisord"), "--gpu", "vfio-user:%s/pf.sock" % self.rig.gpu_dir, "--socket",
             self.rig.sock, "--profile", path, *self.options], stdout=self.rig.log, stderr=self.rig.log)
        self.wait_daemon()
        for event in (signal.SIGKILL, signal.SIGHUP, signal.SIGKILL):
            pid = self.child()
            os.kill(self.rig.daemon.pid if event == signal.SIGHUP else pid, event)
            self.assertTrue(wait_for(lambda old=pid: self.child() not in (None, old), LONG), self.rig.read_log())
            self.wait_daemon()
            boot = self.rig.json("status")["boot"]
            self.assertEqual((boot["path"], boot["vfs_adopted"], boot["journal_found"]), ("taken-over", 2, "whole"))
        self.assertEqual(self.rig.stop_daemon(), 0, self.rig.read_log())
        self.assertEqual(self.rig.vf_sockets(), [])

    def child(self):
        with open("/proc/%u/task/%u/children" % ((self.rig.daemon.pid,) * 2)) as f:
            pids = f.read().split()
        return int(pids[0]) if pids else None


# Speaks for gpuvisord: stores a file at its first start, and tells what it finds at each.
FAKE = r"""
import array, os, signal, socket, sys, time
log = open(sys.argv[1], "a")
fds = int(os.environ["LISTEN_FDS"]) if os.environ.get("LISTEN_PID") == str(os.getpid()) else -1
names = os.environ.get("LISTEN_FDNAMES", "")
print(fds, names, *[os.pread(3 + i, 99, 0).decode() for i in range(fds)], file=log, flush=True)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
def tell(text, *keep):
    s.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", keep))] if keep else [])
if not fds:
    for name in ("one", "two", "bad:name"):
        fd = os.memfd_create("x")
        os.write(fd, ("data of " + name).encode())
        tell("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, fd)
    tell("READY=1")
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
if len(open(sys.argv[1]).readlines()) == 2:
    tell("FDSTOREREMOVE=1\nFDNAME=one")
    sys.exit(1)
sys.exit(7 if len(open(sys.argv[1]).readlines()) == 3 else 0)
"""


class Keeper(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def test_descriptors_outlive_who_stored_them(self):
        log = os.path.join(self.dir.name, "log")
        p = subprocess.run([KEEPER, sys.executable, "-c", FAKE, log], capture_output=True, text=True, timeout=LONG)
        with open(log) as f:
            lines = f.read().splitlines()
        self.assertEqual(lines, ["0 ", "2 one:two data of one data of two", "1 two data of two", "1 two data of two"],
                         p.stderr)
        self.assertEqual(p.returncode, 0, p.stderr)

    def test_what_was_never_ready_is_not_started_again(self):
        for status in (1, 2, 5):
            p = subprocess.run([KEEPER, "--", "sh", "-c", "exit %u" % status], capture_output=True, timeout=LONG)
            self.assertEqual(p.returncode, status)
        self.assertEqual(subprocess.run([KEEPER], capture_output=True, timeout=LONG).returncode, 2)
        self.assertEqual(subprocess.run([KEEPER, "/nowhere"], capture_output=True, timeout=LONG).returncode, 1)

    def test_strangers_are_not_listened_to(self):
        script = "echo $NOTIFY_SOCKET > %s/at; sleep 1; exit 3" % self.dir.name
        p = subprocess.Popen([KEEPER, "--", "sh", "-c", script], stderr=subprocess.DEVNULL)
        self.addCleanup(p.wait)
        at = []

        def told():
            try:
                with open(os.path.join(self.dir.name, "at")) as f:
                    at[:] = [f.read()]
            except OSError:
                return False
            return at[0].endswith("\n")
        self.assertTrue(wait_for(told))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"READY=1", "\0" + at[0][1:].strip())
        self.assertEqual(p.wait(LONG), 3)  # was never ready


if __name__ == "__main__":
    for option in ("--count", "--policy"):
        if option in sys.argv:
            at = sys.argv.index(option)
            value = sys.argv.pop(at + 1)
            sys.argv.pop(at)
            if option == "--count":
                COUNT = int(value)
            else:
                POLICY = value
    main()
