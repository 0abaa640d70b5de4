#!/usr/bin/env python3
"""Holds the compiled kernels to what they were: no GPU is needed to see that one became worse.

    kernel_gate.py CODE BASELINE OCCUPANCY [--write]

CODE is the CUDA component, or a cubin ARCH:FILE. BASELINE is a JSON file, OCCUPANCY the program
kernel_occupancy. Of each kernel and architecture there are: registers, static shared memory,
threads of a block, warps that a multiprocessor holds, how many loads and stores of which width,
barriers. --write makes a new baseline; a review then shows what changed. Architectures are those
of GATED that the code has.

Exits 1 if a kernel is worse, is new or is gone; prints [skip] if another compiler made the code.
"""
import json
import pathlib
import re
import subprocess
import sys

import cubin

OURS = "longtail::device::"
GATED = (80, 90)
INSTRUCTIONS_MARGIN = 1.05  # An unrelated change may move a few.
WIDE = ("LDG.128", "STG.128", "LDS.128", "STS.128")


def short_name(name):
    name = re.sub(r"longtail::device::|std::|^void ", "", name)
    return re.sub(r"\(.*", "", name).replace("> >", ">>").replace("> >", ">>")


def narrow_accesses(facts):
    """Loads and stores of global memory that move less than 16 bytes."""
    return sum(count for name, count in facts.items()
               if re.match(r"(LDG|STG|LD|ST)\.", name) and name not in WIDE)


def compiler_of(content):
    """The release of CUDA that made a cubin, as its notes say."""
    found = re.search(rb"Cuda compilation tools, release (\d+\.\d+)", content)
    return found[1].decode() if found else "unknown"


def read_code(code):
    """(architecture, cubin) of what the command line names."""
    if re.match(r"\d+:", code):
        arch, path = code.split(":", 1)
        return [(int(arch), pathlib.Path(path).read_bytes())]
    return list(cubin.cubins(pathlib.Path(code).read_bytes()))


def measure(code, occupancy):
    """The compiler, and {kernel: {architecture: facts}} of our kernels."""
    found, compilers = {}, set()
    for arch, content in read_code(code):
        if arch not in GATED:
            continue
        kernels = cubin.kernels(arch, content)
        for name, full in zip(kernels, cubin.demangled(kernels)):
            if full.startswith(("void " + OURS, OURS)):
                compilers.add(compiler_of(content))
                found.setdefault(short_name(full), {})[str(arch)] = summary(kernels[name])
    add_occupancy(found, occupancy)
    return "/".join(sorted(compilers)), found


def summary(facts):
    wide = {name: facts[name] for name in WIDE if facts.get(name)}
    return {"registers": facts.get("registers", 0), "threads": facts.get("threads", 0),
            "shared_bytes": facts["shared_bytes"], "frame_bytes": facts.get("frame_bytes", 0),
            "local": sum(n for name, n in facts.items() if name.startswith(("LDL.", "STL."))),
            "instructions": facts["instructions"], "barriers": facts.get("BAR", 0),
            "narrow": narrow_accesses(facts), **wide}


def add_occupancy(found, occupancy):
    """Adds the warps that a multiprocessor holds. Without bounds a block may have 1024 threads."""
    places = [(int(arch), facts) for of in found.values() for arch, facts in of.items()]
    lines = [f"{arch} {facts['registers']} {facts['threads'] or 1024} "
             f"{facts['shared_bytes']}"
             for arch, facts in places]
    done = subprocess.run([occupancy], input="\n".join(lines), text=True, check=True,
                          stdout=subprocess.PIPE)
    for (_, facts), warps in zip(places, done.stdout.split()):
        facts["warps"] = int(warps)


def offences_of(facts, base):
    """Why a kernel is worse than it was."""
    if facts["local"] or facts["frame_bytes"]:
        yield (f"uses local memory: {facts['local']} accesses, {facts['frame_bytes']} bytes: "
               f"want none")
    if facts["threads"] == 0:
        yield "has no __launch_bounds__"
    for fact in ("registers", "shared_bytes", "narrow"):
        if facts[fact] > base[fact]:
            yield f"{fact} {facts[fact]}: want at most {base[fact]}"
    if facts["instructions"] > base["instructions"] * INSTRUCTIONS_MARGIN:
        yield f"instructions {facts['instructions']}: want about {base['instructions']}"
    for fact in ("warps", *WIDE):
        if facts.get(fact, 0) < base.get(fact, 0):
            yield f"{fact} {facts.get(fact, 0)}: want at least {base[fact]}"
    if facts["barriers"] != base["barriers"]:
        yield f"barriers {facts['barriers']}: want {base['barriers']}"


def compare(found, baseline):
    """Each offence, of the architectures that were found."""
    archs = {arch for of in found.values() for arch in of}
    for name in sorted(set(found) | set(baseline)):
        for arch in sorted(archs):
            facts, base = found.get(name, {}).get(arch), baseline.get(name, {}).get(arch)
            if facts is None:
                yield f"{name}, sm_{arch}: is gone"
            elif base is None:
                yield f"{name}, sm_{arch}: is new: write a baseline"
            else:
                for offence in offences_of(facts, base):
                    yield f"{name}, sm_{arch}: {offence}"


def write(path, compiler, found):
    """One line a kernel and architecture, so that a review shows what changed."""
    kernels = []
    for name in sorted(found):
        archs = [f"    {json.dumps(arch)}: {json.dumps(found[name][arch])}"
                 for arch in sorted(found[name])]
        kernels.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(archs) + "}")
    path.write_text(f'{{"compiler": {json.dumps(compiler)}, "kernels": {{\n'
                    + ",\n".join(kernels) + "\n}}\n")


def main(arguments):
    wants_write = arguments[3:] == ["--write"]
    if len(arguments) != 3 and not wants_write:
        sys.exit(__doc__)
    compiler, found = measure(arguments[0], arguments[2])
    if not found:
        print(f"{arguments[0]}: has no kernel of ours", file=sys.stderr)
        return 2
    path = pathlib.Path(arguments[1])
    if wants_write:
        write(path, compiler, found)
        return 0
    baseline = json.loads(path.read_text())
    if compiler != baseline["compiler"]:
        print(f"[skip] made by CUDA {compiler}, the baseline by CUDA {baseline['compiler']}")
        return 0
    offences = list(compare(found, baseline["kernels"]))
    for offence in offences:
        print(offence)
    count = sum(len(of) for of in found.values())
    print(f"{len(offences)} offences in {count} kernels, made by CUDA {compiler}")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
