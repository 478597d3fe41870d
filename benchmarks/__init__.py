"""Benchmarks of nnfs_xp; they are not part of the package."""
