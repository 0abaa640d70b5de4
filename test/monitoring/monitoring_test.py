#!/usr/bin/env python3
"""A real cluster, scraped by a real Prometheus with the alerts of k8s/monitoring: pages, names,
dashboard, and each alert that can be caused in seconds.

    monitoring_test.py ROOT BUILD_DIRECTORY LONGTAIL LONGTAIL_CTR COMMANDED_WORKER

Rules are those of k8s/monitoring/rules.yaml but for their durations: see SHORT. Alerts that take
longer to cause are those of rules_test.yaml, which promtool runs here, too.
"""
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

from live_cluster import Cluster, free_port, get, required, wait

# What durations of ranges and offsets become; every "for" becomes a second.
SHORT = {"10m": "5s", "1h": "8s", "6h": "11s"}
# They would fire in a training that is well if they looked back for so short a time only.
NEED_LONG_WINDOWS = {"LongtailCheckpointsStale", "LongtailTrainingStopped"}
# Alerts that rules_test.yaml shows with series as they would be, and why not here.
NOT_CAUSED_HERE = {
    "LongtailMovesNeverEnd": "moves end",
    "LongtailLogFarBehindBase": "a log of gigabytes",
    "LongtailMemoryNearLimit": "a process that fills its machine",
    "LongtailKeysRefusedForRoom": "2^26 rows in a partition",
    "LongtailMessagesDenied": "a cluster with keys",
    "LongtailClientsRefused": "a cluster with keys",
}


def shortened(rules):
    rules = re.sub(r"(?m)^( *for: ).*", r"\g<1>1s", rules)
    return re.sub(r"(?<=\[)(\d+[mh])(?=[]:])|(?<=offset )(\d+[mh])",
                  lambda found: SHORT[found[1] or found[2]], rules)


def series_name(name):
    """A histogram's own name of one of its series."""
    return re.sub(r"^(longtail_message_duration_seconds)_(bucket|sum|count)$", r"\1", name)


