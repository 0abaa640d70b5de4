#!/usr/bin/env python3
"""Saves a table of rows as torch.save does; the rival of save_bench, which starts it.

    torch_save.py ROWS VALUES FILE

Keys are int64, values float32, in one dictionary as a model's state is. Each line on stdin is one
save; each answer is its seconds, then those with the file synced to the disk.
"""
import os
import sys
import time

import torch


def main():
    rows, values, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    generator = torch.Generator().manual_seed(1)
    state = {"keys": torch.randint(0, 2**62, (rows,), generator=generator),
             "values": torch.rand((rows, values), generator=generator)}
    print("ready", flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        with open(path, "wb") as file:
            torch.save(state, file)
            file.flush()
            saved = time.perf_counter() - begin
            os.fdatasync(file.fileno())
        print(saved, time.perf_counter() - begin, flush=True)
        os.unlink(path)


if __name__ == "__main__":
    main()
