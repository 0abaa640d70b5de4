#!/usr/bin/env python3
"""Each rule of tidy.py fires on a small tree that offends it, and on nothing else.

tree() is a clean project; a test adds the one file that is wrong and names the offence it wants.
"""
import contextlib
import io
import pathlib
import tempfile
import unittest

import architecture
import tidy

CLEAN = {
    "CMakeLists.txt": "add_subdirectory(src)\n",
    "README.md": "# Title\n\n```sh\n# a comment of a shell\n```\n",
    "settings.json": "// A line of comment.\n{\"epochs\": 3}\n",
    "include/longtail/ids.h": "#pragma once\n",
    "src/base/CMakeLists.txt":
        "longtail_target(base SOURCES bytes.cc # odd.cc\n"
        "  PUBLIC_HEADERS ${PROJECT_SOURCE_DIR}/include/longtail/ids.h)\n",
    "src/base/bytes.h": "#pragma once\n#include <string>\n",
    "src/base/bytes.cc": "#include \"base/bytes.h\"\n",
    "test/base/CMakeLists.txt": "foreach(x bytes)\n add(${x}_test.cc)\nendforeach()\n",
    "test/base/bytes_test.cc": "#include \"base/bytes.h\"\n",
}


def findings(files):
    """The offences of the clean tree with `files` added or changed; None takes one away."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**CLEAN, **files}.items():
            if text is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
        return tidy.offences(root)


class TidyTest(unittest.TestCase):
    def setUp(self):
        saved = architecture.TESTED_THROUGH
        architecture.TESTED_THROUGH = {}
        self.addCleanup(setattr, architecture, "TESTED_THROUGH", saved)

    def wants(self, files, *sentences):
        """Just these offences, each containing its sentence."""
        found = findings(files)
        self.assertEqual(len(found), len(sentences), found)
        for offence, sentence in zip(found, sentences):
            self.assertIn(sentence, offence)

    def test_a_clean_tree_has_no_offence(self):
        self.wants({})

    def test_a_lower_layer_may_not_include_an_upper_one(self):
        for folder, header in [("base", "sparse/table.h"), ("base", "longtail/ids.h"),
                               ("sparse", "protocol/wire.h"), ("protocol", "sparse/table.h"),
                               ("io", "worker/worker_core.h"), ("worker", "server/lane_core.h"),
                               ("server", "worker/worker_core.h")]:
            with self.subTest(folder=folder, header=header):
                self.wants({f"src/{folder}/x.h": f"#pragma once\n#include \"{header}\"\n"},
                           f"src/{folder}/x.h:2: {folder} may not include {header}")

    def test_an_upper_layer_may_include_a_lower_one(self):
        self.wants({"src/server/lane.h": "#include \"io/transport.h\"\n#include \"sparse/row.h\"\n",
                    "src/server/embedded_cluster.h": "#include \"worker/connected_worker.h\"\n"})

    def test_a_part_of_a_folder_may_include_less(self):
        self.wants({"src/worker/device/x.h": "#include \"worker/device/y.h\"\n"
                                             "#include \"base/bytes.h\"\n"})
        self.wants({"src/worker/device/x.h": "#include \"worker/worker_core.h\"\n"},
                   "src/worker/device/ may not include worker/worker_core.h")

    def test_what_nvcc_compiles_keeps_to_itself(self):
        self.wants({"src/worker/device/kernels/x.h": "#include \"absl/status/status.h\"\n"},
                   "Abseil does not belong to what nvcc compiles")
        self.wants({"src/worker/device/x.h": "#include <cuda_runtime.h>\n"},
                   "CUDA belongs to src/worker/device/cuda/")

    def test_src_may_not_include_what_is_above_it(self):
        self.wants({"src/io/x.h": "#include \"examples/ctr/model.h\"\n"}, "src/ may not include")

    def test_the_public_api_leaks_nothing_of_src(self):
        self.wants({"include/longtail/ids.h": "#include \"base/bytes.h\"\n"},
                   "a public header may not include base/bytes.h")

    def test_examples_see_the_public_api_and_little_else(self):
        self.wants({"examples/a.h": "#include \"longtail/ids.h\"\n#include \"base/check.h\"\n"
                                    "#include \"examples/common/x.h\"\n"})
        self.wants({"examples/a.h": "#include \"server/lane_core.h\"\n"}, "not server/lane_core.h")
        self.wants({"examples/a.h": "#include \"base/log.h\"\n"}, "not base/log.h")

    def test_a_trainer_on_a_device_sees_the_device_and_no_other_trainer_does(self):
        device = "#include \"worker/device/device.h\"\n"
        self.wants({"examples/ctr/device/a.h": device})
        self.wants({"examples/ctr/a.h": device}, "not worker/device/device.h")
        self.wants({"examples/ctr/device/a.h": "#include \"worker/worker_core.h\"\n"},
                   "not worker/worker_core.h")

    def test_a_new_folder_of_src_needs_its_line_in_the_table(self):
        self.wants({"src/odd/x.h": "#pragma once\n"}, "src/odd: unknown to MAY_INCLUDE")

    def test_a_library_belongs_to_its_files(self):
        for path, header in [("src/server/x.h", "zmq.hpp"),
                             ("src/worker/x.h", "rados/librados.hpp"),
                             ("src/protocol/wire.h", "nlohmann/json.hpp"),
                             ("src/server/x.h", "google/protobuf/message.h"),
                             ("src/io/x.h", "protocol/wire.pb.h"), ("src/io/x.h", "zstd.h"),
                             ("src/cli/x.h", "CLI/CLI.hpp"), ("src/cli/x.h", "nlohmann/json.hpp")]:
            with self.subTest(path=path, header=header):
                self.wants({path: f"#include <{header}>\n"}, f"not here: {header}")
        self.wants({"src/io/zmq_transport.h": "#include <zmq.hpp>\n",
                    "src/protocol/json_reader.h": "#include <nlohmann/json.hpp>\n"})

    def test_a_core_has_no_thread_clock_chance_or_log_of_its_own(self):
        for line, what in [("#include <thread>", "a thread"), ("#include <mutex>", "a lock"),
                           ("#include \"absl/synchronization/mutex.h\"", "a lock"),
                           ("#include \"base/mutex.h\"", "a lock"),
                           ("#include \"absl/time/clock.h\"", "a clock"),
                           ("absl::Now()", "a clock"),
                           ("std::chrono::steady_clock::now()", "a clock"),
                           ("#include <random>", "a random device"), ("rand()", "a random device"),
                           ("LONGTAIL_LOG(kInfo)", "a log line"), ("#include \"io/x.h\"", "io/"),
                           ("#include <fstream>", "output")]:
            for path in ["src/server/lane_core.h", "src/worker/worker_core.h",
                         "src/server/partition_core.h", "src/server/lane_snapshot.h"]:
                with self.subTest(line=line, path=path):
                    self.wants({path: f"#pragma once\n{line}\n"}, what)

    def test_the_math_of_rows_is_as_deterministic_as_a_core(self):
        self.wants({"src/sparse/table.h": "#include <chrono>\n"}, "a clock")

    def test_a_time_that_is_an_argument_is_no_clock(self):
        self.wants({"src/server/lane_core.h": "#include \"absl/time/time.h\"\n// absl::Time now\n",
                    "src/io/core_loop.h": "#include <thread>\n"})

    def test_a_file_stays_short(self):
        self.wants({"src/base/bytes.h": "\n" * 600})
        self.wants({"src/base/bytes.h": "\n" * 601}, "601 lines, at most 600")

    def test_a_name_says_what_it_holds(self):
        for name in ["util", "string_utils", "common", "lane_helper", "row_manager", "misc"]:
            with self.subTest(name=name):
                self.wants({f"src/base/{name}.h": "\n"}, "is no concept")
        self.wants({"src/io/common/x.h": "\n"}, "src/io/common: 'common' is no concept")
        self.wants({"examples/common/x.h": "\n", "src/io/utility.h": "\n"})

    def test_a_source_that_is_not_listed_is_not_built(self):
        self.wants({"examples/odd.cc": "\n"}, "examples/odd.cc: listed in no CMakeLists.txt")
        self.wants({"test/base/odd_test.cc": "\n"}, "test/base/odd_test.cc: listed in no")
        # A name in a comment does not count.
        self.wants({"src/base/odd.cc": "\n", "test/base/bytes_test.cc":
                    "#include \"base/bytes.h\"\n#include \"base/odd.h\"\n"},
                   "src/base/odd.cc: listed in no")

    def test_a_source_may_be_listed_by_a_folder_above(self):
        self.wants({"CMakeLists.txt": "add_executable(x bench/a.cc)\n", "bench/a.cc": "\n"})

    def test_a_source_without_a_test_is_named(self):
        self.wants({"test/base/bytes_test.cc": "\n"},
                   "src/base/bytes.cc: no test in test/base/ or test/sim/ names base/bytes.h")

    def test_a_source_may_be_tested_through_a_header_that_a_test_names(self):
        architecture.TESTED_THROUGH = {"src/base/bytes.cc": ("base/x.h", "reason")}
        self.wants({"test/base/bytes_test.cc": "#include \"base/x.h\"\n"})
        self.wants({"test/base/bytes_test.cc": "\n", "test/io/x.h": "#include \"base/x.h\"\n"})
        self.wants({"test/base/bytes_test.cc": "\n"}, "names base/x.h (reason)")

    def test_an_allowance_for_a_file_that_is_gone_is_an_offence(self):
        architecture.TESTED_THROUGH = {"src/base/gone.cc": ("base/x.h", "reason")}
        self.wants({}, "TESTED_THROUGH names src/base/gone.cc")

    def test_public_headers_are_few_and_installed_once(self):
        self.wants({"include/longtail/odd.h": "\n"}, "a PUBLIC_HEADERS of 0 components")
        self.wants({"src/io/CMakeLists.txt": CLEAN["src/base/CMakeLists.txt"]},
                   "a PUBLIC_HEADERS of 2 components")
        names = [f"include/longtail/h{n}.h" for n in range(15)]
        found = findings({**{name: "\n" for name in names}, "src/io/CMakeLists.txt": "\n".join(
            "${PROJECT_SOURCE_DIR}/" + name for name in names) + "\n"})
        self.assertEqual(found, ["include/longtail: 16 headers, at most 15"])

    def test_no_inner_type_hides_a_public_one(self):
        public = {"include/longtail/bytes.h": "namespace longtail {\nstruct Row {\n};\n}\n",
                  "src/base/CMakeLists.txt": CLEAN["src/base/CMakeLists.txt"]
                  + "# ${PROJECT_SOURCE_DIR}/include/longtail/bytes.h\n"}
        inner = "#pragma once\nnamespace longtail::base {\n%s\n}\n"
        found = findings({**public, "src/base/row.h": inner % "class Row final {\n};"})
        self.assertIn("src/base/row.h: Row hides the public one of include/longtail/bytes.h", found)
        for text in ["struct Rows {\n};", "class Row;", "void Row();"]:
            found = findings({**public, "src/base/row.h": inner % text})
            self.assertFalse([f for f in found if "hides" in f], found)

    def test_a_page_has_one_title(self):
        self.wants({"a.md": "text\n"}, "0 titles")
        self.wants({"a.md": "# One\n\n# Two\n"}, "2 titles")

    def test_settings_parse(self):
        self.wants({"a.json": "{\"x\": }\n"}, "a.json: not JSON")

    def test_lines_are_measured_in_characters(self):
        self.wants({"src/base/bytes.h": "//" + "…" * 98 + "\n"})
        self.wants({"src/base/bytes.h": "//" + "x" * 99 + "\n"}, "101 columns, at most 100")
        self.wants({"a.md": "# T\n\n| " + "x" * 200 + " |\n"})
        self.wants({"a.md": "# T\n\n" + "x" * 121 + "\n"}, "121 columns, at most 120")

    def test_text_is_clean(self):
        self.wants({"src/base/bytes.h": "int x; \n"}, "bytes.h:1: blanks at the end")
        self.wants({"src/base/bytes.h": "int x;"}, "the last line has no end")
        self.wants({"src/base/bytes.h": "\tint x;\n"}, "a tab")

    def test_work_to_do_names_its_issue(self):
        self.wants({"src/base/bytes.h": "// TO" "DO: more\n"}, "without an issue")
        self.wants({"src/base/bytes.h": "// TO" "DO(#12): more\n"})

    def test_no_text_names_a_path_of_one_machine(self):
        for path in ["/ho" "me/ann/x", "/wo" "rk/x", "/mn" "t/x", "/ro" "ot/x"]:
            with self.subTest(path=path):
                self.wants({"a.md": f"# T\n\nsee {path}\n"}, "a.md:3: a path of one machine")
        self.wants({"a.md": "# T\n\nhttps://example.org/ho" "me/x and ./wo" "rk/x\n"})

    def test_a_library_does_not_read_its_environment(self):
        self.wants({"examples/a.h": "std::getenv(\"X\");\n"}, "a.h:1: getenv outside")
        self.wants({"test/base/x.h": "getenv(\"X\");\n", "CMakeLists.txt": "a(bench/a.cc)\n",
                    "bench/a.cc": "int main() { getenv(\"X\"); }\n"})

    def test_packages_are_sorted_and_the_script_runs(self):
        self.wants({"docker/apt-packages.txt": "git\ncmake\n"}, "not sorted")
        self.wants({".ci/run": "#!/bin/bash\n"}, ".ci/run: not executable")

    def test_what_a_build_makes_is_not_read(self):
        self.wants({"build/x/a.cc": "\t\n", "runs/a.md": "no title\n",
                    "test/fuzz/corpus/a.json": "{"})

    def test_a_tree_with_nothing_in_it_does_not_pass(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(tidy.main([folder]), 2)

    def test_the_exit_says_what_was_found(self):
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out):
            pathlib.Path(folder, "a.py").write_text("x = 1 \n", encoding="utf-8")
            self.assertEqual(tidy.main([folder]), 1)
        self.assertIn("1 offences in 1 source files; median 1 lines, longest a.py with 1",
                      out.getvalue())


if __name__ == "__main__":
    unittest.main()
