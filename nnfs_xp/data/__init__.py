"""Data to train on: built-in sets, the book's generators, and the user's own files."""

from nnfs_xp.data.catalog import DATASET_NAMES, load_dataset, load_examples
from nnfs_xp.data.class_labels import ClassLabels
from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.examples import Examples
from nnfs_xp.data.generators import sine_data, spiral_data, vertical_data
from nnfs_xp.data.sampling import sample_text
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.data.text import Text, load_text
from nnfs_xp.data.vocabulary import Vocabulary

__all__ = [
    "DATASET_NAMES",
    "ClassLabels",
    "Dataset",
    "Examples",
    "Scaling",
    "Text",
    "Vocabulary",
    "load_dataset",
    "load_examples",
    "load_text",
    "sample_text",
    "sine_data",
    "spiral_data",
    "vertical_data",
]
