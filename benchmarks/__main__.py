"""The door of `python -m benchmarks`: threads are settled before anything numerical is imported."""

import sys

from benchmarks import one_thread

one_thread()

from benchmarks.cli import main  # noqa: E402  BLAS and XLA read the thread variables when they load

sys.exit(main())
