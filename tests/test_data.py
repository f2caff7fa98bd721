"""The shipped CSV files are MNIST, and data/make_csv.py makes them or says what is wrong."""

import gzip
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import make_csv

DATA = Path(make_csv.__file__).parent
README = (DATA / "README.md").read_text(encoding="utf-8")
SUMS = dict(re.findall(r"^\| `(\S+)` \| ([0-9a-f]{32}) \|$", README, re.MULTILINE))
NAMES = list(make_csv.SOURCES)
GZIP = b"\x1f\x8b\x08\0\0\0\0\0\x02"  # how gzip -9 begins with no name and no time in it


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_files_are_mnist_as_the_script_writes_it(name):
    """If this fails, a pixel, a label or the order of the rows is not MNIST's, data/README.md
    counts or sums up something else, or the script no longer makes the file that is shipped."""
    packed = (DATA / name).read_bytes()
    assert packed.startswith(GZIP)
    text = gzip.decompress(packed)
    assert make_csv.md5(text) == SUMS[name.removesuffix(".gz")]
    table = pd.read_csv(io.BytesIO(text), dtype=np.uint8)
    images, labels = table.to_numpy()[:, 1:], table["label"].to_numpy()
    for source, values in zip(make_csv.SOURCES[name], (images, labels), strict=True):
        idx = make_csv.idx_header(*source[:2]) + values.tobytes()
        assert make_csv.md5(idx) == source[2] == SUMS[source[0]]
    counts = " ".join(str(n) for n in np.bincount(labels, minlength=10))
    assert f"| `{name}` | {len(table):,} | {counts} |" in README
    made = "".join(make_csv.csv_lines(images[:200].tobytes(), labels[:200].tobytes()))
    assert text.startswith(made.encode()) and made.count("\n") == 201


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four small IDX files of noise, whose sums make_csv expects, and two CSV files of before."""
    rng = np.random.default_rng(0)
    for name, pair in make_csv.SOURCES.items():
        small = []
        for (file, _, _), size, top in zip(pair, (20 * 784, 20), (256, 10), strict=True):
            data = rng.integers(0, top, size, dtype=np.uint8).tobytes()
            data = make_csv.idx_header(file, 20) + data
            (tmp_path / file).write_bytes(data)
            small.append((file, 20, make_csv.md5(data)))
        monkeypatch.setitem(make_csv.SOURCES, name, tuple(small))
        (tmp_path / name).write_bytes(b"old")
    return tmp_path


def run(folder):
    """The bytes of the CSV files in the folder after the command."""
    make_csv.main([str(folder), "--out", str(folder)])
    return [(folder / name).read_bytes() for name in NAMES]


def test_the_numbers_arrive_in_order_and_the_bytes_repeat(folder):
    """If this fails, the script mixes up rows, pixels or labels, or its result depends on more
    than the digits."""
    first = run(folder)
    assert all(packed.startswith(GZIP) for packed in first)
    for name, (images, labels) in make_csv.SOURCES.items():
        table = pd.read_csv(folder / name, dtype=np.uint8)
        for (file, rows, _), values in ((images, table.iloc[:, 1:]), (labels, table["label"])):
            data = make_csv.idx_header(file, rows) + values.to_numpy().tobytes()
            assert (folder / file).read_bytes() == data
            (folder / file).unlink()
            (folder / f"{file}.gz").write_bytes(gzip.compress(data))
    assert run(folder) == first  # now from gzipped files


def test_a_wrong_or_missing_file_gets_one_sentence_and_changes_nothing(folder):
    """If this fails, a wrong file is taken for MNIST, or a failure loses what was there."""
    images = folder / "t10k-images-idx3-ubyte"
    data = bytearray(images.read_bytes())
    data[100] ^= 1
    images.write_bytes(data)
    wrong = f"{images} is not MNIST's {images.name}: its MD5 sum is"
    for says in (wrong, f"{folder} has neither {images.name} nor {images.name}.gz: get the file"):
        with pytest.raises(SystemExit) as end:
            run(folder)
        sentence = end.value.code  # a text: Python prints it on stderr and exits with 1
        assert says in sentence and sentence.endswith(".") and "\n" not in sentence
        images.unlink(missing_ok=True)
    assert all((folder / name).read_bytes() == b"old" for name in NAMES)
