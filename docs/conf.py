"""Configuration of the documentation; CONTRIBUTING.md says how to build it."""

import nnfs_xp

project = "nnfs-xp"
author = "The nnfs_xp authors"
copyright = "The nnfs_xp authors"
version = release = nnfs_xp.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
]
templates_path = ["_templates"]
# The notebooks are executed from their Markdown; the .ipynb are for readers.
exclude_patterns = ["_build", "notebooks/*.ipynb"]

# `Name` in a docstring is a link where there is something to link to.
default_role = "py:obj"
myst_heading_anchors = 2
myst_enable_extensions = ["dollarmath", "amsmath"]
# A chapter whose figures are not what it says stops the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
# Blocks without a language are formulas.
highlight_language = "text"

autosummary_generate = True
# The docstrings name the types; annotations would only lengthen the signatures.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# The template of a class lists its members itself.
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"nnfs-xp {release}"
html_copy_source = False
html_theme_options = {"navbar_align": "left", "show_toc_level": 2}
