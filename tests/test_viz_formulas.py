"""Formulas: the four notations say what the rule says, with any names and numbers, and nothing breaks out of them."""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.ops
from autograd.op import Op
from autograd.symbol import Symbol, rule_symbol
from viz.formulas import Formula, Partial, equation, formula
from viz.formulas.forward import SIGNED, forward
from viz.formulas.tree import (
    Call,
    Compare,
    Index,
    Infix,
    Listing,
    Name,
    Negative,
    Number,
    Slice,
    Transpose,
    Value,
    Words,
    parse,
)
from viz.tracing.budget import summary

MODULES = [getattr(autograd.ops, name) for name in autograd.ops.__all__]
if importlib.util.find_spec("scipy"):
    names = ("special", "linalg", "signal", "interpolate")
    MODULES += [importlib.import_module(f"autograd.ops.scipy.{name}") for name in names]
TABLE = sorted({op for module in MODULES for op in vars(module).values() if isinstance(op, Op)}, key=lambda op: op.name)


def rules(read_off: bool = False) -> list[tuple[Op, int, str]]:
    """(op, input, text) of every rule; only those that are read off the rule itself if asked for."""
    found = {}
    for op in TABLE:
        for i, rule in enumerate(op.rules):
            if rule is not None and not (read_off and op.formulas):
                found[op.formula(i)] = (op, i, op.formula(i))
    return sorted(found.values(), key=lambda row: row[2])


drawn = settings(max_examples=100, deadline=None, derandomize=True, database=None)
EVERY, READ_OFF = rules(), rules(read_off=True)
HOSTILE = [
    "<script>alert(1)</script>",
    "x & y",
    "a`b`c",
    "100% $x$ #1 {a} \\input{/etc/passwd} ~^_",
    "line\nbreak",
    "\u202eright to left",
    "quote \" and '",
    "]]>",
    "-" * 3000 + "x",
    "-" * 900 + "x",
    "x**" * 300 + "x",
    "x<" * 400 + "x",
    "f(" * 190 + ")" * 190,
    "(" * 150 + "x" + ")" * 150,
    "x" + "[0]" * 300,
    "9" * 5000,
    "a" * 100_000,
    "x.__class__.__bases__",
    "'a' * 10 ** 9",
    "lambda: 0",
    "[x for x in y]",
    "f(*x)",
    "f(**x)",
    "x if y else z",
    "x := 1",
    "\0",
    "\ud800",
    "",
    " ",
    "1_000",
    "x\tand y",
    "0x10",
    "5if x else y",
]


# ---- text ----


@pytest.mark.parametrize("rule", [row[2] for row in EVERY])
def test_the_text_of_a_rule_parses_back_to_its_tree(rule):
    assert parse(formula(rule).text()) == parse(rule)


def test_nearly_every_rule_is_an_expression():
    prose = [rule for _, _, rule in EVERY if isinstance(parse(rule), Words)]
    assert len(prose) < 0.2 * len(EVERY)
    assert all(isinstance(parse(rule), Words) is False for _, _, rule in READ_OFF)


INFIX = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "@": np.matmul, "**": np.power,
    "&": np.logical_and, "|": np.logical_or, "<": np.less, ">": np.greater, "<=": np.less_equal,
    ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


def special_function(name):
    """A function that NumPy has not."""
    special = pytest.importorskip("scipy.special")
    own = {
        "sigmoid": special.expit,
        "bessel_i": lambda x, order: special.iv(order, x),
        "sinc_derivative": lambda x, order: (np.cos(np.pi * x) - np.sinc(x)) / x,
    }
    return own.get(name) or getattr(special, name)


def evaluated(tree, values):
    """The value of a tree, by NumPy and SciPy and nothing of ours."""
    match tree:
        case Name(name):
            return {"True": True, "False": False, "None": None}[name] if name not in values else values[name]
        case Number(text):
            return complex(text) if text.endswith("j") else float(text) if re.search("[.e]", text) else int(text)
        case Infix(sign, left, right):
            return INFIX[sign](evaluated(left, values), evaluated(right, values))
        case Negative(of):
            return -evaluated(of, values)
        case Transpose(of):
            return np.swapaxes(evaluated(of, values), -1, -2)
        case Compare((sign,), (left, right)):
            return INFIX[sign](evaluated(left, values), evaluated(right, values))
        case Call(function, arguments, keywords):
            f = getattr(np, function, None) or special_function(function)
            given = [evaluated(argument, values) for argument in arguments]
            return f(*given, **{name: evaluated(argument, values) for name, argument in keywords})
    raise AssertionError(tree)


