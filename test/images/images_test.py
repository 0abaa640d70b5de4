#!/usr/bin/env python3
"""Builds the images of docker/ and runs a cluster of k8s/base on a network of podman.

    images_test.py ROOT DIRECTORY [--is-verified]

Coordinator, servers, trainers and readers are started as the manifests have it; what the
StatefulSet's controller and the kubelet do to pods is done to containers: one more, one less,
killed, restarted at another address. The training must end with the bits of one in peace.
DIRECTORY is for what is made on the way. Prints figures; exits 1 with the first thing that is not
as it must be. What docker/, k8s/ and this test were when it last passed is in `verified`, which it
writes: with --is-verified it only compares them, and exits 1 if they differ.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

import podman
from compose import check_compose
from podman import Failed, await_true, call
from pods import FIRST, GATEWAY, NETWORK, Pods

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "k8s"))
import k8s_test  # noqa: E402

VERSION = "0.1.0"
EPOCHS = 45  # So many that the training lasts for all that is done meanwhile.
SERVER_IMAGE = f"localhost/longtail-server:{VERSION}"
TRAINER_IMAGE = f"localhost/longtail-trainer:{VERSION}"
CUDA_IMAGE = f"localhost/longtail-trainer-cuda:{VERSION}"
CUDA = pathlib.Path("/usr/local/cuda")
LIMIT = 120


def digest(root):
    """Of all that this test is about."""
    sha = hashlib.sha256()
    files = [root / ".dockerignore", *(root / "docker").rglob("*"),
             *(root / "k8s" / "base").rglob("*"),
             *(root / "test" / "images").glob("*.py"), root / "test" / "k8s" / "bundle.py"]
    for path in sorted(p for p in files if p.is_file()):
        sha.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()


def want(truth, sentence):
    if not truth:
        raise Failed(sentence)


def rendered(root, directory):
    """The objects of k8s/base: the overlays' coordinator, servers and trainers, on volumes."""
    node = directory / "k8s"
    k8s_test.prepare_node(root / "test" / "k8s", node)
    kubectl = k8s_test.find_kubectl(node)
    text = k8s_test.run([kubectl, "kustomize", root / "k8s" / "base"])
    answer = k8s_test.run(["node", "schemas.mjs", "read"], cwd=node,
                          input=json.dumps({"base": text}))
    return json.loads(answer)["base"]


def check_images(figures):
    """Sizes, users, signals, and that no shell and no writable root is needed."""
    for image in (SERVER_IMAGE, TRAINER_IMAGE):
        found = json.loads(call("podman", "image", "inspect", image).stdout)[0]
        want(found["Config"]["User"] == "10001:10001", f"{image}: user {found['Config']['User']}")
        version = found["Labels"]["org.opencontainers.image.version"]
        want(version == VERSION, f"{image}: version {version}")
        help_text = call("podman", "run", "--rm", "--read-only", "--network", "none", image)
        want("Usage" in help_text.stdout, f"{image}: says nothing of its usage")
    alone = podman.Container("longtail-test-signal", SERVER_IMAGE, ["coordinator"],
                             ["--read-only", "--network", "none"], 10)
    try:
        await_true("the coordinator", LIMIT, lambda: "coordinator_listens" in alone.said(),
                   alone.said)
        code, seconds = alone.stop()
        want(code == 0, f"the coordinator ends with {code} upon SIGTERM")
        figures["SIGTERM to the end of a coordinator, s"] = seconds
    finally:
        alone.remove()


