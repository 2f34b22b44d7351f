"""Two sequences side by side: which elements correspond, in the order of both.

Elements are compared by tokens on several levels, from all that is known of them down to little: what the first level
leaves unmatched is tried with the next, only between the neighbours that are matched already. On each level the longest
common subsequence is found as by Myers (An O(ND) Difference Algorithm, 1986), in pieces: after `REACH` differences the
best way so far is kept and the search starts again from its end. So the work grows with the length, not its square.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

REACH = 200  # differences that one piece of the search looks over

Tokens = Sequence[Hashable]
Pair = tuple[int, int]


def align(levels: Sequence[tuple[Tokens, Tokens]]) -> list[Pair]:
    """The corresponding places in two sequences, in order. `levels`: the tokens of both, from strict to loose."""
    pairs: list[Pair] = []
    for a, b in levels:
        found: list[Pair] = []
        i = j = 0
        for next_i, next_j in (*pairs, (len(a), len(b))):
            found += [(i + p, j + q) for p, q in common(a[i:next_i], b[j:next_j])]
            found.append((next_i, next_j))
            i, j = next_i + 1, next_j + 1
        pairs = found[:-1]  # without the end
    return pairs


def common(a: Tokens, b: Tokens) -> list[Pair]:
    """A common subsequence, the longest where the two are not too different."""
    if not a or not b:
        return []
    stop = min(len(a), len(b))
    head = next((k for k in range(stop) if a[k] != b[k]), stop)
    tail = next((k for k in range(stop - head) if a[-1 - k] != b[-1 - k]), stop - head)
    inner_a = _known(a, head, len(a) - tail, set(b[head : len(b) - tail]))
    inner_b = _known(b, head, len(b) - tail, set(a[head : len(a) - tail]))
    middle = _pieces([a[i] for i in inner_a], [b[j] for j in inner_b])
    return [
        *((k, k) for k in range(head)),
        *((inner_a[i], inner_b[j]) for i, j in middle),
        *((len(a) - k, len(b) - k) for k in range(tail, 0, -1)),
    ]


def _known(tokens: Tokens, start: int, stop: int, others: set[Hashable]) -> list[int]:
    """The places of tokens that the other sequence has too: only they can match."""
    return [k for k in range(start, stop) if tokens[k] in others]


def _pieces(a: Tokens, b: Tokens) -> list[Pair]:
    found: list[Pair] = []
    x = y = 0
    while x < len(a) and y < len(b):
        pairs, (x, y) = _search(a, b, x, y)
        found += pairs
    return found


def _search(a: Tokens, b: Tokens, x0: int, y0: int) -> tuple[list[Pair], Pair]:
    """Myers' search from (x0, y0): the matches on the best way, and where that way ends."""
    furthest = {1: x0}  # diagonal x - x0 - (y - y0) -> x
    history: list[dict[int, int]] = []
    for d in range(REACH + 1):
        history.append(dict(furthest))
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            y = y0 + (x - x0) - k
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            furthest[k] = x
            if x >= len(a) and y >= len(b):
                return _way(history, k, x, x0, y0), (x, y)
    inside = {k: x for k, x in furthest.items() if (k + REACH) % 2 == 0 and x <= len(a) and y0 + x - x0 - k <= len(b)}
    k = max(inside, key=lambda k: (2 * inside[k] - k, -abs(k)))
    return _way(history, k, inside[k], x0, y0), (inside[k], y0 + inside[k] - x0 - k)


def _way(history: list[dict[int, int]], k: int, x: int, x0: int, y0: int) -> list[Pair]:
    """The matches on the way that reaches x on diagonal k, backwards through the rounds of the search."""
    pairs: list[Pair] = []
    for d in range(len(history) - 1, -1, -1):
        before = history[d]
        down = k == -d or (k != d and before[k - 1] < before[k + 1])
        start = before[k + 1] if down else before[k - 1] + 1
        pairs += [(i, y0 + i - x0 - k) for i in range(x - 1, start - 1, -1)]
        k, x = (k + 1, start) if down else (k - 1, start - 1)
    return pairs[::-1]
