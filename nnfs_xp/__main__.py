"""``python -m nnfs_xp`` is the command ``nnfs-xp``."""

import sys

from nnfs_xp.cli import main

if __name__ == "__main__":
    sys.exit(main())
