"""Pods of the rendered manifests as containers: their arguments, environment, users, read-only
roots, limits of memory and volumes, on a network where names are found as Kubernetes has them."""
import json
import sys
import pathlib

from podman import Container, call

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "k8s"))
import bundle as manifests  # noqa: E402
import manifest_rules  # noqa: E402

NETWORK = "longtail-test"
SUBNET = "198.18.77"
GATEWAY = f"{SUBNET}.1"
FIRST = f"{SUBNET}.3"  # Of a container that is only there for the gateway's address.
COORDINATOR = f"{SUBNET}.2"  # What its Service would have, whichever pod there is.
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Pods:
    """The pods of a bundle, to be started one by one. Each gets an address that none had."""

    def __init__(self, documents, directory):
        self.bundle = manifests.Bundle(documents)
        self.directory = directory
        self.next_address = 10
        self.running = {}
        self.volumes = set()
        call("podman", "network", "rm", "--force", NETWORK, check=False)
        call("podman", "network", "create", "--subnet", f"{SUBNET}.0/24", NETWORK)

    def find(self, kind, name):
        return next(pods for pods in self.bundle.pods
                    if pods.owner["kind"] == kind and pods.owner["metadata"]["name"] == name)

    def start(self, kind, owner, name, index=0, more=(), memory=None):
        """Starts the pod of that name, in the place of one that has ended."""
        pods = self.find(kind, owner)
        container = pods.containers[0]
        if name in self.running:
            self.running.pop(name).remove()
        address = COORDINATOR if owner == "longtail-coordinator" else self.take_address()
        fields = {**manifests.FIELDS, "metadata.name": name, "status.podIP": address,
                  "metadata.annotations['batch.kubernetes.io/job-completion-index']": str(index)}
        words, problems = self.bundle.arguments(container, fields)
        assert not problems, problems
        limit = memory or int(manifest_rules.amount(container["resources"]["limits"]["memory"]))
        user = pods.spec["securityContext"]["runAsUser"]
        options = ["--network", NETWORK, "--ip", address, "--hostname", name,
                   "--read-only", "--read-only-tmpfs=false", "--user", f"{user}:{user}",
                   "--cap-drop", "all", "--security-opt", "no-new-privileges",
                   "--memory", limit, "--memory-swap", limit,
                   "--network-alias", owner]
        for mount in container.get("volumeMounts", []):
            options += ["--volume", self.volume(pods, mount, name)]
        if pods.spec.get("serviceAccountName"):
            options += ["--volume", f"{self.directory / 'account'}:{ACCOUNT}:ro",
                        "--add-host", f"kubernetes.default.svc:{GATEWAY}"]
        grace = pods.spec.get("terminationGracePeriodSeconds", 30)
        self.running[name] = Container(name, f"localhost/{container['image']}", [*words, *more],
                                       options, grace)
        return self.running[name]

    def take_address(self):
        self.next_address += 1
        return f"{SUBNET}.{self.next_address}"

    def volume(self, pods, mount, name):
        """A claim of the pod's own, or one that pods share: podman's volume of that name."""
        own = {t["metadata"]["name"] for t in pods.owner["spec"].get("volumeClaimTemplates", [])}
        volume = f"longtail-test-{mount['name']}" + (f"-{name}" if mount["name"] in own else "")
        self.volumes.add(volume)
        # U: chowned to the pod's user, as fsGroup would have it.
        return f"{volume}:{mount['mountPath']}:U"

    def status(self):
        """What `longtail status` says, asked within the coordinator's container."""
        asked = self.running["longtail-coordinator-0"].execute(
            "longtail", "status", "--cluster", f"tcp://{COORDINATOR}:7000", "--json", check=False)
        return json.loads(asked.stdout) if asked.stdout.startswith("{") else None

    def end(self):
        for container in self.running.values():
            container.remove()
        self.running = {}
        for volume in self.volumes:
            call("podman", "volume", "rm", "--force", volume, check=False)
        call("podman", "network", "rm", "--force", NETWORK, check=False)
