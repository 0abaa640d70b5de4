#!/usr/bin/env python3
"""Whether the part of the tree that docker/Dockerfile copies for its build can be configured.

    image_tree_test.py ROOT CMAKE

To build images takes a quarter of an hour, so that is rarely done; a file that the build wants and
the Dockerfile does not copy is found here.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def copied(dockerfile):
    """The sources of the first stage's COPY lines that are for its working directory."""
    stage = dockerfile.split("\nFROM ")[1]
    lines = re.findall(r"^COPY (?!.*packages)(.+) (\S+)$", stage, re.MULTILINE)
    return [source for sources, _ in lines for source in sources.split()]


def options(dockerfile):
    """What its first cmake is given."""
    line = re.search(r"RUN cmake --preset dev -B \S+ ((?:[^&]|&(?!&))*)", dockerfile).group(1)
    return line.replace("\\\n", " ").split()


def main(root, cmake):
    text = (pathlib.Path(root) / "docker" / "Dockerfile").read_text(encoding="utf-8")
    sources = copied(text)
    if not {"CMakeLists.txt", "CMakePresets.json", "src", "cmake"} <= set(sources):
        sys.exit(f"docker/Dockerfile copies {sources}: want the sources of a build among them")
    given = [option for option in options(text) if not re.search("RADOS|ETCD", option)]
    if not given:
        sys.exit("docker/Dockerfile gives its cmake no option: want LONGTAIL_BUILD_TESTS=OFF")
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for source in sources:
            path = pathlib.Path(root) / source
            if path.is_dir():
                shutil.copytree(path, tree / source)
            else:
                shutil.copy(path, tree / source)
        command = [cmake, "--preset", "dev", "-B", "build/image", *given]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    print(f"configured with {' '.join(given)}, of {' '.join(sources)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
