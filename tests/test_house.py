"""The house: which package may import which, what the core may import at all, and what nobody may call."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ("autograd", "nn", "viz")
MAY_IMPORT = {"autograd": set(), "nn": {"autograd"}, "viz": {"autograd"}}
CORE_DEPENDENCIES = {"numpy", "graphviz"}
OPTIONAL = {
    "nn": {"tqdm"},
    "viz": {"IPython", "typst", "PIL"},
}  # imported inside a function, if installed
# imported where they are needed only: nothing else in the house imports these files when it is itself imported
NEEDS_SCIPY = ("autograd/ops/scipy/", "autograd/scipy/", "autograd/optimize.py")
FORBIDDEN_CALLS = {"eval", "exec", "__import__", "compile", "input", "breakpoint"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "socket", "urllib", "http", "ftplib", "ctypes"}

FILES = [file for package in HOUSE for file in sorted((ROOT / package).rglob("*.py"))]
IDS = [str(file.relative_to(ROOT)) for file in FILES]
each_file = pytest.mark.parametrize("file", FILES, ids=IDS)


def package_of(file):
    return file.relative_to(ROOT).parts[0]


def imports(file):
    """(top-level module, whether the import is inside a function, line) of every import statement."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {
        id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(f)
    }
    depth = len(file.relative_to(ROOT).parts) - 1
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= depth, f"{file}:{node.lineno} reaches out of its package"
            names = [node.module] if not node.level else [package_of(file)]
        else:
            continue
        for name in names:
            yield name.split(".")[0], id(node) in inside, node.lineno


def test_there_is_something_to_check():
    assert {package_of(file) for file in FILES} == set(HOUSE)
    assert {module for file in FILES for module, _, _ in imports(file)} >= {"autograd", "numpy"}


@each_file
def test_arrows_run_from_nn_and_viz_to_autograd_and_never_back(file):
    package = package_of(file)
    for module, _, line in imports(file):
        if module in HOUSE and module != package:
            assert module in MAY_IMPORT[package], f"{file}:{line}: {package} must not import {module}"


@each_file
def test_only_numpy_graphviz_and_the_standard_library(file):
    package = package_of(file)
    for module, inside, line in imports(file):
        if module in HOUSE or module in CORE_DEPENDENCIES or module in sys.stdlib_module_names:
            continue
        if module == "scipy" and str(file.relative_to(ROOT)).startswith(NEEDS_SCIPY):
            continue
        assert module in OPTIONAL.get(package, ()), f"{file}:{line} imports {module}, which is no dependency"
        assert inside, f"{file}:{line}: {module} is optional, so import it where it is used"


@each_file
def test_files_are_data_and_the_network_is_not_touched(file):
    for module, _, line in imports(file):
        assert module not in FORBIDDEN_MODULES, f"{file}:{line} imports {module}"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            assert called(node) not in FORBIDDEN_CALLS, f"{file}:{node.lineno} calls {called(node)}()"
            for keyword in node.keywords:
                allowed = keyword.arg != "allow_pickle" or getattr(keyword.value, "value", True) is False
                assert allowed, f"{file}:{node.lineno} allows pickle"


def called(node):
    """The name of a plain call; a method (`re.compile`) has an object before it and does not count."""
    return node.func.id if isinstance(node.func, ast.Name) else ""


@each_file
def test_a_module_opens_with_its_idea(file):
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), f"{file} has no docstring"


@pytest.mark.parametrize("package", HOUSE)
def test_a_package_brings_only_what_it_may(package):
    """What import really loads: also through a dependency, or lazily at import."""
    wanted = {package} | MAY_IMPORT[package]
    code = f"import sys, {package}; print(*sorted(set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    assert loaded & set(HOUSE) <= wanted
    assert not loaded & {"torch", "jax", "matplotlib", "scipy", "IPython", "tqdm", "pytest"}


def test_scipy_is_loaded_where_it_is_asked_for_and_not_before():
    code = (
        "import sys, numpy as np, autograd, nn, viz, autograd.implicit\n"
        "autograd.grad(np.sin)(1.0)\n"
        "try: np.spacing(autograd.Tensor(1.0))\n"
        "except TypeError: pass\n"
        "assert 'scipy' not in sys.modules and 'autograd.ops.scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_packages_say_that_they_are_typed():
    for package in HOUSE:
        assert (ROOT / package / "py.typed").exists()


def test_the_checks_themselves_notice_a_wrong_arrow(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "autograd").mkdir()
    bad = tmp_path / "autograd" / "bad.py"
    for code, check in (
        ("import nn.layers", test_arrows_run_from_nn_and_viz_to_autograd_and_never_back),
        ("def f():\n    from viz import draw", test_arrows_run_from_nn_and_viz_to_autograd_and_never_back),
        ("import scipy.special", test_only_numpy_graphviz_and_the_standard_library),
        ("def f():\n    import scipy", test_only_numpy_graphviz_and_the_standard_library),
        ("import torch", test_only_numpy_graphviz_and_the_standard_library),
        ("def f():\n    import pickle", test_files_are_data_and_the_network_is_not_touched),
        ("eval('1')", test_files_are_data_and_the_network_is_not_touched),
        ("import numpy\nnumpy.load('f', allow_pickle=True)", test_files_are_data_and_the_network_is_not_touched),
        ("from ... import nn", test_arrows_run_from_nn_and_viz_to_autograd_and_never_back),
        ("x = 1", test_a_module_opens_with_its_idea),
    ):
        bad.write_text(code)
        with pytest.raises(AssertionError):
            check(bad)
