"""Twins for CuPy: kernels in CUDA C++, each beside the reference it computes.

The sources are in ``cuda/``; `module` compiles them. A twin checks nothing: what
it cannot take, such as an array that is not contiguous, it hands to its
reference.
"""
