"""Make an operator on functions of one argument work on functions of several: HIPS autograd's `unary_to_nary`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

Function = Callable[..., Any]


def unary_to_nary(unary_operator: Function) -> Function:
    """operator(f, x) becomes operator(f, argnum=0, ...)(*args, **kwargs), which varies the chosen arguments only."""

    @functools.wraps(unary_operator)
    def nary_operator(fun: Function, argnum: int | Sequence[int] = 0, *rest: Any, **options: Any) -> Function:
        numbers = [argnum] if isinstance(argnum, int) else list(argnum)

        def of_arguments(*args: Any, **kwargs: Any) -> Any:
            @functools.wraps(fun)
            def of_one(x: Any) -> Any:
                call = list(args)
                for k, value in zip(numbers, [x] if isinstance(argnum, int) else x, strict=True):
                    call[k] = value
                return fun(*call, **kwargs)

            x = args[argnum] if isinstance(argnum, int) else tuple(args[k] for k in numbers)
            return unary_operator(of_one, x, *rest, **options)

        of_arguments.__name__ = f"{get_name(unary_operator)}_of_{get_name(fun)}_wrt_argnum_{argnum}"
        return of_arguments

    return nary_operator


def wraps(fun: Function, namestr: str = "{fun}", docstr: str = "{doc}", **names: Any) -> Callable[[Function], Function]:
    """Decorator: give a function the name and docstring of `fun`, in these formats."""

    def named(f: Function) -> Function:
        f.__name__ = namestr.format(fun=get_name(fun), **names)
        f.__doc__ = docstr.format(fun=get_name(fun), doc=get_doc(fun), **names)
        return f

    return named


def get_name(f: Any) -> str:
    """The name of a function, as far as it has one."""
    return getattr(f, "__name__", "[unknown name]")


def get_doc(f: Any) -> str:
    """The docstring of a function, or ''."""
    return getattr(f, "__doc__", "") or ""
