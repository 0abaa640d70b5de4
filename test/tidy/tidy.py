#!/usr/bin/env python3
"""Checks what no compiler does: the architecture (architecture.py), names, sizes and text.

    tidy.py ROOT

Prints every offence as path:line: sentence, then the sizes of the source files. Exits 1 if there is
an offence, 2 if there is nothing to check.
"""
import json
import pathlib
import re
import statistics
import sys

import architecture

LINES_MAX = 600
COLUMNS_MAX = 100
MARKDOWN_COLUMNS_MAX = 120
PUBLIC_HEADERS_MAX = 15
BANNED_WORDS = {"util", "utils", "common", "helper", "helpers", "manager", "misc"}
BANNED_NAMES_ALLOWED = {"examples/common"}  # What the trainers share.

# Made by a build or a run, or the data of others.
NOT_OURS = (r"^(build|runs|\.git|\.cache|examples/data/[^/]+/[^/]+\.(txt|gz))(/|$)"
            r"|__pycache__|/corpus/")
CXX = {".h", ".cc", ".cu"}
CODE = CXX | {".py", ".cmake", ".sh"}
MARKDOWN = {".md"}

# An absolute path under a home, a mount or a workplace: it is of one machine. A URL is none.
MACHINE_PATH = re.compile(r"(?<![\w.~})\]>:])/(home|Users|root|work|workspace|mnt|media)/")
WORK_TO_DO = re.compile(r"\b(T[O]DO|F[I]XME)\b(?!\(#\d+\))")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


