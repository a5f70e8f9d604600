#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each process dies or hangs at a bad moment: the others end, err or go on, in bounded time.

Deadlines are far above what is needed, so that slow machines and sanitizers meet them; what they
catch is waiting for ever.
"""
import os
import signal
import socket
import struct
import subprocess
import time
import unittest

from pf_rig import BIN, Rig, main, profile, wait_for

LONG = 60
GUEST = os.path.join(BIN, "gpuvisor-guest")
KERNELS = os.path.join(BIN, "..", "examples")

VERSION, READ, WRITE = 1, 9, 10
CONFIG_REGION = 7


class Setup(unittest.TestCase):
    def setUp(self):
        self.rig = Rig(profile(128, 128))
        self.addCleanup(self.rig.close)
        self.assertTrue(wait_for(lambda: len(self.rig.vf_sockets()) == 2), self.rig.read_log())

    def vf(self, n):
        return os.path.join(self.rig.gpu_dir, "vf%u.sock" % n)

    def start_guest(self, n, *verb):
        p = subprocess.Popen([GUEST, "--device", "vfio-user:" + self.vf(n), *verb], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p

    def guest(self, n, *verb):
        p = self.start_guest(n, *verb)
        return p.communicate(timeout=LONG)[0], p.returncode

    def assert_vf_works(self, n):
        """At once, or once the daemon's limit on starts (mailbox.h) lets it in again."""
        last = []

        def works():
            last[:] = self.guest(n, "copy", "1M")
            return last[1] == 0
        self.assertTrue(wait_for(works, LONG), (last, self.rig.read_log()))

    def assert_all_alive(self):
        self.assertIsNone(self.rig.gpu.poll(), self.rig.read_log())
        self.assertIsNone(self.rig.daemon.poll(), self.rig.read_log())
        self.assertEqual(len(self.rig.json("vf", "list")), 2)

    def compute(self):
        """A verb that computes for seconds, if there is a compiler for it."""
        co = os.path.join(KERNELS, "vector_add.co")
        if not os.path.exists(co):
            return ("copy", "4G")
        return ("run", co, "vector_add", "--grid", "4194304", "--block", "256",
                *["--arg", "out:16777216:/dev/null"] * 3, "--arg", "u32:4194304")

    def raw(self, n):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(s.close)
        s.settimeout(LONG)

        def connect():
            try:
                s.connect(self.vf(n))
                return True
            except OSError:
                return False
        self.assertTrue(wait_for(connect))
        return s


def message(cmd, payload, ident=1):
    return struct.pack("<HHIII", ident, cmd, 16 + len(payload), 0, 0) + payload


HELLO = message(VERSION, struct.pack("<HH", 0, 1) + b"{}\0")


def read_config(count):
    return message(READ, struct.pack("<QII", 0, CONFIG_REGION, count))


