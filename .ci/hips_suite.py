"""Run HIPS autograd's own test suite on this checkout: its sdist through pip, an environment without HIPS autograd.

    python .ci/hips_suite.py [folder of an unpacked sdist]

Prints what failed and whether that is expected, the share that passed, and fails below 97 % or on anything unexpected.
"""

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

VERSION = "1.9.1"
ENOUGH = 0.97
ROOT = Path(__file__).resolve().parent.parent

# test -> why ours differs; docs/from-hips.md says more, under these words
EXPECTED = {
    "test_wrappers.py::test_custom_where_dtypes[int-True-1-2]": "np.where is NumPy's own",
    "test_wrappers.py::test_custom_where_dtypes[float-True-3.0-4.0]": "np.where is NumPy's own",
    "test_wrappers.py::test_custom_where_dtypes[float-False-1-2.0]": "np.where is NumPy's own",
    "test_wrappers.py::test_custom_where_dtypes[list-True-x3-y3]": "np.where is NumPy's own",
    "test_wrappers.py::test_custom_where": "np.where is NumPy's own",
    "test_wrappers.py::test_wrapped_name_and_docs": "a gradient function keeps the name of its function",
    "test_fft.py::test_rfftn_odd_not_implemented": "rfftn works for odd lengths",
    "test_linalg.py::test_pinv": "private helpers of HIPS autograd's modules",
    **dict.fromkeys(
        (
            f"test_linalg.py::test_eigvalh_{case}"
            for half in ("lower", "upper")
            for case in (half, f"{half}_broadcasting", f"{half}_complex")
        ),
        "eigh takes a symmetric matrix, so its gradient is symmetric",
    ),
    "test_graphs.py::test_assignment_raises_error": "assignment works",
}


def run(*command: str, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run(command, check=True, text=True, **options)


def sources(work: Path) -> Path:
    """The unpacked sdist."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:")
    run(*pip, "--dest", str(work), f"autograd=={VERSION}")
    run("tar", "-xzf", str(work / f"autograd-{VERSION}.tar.gz"), "-C", str(work))
    return work / f"autograd-{VERSION}"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run("cp", "-r", str(sources(work) / "tests"), str(work / "tests"))
        venv.create(work / "venv", with_pip=True)
        python = str(work / "venv" / "bin" / "python")
        run(python, "-m", "pip", "install", "-q", "numpy>=2,<3", "scipy", "pytest", "xarray")
        options = ("-q", "-rfE", "--tb=no", "--continue-on-collection-errors", "-c", os.devnull, "--rootdir", str(work))
        done = subprocess.run(
            [python, "-m", "pytest", *options, "tests"],
            cwd=work, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, capture_output=True, check=False,
        )  # fmt: skip
    return report(done.stdout)


def report(output: str) -> int:
    failed = re.findall(r"^(?:FAILED|ERROR) tests/(\S+)", output, re.MULTILINE)
    passed = sum(map(int, re.findall(r"(\d+) passed", output)))
    unexpected = [name for name in failed if name not in EXPECTED]
    for name in failed:
        print(f"{'not expected' if name in unexpected else 'expected: ' + EXPECTED[name]:60} {name}")
    for name in EXPECTED.keys() - set(failed):
        print(f"{'passes by now, so take it off the list':60} {name}")
    share = passed / max(passed + len(failed), 1)
    print(f"HIPS autograd {VERSION}: {passed} passed, {len(failed)} failed, {share:.1%}")
    if not passed:
        print(output[-2000:])
    return int(bool(unexpected) or share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