class Prometheus:
    def __init__(self, cluster, rules):
        self.address = f"127.0.0.1:{free_port()}"
        self.directory = cluster.directory / "prometheus"
        self.directory.mkdir()
        (self.directory / "rules.yaml").write_text(rules)
        self.cluster = cluster
        self.jobs = {"coordinator": ["coordinator"], "trainer": ["trainer"],
                     "server": [f"server-{i}" for i in range(cluster.servers)],
                     "reader": ["reader-0"]}
        config = ["global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms}",
                  "rule_files: [rules.yaml]", "scrape_configs:"]
        for job in self.jobs:
            config += [f"  - job_name: longtail-{job}", "    file_sd_configs:",
                       f"      - files: [{job}.json]"]
            self.write_targets(job)
        (self.directory / "prometheus.yaml").write_text("\n".join(config) + "\n")
        cluster.start("prometheus-server", [
            "prometheus", f"--config.file={self.directory}/prometheus.yaml",
            f"--storage.tsdb.path={self.directory}/data", f"--web.listen-address={self.address}"])
        wait("Prometheus is ready", lambda: get(self.address, "/-/ready")[0] == 200)

    def write_targets(self, job):
        file = self.directory / f"{job}.json"
        new = file.with_suffix(".new")
        for name in self.jobs[job]:
            self.cluster.show(name)
        new.write_text(json.dumps([
            {"targets": [self.cluster.admin[name]],
             "labels": {"instance": name, "namespace": "longtail"}} for name in self.jobs[job]]))
        new.rename(file)  # Whole at every moment.

    def add_target(self, job, name):
        self.jobs[job].append(name)
        self.write_targets(job)

    def query(self, expression):
        code, text = get(self.address,
                         "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(text) if code else {"error": text}
        if answer.get("status") != "success":
            raise AssertionError(f"{expression}: {answer.get('error')}")
        return answer["data"]["result"]

    def fired(self, since):
        """Alerts that fired at some time after `since`."""
        found = self.query('ALERTS{alertstate="firing"}[10m]')
        return {one["metric"]["alertname"] for one in found
                if any(at > since for at, _ in one["values"])}

    def await_alert(self, name, cause, seconds=40):
        since = time.time()
        cause()
        wait(f"{name} fires", lambda: name in self.fired(since), seconds)
        print(f"fires: {name}, {time.time() - since:.1f} s after its cause", flush=True)
        CAUSED.add(name)


CAUSED = set()


class Worker:
    """commanded_worker.cc."""

    def __init__(self, cluster, program):
        # A store of its own, so that only the servers' can be lost.
        store = cluster.directory / "worker-store"
        self.process = cluster.start("worker", [program, cluster.address, store],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def begin(self, command):
        self.process.popen.stdin.write(command + "\n")
        self.process.popen.stdin.flush()

    def answer(self):
        line = self.process.popen.stdout.readline().strip()
        if not line:
            raise AssertionError(f"the worker ended; see {self.process.log}")
        return line

    def do(self, command):
        self.begin(command)
        return self.answer()


def promtool(*words, text=None):
    done = subprocess.run(["promtool", *map(str, words)], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"promtool {' '.join(map(str, words))}: {done.stdout}")


def check_dashboard(root, prometheus):
    dashboard = json.loads((root / "k8s/monitoring/dashboard.json").read_text(encoding="utf-8"))
    queries = [(panel["title"], target["expr"]) for panel in dashboard["panels"]
               for target in panel.get("targets", [])]
    if len(queries) < 20:
        raise AssertionError(f"the dashboard has {len(queries)} queries")

    def empty():
        left = []
        for title, query in queries:
            query = query.replace("$__rate_interval", "10s").replace("$namespace", "longtail")
            query = query.replace("$table", ".*")
            if "$" in query:
                raise AssertionError(f"'{title}': unknown variable in {query}")
            if not prometheus.query(query):
                left.append(title)
        return left

    left = empty()
    until = time.monotonic() + 40
    while left and time.monotonic() < until:
        time.sleep(0.5)
        left = empty()
    if left:
        raise AssertionError(f"queries of the dashboard without data: {left}")
    print(f"{len(queries)} queries of the dashboard return data", flush=True)


def check_names(root, seen):
    """What is exposed is what docs/METRICS.md explains."""
    lines = (root / "docs/METRICS.md").read_text(encoding="utf-8").split("\n")
    explained = {name for line in lines if line.startswith("| `")
                 for name in re.findall(r"`((?:longtail|process)_\w+)", line.split(" | ")[0])}
    if seen != explained:
        raise AssertionError(f"not in docs/METRICS.md: {sorted(seen - explained)}; on no page: "
                             f"{sorted(explained - seen)}")
    print(f"{len(seen)} names are exposed and explained", flush=True)


def names_of(text):
    return {series_name(name) for name in re.findall(r"(?m)^([a-z_]\w*)", text)}


def say_nonsense(port):
    """What is no message of ours, to a lane of a server, for as long as a slow Prometheus needs to
    see it grow. Who is hung up on, as one who answers no heartbeat is, comes again."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
                link.sendall(ZMTP_GREETING)
                link.recv(64)
                link.sendall(ZMTP_READY)
                while time.monotonic() < until:
                    link.sendall(ZMTP_NONSENSE)
                    time.sleep(0.5)  # It is answered at once: all would be between two looks.
        except OSError:
            time.sleep(0.1)


# ZMTP 3.0: a greeting of the NULL mechanism, a DEALER's READY, a message of one part.
ZMTP_GREETING = (b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" +
                 bytes(31))
READY_BODY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
ZMTP_READY = b"\x04" + bytes([len(READY_BODY)]) + READY_BODY
ZMTP_NONSENSE = b"\x00\x08nonsense"


def train_well(cluster, prometheus, root):
    """From nothing to a training that is well; returns the names of metrics that were seen."""
    cluster.start_coordinator()
    prometheus.await_alert("LongtailNotReady", lambda: cluster.start_server(0))
    for number in range(1, cluster.servers):
        cluster.start_server(number)
    cluster.await_ready("coordinator", *(f"server-{i}" for i in range(cluster.servers)))
    cluster.start_reader(0)
    cluster.start_trainer("--checkpoint_every", "50")
    cluster.await_ready("reader-0", "trainer")
    wait("an evaluation", lambda: "longtail_trainer_bucket_auc" in cluster.metrics("trainer"))
    wait("a checkpoint", lambda: "longtail_snapshot_timestamp" in cluster.metrics("server-0"))
    check_dashboard(root, prometheus)
    seen = set()
    for name in ["coordinator", "server-0", "server-1", "reader-0", "trainer"]:
        text = cluster.metrics(name)
        promtool("check", "metrics", text=text)
        seen |= names_of(text)
    since = time.time()
    time.sleep(5)
    wrong = prometheus.fired(since) - NEED_LONG_WINDOWS
    if wrong:
        raise AssertionError(f"the cluster is well and there is an alarm: {sorted(wrong)}")
    return seen


def cause_alerts(cluster, prometheus, program):
    fires = prometheus.await_alert
    # A trainer that ends without a word; its place is free again after that.
    fires("LongtailWorkerLost", cluster.processes["trainer"].kill)
    worker = Worker(cluster, program)
    if worker.do("train 2") != "done":
        raise AssertionError("a worker does not train")
    fires("LongtailTrainingStopped", lambda: None)
    fires("LongtailNonFiniteGradients", lambda: worker.do("not-finite"))
    fires("LongtailUnusualRefusals", lambda: worker.do("clash"))
    stranger = threading.Thread(target=say_nonsense, args=(cluster.ports["server-0"],))
    fires("LongtailForeignMessages", stranger.start)
    stranger.join()
    fires("LongtailLaneSkew", lambda: worker.begin("hammer 8"))
    worker.answer()
    fires("LongtailCheckpointsStale", lambda: worker.begin("train 20"))
    if worker.answer() != "done":
        raise AssertionError("a worker does not train")

    def lose_store():
        shutil.rmtree(cluster.store)
        cluster.store.write_text("a file where the directory was")
        if worker.do("checkpoint lost") == "done":
            raise AssertionError("there is a checkpoint in a store that is gone")

    fires("LongtailStoreRefusesWrites", lose_store)
    worker.begin("train 15")
    since = time.time()
    fires("LongtailServerLate", cluster.processes["server-2"].kill)
    for name in ("LongtailServerAway", "LongtailLanesShortOfReplicas"):
        wait(f"{name} fires", lambda: name in prometheus.fired(since), 40)
        CAUSED.add(name)
    if worker.answer() != "done":
        raise AssertionError("training did not survive a server")
    for number in range(2):
        cluster.processes[f"server-{number}"].send(signal.SIGSTOP)
    prometheus.add_target("reader", "reader-1")
    # It has never been up to date, since nobody tells it what there is.
    fires("LongtailReaderBehind", lambda: cluster.start_reader(1))
    for number in range(2):
        cluster.processes[f"server-{number}"].send(signal.SIGCONT)
    fires("LongtailCoordinatorAway", cluster.processes["coordinator"].kill)


def main(arguments):
    if len(arguments) != 5:
        sys.exit(__doc__)
    required({"prometheus": "prometheus", "promtool": "prometheus"})
    root, build = (pathlib.Path(word).resolve() for word in arguments[:2])
    rules_file = root / "k8s/monitoring/rules.yaml"
    promtool("check", "rules", rules_file)
    promtool("test", "rules", root / "test/monitoring/rules_test.yaml")
    rules = rules_file.read_text(encoding="utf-8")
    directory = build / "monitoring"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with Cluster(directory, *arguments[2:4]) as cluster:
        prometheus = Prometheus(cluster, shortened(rules))
        seen = train_well(cluster, prometheus, root)
        cause_alerts(cluster, prometheus, arguments[4])
        # Some figures are there once something went wrong.
        found = prometheus.query('group by (__name__) ({job=~"longtail-.*"})')
        seen |= {series_name(one["metric"]["__name__"]) for one in found
                 if re.match("longtail_|process_", one["metric"]["__name__"])}
    check_names(root, seen)
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    if alerts != CAUSED | set(NOT_CAUSED_HERE):
        raise AssertionError(f"alerts: {sorted(alerts)}; fired: {sorted(CAUSED)}")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
