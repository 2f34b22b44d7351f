"""One HTML file that plays a trace: no request, no framework, no word of a user that could become code.

The page's policy names the one script and the one style sheet by their hashes and forbids everything else. The script
is the plain files beside this one, in a fixed order, in one function. The data stand in a block that no browser runs.
Without scripts the page is the finished picture and every step as a sentence.
"""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from autograd import Tensor
from viz.formulas.mathml import STYLE as FORMULAS
from viz.pages import csp_hash
from viz.picture.picture import draw
from viz.picture.svg import page_style
from viz.player.data import page_data
from viz.player.lens_words import WORDS
from viz.player.stage import views
from viz.player.words import UI
from viz.saving import write_atomically
from viz.texts.sentences import sentences
from viz.texts.text import clean
from viz.tracing.model import Trace
from viz.tracing.moments import moments
from viz.tracing.taking import trace
from viz.tracing.tape import Tape

FOLDER = Path(__file__).parent
SCRIPTS = (
    *("values.js", "heat.js", "probe.js", "predict.js", "nudge.js", "lenses.js"),
    *("dom.js", "view.js", "graph.js", "panel.js", "transport.js", "main.js"),
)
STYLES = ("player.css", "lens.css")
COMMENT = re.compile(r"//.*|/\*.*\*/")
PLAIN = 100_000  # characters of data that stand in the page as they are; more are packed
LISTED = 200  # sentences in the list of all steps
LARGEST = 1_000_000  # bytes of one output of a notebook
NAMED = 60  # characters of a name in the title


def step(y: Tensor | Trace | Tape, lang: str | None = None) -> Player:
    """The step player of the graph below `y`: shows itself in a notebook, .save("y.html") writes it, .show() opens it.

    `lang` is "en", "zh" or "ja"; the reader's browser chooses where it is None.
    """
    return Player(trace(y), lang)


class Player:
    """A page that plays one trace; `.html` is its text."""

    def __init__(self, record: Trace, lang: str | None = None):
        if lang is not None and lang not in UI:
            raise ValueError(f"the player speaks {', '.join(UI)}, not {lang!r}")
        if not moments(record):
            raise ValueError("there is no step to play: nothing was computed. Give the result of an operation.")
        self.record, self.lang = record, lang

    @cached_property
    def html(self) -> str:
        """The page."""
        words = UI[self.lang or "en"]
        style = page_style() + FORMULAS + "".join(map(_code, STYLES))
        script = "".join(map(_code, SCRIPTS))
        script = f'(function () {{\n"use strict";\n{script}}})();\n'
        pictures = views(self.record)
        first = pictures[0].pop("svg")  # stands in the page itself
        data = {
            "views": pictures,
            "lang": self.lang,
            "name": self._name(),
            "words": words_in(self.lang),
            **page_data(self.record),
        }
        policy = (
            f"default-src 'none'; script-src {csp_hash(script)}; style-src {csp_hash(style)}; "
            "img-src data:; base-uri 'none'"
        )
        parts = {
            "lang": self.lang or "en",
            "policy": policy,
            "title": escape(words["title"].format(name=self._name())),
            "style": style,
            "script": script,
            "picture": first,
            "steps": self._steps(),
            "noscript": escape(words["noscript"]),
            "data": _block(data),
        }
        page = (FOLDER / "page.html").read_text("utf-8")
        page = re.sub(r"\{\{(\w+)\}\}", lambda slot: parts[slot[1]], page)
        return page.encode("utf-8", "replace").decode()  # a trace's file may hold half characters

    def _name(self) -> str:
        root = self.record.graph.root
        return clean(root.name or root.op or root.kind, NAMED)

    def _steps(self) -> str:
        """The first steps as sentences."""
        found = self._sentences(LISTED)
        return "\n".join(f"<li>{escape(text)}</li>" for text in found)

    def _sentences(self, most: int) -> list[str]:
        return sentences(self.record, self.lang or "en", most)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file that ends in .html, all or nothing."""
        target = Path(path)
        if target.suffix.lower() != ".html":
            raise ValueError(f"cannot save the player as {target.name!r}: the name must end in .html")
        return write_atomically(target, self.html.encode())

    def show(self) -> Path:
        """Open the page in a browser, from a file in a folder of its own that only you can read."""
        import tempfile
        import webbrowser

        path = self.save(Path(tempfile.mkdtemp(prefix="seegrad-")) / "steps.html")
        webbrowser.open(path.as_uri())
        return path

    def __repr__(self) -> str:
        name = UI["en"]["title"].format(name=self._name())
        return f"<{name}; .save('steps.html') writes it to a file, .show() opens it>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The player in a frame without rights, the picture, and text: a notebook shows the best that it may."""
        picture = draw(self.record).svg
        found = {"text/plain": self._text(), "image/svg+xml": picture, "text/html": self._frame(picture)}
        return {kind: text for kind, text in found.items() if len(text.encode()) < LARGEST}

    def _text(self) -> str:
        found = self._sentences(20)
        more = len(moments(self.record)) - len(found)
        return "\n".join([repr(self), *found, *[UI["en"]["more"].format(count=more)] * (more > 0)])

    def _frame(self, picture: str) -> str:
        frame = (
            f'<iframe sandbox="allow-scripts" width="100%" height="640" title="{escape(repr(self))}" '
            f'srcdoc="{escape(self.html)}"></iframe>'
        )
        if len(frame.encode()) < LARGEST:
            return frame
        return (
            f"<p>This page has {len(self.html) / 1e6:.1f} million characters, too many for a notebook: "
            f".save('steps.html') writes it to a file.</p>{picture}"
        )


def words_in(lang: str | None) -> dict[str, dict[str, str]]:
    """The interface's words in one language or in all."""
    return {each: UI[each] | WORDS[each] for each in ([lang] if lang else UI)}


def _code(file: str) -> str:
    """A file's lines without indentation and whole-line comments, which are a sixth of it."""
    lines = [line.strip() for line in (FOLDER / file).read_text("utf-8").splitlines()]
    return "".join(f"{line}\n" for line in lines if line and not COMMENT.fullmatch(line))


def _block(data: Any) -> str:
    """A block of data that cannot end early, packed if it is large."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(text) > PLAIN:
        packed = base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode()
        return f'<script type="application/octet-stream" id="data">{packed}</script>'
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="data">{text}</script>'
