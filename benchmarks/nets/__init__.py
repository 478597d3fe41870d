"""A small CNN and a small GPT beside PyTorch and JAX; the README says how."""
