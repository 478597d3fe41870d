"""A short training of the book's network, for a tool to look at."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.gpu.first_run.checks import network, points

if __name__ == "__main__":
    for options in ({}, {"compile": "off"}):
        model = network("cupy", **options)
        print(model.fit(*points(149), batch_size=64, epochs=2)["loss"])
        print(model.executor_note)
