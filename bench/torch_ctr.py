#!/usr/bin/env python3
"""Trains DeepFM or DLRM in PyTorch on Criteo-shaped synthetic batches and prints samples/s.

The rival in train_vs_torch.py, written as a PyTorch user would for speed: one table for all fields with
sparse gradients and sparse Adagrad, joined first-order weights, dense Adam, batches made beforehand.
"""
import argparse
import json
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["deepfm", "dlrm"], required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--ids", type=int, default=400_000)
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
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
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < args.seconds:
        step(steps)
        steps += 1
    elapsed = time.perf_counter() - begin
    blas = torch.__config__.show().split("\n")
    print(json.dumps({"samples_per_second": steps * args.batch / elapsed, "steps": steps,
                      "torch": torch.__version__, "threads": torch.get_num_threads(),
                      "blas": [line.strip() for line in blas if "LAPACK" in line or "BLAS" in line][:2]}))


if __name__ == "__main__":
    main()
