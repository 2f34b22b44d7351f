"""One sentence for each moment of a trace: what the live region reads out, the tooltip shows and the text trace prints.

The words stand in `PHRASES`, a table for each language; what they are filled with is the same in all of them.
"""

from __future__ import annotations

from viz.texts.text import clean, values
from viz.tracing.model import Forward, Trace, Update
from viz.tracing.moments import Moment

PHRASES = {
    "en": {
        "forward": "Step {i} of {n}, forward: {name} = {op}({inputs}) = {value}.",
        "rule": "Step {i} of {n}, backward through {op} to {name}: {rule} = {value}.",
        "transpose": "Step {i} of {n}, backward through {op} to {name}: {rule} = {value}.",
        "sum": "Step {i} of {n}, backward through {op} to {name}: {rule} = {value}.",
        "update": "Step {i} of {n}, update of {name}: {before} becomes {after}.",
    }
}


def slots(record: Trace, moment: Moment) -> tuple[str, dict[str, str]]:
    """The phrase of a moment, and what goes into it in any language."""
    vertex = record.graph.vertices[moment.step.vertex]
    if isinstance(moment.step, Forward):
        return "forward", {"name": clean(vertex.name), "op": vertex.op, "inputs": "", "value": values(vertex.value)}
    if isinstance(moment.step, Update):
        before, after = values(moment.step.before), values(moment.step.after)
        return "update", {"name": clean(vertex.name), "before": before, "after": after}
    assert moment.contribution is not None and moment.part is not None
    target = record.graph.vertices[moment.contribution.target]
    return moment.part.what, {
        "op": vertex.op,
        "name": clean(target.name),
        "rule": moment.part.text,
        "value": values(moment.part.value),
    }


def sentence(record: Trace, moment: Moment, i: int, n: int, lang: str = "en") -> str:
    """Moment number i of n in one sentence."""
    phrase, found = slots(record, moment)
    return PHRASES[lang][phrase].format(i=i, n=n, **found)
