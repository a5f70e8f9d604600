#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Claims of VFs: one owner each, cleaned before the next, given by root only."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from pf_rig import BIN, Rig, main, profile, wait_for

NOBODY = 65534
VF = "0000:05:00.1"
WEB_UUID = "11111111-1111-4111-8111-111111111111"
HOSTDEV = ("<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='5' slot='0' function='1'/>"
           "</source></hostdev>")


def rpc(r, method, **params):
    with r.connect() as s:
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                              "params": params}).encode() + b"\n")
        return json.loads(s.makefile().readline())


def make_foreign_pf(root, driver="nvme"):
    """An NVMe PF on @driver, with one VF."""
    bus = os.path.join(root, "bus/pci/devices")
    os.makedirs(bus)
    for name, files in (("0000:05:00.0", {"sriov_totalvfs": "4", "sriov_numvfs": "1"}), ("0000:05:00.1", {})):
        path = os.path.join(root, "devices/pci0000:00", name)
        os.makedirs(path)
        for key, value in dict(files, vendor="0x1b36", device="0x0010").items():
            with open(os.path.join(path, key), "w") as f:
                f.write(value + "\n")
        os.symlink("../../../devices/pci0000:00/" + name, os.path.join(bus, name))
        os.symlink("../../../bus/pci/drivers/" + driver, os.path.join(path, "driver"))
        os.symlink("../../../kernel/iommu_groups/7", os.path.join(path, "iommu_group"))
    pci = os.path.join(root, "devices/pci0000:00")
    os.symlink("../0000:05:00.1", os.path.join(pci, "0000:05:00.0/virtfn0"))
    os.symlink("../0000:05:00.0", os.path.join(pci, "0000:05:00.1/physfn"))


class Foreign:
    """A VF of another PF, with claims as files, and libvirt's test driver with a domain "web" that runs."""

    def __init__(self, devices="", driver="nvme", name="web"):
        self.dir = tempfile.mkdtemp(prefix="gvfo")
        self.claims = os.path.join(self.dir, "claims")
        make_foreign_pf(os.path.join(self.dir, "sys"), driver)
        self.node = os.path.join(self.dir, "node.xml")
        with open(self.node, "w") as f:
            f.write("<node><domain type='test'><name>%s</name><uuid>%s</uuid><memory>65536</memory>"
                    "<os><type>hvm</type></os><devices>%s</devices></domain></node>" % (name, WEB_UUID, devices))

    def cli(self, *args, socket="/nonexistent"):
        return subprocess.run([os.path.join(BIN, "gpuvisor"), "--socket", socket, "--sysfs",
                               os.path.join(self.dir, "sys"), "--claim-dir", self.claims, "--connect",
                               "test://" + self.node, *args], capture_output=True, text=True, timeout=30)

    def attach(self, domain, **more):
        return self.cli("vm", "attach", domain, VF, **more)

    def owner(self):
        try:
            with open(os.path.join(self.claims, VF)) as f:
                return f.read()
        except FileNotFoundError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir)


def has_libvirt():
    with Foreign() as f:
        return "built without libvirt" not in f.attach("web").stderr