def check_cuda_image(root, figures):
    """The trainer's image for GPUs, with this machine's CUDA: it loads its component, which is all
    that can be seen where there is no driver, says that there is none, and trains on the CPU's
    device; unless the GPU was asked for by name, as the manifests do."""
    begin = time.monotonic()
    size = podman.build(root, "trainer-cuda", CUDA_IMAGE, [f"{CUDA.resolve()}:{CUDA}:ro"])
    figures["image trainer-cuda, MB"] = size / 1e6
    figures["image trainer-cuda built, s"] = time.monotonic() - begin
    config = "/usr/share/longtail/examples/ctr/configs/movielens-latest-small.json"
    train = ["podman", "run", "--rm", "--read-only", "--network", "none", "--tmpfs",
             "/tmp:mode=1777", CUDA_IMAGE, "train", config, "--out", "/tmp/run", "--depth", "3"]
    done = call(*train, "--device", "auto")
    said = done.stdout + done.stderr
    want("no CUDA driver (libcuda.so.1)" in said, f"{CUDA_IMAGE}: of its device: {said[-2000:]}")
    want("AUC" in said, f"{CUDA_IMAGE}: trained nothing: {said[-2000:]}")
    done = call(*train, "--device", "cuda:0", check=False)
    want(done.returncode != 0 and "no CUDA driver" in done.stderr,
         f"{CUDA_IMAGE}: cuda:0 without a driver: {done.returncode}, {done.stderr[-2000:]}")
    done = call("podman", "run", "--rm", "--read-only", "--entrypoint", "/usr/bin/longtail",
                CUDA_IMAGE, "gpu-selfcheck", "--device", "cuda:0", check=False)
    want(done.returncode != 0 and "no CUDA driver" in done.stdout + done.stderr,
         f"{CUDA_IMAGE}: gpu-selfcheck: {done.returncode}, {done.stderr[-2000:]}")


class Kubernetes:
    """The scale of the StatefulSet, where servers ask for it."""

    def __init__(self, root, account):
        account.mkdir(parents=True, exist_ok=True)
        account.chmod(0o755)
        self.account = account
        self.set(3)
        self.process = subprocess.Popen(
            [sys.executable, "-B", root / "test" / "support" / "scale_api.py", account, "longtail",
             "longtail-server", GATEWAY, "443"], stdout=subprocess.PIPE, text=True)
        want("listens" in self.process.stdout.readline(), "scale_api.py does not listen")

    def set(self, replicas):
        (self.account / "replicas").write_text(f"{replicas}\n")

    def end(self):
        self.process.kill()
        self.process.wait()


class Cluster:
    """What a StatefulSet's controller does, by hand."""

    def __init__(self, pods, kubernetes):
        self.pods, self.kubernetes = pods, kubernetes

    def start_server(self, number):
        return self.pods.start("StatefulSet", "longtail-server", f"longtail-server-{number}")

    def server(self, number):
        return self.pods.running[f"longtail-server-{number}"]

    def led(self):
        """How many lanes each server leads, by its number; empty while somebody is not well."""
        status = self.pods.status()
        if status is None or not status["well"] or status["moves_left"]:
            return {}
        if any(s["problem"] for s in status["servers"]):
            return {}
        return {int(s["name"].rpartition("-")[2]): s["lanes"] for s in status["servers"]
                if s["name"].startswith("longtail-server-")}

    def await_shared(self, numbers, what):
        """Until these servers, and they alone, share the lanes; the seconds until then."""
        def is_shared():
            led = self.led()
            return led and sorted(led) == sorted(numbers) and min(led.values()) > 0
        return await_true(what, LIMIT, is_shared, lambda: str(self.pods.status()))

    def scale(self, before, after):
        """kubectl scale, and the seconds until it is done."""
        self.kubernetes.set(after)
        if after > before:
            begin = time.monotonic()
            for number in range(before, after):
                self.start_server(number)
            self.await_shared(range(after), f"{after} servers")
            return time.monotonic() - begin
        going = [self.server(number) for number in range(after, before)]
        with concurrent.futures.ThreadPoolExecutor() as threads:
            ends = list(threads.map(lambda server: server.stop(), going))
        for server, (code, _) in zip(going, ends):
            want(code == 0, f"{server.name} ends with {code}: {server.said()[-2000:]}")
            want("how=drains" in server.said() and "server_has_left" in server.said(),
                 f"{server.name} did not drain: {server.said()[-2000:]}")
        return max(seconds for _, seconds in ends)

    def kill_and_replace(self, number):
        """A pod that is killed, and comes back with its volume at another address."""
        begin = time.monotonic()
        self.server(number).signal("KILL")
        want(self.server(number).wait(LIMIT) == 137, "a killed server's status is 137")
        self.start_server(number)
        numbers = [int(n.rpartition("-")[2]) for n in self.pods.running
                   if n.startswith("longtail-server-")]
        self.await_shared(numbers, f"longtail-server-{number} again")
        said = self.server(number).said()
        want("lane_recovered" in said, f"longtail-server-{number} has no log: {said[-2000:]}")
        return time.monotonic() - begin

    def restart(self, number, count):
        """One step of a rolling upgrade: SIGTERM, then a new pod. The seconds of each."""
        code, leaving = self.server(number).stop()
        said = self.server(number).said()
        want(code == 0, f"longtail-server-{number} ends with {code}")
        want("how=hands_over" in said and "server_has_left" in said,
             f"longtail-server-{number} did not hand over: {said[-2000:]}")
        begin = time.monotonic()
        self.start_server(number)
        self.await_shared(range(count), f"longtail-server-{number} upgraded")
        return leaving, time.monotonic() - begin


