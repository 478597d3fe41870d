"""Make pages that load nothing from elsewhere, mathematics included.

MathJax comes out of a package that is installed with the other tools and is
copied into the site. It draws with paths of its own, so it needs no font. After
the build every page is searched for anything that a browser would fetch from
another place, and one such thing fails the build.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

MATHJAX_PACKAGE = "sphinx-mathjax-offline"
MATHJAX = "tex-svg-full.js"

# What a browser loads by itself; a link waits for a click.
_TAG = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio|object)\b[^>]*>", re.I
)
_REMOTE = re.compile(
    r"""\b(?:src|href|data|srcset)\s*=\s*["']?\s*((?:https?:)?//[^"'\s>]+)""", re.I
)
_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""", re.I)
# Links that say where a page belongs load nothing.
_NOT_LOADED = re.compile(
    r"""\brel\s*=\s*["']?(?:canonical|license|alternate)\b""", re.I
)


def remote_loads(html: str) -> list[str]:
    """Return the addresses that a browser would fetch to show this page."""
    found = []
    for tag in _TAG.findall(html):
        if not _NOT_LOADED.search(tag):
            found += _REMOTE.findall(tag)
    return found + _STYLE.findall(html)


def mathjax_file() -> Path:
    """Return the MathJax of the installed package."""
    spec = importlib.util.find_spec(MATHJAX_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError(
            f"the mathematics needs the package {MATHJAX_PACKAGE}: "
            "pip install -e '.[docs]'"
        )
    return Path(spec.submodule_search_locations[0], "static", "mathjax", MATHJAX)


def copy_mathjax(app: Sphinx) -> None:
    """Put MathJax where the pages look for it."""
    if app.builder.format == "html":
        target = Path(app.outdir, "_static", "mathjax")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(mathjax_file(), target / MATHJAX)


def check_pages(app: Sphinx, exception: Exception | None) -> None:
    """Refuse a site that needs the network."""
    if exception is not None or app.builder.format != "html":
        return
    found = [
        f"{path.relative_to(app.outdir)}: {address}"
        for pattern in ("*.html", "*.css")
        for path in sorted(Path(app.outdir).rglob(pattern))
        for address in remote_loads(path.read_text(encoding="utf-8"))
    ]
    if found:
        raise ExtensionError("pages load from the network:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", copy_mathjax)
    app.connect("build-finished", check_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
