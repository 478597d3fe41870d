"""A case for every registered unit; a unit without one fails the build.

`torch_...` members compute the same with PyTorch's own functions, which share
no line with ours. Inputs keep away from kinks, where no derivative exists.
"""

from tests.matrix.cases.constraints import CONSTRAINTS
from tests.matrix.cases.initializers import INITIALIZERS
from tests.matrix.cases.layers import LAYERS
from tests.matrix.cases.losses import LOSSES
from tests.matrix.cases.metrics import METRICS
from tests.matrix.cases.optimizers import OPTIMIZERS
from tests.matrix.cases.regularizers import REGULARIZERS
from tests.matrix.cases.schedules import SCHEDULES

ALL = {
    "layer": LAYERS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "metric": METRICS,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "constraint": CONSTRAINTS,
    "schedule": SCHEDULES,
}


def parametrize(kind):
    """Return ids and cases of a kind, for pytest.mark.parametrize."""
    pairs = [
        (f"{name}-{number}", case)
        for name, cases in ALL[kind].items()
        for number, case in enumerate(cases)
    ]
    return {"argvalues": [case for _, case in pairs], "ids": [i for i, _ in pairs]}
