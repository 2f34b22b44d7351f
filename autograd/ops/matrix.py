"""Products of matrices and tensors. `matmul`, `affine` and `einsum` have rules; the other products are composed."""

from __future__ import annotations

import math

import numpy as np

from ..errors import NotDifferentiableError
from ..op import general, linear, meaning, multilinear
from ..tensor import Tensor
from .elementwise import multiply, where
from .shape import reshape, scatter, transpose


@general(name="affine", broadcasts=True, formulas=("g @ transpose(W)", "transpose(x) @ g", "g"))
def affine(x, W, b):
    """x @ W + b, the step of a layer, with the bias added in place."""
    y = x @ W
    if b.dtype != y.dtype:
        return y + b
    y += b
    return y


affine.rule(lambda g, W: g @ W.mT)
affine.rule(lambda g, x: _matmul_b(g, x, ("in", "out")))
affine.rule(lambda g: g)


def _matmul_a(g, b, a_shape):
    if b.ndim == 1:
        return g[..., None] * b if len(a_shape) > 1 else g * b
    if len(a_shape) == 1:
        return (b @ g[..., None])[..., 0]
    return g @ b.mT


def _matmul_b(g, a, b_shape):
    if a.ndim == 1:
        return a[:, None] * g[..., None, :] if len(b_shape) > 1 else a * g
    if len(b_shape) == 1:
        return (a.mT @ g[..., None])[..., 0]
    if len(b_shape) == 2 and a.ndim > 2:  # one large product instead of a batch of small ones that are then summed
        return np.reshape(a, (-1, a.shape[-1])).mT @ np.reshape(g, (-1, g.shape[-1]))
    return a.mT @ g


matmul = multilinear(
    np.matmul, _matmul_a, _matmul_b, inputs="a b", broadcasts=True, formulas=("g @ transpose(b)", "transpose(a) @ g")
)


@meaning(np.dot)
def _dot(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(a, b)
    if np.ndim(b) <= 2:
        return matmul(a, b)
    return _tensordot(a, b, axes=((np.ndim(a) - 1,), (np.ndim(b) - 2,)))


@meaning(np.inner)
def _inner(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(a, b)
    return _tensordot(a, b, axes=((np.ndim(a) - 1,), (np.ndim(b) - 1,)))


@meaning(np.outer)
def _outer(a, b):
    return multiply(reshape(a, shape=(-1, 1)), reshape(b, shape=(1, -1)))


@meaning(np.tensordot)
def _tensordot(a, b, axes=2):
    """Both arrays as matrices, their product, and the shape of the result."""
    a, b = (v if isinstance(v, Tensor) else np.asarray(v) for v in (a, b))
    if isinstance(axes, int | np.integer):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    of_a, of_b = (
        [k % v.ndim for k in np.atleast_1d(ks).tolist()] for ks, v in zip(map(list_of, axes), (a, b), strict=True)
    )
    if [a.shape[k] for k in of_a] != [b.shape[k] for k in of_b]:
        raise ValueError(f"np.tensordot: shapes {a.shape} and {b.shape} do not fit along the axes {of_a} and {of_b}")
    free_a = [k for k in range(a.ndim) if k not in of_a]
    free_b = [k for k in range(b.ndim) if k not in of_b]
    n = math.prod(a.shape[k] for k in of_a)
    left = reshape(transpose(a, (*free_a, *of_a)), shape=(math.prod(a.shape[k] for k in free_a), n))
    right = reshape(transpose(b, (*of_b, *free_b)), shape=(n, math.prod(b.shape[k] for k in free_b)))
    return reshape(matmul(left, right), shape=(*(a.shape[k] for k in free_a), *(b.shape[k] for k in free_b)))


def list_of(axes):
    return [axes] if isinstance(axes, int | np.integer) else list(axes)


# ---- einsum ----


@multilinear(name="einsum", broadcasts=True, formulas=("einsum(g and the others, to the letters of input i)",))
def einsum(*xs, subscripts):
    """A sum of products in index notation: one letter per axis, none twice in one term, and an explicit result."""
    return np.einsum(subscripts, *xs, optimize=len(xs) > 2)


@einsum.rule
def _einsum_rule(g, xs, i, subscripts):
    terms, result = subscripts.split("->")
    terms = terms.split(",")
    others = [(t, x) for k, (t, x) in enumerate(zip(terms, xs, strict=True)) if k != i]
    sources = [(result, g), *others]
    lengths = {(letter, n) for t, x in sources for letter, n in zip(t, np.shape(x), strict=True)}
    alone = [axis for axis in zip(terms[i], np.shape(xs[i]), strict=True) if axis not in lengths]
    sources += [(letter, np.ones(n, g.dtype)) for letter, n in alone]  # summed over in this term only: spread again
    return einsum(*(x for _, x in sources), subscripts=",".join(t for t, _ in sources) + "->" + terms[i])


@meaning(np.einsum)
def _einsum(subscripts, *operands, optimize=False):
    """NumPy's einsum: fills in the result and the ellipsis, and takes the diagonal where a letter stands twice."""
    if not isinstance(subscripts, str):
        raise NotDifferentiableError(
            "np.einsum on Tensors takes the string form, for example np.einsum('ij,jk->ik', a, b)"
        )
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"np.einsum: {subscripts!r} names {len(terms)} arrays, got {len(operands)}")
    unused = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in subscripts]
    rest = [np.ndim(x) - len(t.replace("...", "")) for t, x in zip(terms, operands, strict=True) if "..." in t]
    dots = "".join(unused[: max(rest, default=0)])
    if dots and arrow and "..." not in result:
        raise ValueError(f"np.einsum: {subscripts!r} has an ellipsis on the left; write one on the right as well")
    terms = [
        t.replace("...", dots[len(dots) - (np.ndim(x) - len(t.replace("...", ""))) :] if "..." in t else "")
        for t, x in zip(terms, operands, strict=True)
    ]
    if arrow:
        result = result.replace("...", dots)
    else:
        letters = "".join(terms)
        result = dots + "".join(sorted(c for c in set(letters) - set(dots) if letters.count(c) == 1))
    terms, arrays = zip(*(_no_letter_twice(t, x) for t, x in zip(terms, operands, strict=True)), strict=True)
    if len(terms) == 1 and set(terms[0]) == set(result):  # nothing is summed: a view, as in NumPy
        return transpose(arrays[0], [terms[0].index(c) for c in result])
    return einsum(*arrays, subscripts=",".join(terms) + "->" + result)


