"""Moments: a trace cut into what a viewer sees one at a time.

A forward step is one moment, and so is an update. A backward step has one for each part of each contribution: a
transpose, the rule itself, the sum over broadcast axes. Text, terminal, player and worksheet all count these, so that
"step 17" is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from viz.tracing.model import Backward, Contribution, Part, Step, Trace


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment: its step, and inside a backward step the contribution and its part."""

    step: Step
    contribution: Contribution | None = None
    part: Part | None = None

    @property
    def accumulates(self) -> bool:
        """True where the contribution is complete and is added to the gradient."""
        return self.contribution is not None and self.part is self.contribution.parts[-1]


def moments(record: Trace) -> list[Moment]:
    """All moments of a trace, in order; they are numbered from 1."""
    found = []
    for step in record.steps:
        if isinstance(step, Backward):
            found += [Moment(step, c, part) for c in step.contributions for part in c.parts]
        else:
            found.append(Moment(step))
    return found
