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

from viz.formulas import formula
from viz.picture.cards import LONGEST
from viz.texts.phrases import PHRASES
from viz.texts.sentences import Sentences
from viz.texts.text import clean, fitting, values
from viz.texts.words import place
from viz.tracing.file import to_json
from viz.tracing.model import Backward, Contribution, Edge, Forward, Summary, Trace, Update
from viz.tracing.moments import Moment, moments
from viz.tracing.taking import TRANSPOSED


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
    """Everything that the page's script reads, ready for JSON."""
    content = json.loads(to_json(record))
    _shorten(content)
    texts = Texts()
    said = Sayings(record, texts)
    content["moments"] = [said.of(moment) for moment in moments(record)]
    content["called"] = [texts.put(name) for name in said.called]
    content["texts"] = texts.rows
    content["phrases"] = PHRASES
    return content


class Sayings:
    """What each moment of a trace shows, as places in a table of texts."""

    def __init__(self, record: Trace, texts: Texts):
        self.record, self.texts = record, texts
        self.said = Sentences(record)
        self.called = self.said.steps.called
        self.inputs = record.graph.inputs()

    def of(self, moment: Moment) -> dict[str, Any]:
        phrase, filled = self.said.slots(moment)
        vertex = self.record.graph.vertices[moment.step.vertex]
        found: dict[str, Any] = {**self._shown(moment)}
        if isinstance(moment.step, Update):
            found["place"], found["code"] = clean(moment.step.source), clean(moment.step.code)
        else:
            found["place"], found["code"] = place(vertex), clean(vertex.code)
        row = {name: self.texts.put(text) for name, text in found.items() if text}
        return {"phrase": phrase, "slots": {name: self.texts.put(text) for name, text in filled.items()}, **row}

    def _shown(self, moment: Moment) -> dict[str, str]:
        if isinstance(moment.step, Forward):
            return self._forward(moment.step.vertex)
        if isinstance(moment.step, Update):
            return {
                "before": values(moment.step.before),
                "result": values(moment.step.after),
                "shape": shape_of(moment.step.after),
                "card": fitting(moment.step.after, LONGEST),
            }
        return self._backward(moment)

    def _forward(self, vertex: int) -> dict[str, str]:
        made = self.record.graph.vertices[vertex]
        call = [self._given(edge, self.called[edge.source]) for edge in self.inputs[vertex]]
        filled = [self._given(e, values(self.record.graph.vertices[e.source].value)) for e in self.inputs[vertex]]
        static = [f"{clean(name)}={clean(value, LONGEST)}" for name, value in made.arguments.items()]
        return {
            "rule": f"{self.called[vertex]} = {made.op}({', '.join(call + static)})",
            "numbers": f"{made.op}({', '.join(filled + static)})",
            "result": values(made.value) if made.value is not None else "",
            "shape": shape_of(made.value),
        }

    @staticmethod
    def _given(edge: Edge, text: str) -> str:
        return f"{edge.name}={text}" if edge.name else text

    def _backward(self, moment: Moment) -> dict[str, str]:
        step, given, part = moment.step, moment.contribution, moment.part
        assert isinstance(step, Backward) and given is not None and part is not None
        found = {"rule": formula(part.text).mathml(), "result": values(part.value), "shape": shape_of(part.value)}
        found["incoming"] = fitting(step.incoming, LONGEST)
        if part.what == "rule":
            found["numbers"] = formula(part.text).mathml(given.names)
        return found | (self._sum(given) if moment.accumulates else {})

    def _sum(self, given: Contribution) -> dict[str, str]:
        found = {"name": self.called[given.target], "after": values(given.after), "card": fitting(given.after, LONGEST)}
        if given.before is not None:
            found |= {"before": values(given.before), "plus": values(given.value)}
        return found


def shape_of(value: Any) -> str:
    """The shape of an array as Python writes it; nothing for a number, or several results."""
    shape = value.shape if isinstance(value, Summary) else () if isinstance(value, tuple) else np.shape(value)
    return str(shape) if shape else ""


def _shorten(content: dict[str, Any]) -> None:
    """Leave out of the table of values what the page does not need."""
    rows = content["values"]
    for step in content["backward"]:
        for given in step["contributions"]:
            for part in given["parts"]:
                named = TRANSPOSED.fullmatch(part["text"]) if part["what"] == "transpose" else None
                source = given.get("names", {}).get(named[1]) if named else None
                if isinstance(source, int) and source != part["value"]:
                    if "base64" in rows[source] and "base64" in rows[part["value"]]:
                        rows[part["value"]] = {"transpose": source}
    content["values"] = [_single(row) for row in rows]


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
