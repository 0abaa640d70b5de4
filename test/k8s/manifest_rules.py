"""What holds between Kubernetes' objects, and no schema says: names that others use, selectors,
ports, volumes, amounts, rights. Each rule takes a Bundle and yields sentences."""
import re

from bundle import name_of, selects

LABEL_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
NOT_IN_A_NAMESPACE = {"Namespace", "PriorityClass"}
FACTORS = {"": 1, "m": 0.001, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
           "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
USER = 10001


def amount(text):
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    if not found or found[2] not in FACTORS:
        return None
    return float(found[1]) * FACTORS[found[2]]


def name_rules(bundle):
    seen = set()
    for document in bundle.documents:
        name = document["metadata"].get("name", "")
        if not LABEL_NAME.fullmatch(name):
            yield f"{name_of(document)}: is no name for Kubernetes"
        if (document["kind"], name) in seen:
            yield f"{name_of(document)}: is there twice"
        seen.add((document["kind"], name))
        space = document["metadata"].get("namespace")
        if document["kind"] not in NOT_IN_A_NAMESPACE and not bundle.find("Namespace", space):
            yield f"{name_of(document)}: namespace '{space}' is not in the bundle"


def selector_rules(bundle):
    for pods in bundle.pods:
        spec = pods.owner["spec"]
        if pods.owner["kind"] in {"StatefulSet", "Deployment"} and not selects(
                spec.get("selector", {}), pods.labels):
            yield f"{pods.name}: its selector does not match its template's labels"
        for constraint in pods.spec.get("topologySpreadConstraints", []):
            if not selects(constraint.get("labelSelector", {}), pods.labels):
                yield f"{pods.name}: spreads over other pods than its own"
        anti = pods.spec.get("affinity", {}).get("podAntiAffinity", {})
        for term in anti.get("requiredDuringSchedulingIgnoredDuringExecution", []):
            if not selects(term.get("labelSelector", {}), pods.labels):
                yield f"{pods.name}: keeps away from other pods than its own"
    for kind, field in (("Service", "selector"), ("PodDisruptionBudget", "selector"),
                        ("NetworkPolicy", "podSelector")):
        for document in bundle.of_kind(kind):
            selector = document["spec"].get(field, {})
            if not any(selects(selector, pods.labels) for pods in bundle.pods):
                yield f"{name_of(document)}: selects no pod of the bundle"


def service_rules(bundle):
    for service in bundle.of_kind("Service"):
        for pods in bundle.pods:
            if not selects(service["spec"].get("selector", {}), pods.labels):
                continue
            ports = {p.get("name") for c in pods.containers for p in c.get("ports", [])}
            for port in service["spec"].get("ports", []):
                if port.get("targetPort") not in ports:
                    yield (f"{name_of(service)}: port '{port.get('name')}' goes to "
                           f"'{port.get('targetPort')}', which {pods.name} has not")
    for pods in bundle.pods:
        if pods.owner["kind"] != "StatefulSet":
            continue
        name = pods.owner["spec"].get("serviceName")
        service = bundle.find("Service", name)
        if service is None or service["spec"].get("clusterIP") != "None":
            yield f"{pods.name}: serviceName '{name}' is no headless Service of the bundle"
        elif not selects(service["spec"].get("selector", {}), pods.labels):
            yield f"{pods.name}: serviceName '{name}' is of other pods"
        elif not service["spec"].get("publishNotReadyAddresses"):
            yield (f"{name_of(service)}: wants publishNotReadyAddresses: pods meet before they are "
                   "ready")


def port_rules(bundle):
    for pods in bundle.pods:
        for container in pods.containers:
            where = f"{pods.name}, container '{container.get('name')}'"
            ports = container.get("ports", [])
            for port in ports:
                if not PORT_NAME.fullmatch(port.get("name", "")):
                    yield f"{where}: port name '{port.get('name')}': want at most 15 of a-z, 0-9, -"
            names = [p.get("name") for p in ports]
            if len(set(names)) != len(names):
                yield f"{where}: two ports have one name"
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                get = container.get(probe, {}).get("httpGet")
                if get is None:
                    continue
                known = names if isinstance(get.get("port"), str) else [
                    p.get("containerPort") for p in ports]
                if get.get("port") not in known:
                    yield f"{where}: {probe} asks port '{get.get('port')}', which it has not"


def volume_rules(bundle):
    for pods in bundle.pods:
        spec = pods.owner["spec"]
        made = {t["metadata"]["name"] for t in spec.get("volumeClaimTemplates", [])}
        volumes = {v["name"]: v for v in pods.spec.get("volumes", [])}
        used = set()
        for container in pods.containers:
            paths = [m["mountPath"] for m in container.get("volumeMounts", [])]
            if len(set(paths)) != len(paths):
                yield f"{pods.name}: two volumes are mounted at one place"
            for mount in container.get("volumeMounts", []):
                used.add(mount["name"])
                if mount["name"] not in made | set(volumes):
                    yield f"{pods.name}: volumeMount '{mount['name']}' has no volume"
        for name in sorted((made | set(volumes)) - used):
            yield f"{pods.name}: volume '{name}' is mounted nowhere"
        for volume in volumes.values():
            yield from source_rules(bundle, pods, volume)


def source_rules(bundle, pods, volume):
    claim = volume.get("persistentVolumeClaim", {}).get("claimName")
    if claim is not None and not bundle.find("PersistentVolumeClaim", claim):
        yield f"{pods.name}: volume '{volume['name']}': there is no PersistentVolumeClaim '{claim}'"
    for field, kind, name in (("configMap", "ConfigMap", "name"),
                              ("secret", "Secret", "secretName")):
        if field not in volume:
            continue
        keys = bundle.keys(kind, volume[field].get(name))
        if keys is None:
            yield f"{pods.name}: there is no {kind} '{volume[field].get(name)}'"
            continue
        for item in volume[field].get("items", []):
            if item["key"] not in keys:
                yield f"{pods.name}: {kind} '{volume[field].get(name)}' has no key '{item['key']}'"


def budget_rules(bundle):
    for budget in bundle.of_kind("PodDisruptionBudget"):
        spec = budget["spec"]
        if ("minAvailable" in spec) == ("maxUnavailable" in spec):
            yield f"{name_of(budget)}: want either minAvailable or maxUnavailable"
        for pods in bundle.pods:
            if not selects(spec.get("selector", {}), pods.labels):
                continue
            replicas = pods.owner["spec"].get("replicas", 1)
            if spec.get("maxUnavailable") == 0 or spec.get("minAvailable", 0) >= replicas:
                yield f"{name_of(budget)}: no node could ever be emptied"


def resource_rules(bundle):
    for pods in bundle.pods:
        for container in pods.containers:
            where = f"{pods.name}, container '{container.get('name')}'"
            resources = container.get("resources", {})
            requests, limits = resources.get("requests", {}), resources.get("limits", {})
            for name in ("cpu", "memory"):
                if name not in requests:
                    yield f"{where}: asks for no {name}"
            if "memory" not in limits:
                yield f"{where}: has no limit of memory"
            for name, value in [*requests.items(), *limits.items()]:
                if amount(value) is None:
                    yield f"{where}: {name} '{value}' is no amount"
            for name in requests.keys() & limits.keys():
                if (amount(requests[name]) or 0) > (amount(limits[name]) or 0):
                    yield f"{where}: asks for more {name} than its limit"


def security_rules(bundle):
    for pods in bundle.pods:
        context = pods.spec.get("securityContext", {})
        if not context.get("runAsNonRoot") or context.get("runAsUser") != USER:
            yield f"{pods.name}: wants to run as user {USER}, and as nobody else"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{pods.name}: wants seccompProfile RuntimeDefault"
        if any(pods.spec.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{pods.name}: shares something of its host"
        for volume in pods.spec.get("volumes", []):
            if "hostPath" in volume:
                yield f"{pods.name}: volume '{volume['name']}' is of its host"
            if "persistentVolumeClaim" in volume and context.get("fsGroup") != USER:
                yield f"{pods.name}: could not write to its volumes: wants fsGroup {USER}"
        for container in pods.containers:
            own = container.get("securityContext", {})
            if (own.get("allowPrivilegeEscalation") is not False
                    or own.get("capabilities", {}).get("drop") != ["ALL"] or own.get("privileged")):
                yield f"{pods.name}, container '{container.get('name')}': has privileges"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{pods.name}, container '{container.get('name')}': may write to its image"


def job_rules(bundle):
    for pods in bundle.pods:
        spec = pods.owner["spec"]
        if pods.owner["kind"] not in {"Job", "CronJob"}:
            continue
        if pods.owner["kind"] == "CronJob":
            if len(spec.get("schedule", "").split()) != 5:
                yield f"{pods.name}: schedule '{spec.get('schedule')}': want five fields"
            spec = spec["jobTemplate"]["spec"]
        policy = pods.spec.get("restartPolicy")
        if policy not in {"Never", "OnFailure"}:
            yield f"{pods.name}: restartPolicy '{policy}': want Never or OnFailure"
        if "backoffLimitPerIndex" in spec and spec.get("completionMode") != "Indexed":
            yield f"{pods.name}: backoffLimitPerIndex wants completionMode Indexed"
        if policy != "Never" and ("backoffLimitPerIndex" in spec or "podFailurePolicy" in spec):
            yield f"{pods.name}: backoffLimitPerIndex and podFailurePolicy want restartPolicy Never"


def account_rules(bundle):
    for pods in bundle.pods:
        name = pods.spec.get("serviceAccountName")
        if name is not None and not bundle.find("ServiceAccount", name):
            yield f"{pods.name}: there is no ServiceAccount '{name}'"
        if name is None and pods.spec.get("automountServiceAccountToken") is not False:
            yield f"{pods.name}: has an account's token and no use for it"
        priority = pods.spec.get("priorityClassName")
        if priority is not None and not bundle.find("PriorityClass", priority):
            yield f"{pods.name}: there is no PriorityClass '{priority}'"
    for binding in bundle.of_kind("RoleBinding"):
        if not bundle.find("Role", binding["roleRef"]["name"]):
            yield f"{name_of(binding)}: there is no Role '{binding['roleRef']['name']}'"
        for subject in binding.get("subjects", []):
            if not bundle.find("ServiceAccount", subject["name"]):
                yield f"{name_of(binding)}: there is no ServiceAccount '{subject['name']}'"


RULES = [name_rules, selector_rules, service_rules, port_rules, volume_rules, budget_rules,
         resource_rules, security_rules, job_rules, account_rules]
