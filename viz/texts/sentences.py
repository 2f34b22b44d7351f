"""One sentence for each moment of a trace: what the live region reads out, the tooltip shows and the text trace prints.

The words stand in `PHRASES`, a table for each language; the slots that are filled in are the same in all of them.
"""

from __future__ import annotations

from viz.texts.phrases import PHRASES
from viz.texts.steps import Steps, brief, shape_of
from viz.texts.text import ELLIPSIS, clean, values
from viz.tracing.model import Contribution, Forward, Part, Trace, Update
from viz.tracing.moments import Moment, moments


class Sentences:
    """The sentences of a trace."""

    def __init__(self, record: Trace):
        self.record = record
        self.steps = Steps(record)

    def slots(self, moment: Moment) -> tuple[str, dict[str, str]]:
        """The phrases of a moment, one after the other, and what goes into them in any language."""
        name = self.steps.called[moment.step.vertex]
        if isinstance(moment.step, Forward):
            return self._forward(moment.step, name)
        if isinstance(moment.step, Update):
            return self._update(moment.step, name)
        assert moment.contribution is not None and moment.part is not None
        op = clean(self.record.graph.vertices[moment.step.vertex].op)
        return self._backward(moment, moment.contribution, moment.part, op)

    def sentence(self, moment: Moment, i: int, n: int, lang: str = "en") -> str:
        """Moment number i of n in one sentence."""
        phrase, found = self.slots(moment)
        template = "".join([PHRASES[lang][piece] for piece in [*phrase.split(), "stop"]])
        return template.format(i=i, n=n, **found)

    def _forward(self, step: Forward, name: str) -> tuple[str, dict[str, str]]:
        value = self.record.graph.vertices[step.vertex].value
        equation = f"{name} = {brief(self.steps.computation(step.vertex))}{_abbreviated_shape(value)}"
        return "forward_unknown" if value is None else "forward", {"name": name, "equation": equation}

    def _update(self, step: Update, name: str) -> tuple[str, dict[str, str]]:
        equation = self.steps.updated(step)
        if equation is None:
            return "update_to", {"name": name, "before": _shown(step.before), "after": _shown(step.after)}
        return "update", {"name": name, "equation": equation.text() + _abbreviated_shape(step.after)}

    def _backward(self, moment: Moment, given: Contribution, part: Part, op: str) -> tuple[str, dict[str, str]]:
        found = {
            "op": op,
            "name": self.steps.called[given.target],
            "equation": brief(self.steps.gradient(given, part)) + _abbreviated_shape(part.value),
        }
        if part.what == "transpose":
            named = self.steps.turned(given, part)
            found |= {"matrix": named[0], "shape": named[1], "full": shape_of(part.value)}
        if part.what == "sum":
            shape = str(self.record.graph.vertices[given.target].shape)
            axes = part.axes[0] if len(part.axes) == 1 else part.axes
            found |= {"shape": shape, "full": shape_of(given.spread), "axes": str(axes)}
        if not moment.accumulates:
            return part.what, found
        found |= {"after": _shown(given.after), "use": str(given.use), "uses": str(given.uses)}
        held, grown = self.steps.held(given), self.steps.grown(given)
        phrases = [part.what, "first" if held is None else "pass"]
        if given.before is not None:
            phrases[1] = "more" if held is None else "pass_more"
            found["total"] = self.steps.accumulated(given).text()
        if grown is not None:
            phrases.append("held")
            found |= {"held": _shown(held), "grown": grown.text()}
        return " ".join(phrases), found


def _shown(value: object) -> str:
    return values(value) + _abbreviated_shape(value)


def _abbreviated_shape(value: object) -> str:
    """The shape of an array that is not shown whole."""
    return f" {shape_of(value)}" if ELLIPSIS in values(value) and shape_of(value) else ""


def sentences(record: Trace, lang: str = "en", most: int | None = None) -> list[str]:
    """The sentences of all moments in order, or of the first ones."""
    said, found = Sentences(record), moments(record)
    return [said.sentence(moment, i, len(found), lang) for i, moment in enumerate(found[:most], 1)]