class Guests(Setup):
    def test_a_guest_may_be_killed_at_any_moment(self):
        verbs = (("copy", "4G"), self.compute(), ("test",))
        for i in range(18):
            p = self.start_guest(1, *verbs[i % 3])
            time.sleep(0.01 * (i * 5 % 37))  # in the handshake, exclusive access, compute, DMA
            p.kill()
            p.wait(LONG)
        self.assert_vf_works(0)
        self.assert_all_alive()
        self.rig.cli("vf", "reset", "1")
        self.assert_vf_works(1)

    def test_a_reset_that_meets_another_waits_for_it(self):
        for i in range(12):  # the daemon begins one of its own some time after a guest went
            p = self.start_guest(1, *self.compute())
            time.sleep(0.2)
            p.kill()
            p.wait(LONG)
            time.sleep(0.002 * i)
            self.rig.cli("vf", "reset", "1")
        both = [subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", self.rig.sock, "vf", "reset", "1"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        for p in both:
            self.assertEqual((p.communicate(timeout=LONG)[1], p.returncode), ("", 0))
        self.assert_vf_works(1)

    def test_a_guest_killed_in_compute_leaves_the_other_computing(self):
        other = self.start_guest(0, *self.compute())
        for _ in range(3):
            p = self.start_guest(1, *self.compute())
            time.sleep(0.7)
            p.kill()
            p.wait(LONG)
        out = other.communicate(timeout=2 * LONG)[0]
        self.assertEqual(other.returncode, 0, (out, self.rig.read_log()))
        self.assert_all_alive()

    def test_a_client_that_stalls_delays_nobody(self):
        half = self.raw(1)
        half.sendall(HELLO[:9])  # not even a header
        self.assert_vf_works(0)
        self.rig.cli("vf", "reset", "1")
        self.assert_all_alive()
        half.close()
        self.assert_vf_works(1)

    def test_a_client_that_does_not_read_delays_nobody(self):
        s = self.raw(1)
        s.sendall(HELLO)
        s.settimeout(0.2)
        try:
            for _ in range(1000):
                s.sendall(read_config(4096) * 100)
        except OSError:
            pass  # both directions are full, or we have been parted from
        self.assert_vf_works(0)
        self.rig.cli("vf", "reset", "1")
        self.assert_all_alive()
        s.close()
        self.assert_vf_works(1)

    def test_descriptors_and_connections_in_thousands_are_survived(self):
        for _ in range(200):
            s = self.raw(1)
            try:
                s.sendall(HELLO)
                for _ in range(20):
                    socket.send_fds(s, [read_config(4)[:5]], [0] * 16)
            except OSError:
                pass
            s.close()
        self.assert_vf_works(0)
        self.assert_vf_works(1)
        self.assert_all_alive()
        self.assertLess(len(os.listdir("/proc/%d/fd" % self.rig.gpu.pid)), 200)

    def test_vfs_can_be_taken_from_clients_that_hang(self):
        hung = [self.raw(0), self.raw(1)]
        hung[0].sendall(HELLO)
        hung[1].sendall(HELLO[:5])
        start = time.monotonic()
        self.rig.cli("apply", self.rig.write("one.json", profile(64)))
        self.assertLess(time.monotonic() - start, LONG)
        self.assertTrue(wait_for(lambda: self.rig.vf_sockets() == ["vf0.sock"]), self.rig.vf_sockets())
        for s in hung:  # told so, not left waiting
            try:
                while s.recv(4096):
                    pass
            except ConnectionError:
                pass


class Daemon(Setup):
    def test_a_stop_does_not_wait_for_clients_that_hang(self):
        self.raw(0).sendall(HELLO)
        self.raw(1).sendall(HELLO[:3])
        client = self.rig.connect()
        self.addCleanup(client.close)
        client.sendall(b'{"jsonrpc":')
        self.rig.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.rig.daemon.wait(LONG), 0, self.rig.read_log())
        self.assertTrue(wait_for(lambda: self.rig.vf_sockets() == []))
        self.rig.gpu.send_signal(signal.SIGTERM)
        self.assertEqual(self.rig.gpu.wait(LONG), 0, self.rig.read_log())

    def test_a_stop_does_not_wait_for_guests_that_compute(self):
        guests = [self.start_guest(n, *self.compute()) for n in range(2)]
        time.sleep(0.7)
        self.rig.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.rig.daemon.wait(LONG), 0, self.rig.read_log())
        for p in guests:  # done before, or with an error: not hanging
            p.communicate(timeout=LONG + 30)

    def test_a_new_daemon_takes_over_from_a_killed_one(self):
        guest = self.start_guest(0, "copy", "4G")
        time.sleep(0.3)
        self.rig.daemon.kill()
        self.rig.daemon.wait(LONG)
        self.assertIsNone(self.rig.gpu.poll(), self.rig.read_log())
        self.rig.daemon = self.rig.start_daemon(profile(128, 128))
        self.assertTrue(wait_for(lambda: self.rig.cli("status", ok=False).returncode == 0 or
                                 self.rig.daemon.poll() is not None, LONG), self.rig.read_log())
        self.assertIsNone(self.rig.daemon.poll(), self.rig.read_log())
        guest.communicate(timeout=LONG + 30)
        self.assertTrue(wait_for(lambda: len(self.rig.vf_sockets()) == 2), self.rig.read_log())
        self.assert_vf_works(0)
        self.assert_vf_works(1)
        self.assert_all_alive()


class Gpu(Setup):
    def test_all_notice_a_killed_gpu(self):
        guest = self.start_guest(0, "copy", "4G")
        time.sleep(0.3)
        self.rig.gpu.kill()
        self.rig.gpu.wait(LONG)
        self.assertNotEqual(self.rig.daemon.wait(LONG), 0)
        log = self.rig.read_log()
        self.assertIn("does not answer any more", log)
        out = guest.communicate(timeout=LONG + 30)[0]
        self.assertNotEqual(guest.returncode, 0, out)
        self.assertIn("gpuvisor-guest:", out)

    def test_a_new_gpu_in_the_same_place_starts_clean(self):
        self.rig.gpu.kill()
        self.rig.gpu.wait(LONG)
        self.assertNotEqual(self.rig.daemon.wait(LONG), 0)
        self.assertEqual(len(self.rig.vf_sockets()), 2)  # nobody could remove them
        self.rig.gpu = subprocess.Popen([os.path.join(BIN, "gpuvisor-gpu"), "--run-dir", self.rig.gpu_dir],
                                        stdout=self.rig.log, stderr=self.rig.log)
        self.assertTrue(wait_for(lambda: self.rig.vf_sockets() == []), self.rig.vf_sockets())
        self.rig.daemon = self.rig.start_daemon(profile(128, 128))
        self.assertTrue(wait_for(lambda: len(self.rig.vf_sockets()) == 2, LONG), self.rig.read_log())
        self.assert_vf_works(0)
        self.assert_vf_works(1)

    def test_a_frozen_gpu_is_an_error_and_no_hang(self):
        self.rig.gpu.send_signal(signal.SIGSTOP)
        self.addCleanup(self.rig.gpu.send_signal, signal.SIGCONT)
        out, status = self.guest(1, "info")
        self.assertNotEqual(status, 0)
        self.assertIn("gpuvisor-guest:", out)
        self.assertNotEqual(self.rig.daemon.wait(LONG), 0, self.rig.read_log())


if __name__ == "__main__":
    main()
