"""What docker/compose.yaml says is started, as its first lines say, and used for a while."""
import json
import time
import urllib.parse
import urllib.request

import podman
from podman import await_true, call

PROMETHEUS_IMAGE = "localhost/longtail-prometheus:0.1.0"
PROJECT = "longtail-test-compose"
LIMIT = 180
SCRAPES = 5  # Seconds between two, as docker/prometheus.yml has it.
ROWS = "sum(longtail_table_rows)"


def answer(url):
    """What that page says, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return page.read().decode()
    except OSError:
        return ""


def value(query):
    """The one figure that Prometheus has for it, or None."""
    asked = urllib.parse.urlencode({"query": query})
    said = answer(f"http://127.0.0.1:9090/api/v1/query?{asked}")
    result = json.loads(said)["data"]["result"] if said else []
    return float(result[0]["value"][1]) if len(result) == 1 else None


class Compose:
    """The project; its containers, networks and volumes go with it."""

    def __init__(self, root):
        self.words = ["podman-compose", "--project-name", PROJECT, "--file",
                      root / "docker" / "compose.yaml"]
        self.end()
        call(*self.words, "up", "--detach", "--no-build", timeout=300)

    def container(self, service):
        named = f"label=com.docker.compose.service={service}"
        ours = f"label=com.docker.compose.project={PROJECT}"
        return call("podman", "ps", "--all", "--quiet", "--filter", named, "--filter",
                    ours).stdout.strip()

    def state(self, service):
        return json.loads(call("podman", "inspect", self.container(service)).stdout)[0]["State"]

    def said(self, *services):
        logs = [call("podman", "logs", "--tail", "20", self.container(service), check=False)
                for service in services]
        return "".join(log.stdout + log.stderr for log in logs)

    def end(self):
        call(*self.words, "down", "--volumes", "--timeout", "5", check=False)


def check_compose(root, figures):
    """A training to its end; then a server is killed, and comes back with what it had."""
    podman.build(root, "prometheus", PROMETHEUS_IMAGE)
    compose = Compose(root)
    try:
        await_true("the status page of compose.yaml's coordinator", LIMIT,
                   lambda: "<html" in answer("http://127.0.0.1:9640/"),
                   lambda: compose.said("coordinator"))
        await_true("Prometheus of compose.yaml to have coordinator and both servers", LIMIT,
                   lambda: value('sum(up{job!="longtail-trainer"})') == 3,
                   lambda: compose.said("prometheus", "server-0", "server-1"))
        await_true("the end of compose.yaml's training", 600,
                   lambda: compose.state("trainer")["Status"] == "exited",
                   lambda: compose.said("trainer", "server-0", "server-1"))
        if compose.state("trainer")["ExitCode"] != 0:
            raise podman.Failed("compose.yaml's training failed: " + compose.said("trainer"))
        await_true("rows of the training in Prometheus", LIMIT,
                   lambda: (value(ROWS) or 0) > 1000, lambda: compose.said("server-0"))
        time.sleep(2 * SCRAPES)
        rows = value(ROWS)
        call("podman", "kill", "--signal", "KILL", compose.container("server-1"))
        await_true("fewer rows in Prometheus while a server is away", LIMIT,
                   lambda: (value(ROWS) or 0) < rows, lambda: str(value(ROWS)))
        call("podman", "start", compose.container("server-1"))
        figures["compose: a server killed has its rows again within, s"] = await_true(
            f"{rows} rows again", LIMIT, lambda: value(ROWS) == rows,
            lambda: f"{value(ROWS)}; " + compose.said("server-1"))
        report = call("podman", "run", "--rm", "--volume", f"{PROJECT}_shared:/shared:ro",
                      "--entrypoint", "/usr/bin/tini", "localhost/longtail-server:0.1.0", "--",
                      "/usr/bin/longtail", "ckpt", "ls", "--json", "/shared/checkpoints")
        figures["compose: checkpoints"] = len(json.loads(report.stdout)["checkpoints"])
    finally:
        compose.end()
