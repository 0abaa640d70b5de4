#!/usr/bin/env python3
"""The Helm chart: its templates are made of k8s/helm, and give the objects of the overlays.

    helm_chart.py ROOT --write

makes the templates. The test compares them with what would be made, has Go's own templates with
Sprig's functions, which are Helm's, render them, and compares objects with those of the overlays.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

GO_PATH = "/usr/share/gocode"  # Debian: golang-go, golang-github-masterminds-sprig-dev
KEYS = '{{- if .Values.keys.%s }}\n%s\n{{- end }}'
BLOCKS = {
    "settings": "checksum/settings: {{ list .Values.formedBy .Values.lanes .Values.replicas"
                " .Values.partitions .Values.workers .Values.stepMode .Values.keys .Values.store"
                " .Values.coordinator.state .Values.servers.logAt | toJson | sha256sum }}",
    "keys-mount": KEYS % ("cluster", "- mountPath: /keys\n  name: keys\n  readOnly: true"),
    "keys-volume": KEYS % ("cluster", "- name: keys\n  secret:\n    defaultMode: 288\n"
                                      "    secretName: {{ .Values.keys.cluster }}"),
    "trainer-keys-volume": KEYS % ("cluster",
                                   "- name: keys\n  secret:\n    defaultMode: 288\n"
                                   "    secretName: {{ .Values.keys.trainer }}"),
    "more-arguments": "{{- range .Values.trainers.arguments }}\n- {{ quote . }}\n{{- end }}",
    # Of every pod.
    "pods": "{{- with .Values.imagePullSecrets }}\nimagePullSecrets: {{ toJson . }}\n{{- end }}\n"
            "{{- with .Values.nodeSelector }}\nnodeSelector: {{ toJson . }}\n{{- end }}\n"
            "{{- with .Values.tolerations }}\ntolerations: {{ toJson . }}\n{{- end }}",
}
IMAGE = "{{ .Values.image.%s }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
# Objects that not every release has.
CONDITIONS = {"longtail-reader": "readers", "longtail-trainer": "trainers",
              "longtail-checkpoints": "checkpoints"}
NOTE = "{{- /* Made by test/k8s/helm_chart.py of k8s/helm: change that. */ -}}\n"


def indented(text, indent):
    return "".join(f"{indent}{line}\n" for line in text.splitlines())


def with_values(text):
    """What kustomize wrote, with expressions and blocks for what stands for them."""
    text = re.sub(r"'(\{\{[^']*?\}\})'", lambda found: re.sub(r"\s*\n\s*", " ", found[1]), text)
    text = re.sub(r":\n +WHOLE: (.*)", r": \1", text)
    text = re.sub(r"^( *)(?:- )?'?BLOCK: ([a-z-]+)'?\n",
                  lambda found: indented(BLOCKS[found[2]], found[1]), text, flags=re.MULTILINE)
    text = re.sub(r"^( +)(enableServiceLinks: false\n)",
                  lambda found: indented(BLOCKS["pods"], found[1]) + found[0], text,
                  flags=re.MULTILINE)
    text = re.sub(r"image: longtail-(server|trainer):.*",
                  lambda found: "image: " + IMAGE % found[1], text)
    return text.replace("namespace: longtail\n", "namespace: {{ .Release.Namespace }}\n")


def templates(kustomized):
    """By file name, what `kubectl kustomize k8s/helm` comes to."""
    files = {}
    for document in re.split(r"^---\n", kustomized, flags=re.MULTILINE):
        kind = re.search(r"^kind: (\w+)$", document, re.MULTILINE)[1]
        name = re.search(r"^metadata:\n(?:  .*\n)*?  name: (\S+)$", document, re.MULTILINE)[1]
        if kind == "Namespace":  # Helm's release has one.
            continue
        text = with_values(document)
        if name in CONDITIONS:
            text = f"{{{{- if .Values.{CONDITIONS[name]}.enabled }}}}\n{text}{{{{- end }}}}\n"
        files[f"{name.removeprefix('longtail-')}-{kind.lower()}.yaml"] = NOTE + text
    return files


def check_written(chart, kustomized):
    """What is wrong with the files that are there."""
    wanted = templates(kustomized)
    there = {path.name: path.read_text() for path in (chart / "templates").glob("*.yaml")}
    for name in sorted(wanted.keys() | there.keys()):
        if wanted.get(name) != there.get(name):
            yield (f"template {name} is not what k8s/helm gives: "
                   "python3 test/k8s/helm_chart.py . --write")


def merged(values, more):
    """Helm's way with several files of values: maps are merged, all else is replaced."""
    if not isinstance(values, dict) or not isinstance(more, dict):
        return more
    return {key: merged(values[key], more[key]) if key in values and key in more
            else more.get(key, values.get(key)) for key in values.keys() | more.keys()}


