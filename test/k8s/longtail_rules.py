"""What Longtail's own programs want of the manifests that start them: command lines that they
accept, ports and places that fit together, numbers that a cluster can be formed with."""
import re
import subprocess

from bundle import name_of

PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def options_of(words):
    """{"--name": "value"} of a command line of ours."""
    pairs = [word.partition("=") for word in words if word.startswith("--")]
    return {name: value for name, _, value in pairs}


class Longtail:
    """The rules, with the programs that they ask."""

    def __init__(self, version, programs):
        self.version = version
        self.programs = programs  # By image: the program that it starts, and its dry run.
        self.answers = {}

        # Of the bundle: "coordinator", "serve", "reads", "train": (pods, container, options).
        self.commands = {}
        self.rules = [self.command_rules, self.admin_rules, self.formation_rules, self.port_rules,
                      self.link_rules, self.departure_rules, self.place_rules,
                      self.training_rules, self.device_rules]

    def command_rules(self, bundle):
        """The first: it finds the commands that others look at."""
        self.commands = {}
        for pods in bundle.pods:
            for container in pods.containers:
                where = f"{pods.name}, container '{container.get('name')}'"
                words, problems = bundle.arguments(container)
                yield from (f"{where}: {problem}" for problem in problems)
                if "command" in container:
                    yield f"{where}: command is the image's: want args alone"
                image, _, tag = container.get("image", "").partition(":")
                if image not in self.programs:
                    yield f"{where}: image '{image}' is none that docker/ makes"
                    continue
                if tag != self.version:
                    yield f"{where}: image '{image}' has tag '{tag}': want {self.version}"
                yield from (f"{where}: {word}" for word in self.refusal(image, words))
                kind = "reads" if "--reads" in words else (words or [""])[0]
                self.commands[kind] = (pods, container, options_of(words))
        for kind in ("coordinator", "serve", "reads", "train", "ckpt"):
            if kind not in self.commands:
                yield f"no container runs '{kind}'"

    def refusal(self, image, words):
        """What the program itself says against its command line."""
        command = (*self.programs[image], *words)
        if command not in self.answers:
            run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            lines = [line for line in run.stderr.splitlines() if line] or ["no word of why"]
            self.answers[command] = [] if run.returncode == 0 else [
                f"the program refuses its arguments: {lines[0]}"]
        return self.answers[command]

    def each(self, *kinds):
        return [(kind, *self.commands[kind]) for kind in kinds if kind in self.commands]

    def admin_rules(self, _):
        """Probes ask what --admin opens, and all three are there."""
        for _, pods, container, options in self.each("coordinator", "serve", "reads"):
            ports = {p.get("name"): p.get("containerPort") for p in container.get("ports", [])}
            want = f"0.0.0.0:{ports.get('admin')}"
            if options.get("--admin") != want:
                yield f"{pods.name}: --admin={options.get('--admin')}: want {want}, as its port"
            for probe, path in PROBES.items():
                get = container.get(probe, {}).get("httpGet", {})
                if get.get("path") != path or get.get("port") != "admin":
                    yield f"{pods.name}: {probe} wants {path} of port admin"
            liveness = container.get("livenessProbe", {})
            patience = liveness.get("periodSeconds", 10) * liveness.get("failureThreshold", 3)
            if patience < 30:
                yield f"{pods.name}: livenessProbe ends it after {patience} s: want 30 or more"

    def formation_rules(self, bundle):
        """A cluster can be formed, by the servers that there are, and of one state."""
        if not {"coordinator", "serve"} <= self.commands.keys():
            return
        pods, _, options = self.commands["coordinator"]
        server, _, served = self.commands["serve"]
        numbers = {}
        for name in ("--servers", "--replicas", "--partitions", "--workers"):
            if not options.get(name, "").isdigit():
                return  # The program has said so.
            numbers[name] = int(options[name])
        count = server.owner["spec"].get("replicas", 1)
        lanes = numbers["--servers"] * int(served.get("--lanes", "1"))
        if pods.owner["spec"].get("replicas") != 1:
            yield f"{pods.name}: replicas: want 1, a second one is refused"
        if served.get("--replicas") != options["--replicas"]:
            yield f"{server.name}: --replicas: want the coordinator's, {options['--replicas']}"
        if numbers["--servers"] < numbers["--replicas"]:
            yield f"{pods.name}: --servers: want at least as many as --replicas"
        if not numbers["--servers"] <= count <= lanes:
            yield (f"{server.name}: replicas {count}: want {numbers['--servers']} (the "
                   f"coordinator's --servers) to {lanes} (the cluster's lanes)")
        partitions = numbers["--partitions"]
        if partitions & (partitions - 1) or partitions < lanes:
            yield f"{pods.name}: --partitions {partitions}: want a power of two, {lanes} or more"

    def port_rules(self, bundle):
        """Whom a command line names is there, and the network lets others reach it."""
        lanes = self.lanes_by_kind()
        for kind, pods, container, options in self.each("coordinator", "serve", "reads"):
            port = options.get("--listen", "").rpartition(":")[2]
            name = "coordinator" if kind == "coordinator" else "lanes"
            declared = {p.get("name"): str(p.get("containerPort"))
                        for p in container.get("ports", [])}
            if declared.get(name) != port:
                yield f"{pods.name}: --listen has port {port}, its port '{name}' is " \
                      f"{declared.get(name)}"
                continue
            first, count = int(port), lanes.get(kind, 1)
            for number in (first, first + count - 1):
                if not self.is_open(bundle, number):
                    yield f"{pods.name}: no NetworkPolicy opens its port {number}"
        for kind, pods, _, options in self.each("serve", "reads", "train"):
            address = options.get("--cluster" if kind == "train" else "--coordinator", "")
            found = re.fullmatch(r"tcp://([^:/]+):(\d+)(\?keys=.+)?", address)
            service = bundle.find("Service", found[1]) if found else None
            open_ports = {p.get("port") for p in (service or {}).get("spec", {}).get("ports", [])}
            if service is None or int(found[2]) not in open_ports:
                yield f"{pods.name}: '{address}' is no Service and port of the bundle"
            elif not service["spec"].get("publishNotReadyAddresses"):
                yield f"{name_of(service)}: wants publishNotReadyAddresses: who asks " \
                      "waits for it, not for its probes"

    def lanes_by_kind(self):
        _, _, coordinator = self.commands.get("coordinator", (None, None, {}))
        _, _, served = self.commands.get("serve", (None, None, {}))
        lanes = int(served.get("--lanes", 1))
        return {"serve": lanes * int(served.get("--replicas", 1)),
                "reads": lanes * int(coordinator.get("--servers", 1))}

    @staticmethod
    def is_open(bundle, number):
        for policy in bundle.of_kind("NetworkPolicy"):
            for ingress in policy["spec"].get("ingress", []):
                for port in ingress.get("ports", []):
                    if port["port"] <= number <= port.get("endPort", port["port"]):
                        return True
        return False

    def link_rules(self, _):
        """All links have keys, or none has and that is said; keys are a mounted Secret's."""
        forms = {}
        for kind, pods, container, options in self.each("coordinator", "serve", "reads", "train"):
            keys = options.get("--keys")
            if kind == "train":
                keys = options.get("--cluster", "").partition("?keys=")[2] or None
            elif (keys is None) == ("--plain" not in options):
                yield f"{pods.name}: wants --keys=DIRECTORY, or --plain"
            forms[pods.name] = keys is not None
            if keys is None:
                continue
            mount = next((m for m in container.get("volumeMounts", [])
                          if m["mountPath"] == keys), {})
            volume = next((v for v in pods.spec.get("volumes", [])
                           if v["name"] == mount.get("name")), {})
            if "secret" not in volume:
                yield f"{pods.name}: keys '{keys}': want a Secret that is mounted there"
        if len(set(forms.values())) > 1:
            yield f"some links have keys and others have not: {forms}"

    def departure_rules(self, bundle):
        """Servers have the time to leave, and may learn whether they come back."""
        for _, pods, _, options in self.each("serve"):
            grace = pods.spec.get("terminationGracePeriodSeconds", 30)
            leave = float(options.get("--leave", 0))
            if leave <= 0 or "--take-share" not in options:
                yield f"{pods.name}: wants --leave and --take-share, or it cannot be scaled"
            if grace < leave + 10:
                yield f"{pods.name}: is killed after {grace} s, while it may leave for {leave:g}"
            own = pods.owner["metadata"]["name"]
            if options.get("--servers-wanted") != f"statefulset://{own}":
                yield f"{pods.name}: --servers-wanted: want statefulset://{own}"
            if pods.owner["spec"].get("ordinals", {}).get("start", 0) != 0:
                yield f"{pods.name}: ordinals: want them from 0 on, servers are counted by them"
            if not self.may_read_scale(bundle, pods.spec.get("serviceAccountName"), own):
                yield f"{pods.name}: its account may not get statefulsets/scale of '{own}'"

    @staticmethod
    def may_read_scale(bundle, account, name):
        for binding in bundle.of_kind("RoleBinding"):
            role = bundle.find("Role", binding["roleRef"]["name"])
            if role is None or account not in [s["name"] for s in binding.get("subjects", [])]:
                continue
            for rule in role["rules"]:
                if ("get" in rule["verbs"] and "statefulsets/scale" in rule["resources"]
                        and "apps" in rule["apiGroups"] and name in rule["resourceNames"]):
                    return True
        return False

    def place_rules(self, bundle):
        """What is kept in a directory is on a volume; keys are where their address says."""
        for pods in bundle.pods:
            for container in pods.containers:
                words, _ = bundle.arguments(container)
                mounts = {m["mountPath"]: m for m in container.get("volumeMounts", [])}
                places = [v for n, v in options_of(words).items()
                          if n in {"--state", "--log", "--store", "--out"}]
                if words[:1] == ["ckpt"] and len(words) > 2:
                    places.append(words[2])
                for place in places:
                    yield from self.one_place(pods, mounts, place)
        stores = {o.get("--store") for _, _, _, o in self.each("serve", "train")}
        if len(stores) > 1:
            yield f"servers and trainers name different stores: {sorted(map(str, stores))}"

    @staticmethod
    def one_place(pods, mounts, place):
        files = r"(?:keyfile|keyring|conf)=([^&]+)"
        paths = [place] if place.startswith("/") else re.findall(files, place)
        for path in paths:
            mount = next((m for at, m in mounts.items() if path == at or path.startswith(at + "/")),
                         None)
            if mount is None:
                yield f"{pods.name}: '{path}' is on no volume"
            elif path == place and mount.get("readOnly"):
                yield f"{pods.name}: '{path}' is on a volume that it may only read"
            elif path != place:
                items = [i.get("path") for v in pods.spec.get("volumes", [])
                         if v["name"] == mount["name"]
                         for i in v.get("secret", v.get("configMap", {})).get("items", [])]
                if path.rpartition("/")[2] not in items:
                    yield f"{pods.name}: volume '{mount['name']}' has no file '{path}'"

    def training_rules(self, _):
        """As many trainers as the coordinator waits for, in the steps that it keeps."""
        for _, pods, _, options in self.each("train"):
            _, _, coordinator = self.commands.get("coordinator", (None, None, {}))
            workers = coordinator.get("--workers")
            spec = pods.owner["spec"]
            for name in ("--workers", "--processes"):
                if options.get(name) != workers:
                    yield f"{pods.name}: {name}={options.get(name)}: want the coordinator's " \
                          f"--workers, {workers}"
            if [str(spec.get("completions")), str(spec.get("parallelism"))] != [workers] * 2:
                yield f"{pods.name}: completions and parallelism: want --workers, {workers}"
            if options.get("--step_mode") != coordinator.get("--step-mode"):
                yield f"{pods.name}: --step_mode: want the coordinator's"
            if "--resume" not in options or float(options.get("--join_timeout", 60)) < 600:
                yield f"{pods.name}: wants --resume, and --join_timeout of 600 s or more"

    def device_rules(self, _):
        """A trainer on a GPU has one, the image with CUDA's libraries, and no other beside it."""
        for _, pods, container, options in self.each("train"):
            device = options.get("--device", "cpu")
            limits = container.get("resources", {}).get("limits", {})
            has_gpu = limits.get("nvidia.com/gpu", "0") != "0"
            has_cuda = container["image"].partition(":")[0] == "longtail-trainer-cuda"
            if len({has_gpu, has_cuda, device.startswith("cuda:")}) != 1:
                yield f"{pods.name}: --device={device}, nvidia.com/gpu and the image with CUDA's " \
                      "libraries: want all of them or none"
            if has_gpu and options.get("--processes") != "1":
                yield f"{pods.name}: --processes={options.get('--processes')}: want 1 on a device"
