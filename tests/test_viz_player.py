"""viz.step in a notebook, as far as it takes no browser."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import viz
from autograd import Tensor
from viz.player import page
from viz.player.data import page_data

SVG = "{http://www.w3.org/2000/svg}"


def chain(length):
    x = Tensor(0.5, requires_grad=True, name="x")
    y = x
    for _ in range(length):
        y = np.sin(y) * x
    return y


def cards(svg):
    return [card for card in ET.fromstring(svg).iter(f"{SVG}g") if "data-vertex" in card.attrib]


@pytest.mark.parametrize("length", [3, 1000])
def test_a_notebook_gets_less_than_a_million_characters_in_each_form(length):
    bundle = viz.step(chain(length))._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "image/svg+xml", "text/html"]
    assert all(0 < len(text) < 1_000_000 for text in bundle.values())
    assert 3 < len(cards(bundle["image/svg+xml"])) <= 150
    assert "srcdoc" in bundle["text/html"]


def test_a_page_too_large_for_a_notebook_is_replaced_by_the_picture_and_what_to_do(monkeypatch):
    monkeypatch.setattr(page, "LARGEST", 100_000)
    text = viz.step(chain(30))._repr_mimebundle_()["text/html"]
    assert "srcdoc" not in text and ".save('steps.html')" in text
    assert len(cards(text[text.index("<svg") :])) > 3


@pytest.mark.parametrize(
    ("element", "dtype"), [(0.1, "<f4"), (1e-60, "<f8"), (1e60, "<f8"), (0.0, "<f4"), (np.inf, "<f4")]
)
def test_large_arrays_are_halved_only_where_no_element_becomes_zero_or_infinite(element, dtype):
    x = Tensor(np.full(40, 0.5), requires_grad=True, name="x")
    x.data = np.r_[element, np.full(39, 0.5)]
    record = viz.trace(np.sum(x))
    assert next(row["dtype"] for row in page_data(record)["values"] if row["shape"] == [40]) == dtype
