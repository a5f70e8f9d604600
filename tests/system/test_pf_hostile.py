#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that send garbage, stall, flood or vanish: the daemon and its other clients go on."""
import json
import random
import socket
import time
import unittest

from pf_rig import Rig, main, profile


def ask(s, text):
    s.sendall(text.encode() + b"\n" if isinstance(text, str) else text + b"\n")
    return line(s)


def line(s):
    """One line; what follows it, another notification say, stays in the socket."""
    data = b""
    while not data.endswith(b"\n"):
        more = s.recv(65536, socket.MSG_PEEK)
        if not more:
            break
        data += s.recv(more.find(b"\n") + 1 or len(more))
    return json.loads(data) if data else None


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(profile(64, 64))

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def tearDown(self):
        self.assertIsNone(self.rig.daemon.poll(), self.rig.read_log())
        self.assertEqual(len(self.rig.json("vf", "list")), 2)

    def test_errors_have_the_codes_of_the_standard(self):
        with self.rig.connect() as s:
            for text, code in (("{", -32700), ("[]", -32600), ("{}", -32600), (b"\xff\xfe", -32700),
                               ('{"jsonrpc":"2.0","id":1,"method":"x"}', -32601),
                               ('{"jsonrpc":"2.0","id":1,"method":"vf.show"}', -32602),
                               ('{"jsonrpc":"2.0","id":1,"method":"vf.show","params":{"vf":-1}}', -32602),
                               ('{"jsonrpc":"2.0","id":1,"method":"vf.reset","params":{"vf":99}}', -32000)):
                self.assertEqual(ask(s, text)["error"]["code"], code, text)

    def test_a_batch_is_answered_in_one_line(self):
        with self.rig.connect() as s:
            reply = ask(s, '[{"jsonrpc":"2.0","id":1,"method":"version"},{"jsonrpc":"2.0","method":"version"},'
                           '{"jsonrpc":"2.0","id":2,"method":"vf.reset","params":{"vf":0}}]')
            while isinstance(reply, dict) and "method" in reply:  # progress
                reply = line(s)
            self.assertEqual([r["id"] for r in reply], [1, 2])

    def test_a_refusal_carries_the_place_in_the_profile(self):
        with self.rig.connect() as s:
            r = ask(s, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "apply",
                                   "params": {"profile": profile(64, 4096)}}))
            self.assertEqual(r["error"]["data"]["path"], "vfs[1].fb_mib")
            self.assertEqual(r["error"]["data"]["errno"], "ENOSPC")

    def test_a_request_above_one_mib_ends_that_client_only(self):
        with self.rig.connect() as s, self.rig.connect() as other:
            try:
                s.sendall(b"[" * (3 << 20))
            except OSError:
                pass  # it has been cut off already
            self.assertIn("result", ask(other, '{"jsonrpc":"2.0","id":1,"method":"version"}'))

    def test_one_who_does_not_read_delays_nobody(self):
        with self.rig.connect() as s:
            s.setblocking(False)
            many = b'{"jsonrpc":"2.0","id":1,"method":"status"}\n' * 1000
            try:
                for _ in range(50):
                    s.send(many)
            except BlockingIOError:
                pass
            with self.rig.connect() as other:
                t = time.monotonic()
                self.assertIn("result", ask(other, '{"jsonrpc":"2.0","id":1,"method":"version"}'))
                self.assertLess(time.monotonic() - t, 2)

    def test_half_a_line_delays_nobody(self):
        with self.rig.connect() as s:
            s.sendall(b'{"jsonrpc":')
            self.assertTrue(self.rig.json("status")["booted"])

    def test_too_many_clients_are_told_so(self):
        clients = []
        try:
            for _ in range(70):
                clients.append(self.rig.connect())
            replies = [line(c) for c in clients[64:]]
            self.assertTrue(all(r and r["error"]["code"] == -32001 for r in replies))
        finally:
            for c in clients:
                c.close()
        time.sleep(0.3)

    def test_a_flood_of_slow_requests_is_limited_per_client(self):
        with self.rig.connect() as s:
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"vf.reset","params":{"vf":1}}\n' * 100)
            answers = [m for m in (line_of(s) for _ in range(100)) if m]
            self.assertTrue(any(m.get("error", {}).get("code") == -32001 for m in answers))

    def test_noise_is_survived(self):
        random.seed(7)
        for _ in range(50):
            with self.rig.connect() as s:
                s.sendall(random.randbytes(random.randrange(1, 4000)) + b"\n")
        for _ in range(20):
            s = self.rig.connect()
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"vf.reset","params":{"vf":0}}\n')
            s.shutdown(socket.SHUT_WR)
            s.close()
        time.sleep(0.5)


buffers = {}


def line_of(s):
    """The next reply, skipping progress, from a stream with many lines."""
    data = buffers.get(s, b"")
    while True:
        while b"\n" not in data:
            more = s.recv(65536)
            if not more:
                return None
            data += more
        one, data = data.split(b"\n", 1)
        buffers[s] = data
        message = json.loads(one)
        if "method" not in message:
            return message


if __name__ == "__main__":
    main()
