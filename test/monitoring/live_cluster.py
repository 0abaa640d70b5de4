"""A cluster of real processes for tests that look at it from outside, by its pages.

All end with the object, and with the test however it ends.
"""
import ctypes
import json
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

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_ports(count):
    """The first of so many that follow one another."""
    for _ in range(100):
        first = free_port()
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except (OSError, OverflowError):
            continue
    raise AssertionError(f"no {count} ports in a row are free")


def required(programs):
    """Ends the test where one of these is not installed: as failed if it must not be skipped."""
    for program, package in programs.items():
        if shutil.which(program) is None:
            if os.environ.get("LONGTAIL_TEST_SERVERS") == "required":
                sys.exit(f"{program} is not installed: apt-get install {package}")
            print(f"[skip] {program} is not installed: apt-get install {package}")
            sys.exit(0)


def get(address, path, timeout=5):
    """(code, text) of a page; (0, why) where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def wait(what, holds, seconds=60):
    """The first true answer; fails the test if there is none in time."""
    until = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class Process:
    """A program whose output goes to DIR/NAME.log."""

    def __init__(self, directory, name, words, **options):
        self.name = name
        self.log = pathlib.Path(directory) / f"{name}.log"
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                [str(word) for word in words], stdout=options.pop("stdout", log), stderr=log,
                stdin=options.pop("stdin", subprocess.DEVNULL),
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), **options)

    def send(self, number):
        self.popen.send_signal(number)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()


class Cluster:
    """A coordinator, servers with logs and two replicas of each lane; whatever else is added."""

    def __init__(self, directory, longtail, longtail_ctr, servers=3, lanes=2):
        self.directory = pathlib.Path(directory)
        self.longtail = longtail
        self.longtail_ctr = longtail_ctr
        self.servers = servers
        self.lanes = lanes
        self.store = self.directory / "store"
        self.processes = {}
        self.admin = {}  # Of whatever has pages: by name.
        self.ports = {}  # Of servers' first lanes.

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self.processes.values():
            process.kill()

    def start(self, name, words, **options):
        self.processes[name] = Process(self.directory, name, words, **options)
        return self.processes[name]

    def show(self, name):
        """The option that gives a process pages, always the same ones."""
        self.admin.setdefault(name, f"127.0.0.1:{free_port()}")
        return ["--admin", self.admin[name]]

    def start_coordinator(self):
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.start("coordinator", [
            self.longtail, "coordinator", "--listen", self.address, "--servers", self.servers,
            "--replicas", 2, "--workers", 1, "--lease", 5, "--state", self.directory / "state",
            *self.show("coordinator")])

    def start_server(self, number):
        name = f"server-{number}"
        port = self.ports.setdefault(name, free_ports(2 * self.lanes))
        self.start(name, [
            self.longtail, "serve", "--listen", f"tcp://127.0.0.1:{port}",
            "--coordinator", self.address, "--name", name,
            "--lanes", self.lanes, "--replicas", 2, "--store", self.store,
            "--log", self.directory / "log", *self.show(name)])

    def start_reader(self, number):
        name = f"reader-{number}"
        self.start(name, [self.longtail, "serve", "--reads", "--coordinator", self.address,
                          "--name", name, *self.show(name)])

    def start_trainer(self, *more, epochs=1000, examples=20000):
        """On examples of a known model, drawn anew for each number of them."""
        config = self.directory / "train.json"
        config.write_text(json.dumps({
            "title": "Synthetic clicks: DeepFM",
            "data": {"synthetic": {"train": examples, "validation": 2000, "test": 2000,
                                   "ids_per_field": 20000},
                     "validation": "validation", "test": "test"},
            "model": {"name": "deepfm", "dim": 8, "hidden": [16]},
            "sparse": {"optimizer": {"rule": "adagrad", "learning_rate": 0.05,
                                     "initial_accumulator": 0.1, "epsilon": 1e-6},
                       "initializer": {"kind": "normal", "stddev": 0.01}, "gradient": "sum"},
            "dense": {"optimizer": {"rule": "adam", "learning_rate": 0.001}},
            "training": {"batch": 256, "epochs": epochs, "workers": 1, "prefetch": 1, "seed": 1},
            "cluster": {"lanes": 2, "partitions": 64, "step_mode": "asynchronous"}}))
        return self.start("trainer", [
            self.longtail_ctr, "train", config, "--cluster", self.address, "--store", self.store,
            "--out", self.directory / "run", *self.show("trainer"), *more])

    def metrics(self, name):
        return get(self.admin[name], "/metrics")[1]

    def await_ready(self, *names):
        for name in names:
            wait(f"{name} is ready; see {self.directory}/{name}.log",
                 lambda: get(self.admin[name], "/readyz")[0] == 200)
