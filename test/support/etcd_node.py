#!/usr/bin/env python3
"""A real etcd of one member on the loopback address, for tests, in a directory.

    etcd_node.py start DIR    starts it, with what it held before; DIR/endpoint has its HOST:PORT
    etcd_node.py kill DIR     SIGKILL
    etcd_node.py pause DIR    SIGSTOP: what is sent to it waits
    etcd_node.py resume DIR   SIGCONT
    etcd_node.py wipe DIR     ends it and removes DIR

Where etcd is not installed, `start` says [skip] and succeeds, unless LONGTAIL_TEST_SERVERS is
"required".
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

START_SECONDS = 30
MARK = "made-by-etcd-node"


def fail(sentence):
    sys.exit(f"etcd_node: {sentence}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory).resolve()

    def pid(self):
        """Of the member of this directory if it runs, or None; numbers are used again by others."""
        try:
            number = int((self.dir / "pid").read_text(encoding="ascii"))
            line = pathlib.Path(f"/proc/{number}/cmdline").read_bytes().decode().split("\0")
            return number if str(self.dir / "data") in line else None
        except (OSError, ValueError):
            return None

    def is_healthy(self, endpoint):
        try:
            with urllib.request.urlopen(f"http://{endpoint}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except (urllib.error.URLError, OSError):
            return False

    def start(self):
        if shutil.which("etcd") is None:
            if os.environ.get("LONGTAIL_TEST_SERVERS") == "required":
                fail("etcd is not installed: apt-get install etcd-server")
            print("[skip] etcd is not installed: apt-get install etcd-server")
            return
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / MARK).touch()
        file = self.dir / "endpoint"
        if not file.exists():
            file.write_text(f"127.0.0.1:{free_port()}", encoding="ascii")
        endpoint = file.read_text(encoding="ascii")
        process = None
        if self.pid() is None:
            peer = f"http://127.0.0.1:{free_port()}"
            with open(self.dir / "log", "ab") as log:
                process = subprocess.Popen(
                    ["etcd", "--name", "test", "--data-dir", str(self.dir / "data"),
                     "--listen-client-urls", f"http://{endpoint}",
                     "--advertise-client-urls", f"http://{endpoint}",
                     "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                     "--initial-cluster", f"test={peer}", "--log-level", "warn"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            (self.dir / "pid").write_text(str(process.pid), encoding="ascii")
        until = time.monotonic() + START_SECONDS
        while not self.is_healthy(endpoint):
            if time.monotonic() > until or (process and process.poll() is not None):
                fail(f"etcd does not start, see {self.dir}/log")
            time.sleep(0.05)
        print(f"etcd listens on {endpoint}")

    def kill(self):
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while self.pid() == pid:
            time.sleep(0.02)

    def pause(self):
        os.kill(self.pid(), signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid(), signal.SIGCONT)

    def wipe(self):
        if not self.dir.exists():
            return
        if not (self.dir / MARK).exists():
            fail(f"{self.dir} was not made here")
        self.kill()
        shutil.rmtree(self.dir)


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("start", "kill", "pause", "resume", "wipe"):
        sys.exit(__doc__)
    getattr(Node(arguments[1]), arguments[0])()


if __name__ == "__main__":
    main(sys.argv[1:])
