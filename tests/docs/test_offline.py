"""Pages load nothing from the network, and what would is found."""

import sys

import pytest

from tests.docs.test_docs import DOCS

pytest.importorskip("sphinx")
sys.path.insert(0, str(DOCS))
offline = pytest.importorskip("_ext.offline")
sys.path.remove(str(DOCS))

LOADS = {
    '<script src="https://cdn.example.org/mathjax.js"></script>',
    '<script async="async" src=//cdn.example.org/x.js></script>',
    "<link href='http://fonts.example.org/css' rel='stylesheet'>",
    '<img alt="a" src="https://example.org/badge.svg"/>',
    '<img srcset="https://example.org/2x.png 2x">',
    "<style>@import 'https://example.org/a.css';</style>",
    "<style>@font-face { src: url(https://example.org/a.woff2) }</style>",
    '<iframe src="https://example.org/video"></iframe>',
}
DOES_NOT_LOAD = {
    '<a href="https://numpy.org">NumPy</a>',
    '<a class="x" href="https://example.org"><img src="_images/badge.svg"></a>',
    '<script src="_static/mathjax/tex-svg-full.js"></script>',
    '<link rel="canonical" href="https://example.org/page.html">',
    "<code>src=https://example.org/x.js</code>",
}


@pytest.mark.parametrize("html", sorted(LOADS))
def test_what_a_browser_would_fetch_is_found(html):
    assert len(offline.remote_loads(f"<html>{html}</html>")) == 1


@pytest.mark.parametrize("html", sorted(DOES_NOT_LOAD))
def test_what_waits_for_a_click_is_none_of_it(html):
    assert offline.remote_loads(f"<html>{html}</html>") == []


def make_app(folder):
    class Builder:
        format = "html"

    class App:
        outdir, builder = folder, Builder()

    return App()


def test_a_page_that_loads_fails_the_build(tmp_path):
    offline.check_pages(make_app(tmp_path), None)
    (tmp_path / "page.html").write_text('<script src="https://cdn.example.org/a.js">')
    with pytest.raises(offline.ExtensionError, match=r"page\.html: https://cdn\."):
        offline.check_pages(make_app(tmp_path), None)


def test_mathjax_is_copied_into_the_site(tmp_path):
    pytest.importorskip(offline.MATHJAX_PACKAGE)
    offline.copy_mathjax(make_app(tmp_path))
    copied = tmp_path / "_static" / "mathjax" / offline.MATHJAX
    assert copied.stat().st_size > 1_000_000


def test_the_check_is_part_of_every_build():
    configuration = (DOCS / "conf.py").read_text()
    assert '"_ext.offline"' in configuration
    assert f'mathjax_path = "mathjax/{offline.MATHJAX}"' in configuration