@pytest.mark.parametrize(("op", "i", "rule"), READ_OFF, ids=[f"{op.name}-{i}" for op, i, _ in READ_OFF])
def test_a_rule_that_was_read_off_has_the_value_of_its_text(op, i, rule):
    tree = formula(rule)
    rng = np.random.default_rng(0)
    values = {name: rng.uniform(0.2, 0.8, (3, 3)) for name in sorted(tree.names - {"True", "False", "None"})}
    if "c" in values:
        values["c"] = values["c"] > 0.5
    if "v" in values:
        values["v"] = 2.0  # the order of a Bessel function
    with np.errstate(all="ignore"):
        expected = rule_symbol(op, i).evaluate(**values)
        np.testing.assert_allclose(evaluated(parse(tree.text()), values), expected, rtol=3e-5)


def test_numbers_and_names_in_text():
    names = {"x": -2.0, "g": 0.5, "axis": "0", "y": np.arange(20.0), "W": "0 Affine.W", "b": "h#3"}
    for rule, text in {
        "g * exp(x)": "0.5 * exp(-2)",
        "g * x": "0.5 * (-2)",
        "g - x": "0.5 - (-2)",
        "x ** 2": "(-2) ** 2",
        "transpose(x) @ g": "(-2)ᵀ @ 0.5",
        "sum(g, axis=axis)": "sum(0.5, axis=0)",
        "x(g)": "x(0.5)",
        "xx * y": "xx * [0, 1, 2, …]",
        "g": "0.5",
        "g @ transpose(W)": "0.5 @ (0 Affine.W)ᵀ",
        "g * b": "0.5 * h#3",
        "no formula, g": "no formula, g",
    }.items():
        assert formula(rule).text(names) == text


def test_partial_derivatives_and_equations():
    rule = formula("g * (1 - y * y)")
    symbols = rule.filled({"g": Partial("L", "h"), "y": "h"})
    assert symbols.text() == "∂L/∂h * (1 - h * h)"
    assert equation(symbols, rule.filled({"g": 0.5, "y": -0.2}), 0.48).text() == (
        "∂L/∂h * (1 - h * h) = 0.5 * (1 - (-0.2) * (-0.2)) = 0.48"
    )
    assert symbols.spoken() == "the derivative of L by h times open parenthesis 1 minus h times h close parenthesis"


@pytest.mark.parametrize("op", sorted(SIGNED))
def test_the_signs_of_an_operation_compute_it(op):
    found = next(row for row in TABLE if row.name == op)
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0.2, 0.8, (3, 3)) for _ in found.names]
    shown = forward(op, list("abc")[: len(inputs)])
    value = evaluated(shown.tree, dict(zip("abc", inputs, strict=False)))
    np.testing.assert_allclose(value, found.forward(*inputs))
    assert forward(op, ["h#3"] * len(inputs)).names == set()
    assert forward(op, inputs, {"out": "None"}).text().startswith(f"{op}(")


def test_an_operation_without_signs_is_a_call_with_its_arguments():
    assert forward("sum", ["x"], {"axis": "(0, 1)", "keepdims": "True"}).text() == "sum(x, axis=(0, 1), keepdims=True)"
    assert forward("stack", list("abcdef")).text() == "stack(a, b, c, d, e, f)"
    assert forward("add", ["x"]).text() == "add(x)"
    assert forward("tanh", ["self.h"]).latex() == r"\tanh (\mathrm{self.h})"


