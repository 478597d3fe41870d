"""Configuration of the documentation; CONTRIBUTING.md says how to build it."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The extensions of docs/_ext, and the cases of the tests, which give the shapes.
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import nnfs_xp  # noqa: E402

project = "nnfs-xp"
author = "The nnfs_xp authors"
copyright = "The nnfs_xp authors"
version = release = nnfs_xp.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "_ext.offline",
    "_ext.unit_lists",
    "_ext.unit_pages",
    "_ext.capability_table",
    "_ext.kernel_table",
    "_ext.command_line",
    "_ext.folded_checks",
    "_ext.gallery",
    "_ext.bad_input_table",
    "_ext.comparison",
]
templates_path = ["_templates"]
# The notebooks are executed from their Markdown; the .ipynb are for readers.
exclude_patterns = ["_build", "_ext", "units/derivations", "notebooks/*.ipynb"]

# `Name` in a docstring is a link where there is something to link to.
default_role = "py:obj"
# Every name must lead somewhere. Words in small letters are arguments, which
# docstrings mark in the same way.
nitpicky = True
nitpick_ignore_regex = [("py:obj", "[a-z][a-z0-9_]*")]
myst_heading_anchors = 3
myst_enable_extensions = ["amsmath", "dollarmath"]
# A chapter whose figures are not what it says stops the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
# Blocks without a language are formulas.
highlight_language = "text"

# Copied into the site by _ext/offline.py. Its menu would offer to load parts of
# MathJax that are not there.
mathjax_path = "mathjax/tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}}

autosummary_generate = True
# The docstrings name the types; annotations would only lengthen the signatures.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# The template of a class lists its members itself.
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"nnfs-xp {release}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    # All sections beside each other, none behind "More".
    "header_links_before_dropdown": 8,
}
