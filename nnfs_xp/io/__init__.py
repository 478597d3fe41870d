"""Files: models, and writing that never leaves half a file."""