def test_conditions_of_a_symbol_are_grouped_as_python_groups_them():
    a, b, c = Symbol("a"), Symbol("b"), Symbol("c")
    for symbol, text in {
        (a > b) & (b < c): "(a > b) & (b < c)",
        (a > b) == c: "(a > b) == c",
        a > (b & c): "a > b & c",
        (a | b) & c: "(a | b) & c",
        (a == b) * c: "(a == b) * c",
    }.items():
        assert str(symbol) == text == formula(text).text()
        values = {"a": np.array([True, False]), "b": np.array([False, False]), "c": np.array([True, True])}
        np.testing.assert_array_equal(evaluated(parse(text), values), symbol.evaluate(**values))


# ---- LaTeX ----

COMMANDS = {
    "frac", "cdot", "times", "left", "right", "operatorname", "mathrm", "text", "sum", "sqrt", "begin", "end", "top",
    "partial", "pi", "dots", "infty", "land", "lor", "le", "ge", "ne", "textbackslash", "textasciicircum",
    "textasciitilde", "textless", "textgreater", "textbar",
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "max", "min", "det",
}  # fmt: skip
ESCAPED = set("{}$&#_% ,`\\")


def check_latex(text: str) -> None:
    """Known commands, balanced groups and fences, and no character with a meaning outside them."""
    depth, fences, environments, in_text = 0, 0, 0, []
    for token in re.findall(r"\\[A-Za-z]+|\\.|.", text, re.DOTALL):
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            in_text = [level for level in in_text if level <= depth]
            assert depth >= 0
        elif len(token) > 1:
            name = token[1:]
            assert name in COMMANDS or name in ESCAPED, token
            fences += {"left": 1, "right": -1}.get(name, 0)
            environments += {"begin": 1, "end": -1}.get(name, 0)
            if name == "text":
                in_text.append(depth + 1)
        else:
            assert token not in "$#%~\n", token
            assert not (in_text and token in "^_&"), token
            assert token != "&" or environments, token
    assert (depth, fences, environments) == (0, 0, 0), text


@pytest.mark.parametrize("rule", [row[2] for row in EVERY])
def test_latex_of_every_rule(rule):
    check_latex(formula(rule).latex())
    check_latex(formula(rule).latex({"g": np.eye(2), "x": np.ones((9, 9)), "y": -0.5, "a": 1e-9}))


def test_latex_says_it_well():
    matrix = np.array([[1.0, -2.0], [np.nan, -np.inf]])
    for rule, text in {
        "g * (0.5 / y)": r"g \cdot \frac{0.5}{y}",
        "g @ transpose(W)": r"g \, W^{\mathrm{T}}",
        "a ** (b - 1)": "a^{b - 1}",
        "(a ** b) ** 2": "(a^{b})^{2}",
        "(a / b) ** 2": r"\left( \frac{a}{b} \right)^{2}",
        "sqrt(2 * pi)": r"\sqrt{2 \cdot \pi}",
        "abs(x)": "|x|",
        "inv(x)": "x^{-1}",
        "g * (x >= 0)": r"g \cdot [x \ge 0]",
        "g * -sin(x)": r"g \cdot (-\sin (x))",
        "sum(g, axis=-1, keepdims=True)": r"\sum_{\mathrm{axis\ } -1} (g)",
        "g * M": r"g \cdot \begin{bmatrix} 1 & -2 \\ \mathrm{nan} & -\infty \end{bmatrix}",
        "-p": "-(-0.5)",
        "tiny * p": r"(4 \times 10^{-9}) \cdot (-0.5)",
        "one_hot(t)": r"\operatorname{one\_hot} (t)",
    }.items():
        assert formula(rule).latex({"M": matrix, "p": -0.5, "tiny": 4e-9}) == text
    assert formula("g").latex({"g": Partial("L", "W_1")}) == r"\frac{\partial L}{\partial \mathrm{W\_1}}"


# ---- MathML ----

ELEMENTS = {
    "math", "mrow", "mi", "mo", "mn", "mtext", "mfrac", "msup", "msub", "msqrt", "mtable", "mtr", "mtd", "mspace",
}  # fmt: skip
ARITY = {"mfrac": 2, "msup": 2, "msub": 2}


