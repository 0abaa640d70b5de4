#!/usr/bin/env python3
"""The static gates see what they are for: kernels that were made worse on purpose.

    kernel_gate_test.py NVCC SOURCE_DIR BASELINE OCCUPANCY
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import cubin
import kernel_gate

NVCC, SOURCE_DIR, BASELINE, OCCUPANCY = sys.argv[1:5]
FLAGS = ["-std=c++20", "--expt-relaxed-constexpr", "--fmad=false", "-O3", "-arch=sm_90"]

# Kernels of which it is known what they compile to, and one that keeps an array in local memory.
PROBE = """
#include <cstdint>
namespace longtail::device {
struct alignas(16) Four { float x, y, z, w; };
__global__ void __launch_bounds__(128) CopyFour(const Four* from, Four* to) {
  to[threadIdx.x] = from[threadIdx.x];
}
__global__ void __launch_bounds__(64) CopyOne(const float* from, float* to) {
  to[threadIdx.x] = from[threadIdx.x];
}
__global__ void __launch_bounds__(32) Share(float* to) {
  __shared__ float values[32];
  values[threadIdx.x] = to[threadIdx.x];
  __syncthreads();
  to[threadIdx.x] = values[31 - threadIdx.x];
}
__global__ void __launch_bounds__(32) Local(const int* places, float* to) {
  float values[64];
  for (int i = 0; i < 64; ++i) values[i] = 0;
  for (int i = 0; i < 64; ++i) values[places[i] & 63] += to[i];
  to[threadIdx.x] = values[places[threadIdx.x] & 63];
}
__global__ void NoBounds(float* to) { to[threadIdx.x] = 1; }
}
"""


def run(*command):
    return subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


class KernelGateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="longtail-gate-")
        cls.addClassCleanup(temporary.cleanup)
        cls.scratch = pathlib.Path(temporary.name)
        cls.probe = cls.scratch / "probe.cu"
        cls.probe.write_text(PROBE)
        cls.probe_cubin = cls.scratch / "probe.cubin"
        done = run(NVCC, *FLAGS, "-Xptxas=-v", "-cubin", "-o", str(cls.probe_cubin), str(cls.probe))
        assert done.returncode == 0, done.stdout
        cls.ptxas = done.stdout

    def test_what_is_read_is_what_ptxas_says(self):
        said = {}
        for text in self.ptxas.split("Compiling entry function '")[1:]:
            shared = re.search(r"(\d+) bytes smem", text)
            said[text.split("'")[0]] = (int(re.search(r"Used (\d+) registers", text)[1]),
                                        int(re.search(r"(\d+) bytes stack frame", text)[1]),
                                        int(shared[1]) if shared else 0)

        found = cubin.kernels(90, self.probe_cubin.read_bytes())

        self.assertEqual(len(said), 5)
        self.assertEqual(said, {name: (facts["registers"], facts["frame_bytes"],
                                       facts["shared_bytes"]) for name, facts in found.items()})

    def test_instructions_of_known_kernels_are_counted(self):
        _, found = kernel_gate.measure(f"90:{self.probe_cubin}", OCCUPANCY)
        four, one = found["CopyFour"]["90"], found["CopyOne"]["90"]
        share = found["Share"]["90"]
        self.assertEqual((four.get("LDG.128"), four.get("STG.128"), four["narrow"]), (1, 1, 0))
        self.assertEqual((one.get("LDG.128"), one["narrow"]), (None, 2))
        self.assertEqual((share["barriers"], share["shared_bytes"]), (1, 128))
        self.assertEqual((four["threads"], one["threads"]), (128, 64))
        self.assertEqual(four["warps"], 64)

    def test_local_memory_and_missing_bounds_are_offences(self):
        _, found = kernel_gate.measure(f"90:{self.probe_cubin}", OCCUPANCY)
        for kernel, words in (("Local", "uses local memory"), ("NoBounds", "no __launch_bounds__")):
            facts = found[kernel]["90"]
            said = list(kernel_gate.offences_of(facts, facts))
            self.assertTrue(any(words in offence for offence in said), said)
        facts = found["CopyFour"]["90"]
        self.assertEqual(list(kernel_gate.offences_of(facts, facts)), [])

    def test_ptxas_refuses_local_memory(self):
        done = run(NVCC, *FLAGS, "-Xptxas=-warn-spills,-warn-lmem-usage,-Werror", "-cubin", "-o",
                   str(self.scratch / "refused.cubin"), str(self.probe))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Local memory used", done.stdout)

    def test_each_fact_that_became_worse_is_an_offence(self):
        base = {"registers": 32, "threads": 256, "shared_bytes": 64, "frame_bytes": 0, "local": 0,
                "instructions": 100, "barriers": 1, "narrow": 5, "LDG.128": 2, "warps": 64}
        worse = {"registers": 33, "threads": 0, "shared_bytes": 65, "frame_bytes": 8, "local": 1,
                 "instructions": 106, "barriers": 0, "narrow": 6, "LDG.128": 1, "warps": 48}
        for fact, value in worse.items():
            with self.subTest(fact=fact):
                self.assertEqual(
                    len(list(kernel_gate.offences_of({**base, fact: value}, base))), 1)
        better = {"registers": 30, "narrow": 4, "LDG.128": 3, "instructions": 90}
        self.assertEqual(list(kernel_gate.offences_of({**base, **better}, base)), [])

    def test_kernels_that_came_or_went_are_offences(self):
        found = {"New": {"90": {}}}
        baseline = {"Old": {"80": {}, "90": {}}}
        self.assertEqual(list(kernel_gate.compare(found, baseline)),
                         ["New, sm_90: is new: write a baseline", "Old, sm_90: is gone"])

    def test_our_kernels_made_worse_fail(self):
        # Four floats that are no 16 bytes any more: what wide loads there were fall apart.
        header = "worker/device/kernels/quad.h"
        text = pathlib.Path(SOURCE_DIR, "src", header).read_text()
        self.assertEqual(text.count("struct alignas(16) Quad"), 1)
        worse = self.scratch / "worse" / header
        worse.parent.mkdir(parents=True)
        worse.write_text(text.replace("struct alignas(16) Quad", "struct Quad"))
        code = self.scratch / "worse.cubin"
        done = run(NVCC, *FLAGS, "-I", str(self.scratch / "worse"), "-I", f"{SOURCE_DIR}/src",
                   "-cubin", "-o", str(code), f"{SOURCE_DIR}/src/worker/device/cuda/kernels.cu")
        self.assertEqual(done.returncode, 0, done.stdout)
        if kernel_gate.compiler_of(code.read_bytes()) != json.loads(
                pathlib.Path(BASELINE).read_text())["compiler"]:
            self.skipTest("another compiler than the baseline's")

        gate = pathlib.Path(__file__).with_name("kernel_gate.py")
        done = run(sys.executable, "-B", str(gate), f"90:{code}", BASELINE, OCCUPANCY)

        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"PoolItem<Quad, 4u>>, sm_90: LDG.128 0: want at least \d+")
        # Two: its scalars.
        self.assertRegex(done.stdout, r"DenseAdamItem<Quad>>, sm_90: narrow \d+: want at most 2")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