class Attach(unittest.TestCase):
    def setUp(self):
        if not has_libvirt():
            self.skipTest("built without libvirt")

    def test_a_claim_that_was_for_nothing_is_given_back(self):
        with Foreign() as f:
            p = f.attach("web")  # the test driver plugs nothing
            self.assertEqual(p.returncode, 1, p.stderr)
            self.assertNotIn("claim", p.stderr)
            self.assertIsNone(f.owner())

    def test_a_vf_that_the_domain_has_is_not_given_back(self):
        with Foreign(HOSTDEV) as f:
            for domain in ("web", WEB_UUID):
                p = f.attach(domain)
                self.assertEqual(p.returncode, 1)
                self.assertIn("web has it already", p.stderr)
                self.assertIn("the claim stays", p.stderr)
                self.assertEqual(f.owner(), "domain:%s\n" % domain)
                os.unlink(os.path.join(f.claims, VF))

    def test_a_name_does_nothing_to_the_terminal_nor_to_json(self):
        with Foreign(HOSTDEV, name="a'&quot;&#9;&#127;&#155;2J") as f:
            self.assertIn("a'\"????2J", f.cli("vm", "list").stdout)
            self.assertEqual(json.loads(f.cli("--json", "vm", "list").stdout)[0]["domain"], "a'\"\t\x7f\x9b2J")
            p = f.attach(WEB_UUID)
            self.assertIn("has it already", p.stderr)
            self.assertEqual(sum(not c.isprintable() for c in p.stderr), 2, p.stderr)  # two line ends

    def test_names_that_are_no_owners_are_refused_before_anything_is_claimed(self):
        with Foreign() as f:
            for name in ("x" * 121, "web\u00e4", "a\tb"):
                p = f.attach(name)
                self.assertEqual(p.returncode, 1)
                self.assertIn("say its UUID", p.stderr)
                self.assertIsNone(f.owner())

    def test_a_vf_that_may_be_a_silent_daemons_is_left_alone(self):
        for driver, words in (("vfio-pci", "does not say whether it is its own"), ("nvme", "attach")):
            with Foreign(driver=driver) as f, socket.socket(socket.AF_UNIX) as s:
                path = os.path.join(f.dir, "sock")
                s.bind(path)
                s.listen(1)
                hang_up = threading.Thread(target=lambda: s.accept()[0].close())
                hang_up.start()
                p = f.attach("web", socket=path)
                hang_up.join()
                self.assertEqual(p.returncode, 1)
                self.assertIn(words, p.stderr)
                self.assertEqual(os.path.isdir(f.claims), driver == "nvme")


