"""Convolution along one axis, such as time."""

from __future__ import annotations

from nnfs_xp.layers.convolution import _Convolution
from nnfs_xp.registry import register


@register("layer")
class Conv1D(_Convolution):
    """Convolution of signals (n, length, channels) with a sliding window.

    Let ``x`` be the padded inputs, ``p`` a position of the window, and ``t`` an offset
    within it. For a stride and a dilation of 1::

        y[p] = sum over t of x[p + t] W[t] + b
        dW[t] = sum over p of x[p + t]^T dy[p]        db = sum of dy over all positions
        dx[p + t] += dy[p] W[t]^T  for each p and t

    This is the convolution of `Conv2D` along a single axis.

    Parameters
    ----------
    n_channels, n_filters : int
        Number of channels of the inputs and of the outputs.
    kernel_size : int
        Length of the window.
    stride : int, default 1
        Step between window positions.
    padding : {"valid", "same"} or int, default "valid"
        Zeros at both ends; see `Conv2D`.
    dilation : int, default 1
        Step between entries of the window.
    groups : int, default 1
        Number of groups of channels and of filters; see `Conv2D`.
    weight_initializer, bias_initializer : Initializer or str
        Initial values, by default ``"he_normal"`` and ``"zeros"``.
    weight_regularizer, bias_regularizer : Regularizer or str, optional
        See `Dense`.
    weight_constraint, bias_constraint : Constraint or str, optional
        See `Dense`.
    use_bias : bool, default True
        Whether to add biases.
    seed : int, optional
        Seed of the initial values; see `Dense`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (length, n_channels / groups, n_filters)
    biases : array, shape (1, n_filters)
    dweights, dbiases : array
        Their gradients, after ``backward``.

    Raises
    ------
    InputError
        If an argument is out of range, or inputs are not of shape (n, length,
        n_channels) or are shorter than the window.

    References
    ----------
    Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme Recognition Using Time-Delay
    Neural Networks", 1989.

    Examples
    --------
    >>> from nnfs_xp import Conv1D
    >>> layer = Conv1D(1, 1, 2, dtype="float64")
    >>> layer.weights = [[[-1]], [[1]]]
    >>> layer.forward([[[1], [3], [6], [10]]])[..., 0]  # differences
    array([[2., 3., 4.]])
    >>> layer.backward([[[1], [1], [1]]])[..., 0]
    array([[-1.,  0.,  0.,  1.]])
    """

    _axes = 1
