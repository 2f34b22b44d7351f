"""What the page must know, worked out once: the trace as JSON, and every text that a moment shows.

The page computes nothing that Python can say: numbers are formatted, formulas written and sentences filled here, so the
page says what the text trace says. Texts stand once in a table and are referred to by their place in it. Large arrays
go as float32 where that loses nothing but digits nobody sees, and a transpose is only a note of what is transposed.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from viz.formulas import equation, formula
from viz.formulas.forward import forward, symbol
from viz.picture.cards import LONGEST
from viz.texts.phrases import PHRASES
from viz.texts.sentences import Sentences
from viz.texts.steps import shape_of
from viz.texts.text import clean, fitting, values
from viz.texts.words import place, title
from viz.tracing.file import to_json
from viz.tracing.holding import arrived, held
from viz.tracing.model import Backward, Contribution, Forward, Part, Trace, Update, Vertex
from viz.tracing.moments import Moment, moments
from viz.tracing.taking import TRANSPOSED

DETAILED = 5000  # moments: beyond them what stands in a rule is told in the sentence only, and numbers have 7 digits


class Texts:
    """Texts, each once."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self._places: dict[str, int] = {}

    def put(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.rows)
            self.rows.append(text)
        return self._places[text]


def page_data(record: Trace) -> dict[str, Any]:
    """Everything about the trace that the page's script reads, ready for JSON."""
    content = json.loads(to_json(record))
    texts, said, found = Texts(), Sentences(record), moments(record)
    detailed = len(found) <= DETAILED
    _shorten(content, detailed)
    facts = Facts(said, formulas=detailed)
    content["moments"] = [_placed(texts, said.slots(moment), facts.of(moment)) for moment in found]
    names = said.steps.called
    content["called"] = [texts.put(name) for name in names]
    content["cards"] = [_card(texts, vertex, name) for vertex, name in zip(record.graph.vertices, names, strict=True)]
    content["texts"] = texts.rows
    content["phrases"] = PHRASES
    return content


def _card(texts: Texts, vertex: Vertex, name: str) -> list[int | None]:
    """The title and the value on the card of a vertex, and the gradient that it had before the first step."""
    value, before = (None if v is None else texts.put(fitting(v, LONGEST)) for v in (vertex.value, held(vertex)))
    return [texts.put(clean(title(vertex, name), LONGEST)), value, *[before] * (before is not None)]


def _placed(texts: Texts, said: tuple[str, dict[str, str]], facts: dict[str, str]) -> dict[str, Any]:
    """A moment with its texts by their places; those that are new in it as -1, -2, ... in order, which packs well."""
    start, (phrase, slots) = len(texts.rows), said

    def place(text: str) -> int:
        found = texts.put(text)
        return found if found < start else start - 1 - found

    found = {name: place(text) for name, text in facts.items() if text}
    return {"phrase": phrase, "slots": {name: place(text) for name, text in slots.items()}, **found}


