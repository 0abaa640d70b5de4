#!/usr/bin/env python3
"""Trains DeepFM or DLRM in PyTorch on Criteo-shaped synthetic batches and prints samples/s.

The rival in train_vs_torch, written as a PyTorch user would for speed: one table for all fields
with sparse gradients and sparse Adagrad, joined first-order weights, dense Adam, batches made
beforehand.
"""
import argparse
import json
import os
import time

import numpy
import torch
import torch.nn.functional as F

FIELDS, NUMERIC, DIM = 26, 13, 16


def zipf_batches(count, batch, ids, exponent, seed):
    """Zipf ids by inverse transform; field f owns the rows f * ids …"""
    weights = numpy.arange(1, ids + 1, dtype=numpy.float64) ** -exponent
    cumulative = numpy.cumsum(weights / weights.sum())
    random = numpy.random.default_rng(seed)
    for _ in range(count):
        ranks = numpy.searchsorted(cumulative, random.random((batch, FIELDS))).clip(0, ids - 1)
        keys = ranks * 2654435761 % ids + numpy.arange(FIELDS) * ids  # Popular ids lie apart.
        yield (torch.from_numpy(keys.astype(numpy.int64)),
               torch.from_numpy(random.random((batch, NUMERIC), dtype=numpy.float32)),
               torch.from_numpy((random.random(batch) < 0.25).astype(numpy.float32)))


def mlp(sizes, last_relu):
    layers = []
    for i, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(fan_in, fan_out))
        if last_relu or i + 2 < len(sizes):
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


class DeepFM(torch.nn.Module):
    def __init__(self, ids):
        super().__init__()
        self.rows = torch.nn.Embedding(FIELDS * ids, DIM + 1, sparse=True)
        torch.nn.init.normal_(self.rows.weight, std=0.01)
        self.numeric = torch.nn.Linear(NUMERIC, 1)
        self.mlp = mlp([FIELDS * DIM + NUMERIC, 400, 400, 400, 1], last_relu=False)

    def forward(self, keys, numeric):
        rows = self.rows(keys)
        linear, vectors = rows[:, :, 0].sum(1), rows[:, :, 1:]
        sums = vectors.sum(1)
        interaction = 0.5 * (sums * sums - (vectors * vectors).sum(1)).sum(1)
        deep = self.mlp(torch.cat([vectors.flatten(1), numeric], 1))
        return linear + self.numeric(numeric)[:, 0] + interaction + deep[:, 0]


class DLRM(torch.nn.Module):
    def __init__(self, ids):
        super().__init__()
        self.rows = torch.nn.Embedding(FIELDS * ids, DIM, sparse=True)
        torch.nn.init.normal_(self.rows.weight, std=0.01)
        self.bottom = mlp([NUMERIC, 64, DIM], last_relu=True)
        pairs = FIELDS * (FIELDS + 1) // 2
        self.top = mlp([DIM + pairs, 96, 32, 1], last_relu=False)
        self.pair = torch.tril_indices(FIELDS + 1, FIELDS + 1, offset=-1)

    def forward(self, keys, numeric):
        bottom = self.bottom(numeric)
        vectors = torch.cat([bottom.unsqueeze(1), self.rows(keys)], 1)
        dots = torch.bmm(vectors, vectors.transpose(1, 2))[:, self.pair[0], self.pair[1]]
        return self.top(torch.cat([bottom, dots], 1))[:, 0]


def blas_library():
    """The BLAS that this process has mapped, by the name of its file."""
    with open("/proc/self/maps", encoding="ascii") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line}
    return sorted(files)[0] if files else "none found"


def mm_gflops(size=1024, repeats=8):
    """The best of a few products of matrices, on one thread."""
    torch.set_num_threads(1)
    a, b = torch.rand(size, size), torch.rand(size, size)
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best / 1e9


def processor_times():
    """Of the cores this process may use: seconds passed, seconds busy, and those of its own."""
    tick = 1 / os.sysconf("SC_CLK_TCK")
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    with open("/proc/stat", encoding="ascii") as lines:
        ticks = [[int(word) for word in line.split()[1:9]] for line in lines
                 if line.split()[0] in mine]
    passed = sum(map(sum, ticks)) * tick
    idle = sum(core[3] + core[4] for core in ticks) * tick
    return numpy.array([passed, passed - idle, time.process_time()])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["deepfm", "dlrm"], default="deepfm")
    parser.add_argument("--probe", action="store_true", help="only print the BLAS and its speed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--ids", type=int, default=400_000)
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
    if args.probe:
        print(json.dumps({"torch": torch.__version__, "blas": blas_library(),
                          "mm_gflops": mm_gflops()}))
        return
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    batches = list(zipf_batches(24, args.batch, args.ids, 1.05, seed=7))
    model = (DeepFM if args.model == "deepfm" else DLRM)(args.ids)
    dense = [p for name, p in model.named_parameters() if not name.startswith("rows")]
    sparse_step = torch.optim.Adagrad([model.rows.weight], lr=0.02)
    dense_step = torch.optim.Adam(dense, lr=0.001)

    def step(i):
        keys, numeric, labels = batches[i % len(batches)]
        sparse_step.zero_grad(set_to_none=True)
        dense_step.zero_grad(set_to_none=True)
        F.binary_cross_entropy_with_logits(model(keys, numeric), labels).backward()
        sparse_step.step()
        dense_step.step()

    for i in range(4):
        step(i)
    times = processor_times()
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < args.seconds:
        step(steps)
        steps += 1
    elapsed = time.perf_counter() - begin
    passed, busy, own = processor_times() - times
    print(json.dumps({"samples_per_second": steps * args.batch / elapsed, "steps": steps,
                      "others_share": max(0.0, (busy - own) / passed),
                      "torch": torch.__version__, "threads": torch.get_num_threads(),
                      "blas": blas_library()}))


if __name__ == "__main__":
    main()
