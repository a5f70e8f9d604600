#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an admin does with gpuvisord and gpuvisor."""
import glob
import json
import os
import socket
import subprocess
import tempfile
import unittest
import xml.dom.minidom

from pf_rig import BIN, SOURCE, Rig, main, profile, wait_for


class Daemon(unittest.TestCase):
    def test_a_profile_at_the_start_is_in_force_when_the_socket_answers(self):
        with Rig(profile(128, 64, name="two")) as r:
            status = r.json("status")
            self.assertTrue(status["booted"])
            self.assertEqual(status["plan"]["name"], "two")
            self.assertEqual([v["fb_mib"] for v in status["vfs"]], [128, 64])
            self.assertEqual([v["fb_offset_mib"] for v in status["vfs"]], [64, 192])
            self.assertEqual(r.vf_sockets(), ["vf0.sock", "vf1.sock"])
            self.assertEqual([v["index"] for v in r.json("vf", "list")], [0, 1])
            self.assertEqual(r.json("vf", "show", "1")["gates"],
                             {"fb": False, "doorbell": False, "regwr": False})

    def test_apply_changes_the_split_and_dry_run_does_not(self):
        with Rig() as r:
            self.assertEqual(r.json("status")["num_vfs"], 0)
            path = r.write("p.json", profile(64, 64, 64))
            self.assertFalse(r.json("--dry-run", "apply", path)["applied"])
            self.assertEqual(r.vf_sockets(), [])
            self.assertTrue(r.json("apply", path)["applied"])
            self.assertEqual(len(r.vf_sockets()), 3)
            r.cli("apply", path)  # the same again
            r.cli("apply", r.write("p.json", profile(256)))
            self.assertTrue(wait_for(lambda: r.vf_sockets() == ["vf0.sock"], 5))
            r.cli("disable")
            self.assertTrue(wait_for(lambda: r.vf_sockets() == [], 5))

    def test_diff_tells_what_apply_would_do_and_assert_whether_it_is_done(self):
        with Rig(profile(128, 64, name="a")) as r:
            same = r.write("same.json", profile(128, 64, name="a"))
            renamed = r.write("renamed.json", profile(128, 64, name="b"))
            larger = r.write("larger.json", profile(128, 128, 64, name="a"))
            self.assertEqual(r.json("diff", same), {"action": "nothing", "changes": []})
            r.cli("assert", same)
            self.assertEqual(r.json("diff", renamed)["action"], "rename")
            d = r.json("diff", larger)
            self.assertEqual(d["action"], "replace")
            self.assertEqual([(c["path"], c["now"], c["want"]) for c in d["changes"]],
                             [("num_vfs", "2", "3"), ("vfs[1].fb_mib", "64", "128"), ("vfs[2]", "", "64 MiB")])
            self.assertIn("scrub", d["steps"])
            self.assertEqual(d["blockers"], [])
            p = r.cli("assert", larger, ok=False)
            self.assertEqual(p.returncode, 1)
            self.assertIn('num_vfs is "2", must be "3"', p.stderr)
            r.cli("apply", larger)
            r.cli("assert", larger)

    def test_rollback_goes_back_and_forth(self):
        with Rig() as r:
            self.assertIn("nothing was applied", r.cli("rollback", ok=False).stderr)
            r.cli("apply", r.write("p.json", profile(128, 64, name="a")))
            r.cli("apply", r.write("p.json", profile(64, name="b")))
            r.cli("--dry-run", "rollback")
            self.assertEqual(r.json("status")["plan"]["name"], "b")
            r.cli("rollback")
            self.assertEqual(r.json("status")["plan"]["name"], "a")
            r.cli("rollback")
            self.assertEqual(r.json("status")["plan"]["name"], "b")
            r.cli("disable")
            r.cli("rollback")
            self.assertEqual(len(r.json("vf", "list")), 1)
            self.assertEqual(r.json("rollback"), {"applied": True})
            self.assertEqual(r.json("vf", "list"), [])
            r.cli("disable")  # nothing changes: rollback still knows what was before
            self.assertEqual(r.json("rollback")["name"], "b")

    def test_a_daemon_that_says_nothing_is_given_up(self):
        with tempfile.TemporaryDirectory() as d, socket.socket(socket.AF_UNIX) as silent:
            path = os.path.join(d, "s")
            silent.bind(path)
            silent.listen()
            p = subprocess.run([os.path.join(BIN, "gpuvisor"), "--socket", path, "status"], capture_output=True,
                               text=True, timeout=30, env=dict(os.environ, GPUVISOR_TIMEOUT="1"))
            self.assertEqual(p.returncode, 1)
            self.assertIn("no word from it for 1 s", p.stderr)

    def test_a_clean_stop_leaves_no_vf_and_the_next_start_works(self):
        with Rig(profile(64, 64)) as r:
            self.assertEqual(r.stop_daemon(), 0)
            self.assertEqual(r.vf_sockets(), [])
            self.assertFalse(os.path.exists(r.sock))
            r.daemon = r.start_daemon(profile(64))
            self.assertTrue(wait_for(lambda: os.path.exists(r.sock)), r.read_log())
            self.assertEqual(len(r.json("vf", "list")), 1)

    def test_a_second_daemon_on_the_socket_is_refused(self):
        with Rig(profile(64)) as r:
            second = r.start_daemon()
            self.assertEqual(second.wait(20), 1)
            self.assertEqual(len(r.json("vf", "list")), 1)

    def test_every_bad_profile_is_refused_at_its_place_and_changes_nothing(self):
        bad = sorted(glob.glob(os.path.join(SOURCE, "tests/data/bad-profiles/*.json")))
        self.assertGreater(len(bad), 50)
        with Rig(profile(64), vram_mib=4096) as r:
            for path in bad:
                with open(path[:-5] + ".expect") as f:
                    want = f.read().strip()
                p = r.cli("apply", path, ok=False)
                self.assertEqual(p.returncode, 1, path)
                self.assertIn(want, p.stderr, path)
                self.assertEqual(p.stdout, "")
                self.assertEqual(len(p.stderr.splitlines()), 1, path)
            self.assertEqual([v["fb_mib"] for v in r.json("vf", "list")], [64])

    def test_reset_events_and_xml(self):
        with Rig(profile(64, 64)) as r:
            self.assertEqual(r.json("vf", "reset", "1")["resets"], 1)
            events = [json.loads(line) for line in r.cli("--json", "events").stdout.splitlines()]
            self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))
            self.assertTrue(any(e["kind"] == "vf-reset" and e["vf"] == 1 for e in events))
            since = r.cli("--json", "--since", str(events[-2]["seq"]), "events").stdout
            self.assertEqual(len(since.splitlines()), 1)
            xml_text = r.json("vf", "xml", "0")
            self.assertEqual(xml_text["socket"], os.path.join(r.gpu_dir, "vf0.sock"))
            xml.dom.minidom.parseString(xml_text["xml"])
            xml.dom.minidom.parseString(r.cli("vf", "xml", "0").stdout)
            self.assertEqual(r.cli("vf", "reset", "7", ok=False).returncode, 1)

    def test_events_are_followed(self):
        with Rig(profile(64)) as r:
            p = subprocess.Popen([os.path.join(BIN, "gpuvisor"), "--socket", r.sock, "--json", "--follow",
                                  "events"], stdout=subprocess.PIPE, text=True)
            try:
                json.loads(p.stdout.readline())
                r.cli("vf", "reset", "0")
                while "reset is done" not in p.stdout.readline():
                    self.assertIsNone(p.poll())
            finally:
                p.kill()
                p.wait()
                p.stdout.close()

    def test_wrong_use_is_status_2_and_failure_status_1(self):
        def run(*args):
            return subprocess.run([os.path.join(BIN, "gpuvisor"), "--socket", "/nowhere/x.sock", *args],
                                  capture_output=True, text=True)

        self.assertEqual(run("nonsense").returncode, 2)
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("vf", "show").returncode, 2)
        self.assertEqual(run("vf", "show", "x").returncode, 2)
        self.assertEqual(run("vf", "reset", "99999999999").returncode, 2)
        self.assertEqual(run("--vram-mib", "x", "plan", "f").returncode, 2)
        self.assertEqual(run("help").returncode, 0)
        p = run("status")
        self.assertEqual(p.returncode, 1)
        self.assertIn("is gpuvisord running?", p.stderr)
        p = run("--vram-mib", "4096", "plan", os.path.join(SOURCE, "configs/profiles/uneven-2.json"))
        self.assertEqual(p.returncode, 0)
        self.assertIn("train", p.stdout)

    def test_plan_needs_no_daemon_unless_one_is_named(self):
        even = os.path.join(SOURCE, "configs/profiles/even-4.json")
        env = {k: v for k, v in os.environ.items() if k != "GPUVISOR_SOCKET"}

        def plan(*args, **more):
            return subprocess.run([os.path.join(BIN, "gpuvisor"), "--json", *args, "plan", even],
                                  capture_output=True, text=True, env={**env, **more})

        if os.path.exists("/run/gpuvisor/gpuvisor.sock"):
            self.skipTest("a gpuvisord of this machine would answer")
        p = plan()
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertIn("assuming the emulated GPU, 4096 MiB and 16 VFs", p.stderr)
        self.assertTrue(json.loads(p.stdout)["assumed_gpu"])
        self.assertNotIn("assumed_gpu", json.loads(plan("--vram-mib", "4096").stdout))
        for p in (plan("--socket", "/nowhere/x.sock"), plan(GPUVISOR_SOCKET="/nowhere/x.sock")):
            self.assertEqual(p.returncode, 1)
            self.assertEqual(p.stdout, "")

    def test_xml_of_a_pci_vf_needs_no_daemon(self):
        with tempfile.TemporaryDirectory() as root:
            dev = os.path.join(root, "devices/pci0000:00")
            links = os.path.join(root, "bus/pci/devices")
            os.makedirs(links)
            for name, files in (("0000:03:00.0", {"device": "0x6860", "sriov_totalvfs": "16", "sriov_numvfs": "1"}),
                                ("0000:03:02.0", {"device": "0x686c"})):
                os.makedirs(os.path.join(dev, name))
                for key, val in {"vendor": "0x1002", **files}.items():
                    with open(os.path.join(dev, name, key), "w") as f:
                        f.write(val + "\n")
                os.symlink("../../../devices/pci0000:00/" + name, os.path.join(links, name))
            os.symlink("../0000:03:02.0", os.path.join(dev, "0000:03:00.0/virtfn0"))
            os.symlink("../0000:03:00.0", os.path.join(dev, "0000:03:02.0/physfn"))

            def xml_of(*args):
                return subprocess.run([os.path.join(BIN, "gpuvisor"), "vf", "xml", "--sysfs", root, *args],
                                      capture_output=True, text=True)

            p = xml_of("--bdf", "0000:03:02.0")
            self.assertEqual(p.returncode, 0, p.stderr)
            doc = xml.dom.minidom.parseString(p.stdout)
            self.assertEqual(doc.documentElement.tagName, "hostdev")
            self.assertEqual(doc.getElementsByTagName("address")[0].getAttribute("slot"), "0x02")
            doc = xml.dom.minidom.parseString(xml_of("--bdf", "0000:03:02.0", "--domain").stdout)
            self.assertEqual(doc.documentElement.tagName, "domain")
            self.assertEqual(len(doc.getElementsByTagName("hostdev")), 1)
            self.assertEqual(xml_of("--bdf", "0000:03:00.0").returncode, 1)  # the PF
            self.assertEqual(xml_of("--bdf", "03:02.0").returncode, 1)
            self.assertEqual(xml_of("--bdf", "0000:03:02.0", "0").returncode, 2)
            self.assertEqual(xml_of().returncode, 2)

    def test_a_gpu_that_vanishes_ends_the_daemon(self):
        with Rig(profile(64)) as r:
            r.gpu.kill()
            r.gpu.wait()
            self.assertEqual(r.daemon.wait(30), 1)


if __name__ == "__main__":
    main()