class Job:
    """What a Job's controller does: a trainer that fails is started again."""

    def __init__(self, pods):
        self.pods, self.restarts = pods, 0
        for index in range(2):
            self.start(index)

    def start(self, index):
        self.pods.start("Job", "longtail-trainer", f"longtail-trainer-{index}", index,
                        ["--epochs", EPOCHS])

    def is_done(self):
        done = 0
        for index in range(2):
            trainer = self.pods.running[f"longtail-trainer-{index}"]
            state = trainer.state()
            if state["Running"]:
                continue
            if state["ExitCode"] == 0:
                done += 1
                continue
            self.restarts += 1
            print(f"{trainer.name} ends: {trainer.said().splitlines()[-1:]}", flush=True)
            want(self.restarts <= 20, f"trainers fail again and again: {trainer.said()[-3000:]}")
            self.start(index)
        return done == 2

    def said(self):
        return "".join(self.pods.running[f"longtail-trainer-{index}"].said()[-1500:]
                       for index in range(2))


def volume_path(name):
    found = json.loads(call("podman", "volume", "inspect", name).stdout)[0]
    return pathlib.Path(found["Mountpoint"])


def in_peace(documents, directory):
    """What the same training leaves on servers that nobody touches: its predictions."""
    pods = Pods(documents, directory)
    try:
        pods.start("StatefulSet", "longtail-coordinator", "longtail-coordinator-0")
        for number in range(2):
            pods.start("StatefulSet", "longtail-server", f"longtail-server-{number}")
        job = Job(pods)
        await_true("the training in peace", 900, job.is_done, job.said)
        want(job.restarts == 0, "a trainer failed in peace")
        run = volume_path("longtail-test-shared") / "runs" / "movielens"
        return (run / "predictions.csv").read_bytes()
    finally:
        pods.end()


def follow_page(root, pods):
    """Of the newcomer's commands, those that ask pods: they are asked. The others are what this
    test does by other means. How many were run."""
    page = (root / "docs" / "KUBERNETES.md").read_text()
    commands = re.search(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1].splitlines()
    want(len(commands) == 10, f"docs/KUBERNETES.md begins with {len(commands)} commands, want 10")
    count = 0
    for command in commands:
        words = shlex.split(command, comments=True)
        if "exec" in words:
            pod, words = words[words.index("exec") + 1], words[words.index("--") + 1:]
            said = pods.running[pod].execute(*words).stdout
        elif "logs" in words:
            job = words[-1].rpartition("/")[2]
            said = "".join(pods.running[f"{job}-{index}"].said() for index in range(2))
            want("AUC" in said, f"{command}: says nothing of the model: {said[-2000:]}")
        else:
            continue
        want(said.strip(), f"{command}: says nothing")
        count += 1
    want(count == 3, f"docs/KUBERNETES.md: {count} of its commands ask pods, want 3")
    return count


