"""Side-by-side benchmarks: `python -m benchmarks` prints one table.

Every engine does the same job in one process (HIPS autograd, whose import name is ours, in a worker beside it), with
one thread each. A round times each engine once, one after the other; what counts is the ratio within a round, so a
machine that slows down for a second slows all of them. The table gives medians, with the extremes beside them.
`docs/benchmarks.md` says how to read it.
"""

import os

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NPROC": "1",  # the size of XLA's thread pool
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}


def one_thread() -> None:
    """Hold every numerical library to one thread; works only before they are imported."""
    os.environ.update(ONE_THREAD)