class Pool(unittest.TestCase):
    def test_a_vf_has_one_owner_and_is_cleaned_when_it_is_released(self):
        with Rig(profile(64, 64)) as r:
            self.assertEqual([v["pool"] for v in r.json("vf", "list")], ["free", "free"])
            first = r.json("vf", "claim", "0", "--owner", "bob")
            self.assertTrue(first["new"])
            self.assertNotIn("bdf", first)
            self.assertFalse(r.json("vf", "claim", "0", "--owner", "bob")["new"])
            p = r.cli("vf", "claim", "0", "--owner", "eve", ok=False)
            self.assertEqual((p.returncode, p.stderr), (1, "gpuvisor: VF0 is claimed by bob\n"))
            self.assertEqual(r.json("vf", "show", "0")["owner"], "bob")
            self.assertEqual(r.cli("vf", "release", "0", "--owner", "eve", ok=False).returncode, 1)
            self.assertEqual(r.json("vf", "release", "0", "--owner", "bob")["pool"], "free")
            vf = r.json("vf", "show", "0")
            self.assertEqual((vf["pool"], vf["resets"]), ("free", 1))
            self.assertTrue(r.json("vf", "claim", "0", "--owner", "eve")["new"])
            kinds = [json.loads(e)["text"] for e in r.cli("--json", "events").stdout.splitlines()]
            self.assertIn("back in the pool: clean, free", kinds)

    def test_memory_that_nobody_has_scrubbed_is_given_to_nobody(self):
        with Rig(profile(64, 64)) as r:
            self.assertEqual(r.json("vf", "show", "0")["scrub"]["why"], "apply")
            r.cli("--no-scrub", "apply", r.write("p.json", profile(128, 64)))
            self.assertEqual([v["pool"] for v in r.json("vf", "list")], ["needs scrub", "needs scrub"])
            p = r.cli("vf", "claim", "0", "--owner", "bob", ok=False)
            self.assertEqual(p.returncode, 1)
            self.assertIn("VF0 needs a scrub", p.stderr)
            r.cli("--no-scrub", "vf", "reset", "0")
            self.assertEqual(r.json("vf", "show", "0")["pool"], "needs scrub")
            r.cli("vf", "reset", "0")
            r.cli("vf", "claim", "0", "--owner", "bob")
            scrub = r.json("vf", "show", "0")["scrub"]
            self.assertEqual((scrub["why"], scrub["clean"], scrub["bytes"]), ("reset", True, 128 << 20))
            self.assertTrue(wait_for(lambda: r.json("vf", "show", "0")["scrub"].get("after") == "bob"))

    def test_claims_survive_a_new_profile(self):
        with Rig(profile(64, 64)) as r:
            r.cli("vf", "claim", "1", "--owner", "bob")
            r.cli("disable")
            r.cli("apply", r.write("p.json", profile(128, 64)))
            self.assertEqual([v.get("owner") for v in r.json("vf", "list")], [None, "bob"])

    @unittest.skipIf(os.geteuid(), "needs root to be somebody else")
    def test_who_may_look_may_not_claim(self):
        with Rig(profile(64), daemon_args=("--allow-uid", str(NOBODY))) as r:
            os.chmod(r.dir, 0o755)
            r.cli("vf", "claim", "0", "--owner", "bob")

            def cli(*args):
                return subprocess.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups",
                                       os.path.join(BIN, "gpuvisor"), "--socket", r.sock, *args],
                                      capture_output=True, text=True, timeout=20)
            look = cli("vf", "list")
            self.assertEqual(look.returncode, 0, look.stderr)
            for args in (("vf", "claim", "0", "--owner", "bob"), ("vf", "release", "0")):
                p = cli(*args)
                self.assertEqual(p.returncode, 1)
                self.assertIn("permission denied", p.stderr)
            self.assertEqual(r.json("vf", "show", "0")["owner"], "bob")

    def test_nonsense_claims_nothing(self):
        with Rig(profile(64)) as r:
            for params in ({}, {"vf": 0}, {"vf": 0, "owner": ""}, {"vf": 0, "owner": "x" * 128},
                           {"vf": 0, "owner": "a\nb"}, {"vf": 0, "owner": "a\0b"}, {"vf": 0, "owner": 7},
                           {"vf": 0, "owner": None}, {"vf": 0, "owner": ["a"]}, {"vf": -1, "owner": "a"},
                           {"vf": 1, "owner": "a"}, {"vf": 99, "owner": "a"}, {"vf": 4294967295, "owner": "a"},
                           {"vf": "0", "owner": "a"}):
                self.assertIn("error", rpc(r, "vf.claim", **params), params)
                if params.get("owner") != "":
                    wrong = rpc(r, "vf.release", **dict(params, vf=params.get("vf", 99), owner=[]))
                    self.assertIn("error", wrong, params)
            self.assertEqual(rpc(r, "vf.claim", vf=0)["error"]["code"], -32602)
            self.assertIn("error", rpc(r, "vf.release", vf=0, force="yes"))
            self.assertEqual(r.json("vf", "list")[0]["pool"], "free")

    def test_a_vf_of_another_pf_is_said_to_be_one(self):
        with Rig(profile(64)) as r:
            root = os.path.join(r.dir, "sys")
            make_foreign_pf(root)
            for args in (("vf", "reset"), ("vf", "show"), ("vf", "release")):
                p = r.cli("--sysfs", root, *args, "0000:05:00.1", ok=False)
                self.assertEqual(p.returncode, 1)
                self.assertEqual(p.stderr, "gpuvisor: 0000:05:00.1: its PF 0000:05:00.0 is not managed by "
                                           "gpuvisord (driver nvme)\n")
            p = r.cli("--sysfs", root, "bind", "0000:05:00.0", ok=False)
            self.assertIn("it is a PF", p.stderr)

    def test_vfs_on_sockets_have_no_address_and_that_is_said(self):
        with Rig(profile(64)) as r:
            p = r.cli("vm", "attach", "web1", "0", ok=False)
            self.assertEqual(p.returncode, 1)
            self.assertIn("has no PCI address", p.stderr)
            self.assertEqual(r.json("vf", "list")[0]["pool"], "free")


if __name__ == "__main__":
    main()
