#!/usr/bin/env python3
"""Trains each kind of model a little, exports its dense part and asks ONNX Runtime about it.

    onnx_test.py SOURCE_DIRECTORY BUILD_DIRECTORY LONGTAIL_CTR [--tolerance 1e-5]

onnxruntime-node of npm comes to BUILD_DIRECTORY/onnx at the first use, as package-lock.json pins
it; the checker is Debian's python3-onnx. Without them the test is skipped, unless
LONGTAIL_TEST_ONNX is "required".
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = 1000
# Of each kind one, with what it has beside layers.
MODELS = {
    "lr": {"name": "lr"},
    "fm": {"name": "fm", "dim": 8, "numeric_embedding": True},
    "wide_deep": {"name": "wide_deep", "dim": 8, "hidden": [32, 16], "batch_norm": True},
    "deepfm": {"name": "deepfm", "dim": 8, "hidden": [32, 16], "dropout": 0.2,
               "numeric_embedding": True},
    "dcn_v2": {"name": "dcn_v2", "dim": 8, "hidden": [32, 16], "cross_layers": 3, "linear": True},
    "dlrm": {"name": "dlrm", "dim": 8, "hidden": [32, 16], "bottom": [16, 8]},
}
CHECK = "import onnx, sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)"


class Absent(Exception):
    """What this machine has not, and cannot get."""


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                          **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n"
                           f"{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def prepare_node(directory):
    """ONNX Runtime, as package-lock.json pins it."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise Absent("there is no npm (Debian: nodejs, npm)")
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "run_model.mjs"):
        shutil.copyfile(HERE / name, directory / name)
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = directory / "installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    try:  # Without scripts: they would fetch the GPU's libraries.
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise Absent(f"npm cannot get its packages: {error}") from error
    stamp.write_text(digest)


def find_checker():
    """The Python that has Debian's onnx: another may come first on the path."""
    for python in ("/usr/bin/python3", sys.executable):
        found = subprocess.run([python, "-c", "import onnx"], capture_output=True, check=False)
        if found.returncode == 0:
            return python
    raise Absent("there is no Python with onnx (Debian: python3-onnx)")


def read_npy(path):
    data = path.read_bytes()
    size = int.from_bytes(data[8:10], "little")
    return [value for value, in struct.iter_unpack("<f", data[10 + size:])]


def config_of(model):
    return {
        "title": "ONNX", "model": model,
        "data": {"synthetic": {"fields": 6, "ids_per_field": 300, "train": 20000,
                               "test": EXAMPLES}, "train": "train", "test": "test"},
        "sparse": {"optimizer": {"rule": "adagrad", "learning_rate": 0.1},
                   "initializer": {"kind": "normal", "stddev": 0.1}, "gradient": "sum"},
        "dense": {"optimizer": {"rule": "adam", "learning_rate": 0.003}},
        "training": {"batch": 256, "epochs": 1, "workers": 1, "seed": 1},
        "cluster": {"lanes": 1, "partitions": 4, "step_mode": "synchronous"},
    }


def distances(program, node, checker, scratch, name):
    """The largest difference of each output, and how far predictions are from one another."""
    config = scratch / f"{name}.json"
    config.write_text(json.dumps(config_of(MODELS[name])))
    run([program, "train", config, "--out", scratch / name, "--json"])
    model = scratch / f"{name}.onnx"
    samples = scratch / f"{name}-samples"
    run([program, "export-onnx", config, "--out", scratch / name, "--output", model,
         "--samples", samples, "--sample_count", str(EXAMPLES)])
    run([checker, "-c", CHECK, model])
    theirs = json.loads(run(["node", node / "run_model.mjs", model, samples]))
    largest = {}
    for output in ("logit", "probability"):
        ours = read_npy(samples / f"{output}.npy")
        if len(ours) != EXAMPLES or len(theirs[output]) != EXAMPLES:
            raise RuntimeError(f"{name}: {len(ours)} and {len(theirs[output])} of {output}: "
                               f"want {EXAMPLES}")
        largest[output] = max(abs(a - b) for a, b in zip(ours, theirs[output]))
    ours = read_npy(samples / "probability.npy")
    return largest, max(ours) - min(ours)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("build")
    parser.add_argument("program")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()
    node = pathlib.Path(arguments.build, "onnx")
    try:
        prepare_node(node)
        checker = find_checker()
    except Absent as absent:
        if os.environ.get("LONGTAIL_TEST_ONNX") == "required":
            sys.exit(f"LONGTAIL_TEST_ONNX is required: {absent}")
        print(f"[skip] {absent}")
        return
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="longtail-onnx-") as scratch:
        for name in MODELS:
            largest, spread = distances(arguments.program, node, checker, pathlib.Path(scratch),
                                        name)
            is_met = largest["probability"] <= arguments.tolerance and spread > 0.1
            wrong += not is_met
            print(f"{name:10} {EXAMPLES} predictions: probabilities differ by at most "
                  f"{largest['probability']:.2e}, logits by {largest['logit']:.2e}, spread "
                  f"{spread:.2f}: {'met' if is_met else 'NOT MET'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
