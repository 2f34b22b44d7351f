"""Sums of products in index notation: `np.einsum`, and how one is computed.

A product of two arrays that sums over a letter of both is a matrix product: the letters fall into those of both arrays
and the result, those that are summed, and those of one array alone. Which axes go where is worked out once for given
letters and shapes, and kept. More than two arrays are multiplied two at a time.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from ..errors import NotDifferentiableError
from ..op import meaning, multilinear
from .constant import constant
from .matrix import array, diagonal
from .shape import transpose

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

constant(np.einsum_path)


def _einsum_batch(op, xs, kwargs, batched):
    terms, result = kwargs["subscripts"].split("->")
    hidden = next(c for c in LETTERS if c not in terms)
    terms = [hidden + t if b else t for t, b in zip(terms.split(","), batched, strict=True)]
    return op(*xs, subscripts=",".join(terms) + "->" + hidden + result)


@multilinear(
    name="einsum",
    broadcasts=True,
    formulas=("einsum(g and the others, to the letters of input i)",),
    batch=_einsum_batch,
)
def einsum(*xs, subscripts):
    """A sum of products in index notation: one letter per axis, none twice in one term, and an explicit result."""
    if len(xs) == 1:
        return np.einsum(subscripts, *xs)
    xs = list(xs)
    for i, j, pair in _steps(subscripts, tuple([np.shape(x) for x in xs])):
        b, a = xs.pop(j), xs.pop(i)
        xs.append(_product(pair, np.asarray(a), np.asarray(b)))
    return xs[0]


@einsum.rule
def _einsum_rule(g, xs, i, subscripts):
    transposed, alone = _transposed(subscripts, tuple([np.shape(x) for x in xs]), np.shape(g), i)
    ones = [np.ones(n, g.dtype) for n in alone]  # letters that are summed over in this term only: spread again
    return einsum(g, *xs[:i], *xs[i + 1 :], *ones, subscripts=transposed)


@functools.lru_cache(512)
def _transposed(subscripts, shapes, shape, i):
    """The subscripts of the product of g, the others and ones that belongs to input i; how many ones of each letter."""
    left, result = subscripts.split("->")
    terms = left.split(",")
    of = terms[i]
    others = [t for k, t in enumerate(terms) if k != i]
    sources = [(result, shape), *zip(others, shapes[:i] + shapes[i + 1 :], strict=True)]
    lengths = {axis for t, s in sources for axis in zip(t, s, strict=True)}
    alone = [axis for axis in zip(of, shapes[i], strict=True) if axis not in lengths]
    return ",".join([result, *others, *(letter for letter, _ in alone)]) + "->" + of, [n for _, n in alone]


# ---- how it is computed ----


@functools.lru_cache(512)
def _steps(subscripts, shapes):
    """(i, j, subscripts) of each product of two: arrays i < j are taken out, and their product is put last."""
    if len(shapes) == 2:
        return [(0, 1, subscripts)]
    left, result = subscripts.split("->")
    terms, steps = left.split(","), []
    order = np.einsum_path(subscripts, *[np.broadcast_to(0.0, s) for s in shapes], optimize="greedy")[0][1:]
    for chosen in order:
        todo = sorted(chosen)
        while len(todo) > 1:  # the path may take more than two at a time
            j, i = todo.pop(), todo.pop()
            pair = [terms.pop(j), terms.pop(i)][::-1]
            later = set("".join(terms) + result)
            product = "".join(dict.fromkeys(c for c in "".join(pair) if c in later)) if terms else result
            steps.append((i, j, f"{','.join(pair)}->{product}"))
            terms.append(product)
            todo.append(len(terms) - 1)
    return steps


def _product(subscripts, a, b):
    recipe = _as_matrices(subscripts, a.shape, b.shape)
    if recipe is None:
        return np.einsum(subscripts, a, b)
    order_a, shape_a, order_b, shape_b, shape, order = recipe
    return (
        (a.transpose(order_a).reshape(shape_a) @ b.transpose(order_b).reshape(shape_b)).reshape(shape).transpose(order)
    )


@functools.lru_cache(512)
def _as_matrices(subscripts, shape_a, shape_b):
    """How to transpose and reshape two arrays so that their product is one of matrices; None if it is not."""
    terms, result = subscripts.split("->")
    a, b = terms.split(",")
    size = {**dict(zip(a, shape_a, strict=True)), **dict(zip(b, shape_b, strict=True))}
    summed = [c for c in a if c in b and c not in result]
    stretched = any(size[c] != n for c, n in zip(a, shape_a, strict=True))
    if not summed or stretched or any(c not in result for c in {*a} ^ {*b}):
        return None
    both = [c for c in a if c in b and c in result]
    of_a, of_b = [c for c in a if c not in b], [c for c in b if c not in a]
    sizes = [[size[c] for c in letters] for letters in (both, of_a, summed, of_b)]
    n = [math.prod(s) for s in sizes]
    return (
        [a.index(c) for c in (*both, *of_a, *summed)],
        (n[0], n[1], n[2]) if both else (n[1], n[2]),
        [b.index(c) for c in (*both, *summed, *of_b)],
        (n[0], n[2], n[3]) if both else (n[2], n[3]),
        (*sizes[0], *sizes[1], *sizes[3]),
        [[*both, *of_a, *of_b].index(c) for c in result],
    )


# ---- NumPy's spelling ----


@meaning(np.einsum)
def _einsum(*operands, out=None, optimize=False, dtype=None, casting="safe", order="K"):
    """NumPy's einsum: fills in the result and the ellipsis, and takes the diagonal where a letter stands twice.

    optimize and order change nothing: the order of the products is chosen here, and arrays have no memory order.
    """
    if out is not None:
        raise NotDifferentiableError("np.einsum(out=...) on Tensors is not supported; use the result")
    subscripts, operands = _as_string(operands)
    operands = [array(x) for x in operands]
    if dtype is not None:
        operands = [_cast(x, np.dtype(dtype), casting) for x in operands]
    terms, result = _explicit(subscripts, tuple([x.ndim for x in operands]))
    terms, arrays = zip(*(_no_letter_twice(t, x) for t, x in zip(terms, operands, strict=True)), strict=True)
    if len(terms) == 1 and set(terms[0]) == set(result):  # nothing is summed: a view, as in NumPy
        return transpose(arrays[0], [terms[0].index(c) for c in result])
    return einsum(*arrays, subscripts=",".join(terms) + "->" + result)


def _as_string(operands):
    """The form with lists of numbers, einsum(a, [0, 1], b, [1, 2], [0, 2]), in the form with a string."""
    if not operands:
        raise ValueError("np.einsum: no operands")
    if isinstance(operands[0], str):
        return operands[0], operands[1:]
    arrays, lists = operands[: len(operands) // 2 * 2 : 2], list(operands[1::2])
    terms = ["".join("..." if k is Ellipsis else LETTERS[k] for k in axes) for axes in lists]
    if len(operands) % 2:
        return ",".join(terms) + "->" + _as_string((0, operands[-1]))[0], arrays
    return ",".join(terms), arrays


def _cast(x, dtype, casting):
    if not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(f"np.einsum: cannot cast {x.dtype} to {dtype} by the rule {casting!r}")
    return x if x.dtype == dtype else x.astype(dtype)


@functools.lru_cache(512)
def _explicit(subscripts, ndims):
    """The terms and the result with letters for the ellipsis; the letters that stand once, if no result is given."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"np.einsum: {subscripts!r} names {len(terms)} arrays, got {len(ndims)}")
    unused = [c for c in LETTERS if c not in subscripts]
    rest = [n - len(t.replace("...", "")) for t, n in zip(terms, ndims, strict=True) if "..." in t]
    dots = "".join(unused[: max(rest, default=0)])
    if dots and arrow and "..." not in result:
        raise ValueError(f"np.einsum: {subscripts!r} has an ellipsis on the left; write one on the right as well")
    terms = [
        t.replace("...", dots[len(dots) - (n - len(t.replace("...", ""))) :] if "..." in t else "")
        for t, n in zip(terms, ndims, strict=True)
    ]
    if arrow:
        return terms, result.replace("...", dots)
    letters = "".join(terms)
    return terms, dots + "".join(sorted(c for c in set(letters) - set(dots) if letters.count(c) == 1))


def _no_letter_twice(term, x):
    """The diagonal of x along the axes that share a letter, and the term without the repetition."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            x = diagonal(x, 0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return term, x
