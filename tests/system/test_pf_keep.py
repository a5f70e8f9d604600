#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The profile in force lasts: over a stop and a start, and so over a reboot."""
import os
import unittest

from pf_rig import Rig, main, profile, wait_for


class Keep(unittest.TestCase):
    def setUp(self):
        self.r = r = Rig()
        self.state = os.path.join(r.dir, "state")
        self.addCleanup(r.close)

    def restart(self, asked):
        """As a reboot: a clean stop, and a start with what /etc has."""
        r = self.r
        self.assertEqual(r.stop_daemon(), 0, r.read_log())
        r.daemon = r.start_daemon(asked, ("--state-dir", self.state))
        self.assertTrue(wait_for(lambda: os.path.exists(r.sock)), r.read_log())
        return [v["fb_mib"] for v in r.json("vf", "list")]

    def apply(self, p):
        self.r.cli("apply", self.r.write("other.json", p))

    def test_what_was_applied_last_lasts_until_the_file_changes(self):
        asked = profile(128, 64, name="asked")
        self.assertEqual(self.restart(asked), [128, 64])
        self.assertEqual(self.restart(asked), [128, 64])
        self.apply(profile(64, 64, 64, name="other", gpu="vfio-user:/nowhere"))
        self.assertEqual(self.restart(asked), [64, 64, 64])
        self.assertEqual(self.r.json("status")["plan"]["name"], "other")
        self.assertEqual(self.restart(asked), [64, 64, 64])
        self.assertEqual(self.restart(profile(256, name="new")), [256])
        self.assertEqual(self.restart(profile(256, name="new")), [256])

    def test_disable_and_rollback_last_too(self):
        asked = profile(128, 64)
        self.restart(asked)
        self.r.cli("disable")
        self.assertEqual(self.restart(asked), [])
        self.apply(profile(64))
        self.apply(profile(128))
        self.r.cli("rollback")
        self.assertEqual(self.restart(asked), [64])

    def test_without_a_file_what_was_applied_counts(self):
        self.assertEqual(self.restart(None), [])
        self.apply(profile(64, 128))
        self.assertEqual(self.restart(None), [64, 128])

    def test_a_refused_profile_and_a_dry_run_change_nothing(self):
        asked = profile(128)
        self.restart(asked)
        self.r.cli("apply", self.r.write("big.json", profile(4096)), ok=False)
        self.r.cli("--dry-run", "apply", self.r.write("p.json", profile(64)))
        self.assertEqual(self.restart(asked), [128])

    def test_a_kept_file_that_was_tampered_with_is_refused_by_name(self):
        asked = profile(128)
        self.restart(asked)
        self.apply(profile(64))
        path = os.path.join(self.state, "profile.json")
        with open(path, "w") as f:
            f.write('{"num_vfs": 99}')
        self.r.stop_daemon()
        self.r.daemon = self.r.start_daemon(asked, ("--state-dir", self.state))
        self.assertEqual(self.r.daemon.wait(30), 1)
        self.assertIn(path, self.r.read_log())


if __name__ == "__main__":
    main()
