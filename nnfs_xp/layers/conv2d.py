"""Convolution of images."""

from __future__ import annotations

from nnfs_xp.layers.convolution import _Convolution
from nnfs_xp.registry import register


@register("layer")
class Conv2D(_Convolution):
    """Convolution of images (n, height, width, channels) with a sliding window.

    Let ``x`` be the padded inputs, ``p`` a position of the window's upper left corner,
    and ``t`` an offset within the window::

        y[p] = sum over t of x[p + t] W[t] + b
        dW[t] = sum over p of x[p + t]^T dy[p]        db = sum of dy over all positions
        dx[p + t] += dy[p] W[t]^T  for each p and t

    ``x[p + t]`` is a row of channels, and ``W[t]`` a matrix, (channels, filters). As in
    other neural network libraries, the window is not flipped, so mathematically, this
    is a cross-correlation.

    Parameters
    ----------
    n_channels, n_filters : int
        Number of channels of the inputs and of the outputs.
    kernel_size : int or pair of int
        Height and width of the window.
    stride : int or pair of int, default 1
        Step between window positions.
    padding : {"valid", "same"}, int or pair of int, default "valid"
        Zeros around the images. ``"valid"`` adds none. ``"same"`` adds as many as
        ``ceil(height / stride)`` positions require; if the total is odd, the extra one
        is added at the end, as in Keras and TensorFlow. An integer adds that many on
        both sides of an axis, as in PyTorch.
    dilation : int or pair of int, default 1
        Step between entries of the window.
    groups : int, default 1
        Number of groups into which the channels and the filters are split. Each filter
        uses only the channels of its group. This number must divide both numbers.
    weight_initializer, bias_initializer : Initializer or str
        Initial values, by default ``"he_normal"`` and ``"zeros"``. The number of inputs
        per output is ``height width channels / groups``.
    weight_regularizer, bias_regularizer : Regularizer or str, optional
        See `Dense`.
    weight_constraint, bias_constraint : Constraint or str, optional
        See `Dense`. A column contains all weights of a filter.
    use_bias : bool, default True
        Whether to add biases.
    seed : int, optional
        Seed of the initial values; see `Dense`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (height, width, n_channels / groups, n_filters)
    biases : array, shape (1, n_filters)
        The biases may be set to an array of shape (n_filters,).
    dweights, dbiases : array
        Their gradients, after ``backward``.

    Raises
    ------
    InputError
        If an argument is out of range, or inputs are not of shape (n, height, width,
        n_channels) or are smaller than the window.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
    Recognition", 1998, section II. Dumoulin and Visin, "A guide to convolution
    arithmetic for deep learning", 2016, has the numbers of positions.

    Examples
    --------
    >>> from nnfs_xp import Conv2D
    >>> layer = Conv2D(1, 1, 2, dtype="float64")
    >>> layer.weights = [[[[1]], [[0]]], [[[0]], [[10]]]]
    >>> image = [[[1], [2], [3]], [[4], [5], [6]]]
    >>> layer.forward([image])[..., 0]  # 1 + 10 * 5, 2 + 10 * 6
    array([[[51., 62.]]])
    >>> layer.backward([[[[1], [1]]]])[..., 0]
    array([[[ 1.,  1.,  0.],
            [ 0., 10., 10.]]])
    """

    _axes = 2