def render(source, chart, values, about):
    """The text of all objects."""
    done = subprocess.run(
        ["go", "run", source / "render.go", chart / "templates"], capture_output=True, text=True,
        timeout=300, check=False, input=json.dumps({
            "Values": values, "Release": {"Name": "longtail", "Namespace": "longtail"},
            "Chart": {"Name": about["name"], "AppVersion": about["appVersion"]}}),
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "HOME": "/tmp", "GO111MODULE": "off", "GOPATH": GO_PATH, "GOFLAGS": ""})
    if done.returncode != 0:
        raise RuntimeError(f"the chart's templates: {done.stderr[-2000:]}")
    return done.stdout


def is_empty(value):
    return value is None or value == {} or value == []


def plain(value):
    """An object as it is compared: without hashes in names, without what is empty, and with the
    volumes, whose order is none, by name."""
    if isinstance(value, dict):
        found = {key: plain(inner) for key, inner in value.items() if key != "checksum/settings"}
        for key in ("volumes", "volumeMounts"):
            if found.get(key):
                found[key].sort(key=lambda entry: entry["name"])
        return {key: inner for key, inner in found.items() if not is_empty(inner)}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return re.sub(r"^longtail-[0-9a-z]{10}$", "longtail", value)
    return value


def by_name(documents):
    return {f"{d['kind']} '{d['metadata']['name']}'": d for d in map(plain, documents)
            if d["kind"] != "Namespace"}


def differences(where, wanted, there):
    """Paths at which two values differ."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        for key in sorted(wanted.keys() | there.keys()):
            yield from differences(f"{where}.{key}", wanted.get(key), there.get(key))
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for i, pair in enumerate(zip(wanted, there)):
            yield from differences(f"{where}[{i}]", *pair)
    elif wanted != there:
        yield f"{where}: the chart has {json.dumps(there)}, want {json.dumps(wanted)}"


def has_go():
    return shutil.which("go") and pathlib.Path(GO_PATH, "src/github.com/Masterminds/sprig").exists()


def check(root, kustomize, read):
    """What is wrong with the chart. `kustomize`: text of a directory; `read`: objects of texts."""
    chart, source = root / "k8s" / "helm" / "longtail", root / "test" / "k8s"
    problems = list(check_written(chart, kustomize(root / "k8s" / "helm")))
    texts = {path.stem: path.read_text() for path in chart.glob("*.yaml")}
    values = {name: documents[0] for name, documents in read(texts).items()}
    keys = {"keys": {"cluster": "longtail-keys", "trainer": "longtail-trainer-keys"}}
    wanted = {"base": values["values"],
              "overlays/quickstart": merged(values["values"], values["values-quickstart"]),
              "helm/with-keys": merged(values["values"], keys)}
    charts = read({name: render(source, chart, one, values["Chart"])
                   for name, one in wanted.items()})
    overlays = read({name: kustomize(root / "k8s" / name) for name in wanted})
    count = 0
    for name in wanted:
        found, overlay = by_name(charts[name]), by_name(overlays[name])
        count += len(overlay)
        for what in sorted(overlay.keys() | found.keys()):
            problems += differences(f"{name}: {what}", overlay.get(what), found.get(what))
    # All that may be said is heard.
    changed = merged(values["values"], {
        "nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}],
        "imagePullSecrets": [{"name": "registry"}], "readers": {"enabled": False},
        "trainers": {"arguments": ["--epochs=3"]}, "image": {"tag": "9"}})
    text = render(source, chart, changed, values["Chart"])
    for part, times in (('nodeSelector: {"disk":"ssd"}', 4), ('tolerations: [{"operator"', 4),
                        ('imagePullSecrets: [{"name":"registry"}]', 4), ('- "--epochs=3"', 1),
                        (":9\n", 5), ("longtail-reader", 0)):
        if text.count(part) != times:
            problems.append(f"with values of its own the chart has '{part}' "
                            f"{text.count(part)} times, want {times}")
    print(f"helm: {count} objects of {len(wanted)} overlays, {len(problems)} problems")
    return problems


def main(arguments):
    root = pathlib.Path(arguments[0])
    if "--write" not in arguments:
        sys.exit(__doc__)
    done = subprocess.run(["kubectl", "kustomize", root / "k8s" / "helm"], capture_output=True,
                          text=True, check=True)
    folder = root / "k8s" / "helm" / "longtail" / "templates"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in templates(done.stdout).items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
