"""Cases of every metric."""

import nnfs_xp as nx
from tests.matrix.cases.draws import labels, one_hot, p, z

METRICS = {
    "Accuracy": [(nx.Accuracy, p, labels), (nx.Accuracy, z, one_hot)],
}
