"""A picture that shows itself in a notebook and saves itself in the format that the file's name asks for.

SVG, HTML and DOT are written here and need nothing else. PNG and PDF go through Graphviz's `dot` program. A save is
atomic: the file appears complete or not at all, and a failure leaves an older file as it was.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from viz import dot, svg, words
from viz.scene import Scene, compose
from viz.trace import Graph

PAGE_STYLE = ":root { color-scheme: light dark; } body { margin: 0; } main { overflow: auto; }"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{picture}</main>
</body>
</html>
"""


class Picture:
    """What `viz.draw` returns: the picture of one graph."""

    def __init__(self, graph: Graph):
        self.graph = graph

    @cached_property
    def scene(self) -> Scene:
        return compose(self.graph)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text."""
        return svg.draw(self.scene)

    @property
    def html(self) -> str:
        """One page that holds the picture: no scripts, and a policy that forbids every request."""
        hashes = " ".join(_csp_hash(style) for style in (PAGE_STYLE, svg.style()))
        title = escape(words.heading(self.graph))
        return PAGE.format(hashes=hashes, title=title, style=PAGE_STYLE, picture=self.svg)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file that ends in .svg, .html, .dot, .png or .pdf (the last two need Graphviz's `dot`)."""
        target = Path(path)
        write = WRITERS.get(target.suffix.lower())
        if write is None:
            raise ValueError(f"cannot save a picture as {target.name!r}: the name must end in {', '.join(WRITERS)}")
        _write_atomically(target, write(self))
        return target

    def __repr__(self) -> str:
        return f"<{words.heading(self.graph)}; .save('picture.svg') writes it to a file>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg}


def _csp_hash(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def _rendered(picture: Picture, form: str) -> bytes:
    import graphviz

    try:
        return dot.digraph(picture.graph).pipe(format=form)
    except graphviz.ExecutableNotFound:
        raise RuntimeError(
            f"saving a picture as {form.upper()} needs Graphviz's program 'dot': install it (Debian, Ubuntu: "
            "apt install graphviz; macOS: brew install graphviz; Windows: winget install graphviz) or save as .svg or .html"
        ) from None


WRITERS: dict[str, Callable[[Picture], bytes]] = {
    ".svg": lambda picture: picture.svg.encode(),
    ".html": lambda picture: picture.html.encode(),
    ".dot": lambda picture: dot.digraph(picture.graph).source.encode(),
    ".png": lambda picture: _rendered(picture, "png"),
    ".pdf": lambda picture: _rendered(picture, "pdf"),
}


def _write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, then rename over it."""
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}")
    try:
        with open(draft, "xb") as file:
            file.write(content)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
