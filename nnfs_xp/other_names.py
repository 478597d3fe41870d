"""What other libraries call units and arguments, for errors that name ours."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from nnfs_xp.registry import UNITS, find, is_known

# Classes of Keras and PyTorch, and what does the same here.
CLASSES = {
    "AvgPool2d": "AveragePool2D",
    "AveragePooling2D": "AveragePool2D",
    "BCELoss": "BinaryCrossEntropy",
    "BCEWithLogitsLoss": "BinaryCrossEntropy",
    "BatchNorm1d": "BatchNorm",
    "BatchNorm2d": "BatchNorm",
    "BatchNormalization": "BatchNorm",
    "CSVLogger": "JSONLog",
    "CosineAnnealingLR": "CosineDecay",
    "CrossEntropyLoss": "SoftmaxCrossEntropy",
    "DepthwiseConv2D": "Conv2D",
    "GaussianNLLLoss": "GaussianNegativeLogLikelihood",
    "GlobalAveragePooling2D": "GlobalAveragePool2D",
    "GroupNormalization": "GroupNorm",
    "HuberLoss": "Huber",
    "KLDivLoss": "KullbackLeibler",
    "L1Loss": "MeanAbsoluteError",
    "LayerNormalization": "LayerNorm",
    "LearningRateScheduler": "LearningRateSchedule",
    "MSELoss": "MeanSquaredError",
    "MaxPooling2D": "MaxPool2D",
    "ModelCheckpoint": "Checkpoint",
    "NLLLoss": "CategoricalCrossEntropy",
    "OneCycleLR": "OneCycle",
    "RMSNormalization": "RMSNorm",
    "RNN": "SimpleRNN",
    "ReduceLROnPlateau": "ReduceOnPlateau",
    "SmoothL1Loss": "Huber",
    "StepLR": "StepDecay",
    "TransformerEncoderLayer": "TransformerBlock",
    "Upsample": "UpSampling2D",
    "ZeroPad2d": "ZeroPadding2D",
}

# Their arguments, and those of ours that may mean the same.
ARGUMENTS = {
    "alpha": ("negative_slope",),
    "betas": ("beta_1",),
    "bias": ("use_bias",),
    "clipnorm": ("clip_norm",),
    "clipvalue": ("clip_value",),
    "dilation_rate": ("dilation",),
    "embed_dim": ("n_features",),
    "embedding_dim": ("n_outputs",),
    "embeddings_initializer": ("weight_initializer",),
    "ema_momentum": ("ema",),
    "eps": ("epsilon",),
    "epsilon": ("eps",),
    "filters": ("n_filters",),
    "gradient_accumulation_steps": ("accumulate",),
    "hidden_size": ("n_units",),
    "in_channels": ("n_channels",),
    "in_features": ("n_inputs",),
    "input_dim": ("n_inputs", "n_ids"),
    "input_size": ("n_inputs",),
    "kernel_constraint": ("weight_constraint",),
    "kernel_initializer": ("weight_initializer",),
    "kernel_regularizer": ("weight_regularizer",),
    "lr": ("learning_rate",),
    "num_channels": ("n",),
    "num_embeddings": ("n_ids",),
    "num_features": ("n",),
    "num_groups": ("groups",),
    "num_heads": ("n_heads",),
    "out_channels": ("n_filters",),
    "out_features": ("n_neurons",),
    "output_dim": ("n_outputs",),
    "p": ("rate",),
    "pool_size": ("size",),
    "strides": ("stride",),
    "units": ("n_neurons", "n_units"),
}


def class_hint(name: str) -> str:
    """Return what a class of another library is called here, as an end of a message."""
    found = [find(kind, name).__name__ for kind in UNITS if is_known(kind, name)]
    ours = CLASSES.get(name) or (found and found[0])
    return f"; it is called {ours} here" if ours else ""


def check_call(
    name: str,
    parameters: Iterable[inspect.Parameter],
    arguments: tuple[Any, ...],
    named: Mapping[str, Any],
) -> None:
    """Raise TypeError that names what a constructor takes, if the arguments do not fit.

    Python's own names the class that a unit has its constructor from.
    """
    plain = [p.replace(annotation=p.empty) for p in parameters]
    signature = inspect.Signature(sorted(plain, key=lambda p: p.kind))
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        hints = _argument_hints(signature.parameters, named)
        hints = hints or ("; a fully connected layer is Dense" * (name == "Linear"))
        raise TypeError(f"{name}: {error}{hints}; it takes {signature}") from None


def _argument_hints(known: Iterable[str], named: Mapping[str, Any]) -> str:
    hints = ""
    for name in [name for name in named if name not in known]:
        same = [ours for ours in ARGUMENTS.get(name, ()) if ours in known]
        if same:
            hints += f"; {name} is called {same[0]} here"
        elif near := difflib.get_close_matches(name, known, 1):
            hints += f"; did you mean {near[0]}?"
    return hints
