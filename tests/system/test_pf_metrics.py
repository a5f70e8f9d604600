#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Prometheus gets from gpuvisord."""
import http.client
import os
import re
import socket
import unittest

from pf_rig import SOURCE, Rig, main, profile, wait_for

NAME = re.compile(r"gpuvisor_[a-z_]+")


def port_of(r):
    """Said some time after the socket is there; None: this build has no metrics."""
    said = re.compile(r"metrics are at port (\d+)|this build has none")
    assert wait_for(lambda: said.search(r.read_log())), r.read_log()
    found = said.search(r.read_log())[1]
    return int(found) if found else None


def get(port, path="/metrics", method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request(method, path)
    reply = c.getresponse()
    return reply.status, reply.read().decode()


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(profile(128, 64), daemon_args=("--metrics", "0"))
        cls.port = port_of(cls.rig)
        if cls.port is None:
            raise unittest.SkipTest("built without libmicrohttpd")

    @classmethod
    def tearDownClass(cls):
        cls.rig.close()

    def test_every_vf_is_there_with_its_share(self):
        status, text = get(self.port)
        self.assertEqual(status, 200)
        sizes = re.findall(r'^gpuvisor_vf_frame_buffer_bytes\{.*vf="(\d)".*\} (\d+)$', text, re.M)
        self.assertEqual(sizes, [("0", str(128 << 20)), ("1", str(64 << 20))])

    def test_a_reset_is_counted(self):
        before = self.resets(1)
        self.rig.cli("vf", "reset", "1")
        self.assertTrue(wait_for(lambda: self.resets(1) == before + 1, 10))

    def resets(self, vf):
        return int(re.search(r'^gpuvisor_vf_resets_total\{.*vf="%d".*\} (\d+)$' % vf, get(self.port)[1], re.M)[1])

    def test_other_paths_and_methods_are_refused(self):
        self.assertEqual(get(self.port, "/")[0], 404)
        self.assertEqual(get(self.port, "/metrics", "POST")[0], 405)

    def test_garbage_and_idle_connections_disturb_nobody(self):
        open_ones = [socket.create_connection(("127.0.0.1", self.port), 5) for _ in range(8)]
        open_ones[0].sendall(b"\0\xff GET\r\n\r\n" * 100)
        self.assertEqual(get(self.port)[0], 200)
        for s in open_ones:
            s.close()

    def test_alert_rules_and_the_page_of_the_manual_name_metrics_that_exist(self):
        names = set(re.findall(r"^# TYPE (\w+)", get(self.port)[1], re.M))
        known = names | {n + "_bucket" for n in names}
        for path in ("configs/prometheus/gpuvisor.rules.yml", "docs/metrics.md"):
            with open(os.path.join(SOURCE, path)) as f:
                used = set(NAME.findall(f.read()))
            self.assertGreater(len(used), 4)
            self.assertEqual(used - known, set(), path)
        self.assertEqual(names - used, set(), "not in docs/metrics.md")

    def test_a_place_that_is_none_is_refused(self):
        for place in ("x", "1.2.3:80", "70000", "localhost:80", ""):
            p = self.rig.start_daemon(extra=("--metrics", place, "--claim-dir", self.rig.dir))
            self.assertEqual(p.wait(20), 2, place)


if __name__ == "__main__":
    main()
