"""Estimators for scikit-learn: networks that fit into its pipelines and searches."""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "nnfs_xp.sklearn needs scikit-learn: pip install 'nnfs-xp[sklearn]'"
    ) from error

from nnfs_xp.sklearn.mlp import MLPClassifier, MLPRegressor
from nnfs_xp.sklearn.wrapper import ModelClassifier, ModelRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "ModelClassifier", "ModelRegressor"]
