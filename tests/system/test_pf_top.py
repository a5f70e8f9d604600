#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gpuvisor top on a terminal: shows, follows its size, leaves the terminal as it was."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from pf_rig import BIN, Rig, main, profile

LEAVE = b"\033[?25h\033[?1049l"


class Top:
    def __init__(self, sock, rows=24, cols=100):
        self.master, slave = pty.openpty()
        self.resize(rows, cols)
        self.before = termios.tcgetattr(slave)
        self.p = subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", sock, "top"], stdin=slave,
                                  stdout=slave, stderr=slave, start_new_session=True)
        self.slave, self.seen = slave, b""

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read_until(self, what, seconds=10):
        end = time.monotonic() + seconds
        while what not in self.seen and time.monotonic() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 65536)
        return what in self.seen

    def close(self):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        os.close(self.master)
        os.close(self.slave)


class TopOnATerminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(profile(128, 64))

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def setUp(self):
        self.top = Top(self.rig.sock)
        self.addCleanup(self.top.close)
        self.assertTrue(self.top.read_until(b"RESETS"), self.top.seen)

    def left_clean(self):
        self.assertTrue(self.top.read_until(LEAVE), self.top.seen)
        self.assertEqual(self.top.p.wait(10), 0)
        self.assertEqual(termios.tcgetattr(self.top.slave), self.top.before)

    def test_it_shows_each_vf_and_q_ends_it(self):
        self.assertTrue(self.top.read_until(b" 1  -"))
        self.assertIn(b"   128 [", self.top.seen)
        os.write(self.top.master, b"q")
        self.left_clean()

    def test_a_signal_leaves_the_terminal_as_it_was(self):
        self.top.p.send_signal(signal.SIGTERM)
        self.left_clean()

    def test_lines_fit_a_terminal_that_shrinks(self):
        self.top.resize(24, 40)
        self.top.p.send_signal(signal.SIGWINCH)
        self.assertTrue(self.fits(40), self.top.seen)

    def fits(self, cols, seconds=10):
        """Soon a whole frame comes, none of whose lines is longer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.top.seen = b""
            if not self.top.read_until(b"\033[J", 2) or b"\033[H" not in self.top.seen:
                continue
            frame = self.top.seen.split(b"\033[H")[-1].split(b"\033[J")[0]
            if max(len(line.replace(b"\033[K", b"")) for line in frame.split(b"\r\n")) <= cols:
                return True
        return False

    def test_without_a_terminal_it_says_so(self):
        p = self.rig.cli("top", ok=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn("needs a terminal", p.stderr)


if __name__ == "__main__":
    main()
