"""Every name of the book has the book's definition."""

import inspect

import pytest

import nnfs_xp.book as nnfs

# Every name with what the book writes in its definition, without self.
LAYER = {"forward": "inputs, training", "backward": "dvalues"}
ACTIVATION = {"": "", **LAYER, "predictions": "outputs"}
OPTIMIZER = {
    "pre_update_params": "",
    "update_params": "layer",
    "post_update_params": "",
}
SUMS = {"new_pass": ""}
LOSS = {
    **SUMS,
    "regularization_loss": "",
    "remember_trainable_layers": "trainable_layers",
    "calculate": "output, y, *, include_regularization=False",
    "calculate_accumulated": "*, include_regularization=False",
}
OWN_LOSS = {**LOSS, "": "", "forward": "y_pred, y_true", "backward": "dvalues, y_true"}
ACCURACY = {**SUMS, "calculate": "predictions, y", "calculate_accumulated": ""}
BOTH = {"": "", "forward": "inputs, y_true", "backward": "dvalues, y_true"}
DEFINITIONS = {
    "init": {
        "": "dot_precision_workaround=True, default_dtype='float32', random_seed=0"
    },
    "spiral_data": {"": "samples, classes"},
    "vertical_data": {"": "samples, classes"},
    "sine_data": {"": "samples=1000"},
    "Layer_Dense": {
        "": "n_inputs, n_neurons, weight_regularizer_l1=0, weight_regularizer_l2=0, "
        "bias_regularizer_l1=0, bias_regularizer_l2=0",
        **LAYER,
        "get_parameters": "",
        "set_parameters": "weights, biases",
    },
    "Layer_Dropout": {"": "rate", **LAYER},
    "Layer_Input": {"": "", "forward": "inputs, training"},
    "Activation_ReLU": ACTIVATION,
    "Activation_Softmax": ACTIVATION,
    "Activation_Sigmoid": ACTIVATION,
    "Activation_Linear": ACTIVATION,
    "Optimizer_SGD": {"": "learning_rate=1., decay=0., momentum=0.", **OPTIMIZER},
    "Optimizer_Adagrad": {
        "": "learning_rate=1., decay=0., epsilon=1e-7",
        **OPTIMIZER,
    },
    "Optimizer_RMSprop": {
        "": "learning_rate=0.001, decay=0., epsilon=1e-7, rho=0.9",
        **OPTIMIZER,
    },
    "Optimizer_Adam": {
        "": "learning_rate=0.001, decay=0., epsilon=1e-7, beta_1=0.9, beta_2=0.999",
        **OPTIMIZER,
    },
    "Loss": LOSS,
    "Loss_CategoricalCrossentropy": OWN_LOSS,
    "Loss_CategoricalCrossEntropy": OWN_LOSS,
    "Loss_BinaryCrossentropy": OWN_LOSS,
    "Loss_BinaryCrossEntropy": OWN_LOSS,
    "Loss_MeanSquaredError": OWN_LOSS,
    "Loss_MeanAbsoluteError": OWN_LOSS,
    "Activation_Softmax_Loss_CategoricalCrossentropy": BOTH,
    "Activation_Softmax_Loss_CategoricalCrossEntropy": BOTH,
    "Accuracy": ACCURACY,
    "Accuracy_Categorical": {
        "": "*, binary=False",
        **ACCURACY,
        "init": "y",
        "compare": "predictions, y",
    },
    "Accuracy_Regression": {
        "": "",
        **ACCURACY,
        "init": "y, reinit=False",
        "compare": "predictions, y",
    },
    "Model": {
        "": "",
        "add": "layer",
        "set": "*, loss=None, optimizer=None, accuracy=None",
        "finalize": "",
        "train": "X, y, *, epochs=1, batch_size=None, print_every=1, "
        "validation_data=None",
        "evaluate": "X_val, y_val, *, batch_size=None",
        "predict": "X, *, batch_size=None",
        "forward": "X, training",
        "backward": "output, y",
        "get_parameters": "",
        "set_parameters": "parameters",
        "save_parameters": "path",
        "load_parameters": "path",
        "save": "path",
        "load": "path",
    },
}
METHODS = [(name, method) for name in DEFINITIONS for method in DEFINITIONS[name]]


def own_parameters(name, method):
    unit = getattr(nnfs, name)
    called = getattr(unit, method) if method else unit
    parameters = list(inspect.signature(called).parameters.values())
    takes_self = method and not inspect.ismethod(called)
    return parameters[1:] if takes_self else parameters


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_signature_is_the_books(name, method):
    """Whoever may call the book's may call this one, and gets the same defaults."""
    wanted = inspect.signature(eval(f"lambda {DEFINITIONS[name][method]}: 0"))
    found = own_parameters(name, method)
    by_name = {own.name: own for own in found}
    for place, parameter in enumerate(wanted.parameters.values()):
        own = by_name[parameter.name]
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            assert found[place] is own and own.kind is parameter.kind
        if parameter.default is not parameter.empty:
            assert own.default == parameter.default
    for own in found:
        # What the book does not know of, its programs do not give.
        if own.name not in wanted.parameters and own.kind is not own.VAR_KEYWORD:
            assert own.default is not own.empty


def test_every_public_name_is_in_the_table():
    assert set(DEFINITIONS) == set(nnfs.__all__)
