#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Timelines and events as an operator sees them."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import unittest
import zlib

from pf_rig import BIN, SOURCE, Rig, main, profile, wait_for


def guest(r, vf, *args):
    return subprocess.run([os.path.join(BIN, "gpuvisor-guest"), "--device",
                           "vfio-user:%s/vf%d.sock" % (r.gpu_dir, vf), *args],
                          stdout=subprocess.DEVNULL, timeout=60).returncode


def start(r, *args):
    p = subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", r.sock, *args],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p


def change(path, at, mend):
    """Change a byte of a record; mend: and make the CRC of its block, the first, fit again."""
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        data[at] ^= 1
        if mend:
            size = struct.unpack_from("<I", data, 8)[0]
            struct.pack_into("<I", data, 12, zlib.crc32(data[24:24 + size]))
        f.seek(0)
        f.write(data)


def names(path, ph):
    with open(path) as f:
        return [e["name"] for e in json.load(f)["traceEvents"] if e["ph"] == ph]


class Trace(unittest.TestCase):
    def test_a_guests_life_is_a_timeline(self):
        with Rig(profile(64, 64)) as r:
            out = os.path.join(r.dir, "t.json")
            p = start(r, "trace", "start", "--out", out)
            self.assertTrue(wait_for(lambda: r.json("trace", "status")["on"]))
            self.assertIn("trace stop", r.cli("trace", "start", ok=False).stderr)
            self.assertEqual(guest(r, 0, "info"), 0)
            r.cli("vf", "reset", "1")
            p.send_signal(signal.SIGINT)
            _, said = p.communicate(timeout=60)
            self.assertEqual(p.returncode, 0, said)
            self.assertIn("records, 0 lost", said)
            self.assertFalse(r.json("trace", "status")["on"])
            done = names(out, "X")
            for name in ("REQ_GPU_INIT_ACCESS", "READY_TO_ACCESS_GPU", "exclusive", "scrub: 64 MiB", "flr",
                         "reset: the host asked"):
                self.assertIn(name, done)
            self.assertEqual(len(names(out, "s")), len(names(out, "f")))
            self.assertGreater(len(names(out, "s")), 0)
            again = os.path.join(r.dir, "again.json")
            r.cli("trace", "stop", "--out", again)  # what is kept can be had again
            self.assertEqual(sorted(names(again, "X")), sorted(done))

    def test_the_daemon_traces_its_own_start(self):
        with Rig(profile(64, name="a"), daemon_args=["--trace"]) as r:
            out = os.path.join(r.dir, "t.json")
            r.cli("trace", "stop", "--out", out)
            for name in ("gmc", "mailbox", "SR-IOV", "read-back"):
                self.assertIn(name, names(out, "X"))

    def test_what_cannot_be_written_is_said_before_a_trace_begins(self):
        with Rig() as r:
            p = r.cli("trace", "start", "--out", "/nowhere/t.json", ok=False)
            self.assertEqual(p.returncode, 1)
            self.assertIn("/nowhere/t.json", p.stderr)
            self.assertFalse(r.json("trace", "status")["on"])
            self.assertEqual(r.cli("--seconds", "3", "trace", "start", ok=False).returncode, 2)


class Events(unittest.TestCase):
    def test_following_shows_each_event_once_and_in_order(self):
        with Rig(profile(64)) as r:
            p = start(r, "--json", "--follow", "events")
            for _ in range(5):
                r.cli("vf", "reset", "0")
            last = [json.loads(line) for line in r.cli("--json", "events").stdout.splitlines()][-1]["seq"]
            seen = []
            while not seen or seen[-1] < last:
                seen.append(json.loads(p.stdout.readline())["seq"])
            self.assertEqual(seen, list(range(1, last + 1)))
            p.send_signal(signal.SIGINT)
            p.wait(20)
            p.stdout.close()
            p.stderr.close()

    def test_events_that_are_no_longer_kept_are_said_to_be(self):
        with Rig(profile(64)) as r:
            reset = b'{"jsonrpc":"2.0","id":1,"method":"vf.reset","params":{"vf":0,"scrub":false}}\n'
            with r.connect() as c, c.makefile("rb") as replies:
                for _ in range(300):  # four events each; 1024 are kept
                    c.sendall(reset)
                    self.assertIn(b'"result"', replies.readline())
            events = r.cli("--since", "1", "events")
            self.assertEqual(len(events.stdout.splitlines()), 1024)
            self.assertRegex(events.stderr, "events 2 to [0-9]+ are no longer kept")


