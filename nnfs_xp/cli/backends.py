"""``nnfs-xp backends``: what works on this machine, and why the rest does not."""

from __future__ import annotations

import argparse
import textwrap

from nnfs_xp.backends import BACKEND_NAMES, backend_status


def run(options: argparse.Namespace) -> int:
    """Print one paragraph for each backend."""
    for name in BACKEND_NAMES:
        status = backend_status(name)
        works = "works" if status.works else "does not work"
        print(f"{name:<17} {status.version or '-':<14} {works}")
        if status.works:
            print(f"    devices: {', '.join(status.devices)}")
        else:
            print(textwrap.indent(textwrap.fill(status.reason, 84), "    "))
    return 0
