#!/usr/bin/env python3
"""An installed Longtail can be found, linked and run by a project that knows only its prefix.

    package_test.py SOURCE_DIR BINARY_DIR CMAKE CXX

BINARY_DIR is a finished build; it is installed into a temporary prefix, which is gone afterwards.
"""
import collections
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE_DIR, BINARY_DIR, CMAKE, CXX = sys.argv[1:5]

# Each component and those it brings with it, as the layers say.
BRINGS = {
    "base": set(),
    "sparse": {"base"},
    "protocol": {"base"},
    "io": {"base", "protocol"},
    "io_stores": {"base", "protocol", "io"},
    "worker": {"base", "protocol", "io"},
    "device": {"base"},
    "server": {"base", "sparse", "protocol", "io", "io_stores", "worker"},
    "serving": {"base", "sparse", "protocol"},
    "checkpoint": {"base", "sparse", "protocol", "io", "io_stores", "worker", "server", "serving"},
}


def run(*command, cwd=None, environment=None):
    """(exit status, what it printed)"""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(environment or {})}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="longtail-package-")
        cls.addClassCleanup(temporary.cleanup)
        cls.scratch = pathlib.Path(temporary.name)
        cls.prefix = cls.scratch / "prefix"
        code, output = run(CMAKE, "--install", BINARY_DIR, "--prefix", str(cls.prefix))
        if code != 0:
            raise RuntimeError(output)
        cls.installed = output

    def configure(self, source, build, *settings, environment=None):
        return run(CMAKE, "-G", "Ninja", "-S", str(source), "-B", str(self.scratch / build),
                   f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={CXX}",
                   "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF",
                   *settings, environment=environment)

    def configure_component(self, component, *settings, environment=None):
        return self.configure(pathlib.Path(SOURCE_DIR, "test/package/component"), component,
                              f"-DCOMPONENT={component}", *settings, environment=environment)

    def wants_success(self, result):
        self.assertEqual(result[0], 0, result[1])

    def test_the_external_example_builds_and_runs(self):
        build = self.scratch / "external"

        self.wants_success(self.configure(pathlib.Path(SOURCE_DIR, "examples/external"), build))
        self.wants_success(run(CMAKE, "--build", str(build)))
        code, output = run(str(build / "external"), cwd=build)

        self.assertEqual((code, output), (0, "restored row: 0.5 2 -1\n"))

    def test_each_component_links_alone_and_brings_only_what_it_needs(self):
        for component, brought in BRINGS.items():
            with self.subTest(component=component):
                absent = set(BRINGS) - brought - {component}
                if component != "server":
                    absent.add("longtail")
                absent = ";".join(sorted(absent))

                self.wants_success(self.configure_component(component, f"-DABSENT={absent}"))
                self.wants_success(run(CMAKE, "--build", str(self.scratch / component)))
                self.wants_success(run(str(self.scratch / component / "component")))

    def test_an_unknown_component_is_refused_with_the_names_of_the_known(self):
        code, output = self.configure_component("nonesuch")

        self.assertNotEqual(code, 0)
        words = " ".join(output.split())  # CMake breaks lines as it likes.
        self.assertRegex(words, "longtail has no component 'nonesuch'; it has base, sparse, "
                                "protocol, io, io_zmq, (io_admin, )?(io_rados, )?(io_etcd, )?"
                                "(io_kubernetes, )?io_stores, worker, device, server, "
                                "serving, checkpoint, cluster")

    def test_a_missing_library_is_named(self):
        nowhere = {"PKG_CONFIG_LIBDIR": str(self.scratch), "PKG_CONFIG_PATH": str(self.scratch)}
        code, output = self.configure_component("protocol", environment=nowhere)

        self.assertNotEqual(code, 0)
        self.assertRegex(" ".join(output.split()), "longtail needs lib(zstd|xxhash), which "
                                                   "pkg-config does not find")

    def test_a_component_does_not_look_for_what_only_others_need(self):
        nowhere = {"PKG_CONFIG_LIBDIR": str(self.scratch), "PKG_CONFIG_PATH": str(self.scratch)}

        self.wants_success(self.configure_component("sparse", environment=nowhere))

    def test_another_minor_version_is_refused(self):
        version = self.scratch / "version"
        version.mkdir()
        (version / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(version LANGUAGES CXX)\n"
            "find_package(longtail 0.2 REQUIRED)\n", encoding="utf-8")

        code, output = self.configure(version, "version-build")

        self.assertNotEqual(code, 0)
        self.assertIn("0.1.0", output)

    def test_every_public_header_is_installed_once_and_nothing_else(self):
        public = pathlib.Path(SOURCE_DIR, "include")
        wanted = {str(path.relative_to(public)) for path in public.rglob("*.h")}
        there = {str(path.relative_to(self.prefix / "include"))
                 for path in (self.prefix / "include").rglob("*") if path.is_file()}
        times = collections.Counter(line.split("/include/")[-1] for line in
                                    self.installed.splitlines() if "/include/longtail/" in line)

        self.assertEqual(there, wanted)
        self.assertEqual({header: 1 for header in wanted}, dict(times))

    def wants_program(self):
        cache = pathlib.Path(BINARY_DIR, "CMakeCache.txt").read_text(encoding="utf-8")
        if "LONGTAIL_BUILD_CLI:BOOL=ON" not in cache:
            self.skipTest("built without the program")

    def test_the_program_is_installed_and_runs(self):
        self.wants_program()

        code, output = run(str(self.prefix / "bin/longtail"), "--version")

        self.assertEqual((code, output), (0, "0.1.0\n"))

    def test_the_man_page_and_completions_are_the_programs_own(self):
        self.wants_program()
        program = str(self.prefix / "bin/longtail")
        for file, words in (("share/man/man1/longtail.1", ["manual"]),
                            ("share/bash-completion/completions/longtail", ["completion", "bash"])):
            code, output = run(program, *words)
            self.assertEqual(0, code, output)
            self.assertEqual(output, (self.prefix / file).read_text(), file)

    def test_no_installed_file_names_the_build(self):
        for path in self.prefix.rglob("*.cmake"):
            text = path.read_text(encoding="utf-8")
            with self.subTest(path=path.name):
                self.assertNotIn(SOURCE_DIR, text)
                self.assertNotIn(BINARY_DIR, text)
                self.assertNotIn("longtail_flags", text)

    def test_every_public_header_compiles_alone(self):
        self.wants_success(run(CMAKE, "--build", BINARY_DIR, "-j2", "--target",
                               "all_verify_interface_header_sets"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
