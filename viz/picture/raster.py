"""Our own SVG as PNG and PDF, by Typst, a typesetting program that comes as one wheel and reads SVG.

It brings a monospaced font, so a picture has its text on every machine, the same bytes each time; names in other
scripts are drawn with the fonts of the system. The PDF is made of lines and text, not of pixels. The style sheet's dark
half does not apply: paper is light. What Typst gets to read is this module's two lines and our SVG, no text of a user.
"""

from __future__ import annotations

import re
from typing import Any

LARGEST = 40e6  # pixels of a PNG
LONGEST = 14_400  # points of a side of a PDF page: more is not shown everywhere
PAGE = '#page(width: {width}pt, height: {height}pt, margin: 0pt, image("{name}", width: 100%, alt: sys.inputs.alt))'


def png(svg: str) -> bytes:
    """The picture at two pixels a unit, fewer where it would have more than 40 million."""
    width, height = size(svg)
    return shots([svg], min(2.0, (LARGEST / (width * height)) ** 0.5), "png")[0]


def shots(svgs: list[str], scale: float, suffix: str) -> list[bytes]:
    """Pictures as PNG, `scale` pixels a unit, on the way to a file of that suffix."""
    return _typeset(svgs, suffix, format="png", ppi=72 * scale)


def pdf(svg: str, alt: str) -> bytes:
    """The picture on one page, a point for each unit as far as that goes; `alt` is what a screen reader says."""
    return _typeset([svg], "pdf", min(1.0, LONGEST / max(size(svg))), alt, format="pdf")[0]


def size(svg: str) -> tuple[float, float]:
    """Width and height of one of our pictures."""
    found = re.match(r'<svg [^>]*?\bwidth="([\d.]+)" height="([\d.]+)"', svg)
    assert found is not None
    return float(found[1]), float(found[2])


def _typeset(svgs: list[str], suffix: str, unit: float = 1.0, alt: str = "", **options: Any) -> list[bytes]:
    """One page for each picture, `unit` points for each of its units; a PDF holds them all."""
    try:
        import typst
    except ImportError:
        raise missing(suffix) from None
    files, lines = {}, ["#set document(date: none)"]
    for k, svg in enumerate(svgs):
        width, height = size(svg)
        files[f"{k}.svg"] = svg.encode()
        lines.append(PAGE.format(name=f"{k}.svg", width=width * unit, height=height * unit))
    files["main.typ"] = "\n".join(lines).encode()
    made = typst.compile(files, sys_inputs={"alt": alt}, **options)
    return made if isinstance(made, list) else [made]


def missing(suffix: str) -> ImportError:
    """The one line that says what to install."""
    extra = f'pip install "seegrad[{suffix}]"'
    return ImportError(f"saving a picture as .{suffix} needs an extra: {extra}; .svg and .html need nothing")
