"""Cases of every regularizer."""

REGULARIZERS = {}
