"""The worksheet on paper: the picture as wide as the page, the answer key on a page of its own."""

from __future__ import annotations

import re

import numpy as np

import viz
from autograd import Tensor


def chain() -> Tensor:
    """A row of operations, wider than high."""
    x = Tensor(0.5, requires_grad=True, name="x")
    h = x
    for _ in range(8):
        h = np.tanh(0.7 * h + x)
    return h


def test_it_prints_as_pages_with_the_key_on_its_own(opened):
    page = opened(viz.worksheet(chain(), seed=1).html)
    assert page.evaluate("getComputedStyle(document.querySelector('.key')).breakBefore") == "page"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.line')).borderBottomWidth") == "1px"  # policy kept
    printed = page.pdf(prefer_css_page_size=True).decode("latin-1")
    sides = [tuple(map(float, box.split()[2:])) for box in re.findall(r"/MediaBox \[([^]]*)\]", printed)]
    assert sides[0][0] > sides[0][1]  # a wide picture lies on its side
    assert len(sides) > 2 and all(width < height for width, height in sides[1:])
    assert len(page.requests) == 1
