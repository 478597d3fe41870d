"""Inputs of the kernels that have twins; `tests/test_kernels.py` runs them."""
