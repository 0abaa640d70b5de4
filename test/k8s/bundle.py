"""One rendered overlay: its objects, its pods, and what a container's environment comes to."""
import dataclasses
import re

# Made by others, in the same namespace: see docs/KUBERNETES.md, and k8s/rook-cluster.
FOREIGN_KEYS = {
    ("ConfigMap", "rook-ceph-mon-endpoints"): {"data": "a=10.0.0.1:6789,b=10.0.0.2:6789"},
    ("Secret", "rook-ceph-client-longtail"): {"longtail": "a key"},
    ("Secret", "longtail-keys"): {"cluster.public": "a key", "cluster.secret": "a key",
                                  "clients": "a list"},
    ("Secret", "longtail-trainer-keys"): {"cluster.public": "a key", "client.public": "a key",
                                          "client.secret": "a key"},
}
# What the downward API gives, for an example.
FIELDS = {
    "metadata.name": "a-pod-0",
    "metadata.namespace": "longtail",
    "status.podIP": "10.1.2.3",
    "metadata.annotations['batch.kubernetes.io/job-completion-index']": "0",
}
REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


@dataclasses.dataclass
class Pods:
    """The pods of one object."""
    owner: dict
    template: dict

    @property
    def spec(self):
        return self.template.get("spec", {})

    @property
    def labels(self):
        return self.template.get("metadata", {}).get("labels", {})

    @property
    def containers(self):
        return self.spec.get("initContainers", []) + self.spec.get("containers", [])

    @property
    def name(self):
        return name_of(self.owner)


def name_of(document):
    return f"{document.get('kind')} '{document.get('metadata', {}).get('name')}'"


def selects(selector, labels):
    """Whether a map of labels, or a selector that has one, selects what has `labels`."""
    wanted = selector.get("matchLabels", {}) if "matchLabels" in selector else selector
    return all(labels.get(key) == value for key, value in wanted.items())


class Bundle:
    """Objects of one overlay, by kind and name."""

    def __init__(self, documents):
        self.documents = documents
        self.pods = [Pods(d, template) for d in documents
                     if (template := self._template(d)) is not None]

    @staticmethod
    def _template(document):
        spec = document.get("spec", {})
        if document.get("kind") == "CronJob":
            spec = spec.get("jobTemplate", {}).get("spec", {})
        return spec.get("template")

    def of_kind(self, kind):
        return [d for d in self.documents if d.get("kind") == kind]

    def find(self, kind, name):
        for document in self.of_kind(kind):
            if document["metadata"].get("name") == name:
                return document
        return None

    def keys(self, kind, name):
        """The keys and values of a ConfigMap or Secret; None: there is none."""
        if (kind, name) in FOREIGN_KEYS:
            return FOREIGN_KEYS[kind, name]
        document = self.find(kind, name)
        if document is None:
            return None
        return {**document.get("data", {}), **document.get("stringData", {})}

    def environment(self, container, fields):
        """(name: value) as the kubelet makes it, and what is wrong with it."""
        values, problems = {}, []
        for entry in container.get("env", []):
            name = entry["name"]
            if name in values:
                problems.append(f"variable {name} is there twice")
            source = entry.get("valueFrom")
            if source is None:
                values[name] = self.expand(entry.get("value", ""), values, name, problems)
            elif "fieldRef" in source:
                path = source["fieldRef"]["fieldPath"]
                if path not in fields:
                    problems.append(f"variable {name}: field '{path}' is unknown")
                values[name] = fields.get(path, "")
            else:
                values[name] = self._of_key(name, source, problems)
        return values, problems

    def _of_key(self, name, source, problems):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if field not in source:
                continue
            keys = self.keys(kind, source[field]["name"])
            if keys is not None and source[field]["key"] in keys:
                return keys[source[field]["key"]]
            problems.append(f"variable {name}: {kind} '{source[field]['name']}' has no key "
                            f"'{source[field]['key']}'")
        return ""

    @staticmethod
    def expand(text, values, where, problems):
        """$(NAME) by its value, which must be there by then: the kubelet leaves others as is."""
        for name in REFERENCE.findall(text):
            if name not in values:
                problems.append(f"{where}: $({name}) stays as it is: no variable before it has "
                                "that name")
        return REFERENCE.sub(lambda found: values.get(found[1], found[0]), text)

    def arguments(self, container, fields=None):
        """The words of the command line, and what is wrong with them. `fields`: what the downward
        API gives this pod."""
        values, problems = self.environment(container, fields or FIELDS)
        words = [self.expand(word, values, f"argument '{word}'", problems)
                 for word in container.get("args", [])]
        return words, problems