class File:
    """One text file: its path from the root, with slashes, and its text."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.suffix = ".cmake" if path.name == "CMakeLists.txt" else path.suffix
        if self.path.startswith(".ci/"):
            self.suffix = ".sh"
        self.is_executable = path.stat().st_mode & 0o100 != 0
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()

    def at(self, offset):
        return f"{self.path}:{self.text.count(chr(10), 0, offset) + 1}"

    def includes(self):
        """(where, spelled with a quote or an angle, header) of each include."""
        for found in INCLUDE.finditer(self.text):
            yield self.at(found.start(2)), found[1], found[2]


def read_tree(root):
    """Every text file of ours, in order of path."""
    files = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if re.search(NOT_OURS, name) or not path.is_file() or path.is_symlink():
            continue
        try:
            files.append(File(root, path))
        except UnicodeDecodeError:
            sys.exit(f"{name}: not UTF-8")
    return files


def layer_offences(files):
    """Who includes whom."""
    for file in files:
        if file.suffix not in CXX:
            continue
        folders = file.path.split("/")
        for where, _, header in file.includes():
            top = header.split("/")[0]
            ours = "/" in header and (top == "longtail" or top in architecture.MAY_INCLUDE)
            if folders[0] == "include":
                if (ours and top != "longtail") or top in {"src", "examples", "test"}:
                    yield f"{where}: a public header may not include {header}"
            elif folders[0] == "examples":
                also = [more for start, more in architecture.EXAMPLES_MAY_ALSO_INCLUDE.items()
                        if file.path.startswith(start)]
                if (ours and top != "longtail" and not header.startswith(tuple(also))
                        and header not in architecture.EXAMPLES_MAY_INCLUDE):
                    yield f"{where}: examples/ may include the public API, not {header}"
            elif folders[0] == "src" and ours and folders[1] in architecture.MAY_INCLUDE:
                allowed = architecture.MAY_INCLUDE[folders[1]] | {folders[1]}
                for start, more in architecture.MAY_ALSO_INCLUDE.items():
                    allowed |= more if file.path.startswith(start) else set()
                if top not in allowed:
                    yield f"{where}: {folders[1]} may not include {header}"
                for start, only in architecture.ONLY_INCLUDES.items():
                    if file.path.startswith(start) and not header.startswith(only):
                        yield f"{where}: {start} may not include {header}"
            elif folders[0] == "src" and top in {"examples", "test", "bench", "src"}:
                yield f"{where}: src/ may not include {header}"


def unknown_folder_offences(files):
    """A new folder of src/ needs its line in the table."""
    for folder in sorted({f.path.split("/")[1] for f in files if re.match(r"src/\w+/", f.path)}):
        if folder not in architecture.MAY_INCLUDE:
            yield f"src/{folder}: unknown to MAY_INCLUDE in test/tidy/architecture.py"


def library_offences(files):
    """Which file may use which third-party library."""
    for file in files:
        if file.suffix not in CXX or not file.path.startswith(("src/", "include/")):
            continue
        for where, _, header in file.includes():
            for pattern, owner, sentence in architecture.LIBRARY_BELONGS_TO:
                if re.search(pattern, header) and not re.search(owner, file.path):
                    yield f"{where}: {sentence}, not here: {header}"


def core_offences(files):
    """What a deterministic file may not use."""
    for file in files:
        stem = file.path.rsplit(".", 1)[0]
        if stem in architecture.NOT_A_CORE or not re.search(architecture.DETERMINISTIC, file.path):
            continue
        for pattern, what in architecture.NOT_DETERMINISTIC:
            for found in re.finditer(pattern, file.text):
                yield f"{file.at(found.start())}: may not use {what}: {found[0]}"


def size_offences(files):
    for file in files:
        if file.suffix in CODE | MARKDOWN and len(file.lines) > LINES_MAX:
            yield f"{file.path}: {len(file.lines)} lines, at most {LINES_MAX}"


def name_offences(files):
    paths = set()
    for file in files:
        parts = file.path.split("/")
        paths |= {"/".join(parts[:count + 1]) for count in range(len(parts))}
    for path in sorted(paths - BANNED_NAMES_ALLOWED):
        for word in re.split(r"[^a-z]+", path.rsplit("/", 1)[-1].lower()):
            if word in BANNED_WORDS:
                yield f"{path}: '{word}' is no concept; name it after what it holds"


def cmake_words(text):
    """The words of a CMakeLists.txt, ${x} of foreach(x a b) replaced by a and by b."""
    text = re.sub(r"#.*", "", text)
    values = {}
    for name, items in re.findall(r"foreach\(\s*(\w+)\s+([^)]*)\)", text):
        values.setdefault(name, set()).update(items.split())
    words = set()
    for word in re.split(r"[\s()\";]+", text):
        variable = re.search(r"\$\{(\w+)\}", word)
        if variable and variable[1] in values:
            words |= {word.replace(variable[0], value) for value in values[variable[1]]}
        else:
            words.add(re.sub(r"^\$\{(CMAKE_CURRENT_SOURCE_DIR|PROJECT_SOURCE_DIR)\}/", "", word))
    return words


def listing_offences(files):
    """A source that no CMakeLists.txt names is not built, so not tested either."""
    lists = {f.path.rpartition("/")[0]: cmake_words(f.text)
             for f in files if f.path.rpartition("/")[2] == "CMakeLists.txt"}
    for file in files:
        if file.suffix not in {".cc", ".cu"} or "/" not in file.path:
            continue
        folder, _, rest = file.path.rpartition("/")
        while True:
            if rest in lists.get(folder, ()):
                break
            if not folder:
                yield f"{file.path}: listed in no CMakeLists.txt"
                break
            folder, _, last = folder.rpartition("/")
            rest = f"{last}/{rest}"


def own_header(file, paths):
    """The header that declares what a .cc defines: of its name, or the first it includes."""
    folder, name = file.path.split("/")[1], pathlib.PurePosixPath(file.path).stem
    if f"include/longtail/{name}.h" in paths:
        return f"longtail/{name}.h"
    if f"src/{folder}/{name}.h" in paths:
        return f"{folder}/{name}.h"
    for _, _, header in file.includes():
        if header.split("/")[0] in {folder, "longtail"}:
            return header
    return f"{folder}/{name}.h"


def test_offences(files):
    """Every .cc of src/ has a test of its folder, or a simulation, that names its header."""
    paths = {f.path for f in files}
    named = {}
    for file in files:
        if file.path.startswith("test/") and file.suffix in CXX:
            folder = file.path.split("/")[1]
            named.setdefault(folder, set()).update(header for _, _, header in file.includes())
    for path in sorted(set(architecture.TESTED_THROUGH) - paths):
        if any(p.startswith("src/") for p in paths):
            yield f"test/tidy/architecture.py: TESTED_THROUGH names {path}, which is not there"
    for file in files:
        if not file.path.startswith("src/") or file.suffix != ".cc":
            continue
        folder = file.path.split("/")[1]
        tested = named.get(folder, set()) | named.get("sim", set())
        header = own_header(file, paths)
        if header not in tested and file.path in architecture.TESTED_THROUGH:
            header, reason = architecture.TESTED_THROUGH[file.path]
            if not any(header in headers for headers in named.values()):
                yield f"{file.path}: no test names {header} ({reason})"
        elif header not in tested:
            yield f"{file.path}: no test in test/{folder}/ or test/sim/ names {header}"


def public_header_offences(files):
    """Few public headers, and each installed by exactly one component."""
    headers = [f.path for f in files if f.path.startswith("include/longtail/")]
    if len(headers) > PUBLIC_HEADERS_MAX:
        yield f"include/longtail: {len(headers)} headers, at most {PUBLIC_HEADERS_MAX}"
    lists = [f for f in files if re.fullmatch(r"src/\w+/CMakeLists\.txt", f.path)]
    for header in headers:
        count = sum(header in cmake_words(f.text) for f in lists)
        if count != 1:
            yield f"{header}: a PUBLIC_HEADERS of {count} components, want exactly one"


def hidden_type_offences(files):
    """No header's type in an inner namespace has the name of a public one.

    What names the public type would mean the other wherever that header came first: in builds that
    compile several sources as one, a class could have two sizes.
    """
    declared = re.compile(r"^(?:struct|class|enum class) (\w+)(?! *;)\b", re.MULTILINE)
    headers = [f for f in files if f.suffix == ".h"]
    public = {name: f.path for f in headers if f.path.startswith("include/longtail/")
              for name in declared.findall(f.text)}
    for file in headers:
        if re.search(r"^namespace longtail::\w", file.text, re.MULTILINE):
            for name in declared.findall(file.text):
                if name in public:
                    yield f"{file.path}: {name} hides the public one of {public[name]}"


def markdown_offences(files):
    for file in files:
        if file.suffix in MARKDOWN:
            prose = re.sub(r"^```.*?^```", "", file.text, flags=re.MULTILINE | re.DOTALL)
            titles = len(re.findall(r"^# ", prose, re.MULTILINE))
            if titles != 1:
                yield f"{file.path}: {titles} titles of one '#', want exactly one"


def json_offences(files):
    for file in files:
        if file.path.endswith(".json"):
            try:  # A setting file may have lines of comment.
                json.loads(re.sub(r"^\s*//.*", "", file.text, flags=re.MULTILINE))
            except ValueError as error:
                yield f"{file.path}: not JSON: {error}"


def text_offences(files):
    """Line lengths in characters, trailing blanks, last line ends, tabs, and words."""
    for file in files:
        is_prose = file.suffix in MARKDOWN
        is_fence = False
        for number, line in enumerate(file.lines, 1):
            is_fence ^= is_prose and line.startswith("```")
            # A table row, a link and what a fence quotes cannot be broken.
            unbreakable = is_prose and (is_fence or line.startswith("|") or "](" in line)
            columns = MARKDOWN_COLUMNS_MAX if is_prose else COLUMNS_MAX
            if file.suffix in CODE | MARKDOWN and len(line) > columns and not unbreakable:
                yield f"{file.path}:{number}: {len(line)} columns, at most {columns}"
            if line != line.rstrip():
                yield f"{file.path}:{number}: blanks at the end"
            if file.suffix in CODE and "\t" in line:
                yield f"{file.path}:{number}: a tab"
            if file.suffix in CODE and WORK_TO_DO.search(line):
                yield f"{file.path}:{number}: names work to do without an issue: write (#number)"
            if MACHINE_PATH.search(line):
                yield f"{file.path}:{number}: a path of one machine: {line.strip()[:60]}"
        if file.text and not file.text.endswith("\n"):
            yield f"{file.path}: the last line has no end"


def environment_offences(files):
    """Only a program reads its environment; a library is told."""
    for file in files:
        if file.suffix not in CXX or file.path.startswith("test/"):
            continue
        if re.search(r"^int main\(", file.text, re.MULTILINE):
            continue
        for found in re.finditer(r"\bgetenv\b", file.text):
            yield f"{file.at(found.start())}: getenv outside of a program's main file"


def package_offences(files):
    for file in files:
        if file.path.startswith("docker/apt-packages") and file.lines != sorted(set(file.lines)):
            yield f"{file.path}: not sorted, or a package twice"
        if file.path == ".ci/run" and not file.is_executable:
            yield f"{file.path}: not executable"


RULES = [
    layer_offences, unknown_folder_offences, library_offences, core_offences, size_offences,
    name_offences, listing_offences, test_offences, public_header_offences, hidden_type_offences,
    markdown_offences, json_offences, text_offences, environment_offences, package_offences,
]


def offences(root):
    files = read_tree(root)
    return [offence for rule in RULES for offence in rule(files)]


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    root = pathlib.Path(arguments[0]).resolve()
    sizes = {f.path: len(f.lines) for f in read_tree(root) if f.suffix in CODE}
    if not sizes:
        print(f"{root}: no source file", file=sys.stderr)
        return 2
    found = offences(root)
    for offence in found:
        print(offence)
    longest = max(sizes, key=sizes.get)
    print(f"tidy: {len(found)} offences in {len(sizes)} source files; "
          f"median {statistics.median(sizes.values()):g} lines, "
          f"longest {longest} with {sizes[longest]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
