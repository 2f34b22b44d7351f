"""One sentence for each moment, in three languages, from the same slots."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import numpy as np
import pytest
from test_viz_explain import named, network
from test_viz_formulas import evaluated

import nn
import viz
from viz.formulas import formula
from viz.formulas.tree import Words, parse
from viz.texts.phrases import PHRASES
from viz.texts.sentences import Sentences, sentences
from viz.texts.words import called
from viz.tracing.moments import moments


def test_the_sentences_of_a_scalar_program():
    x, w = named("x", 2.0), named("w", -1.5)
    with viz.record() as tape:
        h = np.tanh(w * x)
        y = h + w
        y.backward()
    record = tape.traces[-1]
    t = np.tanh(-3.0)
    product = next(name for name in Sentences(record).steps.called if name.startswith("multiply"))
    d = f"{1 - t * t:.4g}"
    assert sentences(record) == [
        f"Step 1 of 8, forward: {product} = w * x = (-1.5) * 2 = -3.",
        f"Step 2 of 8, forward: h = tanh({product}) = tanh(-3) = {t:.4g}.",
        f"Step 3 of 8, forward: y = h + w = ({t:.4g}) + (-1.5) = {t - 1.5:.4g}.",
        "Step 4 of 8, backward through add to h: g = 1; h.grad is 1, use 1 of 1.",
        "Step 5 of 8, backward through add to w: g = 1; w.grad is 1, use 1 of 2.",
        f"Step 6 of 8, backward through tanh to {product}: g * (1 - y * y) = 1 * {d} = {d}; "
        f"{product}.grad is {d}, use 1 of 1.",
        f"Step 7 of 8, backward through multiply to w: g * b = {d} * 2 = {2 * (1 - t * t):.4g}; "
        f"w.grad: 1 + {2 * (1 - t * t):.4g} = {1 + 2 * (1 - t * t):.4g}, use 2 of 2.",
        f"Step 8 of 8, backward through multiply to x: g * a = {d} * (-1.5) = {-1.5 * (1 - t * t):.4g}; "
        f"x.grad is {-1.5 * (1 - t * t):.4g}, use 1 of 1.",
    ]


def test_accumulation_transposes_sums_and_updates():
    said = sentences(network())
    assert said[5].startswith(
        "Step 6 of 20, backward through affine to relu#6: the shapes must fit, so W (3, 2) is transposed to (2, 3): "
        "Wᵀ = [["
    )
    assert said[10] == (
        "Step 11 of 20, backward through affine to 2 Affine.b: 2 Affine.b (2,) was stretched to (5, 2), so sum over "
        "axis 0: [0.1434, -0.1434]; 2 Affine.b.grad is [0.1434, -0.1434], use 1 of 1."
    )
    assert said[17] == (
        "Step 18 of 20, update of 0 Affine.b: [0, 0, 0] - 0.1 * [-0.01403, 0.1913, 0] = [0.001403, -0.01913, 0]."
    )
    x = named("x", 0.5)
    last = sentences(viz.trace(x * 3.0 + x * 2.0))[-1]
    assert last.endswith("to x: g * b = 1 * 3 = 3; x.grad: 2 + 3 = 5, use 2 of 2.")


def test_every_language_has_every_phrase_with_the_same_slots():
    slots = {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in PHRASES["en"].items()}
    for phrases in PHRASES.values():
        assert {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in phrases.items()} == slots
        for text in phrases.values():
            assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", text))
        assert phrases["stop"] in (".", "。")


@pytest.mark.parametrize("lang", sorted(PHRASES))
def test_slots_are_text_and_fill_the_phrases_as_a_page_does(lang):
    record = network()
    said, found = Sentences(record), moments(record)
    for i, moment in enumerate(found, 1):
        phrase, slots = said.slots(moment)
        assert json.loads(json.dumps(slots)) == slots
        filled = {**slots, "i": str(i), "n": str(len(found))}
        template = "".join(PHRASES[lang][piece] for piece in [*phrase.split(), "stop"])
        text = re.sub(r"\{(\w+)\}", lambda slot, filled=filled: filled[slot[1]], template)
        assert text == said.sentence(moment, i, len(found), lang)
        assert "\n" not in text


def test_the_same_steps_in_chinese_and_japanese():
    record = network()
    assert sentences(record, "zh")[9] == (
        "第 10 步（共 20 步），经 affine 反向传播到 2 Affine.b：g = [[-0.08181, 0.08181], …] (5, 2)。"
    )
    assert sentences(record, "ja")[9] == (
        "ステップ 10/20、affine から 2 Affine.b への逆伝播：g = [[-0.08181, 0.08181], …] (5, 2)。"
    )
    assert sentences(record, "ja", most=3) == sentences(record, "ja")[:3]


def test_unknown_and_odd_values():
    record = viz.trace(np.tanh(named("t", np.inf)))
    name = Sentences(record).steps.called[1]
    assert sentences(record)[0] == f"Step 1 of 2, forward: {name} = tanh(t) = tanh(inf) = 1."
    object.__setattr__(record.graph.vertices[1], "value", None)
    assert sentences(record)[0].endswith("= tanh(t), a value that was not kept.")
    assert "= t * nan = 2 * nan = nan." in sentences(viz.trace(named("t", 2.0) * np.nan))[0]


def test_hostile_names_and_braces_cannot_forge_a_slot():
    record = viz.trace(named("{n}\nStep 9 {after!r}", 2.0) * 3.0)
    for lang in PHRASES:
        said = sentences(record, lang)
        assert all("\n" not in text for text in said)
        assert "{n} Step 9 {after!r}" in said[0]


def test_every_side_with_numbers_has_the_value_that_is_said():
    """The numbers of the text, put through NumPy: what stands beside an equals sign is equal, to the digits shown."""
    x, w, v = named("x", 0.7), named("w", -1.3), named("v", 2.4)
    h = np.tanh(w * x) / v + np.exp(-v) - np.sqrt(v) * nn.sigmoid(w) ** 3
    y = np.maximum(h, w) * np.log(v) + np.arctan2(x, v) + np.hypot(w, x) + np.abs(w) * v**x
    text = viz.explain(y)
    checked = 0
    for equation in re.findall(r"(?:: |    = )(.*(?:\n    = .*)*)", text):
        sides = [side.split("   ")[0].split(", use")[0] for side in re.split(r"\s+= | = ", equation)]
        found = []
        for side in sides:
            tree = parse(side)
            if not formula(side).names and not isinstance(tree, Words):
                found.append(float(evaluated(tree, {})))
        for a, b in pairwise(found):
            assert abs(a - b) <= 3e-3 * max(abs(a), abs(b), 0.1), (equation, found)
            checked += 1
    assert checked > 50


def test_the_numbers_of_a_published_example():
    """Matt Mazur's network: two inputs, two hidden units, two outputs, one step of gradient descent with rate 0.5."""
    start = {"w1": 0.15, "w2": 0.20, "w3": 0.25, "w4": 0.30, "w5": 0.40, "w6": 0.45, "w7": 0.50, "w8": 0.55}
    w = {name: named(name, value) for name, value in start.items()}
    with viz.record() as tape:
        h1 = nn.sigmoid(w["w1"] * 0.05 + w["w2"] * 0.10 + 0.35)
        h2 = nn.sigmoid(w["w3"] * 0.05 + w["w4"] * 0.10 + 0.35)
        o1 = nn.sigmoid(w["w5"] * h1 + w["w6"] * h2 + 0.60)
        o2 = nn.sigmoid(w["w7"] * h1 + w["w8"] * h2 + 0.60)
        E = 0.5 * (0.01 - o1) ** 2 + 0.5 * (0.99 - o2) ** 2
        E.backward()
        nn.optim.SGD(list(w.values()), lr=0.5).step()
    said = "\n".join(sentences(tape.traces[-1]))
    assert "E = multiply#41 + multiply#47 = 0.2748 + 0.02356 = 0.2984." in said
    assert "g * (y * (1 - y)) = 0.7414 * 0.1868 = 0.1385; " in said
    assert "to w5: g * b = 0.1385 * 0.5933 = 0.08217; w5.grad is 0.08217, use 1 of 1." in said
    assert "h1.grad: (-0.01905) + 0.0554 = 0.03635, use 2 of 2." in said
    assert "update of w5: 0.4 - 0.5 * 0.08217 = 0.3589." in said
    assert "update of w1: 0.15 - 0.5 * 0.0004386 = 0.1498." in said


def test_parameters_of_nested_modules_are_told_apart_by_as_much_as_it_takes():
    def block():
        return nn.Sequential(nn.Affine(2, 2, rng=0), nn.ReLU())

    model = nn.Sequential(block(), block())
    names = called(viz.trace(model(np.ones((1, 2))).sum()).graph)
    weights = sorted(name for name in names if name.endswith(".W"))
    assert weights == ["0 Sequential.0 Affine.W", "1 Sequential.0 Affine.W"]
    assert len(set(names)) == len(names)
