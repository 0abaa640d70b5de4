"""Containers on one machine, by podman, as pods are started: each run is a command, and a failure
says which and what it said."""
import json
import os
import pathlib
import shutil
import subprocess
import time

# runc and cgroupfs: a machine without systemd, or with cgroups of both versions, has no other way.
SETTINGS = """[containers]
default_ulimits = ["nofile=16384:16384", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""
BASE = "docker.io/library/debian:bookworm-slim"


class Failed(Exception):
    """A command that did not do what it was to do."""


def call(*words, timeout=900, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: exit status {done.returncode}\n"
                     f"{done.stdout[-1500:]}{done.stderr[-3000:]}")
    return done


def prepare(directory):
    """What podman needs of this machine, and Debian's base image, made if it is not there."""
    missing = [name for name in ("podman", "buildah", "mmdebstrap", "runc")
               if not shutil.which(name)]
    if missing:
        raise Failed(f"{', '.join(missing)}: not there: docker/apt-packages-images.txt lists the "
                     "packages")
    settings = directory / "containers.conf"
    settings.write_text(SETTINGS)
    os.environ["CONTAINERS_CONF"] = str(settings)
    if call("podman", "image", "exists", BASE, check=False).returncode != 0:
        archive = directory / "base.tar"
        sources = pathlib.Path("/etc/apt/sources.list.d/debian.sources")
        if not sources.exists():
            sources = pathlib.Path("/etc/apt/sources.list")
        call("mmdebstrap", "--variant=minbase", "--mode=root", "bookworm", archive, sources)
        call("podman", "import", archive, BASE)
        archive.unlink()


def build(root, target, tag, volumes=()):
    """The image of one target of docker/Dockerfile, and its bytes."""
    words = ["podman", "build", "--network", "host", "--format", "docker", "--file",
             root / "docker" / "Dockerfile", "--target", target, "--tag", tag]
    cache = pathlib.Path.home() / ".cache" / "ccache"
    if cache.is_dir():
        words += ["--volume", f"{cache}:/ccache"]
    words += [word for volume in volumes for word in ("--volume", volume)]
    call(*words, root, timeout=3600)
    return json.loads(call("podman", "image", "inspect", tag).stdout)[0]["Size"]


def await_true(what, seconds, holds, instead):
    """The seconds until `holds()`; Failed, with `what` and what there is instead, after so many."""
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > seconds:
            raise Failed(f"{what}: not within {seconds} s; it says {instead()[-3000:]}")
        time.sleep(0.2)
    return time.monotonic() - begin


class Container:
    """A running container. `grace`: seconds from SIGTERM to SIGKILL, as a pod's."""

    def __init__(self, name, image, words, options, grace):
        self.name, self.grace = name, grace
        call("podman", "run", "--detach", "--replace", "--name", name, *options, image, *words)

    def state(self):
        return json.loads(call("podman", "inspect", self.name).stdout)[0]["State"]

    def said(self):
        done = call("podman", "logs", self.name, check=False)
        return done.stdout + done.stderr

    def execute(self, *words, check=True):
        return call("podman", "exec", self.name, *words, check=check)

    def signal(self, name):
        call("podman", "kill", "--signal", name, self.name)

    def wait(self, seconds):
        """Its exit status."""
        await_true(f"the end of {self.name}", seconds, lambda: not self.state()["Running"],
                   self.said)
        return self.state()["ExitCode"]

    def stop(self):
        """As the kubelet ends a pod: its exit status, and the seconds that it took."""
        begin = time.monotonic()
        call("podman", "stop", "--time", self.grace, self.name, timeout=self.grace + 60)
        return self.state()["ExitCode"], time.monotonic() - begin

    def remove(self):
        call("podman", "rm", "--force", "--time", "0", self.name, check=False)