def run_cluster(root, pods, kubernetes, figures):
    """The training's predictions, after all that is done to its servers."""
    cluster = Cluster(pods, kubernetes)
    begin = time.monotonic()
    # Trainers before there is anybody: they wait.
    job = Job(pods)
    pods.start("StatefulSet", "longtail-coordinator", "longtail-coordinator-0")
    for number in range(3):
        cluster.start_server(number)
    cluster.await_shared(range(3), "3 servers")
    figures["3 servers share all lanes, s after the first container"] = time.monotonic() - begin
    pods.start("Deployment", "longtail-reader", "longtail-reader-0")

    figures["scale 3 to 4, s"] = cluster.scale(3, 4)
    want(not job.is_done(), "the training ended before its time: want more epochs")
    figures["server killed, until it has caught up, s"] = cluster.kill_and_replace(1)
    want(not job.is_done(), "the training ended before its time: want more epochs")
    code, _ = pods.running["longtail-coordinator-0"].stop()
    want(code == 0, f"the coordinator ends with {code}")
    pods.start("StatefulSet", "longtail-coordinator", "longtail-coordinator-0")
    figures["coordinator restarted, until all is well, s"] = cluster.await_shared(
        range(4), "the coordinator again")
    want(not job.is_done(), "the training ended before its time: want more epochs")
    upgrades = [cluster.restart(number, 4) for number in (3, 2, 1, 0)]
    figures["rolling upgrade: SIGTERM to the end of a server, s"] = [u[0] for u in upgrades]
    figures["rolling upgrade: until it shares again, s"] = [u[1] for u in upgrades]
    want(not job.is_done(), "the training ended before its time: want more epochs")
    figures["scale 4 to 2 (both drain at once), s"] = cluster.scale(4, 2)
    cluster.await_shared(range(2), "2 servers")
    want(not job.is_done(), "the training ended before its time: want more epochs")
    reader = next(s for s in pods.status()["servers"] if s["name"] == "longtail-reader-0")
    want(reader["reads"] == 8 and not reader["late"], f"the reader does not read: {reader}")
    await_true("the training", 900, job.is_done, job.said)
    figures["trainers started again"] = job.restarts
    figures["the training, s"] = time.monotonic() - begin
    figures["commands of the newcomer's page, run in pods"] = follow_page(root, pods)
    run = volume_path("longtail-test-shared") / "runs" / "movielens"
    want((run / "report.html").exists(), "the training left no report")
    return (run / "predictions.csv").read_bytes()


def main(arguments):
    root, directory = pathlib.Path(arguments[0]).resolve(), pathlib.Path(arguments[1]).resolve()
    verified = root / "test" / "images" / "verified"
    now = digest(root)
    if "--is-verified" in arguments:
        same = verified.exists() and verified.read_text().strip() == now
        print(f"docker/, k8s/ and test/images {'are as' if same else 'differ from what'} they were "
              "when this test last passed")
        return 0 if same else 1
    directory.mkdir(parents=True, exist_ok=True)
    podman.prepare(directory)
    figures = {}
    for target, tag in (("server", SERVER_IMAGE), ("trainer", TRAINER_IMAGE)):
        begin = time.monotonic()
        size = podman.build(root, target, tag)
        figures[f"image {target}, MB"] = size / 1e6
        figures[f"image {target} built, s"] = time.monotonic() - begin
    check_images(figures)
    if (CUDA / "bin" / "nvcc").exists():
        check_cuda_image(root, figures)
    else:
        figures["image trainer-cuda"] = f"not built: no nvcc in {CUDA}"
    check_compose(root, figures)
    documents = rendered(root, directory)
    pods = Pods(documents, directory)
    kubernetes = None
    try:
        # The gateway's address is there once a container is.
        first = podman.Container("longtail-test-first", SERVER_IMAGE, ["coordinator"],
                                 ["--network", NETWORK, "--ip", FIRST], 5)
        pods.running["longtail-test-first"] = first
        kubernetes = Kubernetes(root, directory / "account")
        predictions = run_cluster(root, pods, kubernetes, figures)
        pods.end()
        want(predictions == in_peace(documents, directory),
             "the predictions are not those of a training in peace")
        figures["predictions"] = "the bits of a training in peace"
    finally:
        for container in pods.running.values():
            (directory / f"{container.name}.log").write_text(container.said())
        pods.end()
        if kubernetes is not None:
            kubernetes.end()
        for name, figure in figures.items():
            print(f"{name}: {json.dumps(figure) if isinstance(figure, list) else figure}")
    verified.write_text(now + "\n")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # By way of finally.
    try:
        sys.exit(main(sys.argv[1:]))
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        sys.exit(1)
