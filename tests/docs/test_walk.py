"""The walk that CONTRIBUTING.md describes is the one that a step takes."""

import inspect
import re
from pathlib import Path

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.layers.dense import Dense

ROOT = Path(__file__).parents[2]
PACKAGE = Path(nx.__file__).parent
MOST_FILES = 6


def steps_to_dense(monkeypatch):
    """Return file and function of each frame from `Model.fit` to `Dense.fwd`."""
    found = []
    fwd = Dense.fwd

    def watched(self, cx, x):
        if not found:
            code = fwd.__code__
            frames = [(f.filename, f.function) for f in inspect.stack()[1:]]
            frames = [*reversed(frames), (code.co_filename, code.co_name)]
            found.extend(
                (Path(file).relative_to(PACKAGE).as_posix(), function)
                for file, function in frames
                # Nor the wrapper that does nothing but in a training on several ranks.
                if PACKAGE in Path(file).parents and function != "told"
            )
        return fwd(self, cx, x)

    monkeypatch.setattr(Dense, "fwd", watched)
    model = nx.Model(
        [nx.Dense(2, 3), nx.ReLU(), nx.Dense(3, 2), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
        backend="numpy",
        compile="off",
    )
    model.fit([[0, 1], [1, 0]], [0, 1])
    return found


def walk_of_contributing():
    """Return each file that the walk names, with the functions beside it."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.split("## From `Model.fit` to `Dense.fwd`\n")[1].split("\n## ")[0]
    items = re.findall(r"^\d\. `nnfs_xp/(\S+)`: (.+?)\.\s", section, re.M | re.S)
    return [(file, re.findall(r"`(?:\w+\.)?(\w+)`", words)) for file, words in items]


def test_the_walk_is_the_one_that_a_step_takes(monkeypatch):
    before = kernels.kernel_mode()
    # Loops come with fused layers.
    kernels.set_kernel_mode("no_loops")
    try:
        steps = steps_to_dense(monkeypatch)
    finally:
        kernels.set_kernel_mode(before)
    assert steps[0] == ("model/model.py", "fit")
    assert steps[-1] == ("layers/dense.py", "fwd")
    functions = {}
    for file, function in steps:
        functions.setdefault(file, []).append(function)
    walk = walk_of_contributing()
    assert [file for file, _ in walk] == list(functions)
    for file, named in walk:
        assert named == list(dict.fromkeys(functions[file])), file


def test_the_walk_goes_through_few_files(monkeypatch):
    files = dict.fromkeys(file for file, _ in steps_to_dense(monkeypatch))
    assert len(files) <= MOST_FILES, ", ".join(files)