def _no_letter_twice(term, x):
    """The diagonal of x along the axes that share a letter, and the term without the repetition."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            x = diagonal(x, 0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return term, x


# ---- diagonals and triangles ----


def _diagonal_batch(op, xs, kwargs):
    ndim = xs[0].ndim - 1
    axis1, axis2 = (kwargs.get(name, k) for k, name in enumerate(("axis1", "axis2")))
    return op(xs[0], offset=kwargs.get("offset", 0), axis1=axis1 % ndim + 1, axis2=axis2 % ndim + 1)


def _diagonal_rule(g, x_shape, offset=0, axis1=0, axis2=1):
    axes = axis1 % len(x_shape), axis2 % len(x_shape)
    others = tuple(n for k, n in enumerate(x_shape) if k not in axes)
    n, m = x_shape[axis1], x_shape[axis2]
    matrices = scatter(g, index=(..., *_diagonal_indices(n, m, offset)), shape=(*others, n, m))
    return np.moveaxis(matrices, (-2, -1), axes)


diagonal = linear(
    np.diagonal, _diagonal_rule, batch=_diagonal_batch, view=True, formulas=("g on the diagonal of zeros",)
)


def _diagonal_indices(rows, columns, offset):
    n = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    return np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)


@meaning(np.trace)
def _trace(a, offset=0, axis1=0, axis2=1):
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


@meaning(np.diag)
def _diag(v, k=0):
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag takes 1 or 2 dimensions, not {v.ndim}")
    n = v.shape[0] + abs(k)
    return scatter(v, index=_diagonal_indices(n, n, k), shape=(n, n))


@meaning(np.tril)
def _tril(m, k=0):
    return where(np.tri(*m.shape[-2:], k=k, dtype=bool), m, 0)


@meaning(np.triu)
def _triu(m, k=0):
    return where(np.tri(*m.shape[-2:], k=k - 1, dtype=bool), 0, m)