class Facts:
    """What the panel and the cards show of a moment, as text or MathML. What is not known is left empty."""

    def __init__(self, said: Sentences, formulas: bool):
        self.record, self.steps, self.formulas = said.record, said.steps, formulas

    def of(self, moment: Moment) -> dict[str, str]:
        step = moment.step
        if isinstance(step, Update):
            return self._update(step) | {"place": clean(step.source), "code": clean(step.code)}
        vertex = self.record.graph.vertices[step.vertex]
        facts = self._forward(step.vertex) if isinstance(step, Forward) else self._backward(moment, step)
        return facts | {"place": place(vertex), "code": clean(vertex.code)}

    def _forward(self, vertex: int) -> dict[str, str]:
        made = self.record.graph.vertices[vertex]
        known = [self.record.graph.vertices[edge.source].value for edge in self.steps.inputs[vertex]]
        whole = self.formulas and known and all(value is not None for value in known)
        return {
            "rule": equation(symbol(self.steps.called[vertex]), self.steps.computed(vertex)).mathml()
            if self.formulas
            else "",
            "numbers": forward(made.op, known, made.arguments).mathml() if whole else "",
            **_result(made.value),
        }

    def _update(self, step: Update) -> dict[str, str]:
        found = self.steps.updated(step)
        return {
            "numbers": found.mathml() if found else "",
            "before": values(step.before),
            "card": fitting(step.after, LONGEST),
        } | _result(step.after)

    def _backward(self, moment: Moment, step: Backward) -> dict[str, str]:
        given, part = moment.contribution, moment.part
        assert given is not None and part is not None
        between = self.steps.gradient(given, part).sides[1:-1] if self.formulas else []
        shapes = self.steps.shapes(given) if self.formulas and part.what == "rule" else None
        found = {
            "rule": formula(part.text).mathml(),
            "letters": self._letters(given, part, step.vertex) if self.formulas else "",
            "numbers": equation(*between).mathml() if between else "",
            "zero": "0" if self.steps.zero_wins(given, part) else "",
            "shapes": shapes.mathml() if shapes else "",
            "incoming": fitting(step.incoming, LONGEST),
            **_result(part.value),
        }
        return found | (self._sum(given) if moment.accumulates else {})

    def _letters(self, given: Contribution, part: Part, vertex: int) -> str:
        """What the letters in the rule stand for."""
        letters = self.steps.letters(vertex, [given] if part.what != "sum" else [])
        if "g" in formula(part.text).names:
            letters = {"g": f"{self.steps.called[vertex]}.grad"} | letters
        return ", ".join(f"{letter} = {meaning}" for letter, meaning in letters.items())

    def _sum(self, given: Contribution) -> dict[str, str]:
        found = {"after": values(given.after), "card": fitting(arrived(self.record.graph, given), LONGEST)}
        found["name"] = self.steps.called[given.target]
        if given.before is not None:
            found["total"] = self.steps.accumulated(given).text()
        before, grown = self.steps.held(given), self.steps.grown(given)
        return (
            found
            | ({"held": values(before)} if before is not None else {})
            | ({"grown": grown.text()} if grown else {})
        )


def _result(value: Any) -> dict[str, str]:
    return {"result": values(value) if value is not None else "", "shape": shape_of(value)}


def _shorten(content: dict[str, Any], detailed: bool) -> None:
    """Leave out what the page does not need, and write what it needs so that it packs well."""
    for edge in content["edges"]:
        edge["back"] = edge["target"] - edge.pop("source")  # most are near
    rows = content["values"]
    for step in content["backward"]:
        for given in step["contributions"]:
            for part in given["parts"]:
                named = TRANSPOSED.fullmatch(part["text"]) if part["what"] == "transpose" else None
                source = given.get("names", {}).get(named[1]) if named else None
                if isinstance(source, int) and all("base64" in rows[k] for k in {source, part["value"]} - {None}):
                    rows[part["value"]] = {"transpose": source} if source != part["value"] else rows[source]
    content["values"] = [_single(row) if detailed else _rounded(_single(row)) for row in rows]


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a small array with about as many digits as float32 has."""
    if "data" not in row:
        return row
    return row | {"data": [float(f"{x:.7g}") if isinstance(x, float) else x for x in row["data"]]}


def _single(row: dict[str, Any]) -> dict[str, Any]:
    """A large float64 array as float32, unless that would make an element infinite or zero.

    Its bytes stand in planes, the first of each element first: signs and exponents side by side pack a fifth better.
    """
    if row.get("dtype") not in ("<f8", "<f4") or "base64" not in row:
        return row
    wide = np.frombuffer(base64.b64decode(row["base64"]), row["dtype"])
    with np.errstate(all="ignore"):
        narrow = wide.astype("<f4")
    if not np.array_equal(np.isfinite(narrow), np.isfinite(wide)) or not np.array_equal(narrow == 0, wide == 0):
        return row
    planes = narrow.view(np.uint8).reshape(-1, 4).T.tobytes()
    return {"dtype": "<f4", "shape": row["shape"], "planes": base64.b64encode(planes).decode()}