class Journal(unittest.TestCase):
    """journald's socket is a fixed path, so the daemon gets a mount namespace with ours there."""

    def test_an_event_has_fields(self):
        with Rig() as r:
            r.stop_daemon()
            journal = os.path.join(r.dir, "journal")
            os.mkdir(journal)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, open(r.dir + "/stderr", "w+") as err:
                s.bind(journal + "/socket")
                s.settimeout(60)
                st = os.fstat(err.fileno())
                inside = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && " \
                         "mount --bind %s /run/systemd/journal && exec \"$@\"" % journal
                r.daemon = subprocess.Popen(
                    ["unshare", "-m", "sh", "-c", inside, "sh", os.path.join(BIN, "gpuvisord"), "--gpu",
                     "vfio-user:%s/pf.sock" % r.gpu_dir, "--socket", r.sock, "--profile",
                     r.write("p.json", profile(64))],
                    stderr=err, env=dict(os.environ, JOURNAL_STREAM="%d:%d" % (st.st_dev, st.st_ino)))
                if not wait_for(lambda: os.path.exists(r.sock) or r.daemon.poll() is not None):
                    self.fail(r.read_log())
                if r.daemon.poll() is not None:
                    err.seek(0)
                    said = err.read()
                    if "unshare" in said or "mount" in said:
                        self.skipTest("no mount namespace here: " + said.strip())
                    self.fail(said)
                r.cli("vf", "reset", "0")
                fields = {}
                while fields.get("GPUVISOR_EVENT") != "vf-reset":
                    fields = dict(line.split("=", 1) for line in s.recv(65536).decode().splitlines() if "=" in line)
                self.assertEqual(fields["GPUVISOR_VF"], "0")
                self.assertEqual(fields["PRIORITY"], "6")
                self.assertEqual(fields["GPUVISOR_PF"], "vfio-user:%s/pf.sock" % r.gpu_dir)
                self.assertIn("reset begins", fields["MESSAGE"])
                with open(os.path.join(SOURCE, "docs", "errors.md")) as doc:
                    self.assertIn("| %s | vf-reset | %s |" % (fields["GPUVISOR_CODE"], fields["MESSAGE_ID"]), doc.read())
                r.stop_daemon()


class ExitCodes(unittest.TestCase):
    def test_every_program_has_those_of_the_table(self):
        with open(os.path.join(SOURCE, "docs", "errors.md")) as doc:
            programs = re.search("^Of (.*)\\.$", doc.read(), re.M).group(1)
        for name in re.findall("`([a-z-]+)`", programs):
            path = os.path.join(BIN, name)
            if not os.access(path, os.X_OK):
                continue
            for args, code in ((["--version"], 0), (["--no-such-option"], 2)):
                p = subprocess.run([path, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
                self.assertEqual(p.returncode, code, (name, args))


class Record(unittest.TestCase):
    """A session of the daemon and a guest is recorded; the model, the guest and the daemon do it again."""

    def play(self, r, name, *records, wait="60"):
        """Play records in the rig's directory on a fresh model."""
        run = os.path.join(r.dir, name)
        gpu = subprocess.Popen([os.path.join(BIN, "gpuvisor-gpu"), "--run-dir", run, "--vram-mib", "512"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.assertTrue(wait_for(lambda: os.path.exists(os.path.join(run, "pf.sock"))))
            return subprocess.run([os.path.join(BIN, "gpuvisor-replay"), "--wait", wait] +
                                  ["%s/%s=vfio-user:%s/%s.sock" % (r.dir, f, run, f.split(".")[0]) for f in records],
                                  capture_output=True, text=True, timeout=100)
        finally:
            gpu.terminate()
            gpu.wait(20)

    def test_a_session_is_the_same_again(self):
        with Rig() as r:
            r.stop_daemon()
            split = profile(64, 64)
            r.daemon = r.start_daemon(split, ["--record", r.dir + "/pf.rec"])
            self.assertTrue(wait_for(lambda: os.path.exists(r.sock)), r.read_log())
            self.assertEqual(guest(r, 0, "--record", r.dir + "/vf0.rec", "copy", "256K"), 0)
            r.cli("vf", "reset", "1")
            self.assertEqual(r.stop_daemon(), 0)

            # That a client is gone is not in a record: on a busy machine the model may hear of it earlier than then.
            for k in range(3):
                p = self.play(r, "again%d" % k, "pf.rec", "vf0.rec")
                if p.returncode == 0:
                    break
            self.assertEqual(p.returncode, 0, p.stderr)
            self.assertRegex(p.stdout, "[0-9]{4} records: .* interrupts")

            p = subprocess.run([os.path.join(BIN, "gpuvisor-guest"), "--device", "replay:%s/vf0.rec" % r.dir,
                                "copy", "256K"], capture_output=True, text=True, timeout=100)
            self.assertIn("all bytes right", p.stdout, p.stderr)
            p = subprocess.run([os.path.join(BIN, "gpuvisor-guest"), "--device", "replay:%s/vf0.rec" % r.dir,
                                "info", "--page-table-levels", "4"], capture_output=True, text=True, timeout=100)
            self.assertEqual(p.returncode, 1)
            self.assertIn("first difference at record", p.stderr)

            p = subprocess.run([os.path.join(BIN, "gpuvisord"), "--gpu", "replay:%s/pf.rec" % r.dir, "--profile",
                                r.write("p.json", split), "--socket", r.dir + "/again.sock"],
                               capture_output=True, text=True, timeout=100)
            self.assertEqual(p.returncode, 0, p.stderr)
            self.assertIn("as recorded, to the end", p.stderr)

            change(r.dir + "/vf0.rec", 5000, mend=False)
            p = self.play(r, "third", "pf.rec", "vf0.rec")
            self.assertEqual(p.returncode, 1)
            self.assertIn("its CRC is wrong", p.stderr)

            with open(r.dir + "/pf.rec", "rb") as f:
                change(r.dir + "/pf.rec", f.read(4096).rindex(b"GVX1"), mend=True)
            p = self.play(r, "fourth", "pf.rec", wait="1")
            self.assertEqual(p.returncode, 1)
            self.assertRegex(p.stderr, "first difference at record [0-9]+, .*: read GVX_MAGIC: 0x31585646 expected, "
                             "read GVX_MAGIC: 0x31585647 came")


if __name__ == "__main__":
    main()
