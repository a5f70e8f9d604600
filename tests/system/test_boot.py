#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed service under a systemd of its own, over a reboot. Takes a quarter of a minute, root, and
systemd-nspawn; so only with GV_BOOT=1 (docs/install.md)."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.environ.get("GV_BUILD", "build")

GPU_UNIT = """
[Service]
User=gpuvisor
RuntimeDirectory=gpuvisor-gpu
ExecStart=%s/bin/gpuvisor-gpu --run-dir /run/gpuvisor-gpu --vram-mib 512
ExecStartPost=/bin/sh -c 'until [ -S /run/gpuvisor-gpu/pf.sock ]; do sleep 0.1; done'
[Install]
RequiredBy=gpuvisord.service
"""

PROBE_UNIT = """
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /probe.sh
StandardOutput=append:/probe.out
StandardError=append:/probe.out
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""

# Lines "NAME: WORDS" are what the test looks at.
PROBE = """
vfs() { gpuvisor --json vf list | grep -c '"index"'; }
pid() { systemctl show -P MainPID gpuvisord; }
export PATH=%s/bin:$PATH
[ "$(systemctl is-active gpuvisord)" = active ] || { journalctl -b --no-pager -n 40 -u gpuvisord -u gpuvisor-gpu -u systemd-sysusers -u systemd-tmpfiles-setup; exit 1; }
echo "active: $(systemctl is-active gpuvisord) $(ps -o user= -p "$(pid)") $(grep -h CapBnd /proc/$(pid)/status | cut -f2)"
echo "filter: $(grep -h '^Seccomp:' /proc/$(pid)/status | cut -f2) $(grep -h NoNewPrivs /proc/$(pid)/status | cut -f2)"
echo "vfs: $(vfs)"
[ ! -e /applied ] || exit
echo '{"num_vfs": 3}' >/tmp/p.json
gpuvisor apply /tmp/p.json >/dev/null && touch /applied
systemctl restart gpuvisord; echo "restarted: $(vfs)"
before=$(pid); kill -KILL "$before"
for i in $(seq 100); do sleep 0.2; now=$(pid); [ "$now" != 0 ] && [ "$now" != "$before" ] && [ "$(systemctl is-active gpuvisord)" = active ] && break; done
echo "killed: $(vfs)"
useradd stranger; useradd -G gpuvisor friend
echo "friend: $(su friend -c 'gpuvisor status >/dev/null 2>&1'; echo $?) stranger: $(su stranger -c 'gpuvisor status >/dev/null 2>&1'; echo $?)"
"""


def run(*args, **more):
    p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    assert p.returncode == 0, (args, p.stdout)


class Boot(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="gvboot")
        run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", self.dir)
        self.addCleanup(self.unmount)
        for d in "upper", "work", "root":
            os.mkdir(os.path.join(self.dir, d))
        self.root = os.path.join(self.dir, "root")
        run("mount", "-t", "overlay", "-o", "lowerdir=/,upperdir=%s/upper,workdir=%s/work" % (self.dir, self.dir),
            "overlay", self.root)
        with open(os.path.join(BUILD, "CMakeCache.txt")) as f:
            self.prefix = f.read().split("CMAKE_INSTALL_PREFIX:PATH=")[1].split("\n")[0]
        run("cmake", "--install", BUILD, env=dict(os.environ, DESTDIR=self.root))
        self.write("etc/gpuvisor/profile.json", '{"gpu": "vfio-user:/run/gpuvisor-gpu/pf.sock", "num_vfs": 2}')
        self.write("etc/systemd/system/gpuvisor-gpu.service", GPU_UNIT % self.prefix)
        self.write("etc/systemd/system/gpuvisord.service.d/gpu.conf",
                   "[Unit]\nRequires=gpuvisor-gpu.service\nAfter=gpuvisor-gpu.service\n")
        self.write("etc/systemd/system/probe.service", PROBE_UNIT)
        self.write("probe.sh", PROBE % self.prefix)
        run("systemctl", "--root=" + self.root, "-q", "enable", "gpuvisord", "probe")

    def unmount(self):
        for path in self.root, self.dir:
            subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)

    def boot(self):
        """{name: words} of what the probe said."""
        path = os.path.join(self.root, "probe.out")
        if os.path.exists(path):
            os.unlink(path)
        subprocess.run(["systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit", "--private-network", "-b",
                        "systemd.mask=libvirtd.service", "systemd.mask=libvirtd.socket"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=200, check=False)
        with open(path) as f:
            text = f.read()
        print(text)
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)

    def test_the_service_keeps_what_was_applied(self):
        first = self.boot()
        self.assertEqual(first["active"], "active gpuvisor 0000000000000000")
        self.assertEqual(first["filter"], "2 1")
        self.assertEqual((first["vfs"], first["restarted"], first["killed"]), ("2", "3", "3"))
        self.assertEqual(first["friend"], "0 stranger: 1")
        second = self.boot()
        self.assertEqual(second["active"], "active gpuvisor 0000000000000000")
        self.assertEqual(second["vfs"], "3")


if __name__ == "__main__":
    if os.environ.get("GV_BOOT") != "1" or os.geteuid() or not shutil.which("systemd-nspawn"):
        print("SKIP: with GV_BOOT=1, as root, where systemd-nspawn is")
        sys.exit(77)
    unittest.main(verbosity=2)
