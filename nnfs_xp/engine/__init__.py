"""The engine: what runs the units.

A network is a tree of units with parameters, buffers and random streams, all named by
paths such as ``3.inner.1.weights``. A program is a tree of contexts over it, through
which units see their arrays. The training step goes forward and backward through
that tree once, and an executor runs the step: as it is, or compiled.
"""
