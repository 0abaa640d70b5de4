"""Mistakes that people make in manifests, one at a time: each must be found, and by its name.

A mistake is an overlay, what is changed in it, and what the checks must say of it.
"""
import dataclasses
import typing


@dataclasses.dataclass
class Mistake:
    overlay: str
    change: typing.Callable
    says: str


class Objects:
    """The objects of a bundle, to be changed."""

    def __init__(self, documents):
        self.documents = documents

    def __call__(self, kind, name):
        return next(d for d in self.documents
                    if d["kind"] == kind and d["metadata"]["name"].startswith(name))

    def pod(self, kind, name):
        return self(kind, name)["spec"]["template"]["spec"]

    def container(self, kind, name):
        return self.pod(kind, name)["containers"][0]

    @property
    def server(self):
        return self.container("StatefulSet", "longtail-server")

    @property
    def coordinator(self):
        return self.container("StatefulSet", "longtail-coordinator")

    @property
    def trainer(self):
        return self.container("Job", "longtail-trainer")

    def remove(self, kind, name):
        self.documents.remove(self(kind, name))


def replace_argument(container, begin, word):
    container["args"] = [word if a.startswith(begin) else a for a in container["args"]]


def drop_argument(container, begin):
    container["args"] = [a for a in container["args"] if not a.startswith(begin)]


def set_at(target, path, value):
    """target["a"]["b"] = value for the path "a.b"; numbers are places of lists."""
    *steps, last = path.split(".")
    for step in steps:
        target = target[int(step) if step.isdigit() else step]
    target[int(last) if last.isdigit() else last] = value


def rename_variable(container, name, new):
    next(e for e in container["env"] if e["name"] == name)["name"] = new


def move_variable_to_end(container, name):
    entry = next(e for e in container["env"] if e["name"] == name)
    container["env"].remove(entry)
    container["env"].append(entry)


SERVER = ("StatefulSet", "longtail-server")
COORDINATOR = ("StatefulSet", "longtail-coordinator")

