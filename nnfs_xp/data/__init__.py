"""Data to train on: four built-in sets, and files of the user's own."""

from nnfs_xp.data.catalog import DATASET_NAMES, Examples, load_dataset, load_examples
from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.data.spiral import spiral_data

__all__ = [
    "DATASET_NAMES",
    "Dataset",
    "Examples",
    "Scaling",
    "load_dataset",
    "load_examples",
    "spiral_data",
]