def check_mathml(text: str) -> ET.Element:
    """Well-formed, of known elements, with as many children as each must have."""
    root = ET.fromstring(text)
    for element in root.iter():
        assert element.tag in ELEMENTS, element.tag
        assert set(element.attrib) <= {"class", "mathvariant", "displaystyle", "width", "stretchy", "lspace", "rspace"}
        assert len(element) == ARITY.get(element.tag, len(element))
        assert not (len(element) and (element.text or "").strip())
    return root


@pytest.mark.parametrize("rule", [row[2] for row in EVERY])
def test_mathml_of_every_rule(rule):
    check_mathml(formula(rule).mathml())
    check_mathml(formula(rule).mathml({"g": np.eye(2), "x": np.ones((9, 9)), "y": -0.5, "a": 1e-9}))


def test_brackets_of_characters_have_no_room_around_them():
    """Chromium sets some around an operator that may stretch."""
    signs = [sign for sign in check_mathml(formula("g * cos(x)[0]").mathml()).iter("mo") if sign.text in "()[]"]
    assert len(signs) == 4 and all(sign.get("stretchy") == "false" for sign in signs)


def test_small_arrays_are_matrices_and_large_ones_tell_their_shape():
    small = check_mathml(formula("g").mathml({"g": np.array([[1.0, -2.5], [3e-9, np.nan]])}))
    cells = ["".join(cell.itertext()) for cell in small.iter("mtd")]
    assert cells == ["1", "−2.5", "3×10−9", "nan"]
    for large in (np.ones((30, 40)), summary(np.ones((30, 40)))):
        text = "".join(check_mathml(formula("g").mathml({"g": large})).itertext())
        assert text.replace("\N{NO-BREAK SPACE}", " ") == "[[1, 1, 1, …], …]30×40"
    assert "[]" in formula("g").mathml({"g": np.ones((0, 3))})


# ---- hostile ----


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text):
    named, called = formula("g * x").filled({"x": text, "g": Partial(text, text)}), forward(text, [text], {text: text})
    for shown in (formula(text), named, called):
        assert "script" not in re.findall(r"<(\w+)", shown.mathml())
        check_mathml(shown.mathml())
        check_latex(shown.latex())
        for plain in (shown.text(), shown.spoken(), shown.latex(), shown.mathml()):
            assert plain.isprintable() or "\N{NO-BREAK SPACE}" in plain or "\N{INVISIBLE TIMES}" in plain
            plain.encode()
            assert len(plain) < 20_000


@drawn
@given(st.text(max_size=60))
def test_any_text_has_a_formula(text):
    shown = formula(text)
    check_mathml(shown.mathml())
    check_latex(shown.latex())
    assert parse(shown.text()) == shown.tree or isinstance(shown.tree, Words)
    check_latex(forward(text, [text], {text: text}).latex())


NAMES = st.sampled_from(["g", "x", "y", "a", "W", "x_shape"]).map(Name)
TREES = st.recursive(
    NAMES | st.integers(0, 99).map(lambda n: Number(str(n))),
    lambda inner: st.one_of(
        st.builds(Infix, st.sampled_from(["+", "-", "*", "/", "@", "**", "&", "|"]), inner, inner),
        st.builds(Negative, inner),
        st.builds(Transpose, inner),
        st.builds(lambda sign, a, b: Compare((sign,), (a, b)), st.sampled_from(["<", ">=", "=="]), inner, inner),
        st.builds(lambda f, a, b: Call(f, (a,), (("axis", b),)), st.sampled_from(["sum", "exp"]), inner, inner),
        st.builds(lambda a, b, c: Index(a, (b, Slice(c, None))), inner, inner, inner),
        st.lists(inner, max_size=3).map(lambda items: Listing(tuple(items))),
        st.lists(inner, max_size=3).map(lambda items: Listing(tuple(items), round=True)),
    ),
    max_leaves=8,
)


@drawn
@given(TREES)
def test_parentheses_stand_where_they_are_needed(tree):
    shown = Formula(tree)
    assert parse(shown.text()) == tree
    check_mathml(shown.mathml())
    check_latex(shown.latex())


def test_values_are_not_compared_as_trees():
    assert Value(np.ones(2)) != Value(np.ones(2))