# By name, which says what is wrong.
MISTAKES = {
    # What the schemas find.
    "a field that there is not": Mistake(
        "quickstart", lambda o: set_at(o(*SERVER), "spec.podManagmentPolicy", "Parallel"),
        "podManagmentPolicy: there is no such field"),
    "a field of a container that there is not": Mistake(
        "quickstart", lambda o: set_at(o.server, "readynessProbe", {}),
        "readynessProbe: there is no such field"),
    "a number that is a word": Mistake(
        "quickstart", lambda o: set_at(o(*SERVER), "spec.replicas", "two"), "replicas"),
    "a word that is none of those wanted": Mistake(
        "quickstart", lambda o: set_at(o.server, "imagePullPolicy", "Sometimes"),
        "imagePullPolicy"),
    "an amount that is none": Mistake(
        "quickstart", lambda o: set_at(o.server, "resources.limits.memory", "1 GB"), "memory"),
    "a version of the API that is gone": Mistake(
        "production", lambda o: o("PodDisruptionBudget", "longtail-server").update(
            apiVersion="policy/v1beta1"), "policy/v1beta1"),
    "no selector": Mistake(
        "quickstart", lambda o: o("Deployment", "longtail-reader")["spec"].pop("selector"),
        "selector"),
    # Between objects.
    "an upper-case name": Mistake(
        "quickstart", lambda o: set_at(o("Deployment", "longtail-reader"), "metadata.name",
                                       "Longtail-reader"), "is no name for Kubernetes"),
    "an object in another namespace": Mistake(
        "quickstart", lambda o: set_at(o("Service", "longtail-reader"), "metadata.namespace",
                                       "default"), "namespace 'default' is not in the bundle"),
    "a selector that is not the template's labels": Mistake(
        "quickstart", lambda o: set_at(o(*SERVER), "spec.selector.matchLabels", {"app": "x"}),
        "its selector does not match its template's labels"),
    "a Service that selects nothing": Mistake(
        "quickstart", lambda o: set_at(o("Service", "longtail-reader"), "spec.selector",
                                       {"app.kubernetes.io/name": "longtail-readers"}),
        "Service 'longtail-reader': selects no pod"),
    "a Service whose port no pod has": Mistake(
        "quickstart", lambda o: set_at(o("Service", "longtail-reader"), "spec.ports.0.targetPort",
                                       "lane"), "goes to 'lane'"),
    "a serviceName of no Service": Mistake(
        "quickstart", lambda o: set_at(o(*SERVER), "spec.serviceName", "longtail-servers"),
        "serviceName 'longtail-servers' is no headless Service"),
    "a serviceName whose Service has an address": Mistake(
        "quickstart", lambda o: o("Service", "longtail-server")["spec"].pop("clusterIP"),
        "serviceName 'longtail-server' is no headless Service"),
    "a Service that hides pods which are not ready": Mistake(
        "quickstart", lambda o: o("Service", "longtail-coordinator")["spec"].pop(
            "publishNotReadyAddresses"), "wants publishNotReadyAddresses"),
    "a probe of a port that is not there": Mistake(
        "quickstart", lambda o: set_at(o.server, "livenessProbe.httpGet.port", "http"),
        "livenessProbe asks port 'http'"),
    "a port name that is too long": Mistake(
        "quickstart", lambda o: set_at(o.server, "ports.0.name", "lanes-of-a-server"),
        "want at most 15"),
    "a mount without a volume": Mistake(
        "quickstart", lambda o: set_at(o.server, "volumeMounts.0.name", "logs"),
        "volumeMount 'logs' has no volume"),
    "a volume that nobody mounts": Mistake(
        "quickstart", lambda o: o.server["volumeMounts"].pop(), "is mounted nowhere"),
    "a claim that is not there": Mistake(
        "quickstart", lambda o: o.remove("PersistentVolumeClaim", "longtail-shared"),
        "there is no PersistentVolumeClaim 'longtail-shared'"),
    "a key that the ConfigMap has not": Mistake(
        "quickstart", lambda o: o("ConfigMap", "longtail")["data"].pop("LONGTAIL_STORE"),
        "has no key 'LONGTAIL_STORE'"),
    "a key that Rook's Secret has not": Mistake(
        "rook-ceph", lambda o: set_at(o.pod(*SERVER), "volumes.0.secret.items.0.key", "userKey"),
        "has no key 'userKey'"),
    "a budget with both bounds": Mistake(
        "quickstart", lambda o: set_at(o("PodDisruptionBudget", "longtail-server"),
                                       "spec.minAvailable", 1),
        "want either minAvailable or maxUnavailable"),
    "a budget that nothing fits": Mistake(
        "quickstart", lambda o: set_at(o("PodDisruptionBudget", "longtail-server"),
                                       "spec.maxUnavailable", 0), "no node could ever be emptied"),
    "a request over its limit": Mistake(
        "quickstart", lambda o: set_at(o.server, "resources.requests.memory", "2Gi"),
        "asks for more memory than its limit"),
    "no limit of memory": Mistake(
        "quickstart", lambda o: o.server["resources"].pop("limits"), "has no limit of memory"),
    "a container that is root": Mistake(
        "quickstart", lambda o: set_at(o.pod(*SERVER), "securityContext.runAsUser", 0),
        "wants to run as user 10001"),
    "a container with a capability": Mistake(
        "quickstart", lambda o: set_at(o.server, "securityContext.capabilities", {}),
        "has privileges"),
    "a root file system that is written": Mistake(
        "quickstart", lambda o: o.server["securityContext"].pop("readOnlyRootFilesystem"),
        "may write to its image"),
    "volumes that the user cannot write": Mistake(
        "quickstart", lambda o: o.pod(*SERVER)["securityContext"].pop("fsGroup"), "wants fsGroup"),
    "a Job that starts for ever": Mistake(
        "quickstart", lambda o: set_at(o.pod("Job", "longtail-trainer"), "restartPolicy", "Always"),
        "restartPolicy 'Always'"),
    "a schedule that is none": Mistake(
        "quickstart", lambda o: set_at(o("CronJob", "longtail"), "spec.schedule", "daily"),
        "schedule 'daily'"),
    "an account that is not there": Mistake(
        "quickstart", lambda o: o.remove("ServiceAccount", "longtail-server"),
        "there is no ServiceAccount 'longtail-server'"),
    "a token that nobody needs": Mistake(
        "quickstart", lambda o: o.pod("Deployment", "longtail-reader").pop(
            "automountServiceAccountToken"), "has an account's token and no use for it"),
    "a priority that is not there": Mistake(
        "production", lambda o: o.remove("PriorityClass", "longtail-server"),
        "there is no PriorityClass"),
    # Of our programs.
    "an option that the program has not": Mistake(
        "quickstart", lambda o: o.server["args"].append("--replica=1"),
        "the program refuses its arguments"),
    "a value that the program refuses": Mistake(
        "quickstart", lambda o: replace_argument(o.server, "--lanes", "--lanes=four"),
        "the program refuses its arguments"),
    "an option that is missing": Mistake(
        "quickstart", lambda o: drop_argument(o.server, "--coordinator"),
        "the program refuses its arguments"),
    "a step mode that there is not": Mistake(
        "quickstart", lambda o: set_at(o("ConfigMap", "longtail"), "data.LONGTAIL_STEP_MODE",
                                       "sync"), "the program refuses its arguments"),
    "a variable that is not there": Mistake(
        "quickstart", lambda o: rename_variable(o.server, "POD_IP", "POD_ADDRESS"),
        "$(POD_IP) stays as it is"),
    "a variable that comes too late": Mistake(
        "rook-ceph", lambda o: move_variable_to_end(o.server, "CEPH_MONITORS"),
        "$(CEPH_MONITORS) stays as it is"),
    "an image that docker/ does not make": Mistake(
        "quickstart", lambda o: set_at(o.trainer, "image", "longtail-trainers:0.1.0"),
        "image 'longtail-trainers' is none that docker/ makes"),
    "an image of another version": Mistake(
        "quickstart", lambda o: set_at(o.trainer, "image", "longtail-trainer:latest"),
        "has tag 'latest'"),
    "an admin port that is another": Mistake(
        "quickstart", lambda o: replace_argument(o.server, "--admin", "--admin=0.0.0.0:9641"),
        "--admin=0.0.0.0:9641: want 0.0.0.0:9640"),
    "a probe of liveness that asks for readiness": Mistake(
        "quickstart", lambda o: set_at(o.server, "livenessProbe.httpGet.path", "/readyz"),
        "livenessProbe wants /livez"),
    "a probe of liveness that is impatient": Mistake(
        "quickstart", lambda o: set_at(o.server, "livenessProbe.failureThreshold", 2),
        "livenessProbe ends it after 20 s"),
    "servers fewer than the cluster is formed by": Mistake(
        "production", lambda o: set_at(o(*SERVER), "spec.replicas", 1), "replicas 1: want 2"),
    "servers more than there are lanes": Mistake(
        "quickstart", lambda o: set_at(o(*SERVER), "spec.replicas", 5), "replicas 5: want 1"),
    "two coordinators": Mistake(
        "quickstart", lambda o: set_at(o(*COORDINATOR), "spec.replicas", 2),
        "replicas: want 1, a second one is refused"),
    "replicas that coordinator and servers see otherwise": Mistake(
        "production", lambda o: replace_argument(o.server, "--replicas", "--replicas=1"),
        "--replicas: want the coordinator's, 2"),
    "partitions that are no power of two": Mistake(
        "quickstart", lambda o: set_at(o("ConfigMap", "longtail"), "data.LONGTAIL_PARTITIONS",
                                       "100"), "want a power of two"),
    "a coordinator of another name": Mistake(
        "quickstart", lambda o: replace_argument(o.trainer, "--cluster",
                                                 "--cluster=tcp://coordinator:7000"),
        "'tcp://coordinator:7000' is no Service and port of the bundle"),
    "a port that the network closes": Mistake(
        "production", lambda o: set_at(o("NetworkPolicy", "longtail"),
                                       "spec.ingress.0.ports.1.endPort", 7107),
        "no NetworkPolicy opens its port 7115"),
    "a port that is not the one listened on": Mistake(
        "quickstart", lambda o: set_at(o.server, "ports.0.containerPort", 7000),
        "--listen has port 7100"),
    "too little time to drain": Mistake(
        "quickstart", lambda o: set_at(o.pod(*SERVER), "terminationGracePeriodSeconds", 60),
        "is killed after 60 s"),
    "servers that cannot be scaled": Mistake(
        "quickstart", lambda o: drop_argument(o.server, "--take-share"), "it cannot be scaled"),
    "another StatefulSet's scale": Mistake(
        "quickstart", lambda o: replace_argument(o.server, "--servers-wanted",
                                                 "--servers-wanted=statefulset://server"),
        "want statefulset://longtail-server"),
    "no right to read the scale": Mistake(
        "quickstart", lambda o: set_at(o("Role", "longtail-server"), "rules.0.resources",
                                       ["statefulsets"]), "may not get statefulsets/scale"),
    "a log on no volume": Mistake(
        "quickstart", lambda o: set_at(o("ConfigMap", "longtail"), "data.LONGTAIL_LOG", "/logs"),
        "'/logs' is on no volume"),
    "a key file that is not mounted": Mistake(
        "rook-ceph", lambda o: set_at(o.pod(*SERVER), "volumes.0.secret.items.0.path", "keyring"),
        "has no file '/ceph/key'"),
    "stores that differ": Mistake(
        "quickstart", lambda o: replace_argument(o.trainer, "--store", "--store=/shared/others"),
        "servers and trainers name different stores"),
    "fewer trainers than the coordinator waits for": Mistake(
        "quickstart", lambda o: set_at(o("Job", "longtail-trainer"), "spec.completions", 1),
        "completions and parallelism: want --workers, 2"),
    "trainers that do not wait for servers": Mistake(
        "quickstart", lambda o: drop_argument(o.trainer, "--join_timeout"),
        "--join_timeout of 600 s or more"),
    "servers that anybody may reach": Mistake(
        "quickstart", lambda o: drop_argument(o.server, "$(LONGTAIL_LINKS)"),
        "wants --keys=DIRECTORY, or --plain"),
    "a trainer without the keys that servers want": Mistake(
        "production", lambda o: set_at(o("ConfigMap", "longtail"), "data.LONGTAIL_CLUSTER",
                                       "tcp://longtail-coordinator:7000"),
        "some links have keys and others have not"),
    "keys that are not mounted": Mistake(
        "production", lambda o: set_at(o("ConfigMap", "longtail"), "data.LONGTAIL_LINKS",
                                       "--keys=/secrets"),
        "keys '/secrets': want a Secret that is mounted there"),
    "a training on a GPU that the pod has not": Mistake(
        "gpu", lambda o: o.trainer["resources"]["limits"].pop("nvidia.com/gpu"),
        "want all of them or none"),
    "an image without CUDA's libraries": Mistake(
        "gpu", lambda o: set_at(o.trainer, "image", "longtail-trainer:0.1.0"),
        "want all of them or none"),
    "a GPU that is not asked for": Mistake(
        "gpu", lambda o: drop_argument(o.trainer, "--device"), "want all of them or none"),
    "two trainings on devices": Mistake(
        "gpu", lambda o: set_at(o("ConfigMap", "longtail"), "data.LONGTAIL_WORKERS", "2"),
        "want 1 on a device"),
}
