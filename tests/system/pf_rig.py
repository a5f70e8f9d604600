# SPDX-License-Identifier: LGPL-2.1-or-later
"""An emulated GPU and its PF manager in a directory of their own, for tests."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BIN = os.environ.get("GV_BIN", "build/bin")
SOURCE = os.environ.get("GV_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = ("gpuvisor-gpu", "gpuvisord", "gpuvisor")


def skip_if_missing():
    for name in PROGRAMS:
        if not os.access(os.path.join(BIN, name), os.X_OK):
            print("SKIP: %s is not built" % name)
            sys.exit(77)


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


class Rig:
    """with Rig(profile) as r: r.cli("status") ..."""

    def __init__(self, profile=None, vram_mib=512, daemon_args=(), gpu_args=()):
        self.dir = tempfile.mkdtemp(prefix="gvpf")
        self.sock = os.path.join(self.dir, "gpuvisor.sock")
        self.gpu_dir = os.path.join(self.dir, "gpu")
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.daemon = None
        self.gpu = subprocess.Popen(
            [os.path.join(BIN, "gpuvisor-gpu"), "--run-dir", self.gpu_dir, "--vram-mib", str(vram_mib), *gpu_args],
            stdout=self.log, stderr=self.log)
        pf = os.path.join(self.gpu_dir, "pf.sock")
        assert wait_for(lambda: os.path.exists(pf)), self.read_log()
        self.daemon = self.start_daemon(profile, daemon_args)
        assert wait_for(lambda: os.path.exists(self.sock)), self.read_log()

    def start_daemon(self, profile=None, extra=()):
        args = [os.path.join(BIN, "gpuvisord"), "--gpu", "vfio-user:%s/pf.sock" % self.gpu_dir,
                "--socket", self.sock, *extra]
        if profile is not None:
            path = self.write("profile.json", profile)
            args += ["--profile", path]
        return subprocess.Popen(args, stdout=self.log, stderr=self.log)

    def write(self, name, content):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def read_log(self):
        with open(os.path.join(self.dir, "log")) as f:
            return f.read()

    def cli(self, *args, ok=True):
        p = subprocess.run([os.path.join(BIN, "gpuvisor"), "--socket", self.sock, *args],
                           capture_output=True, text=True, timeout=60)
        if ok:
            assert p.returncode == 0, (args, p.stdout, p.stderr, self.read_log())
        return p

    def json(self, *args):
        return json.loads(self.cli("--json", *args).stdout)

    def vf_sockets(self):
        return sorted(n for n in os.listdir(self.gpu_dir) if n.startswith("vf"))

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(20)
        s.connect(self.sock)
        return s

    def stop_daemon(self):
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(20)

    def close(self):
        for p in (self.daemon, self.gpu):
            if p and p.poll() is None:
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(20)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def profile(*fb_mib, **more):
    return dict({"num_vfs": len(fb_mib), "vfs": [{"fb_mib": n} for n in fb_mib]}, **more)


def main():
    skip_if_missing()
    unittest.main(verbosity=2)
