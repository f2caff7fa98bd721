"""The shipped CSV files are MNIST, and data/make_csv.py makes them or says what is wrong."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import make_csv

DATA = Path(make_csv.__file__).parent
README = (DATA / "README.md").read_text(encoding="utf-8")
SUMS = dict(re.findall(r"^\| `(\S+)` \| ([0-9a-f]{32}) \|$", README, re.MULTILINE))
NAMES = list(make_csv.SOURCES)


@pytest.fixture(scope="module", params=NAMES)
def shipped(request):
    """(file name, its table) for each shipped file, read as the notebook reads it."""
    return request.param, pd.read_csv(DATA / request.param, dtype=np.uint8)


def test_the_shipped_files_are_mnist(shipped):
    """If this fails, a pixel, a label or the order of the rows is not MNIST's."""
    name, table = shipped
    images, labels = table.to_numpy()[:, 1:], table["label"].to_numpy()
    for source, values in zip(make_csv.SOURCES[name], (images, labels), strict=True):
        idx = make_csv.idx_header(*source[:2]) + values.tobytes()
        assert make_csv.md5(idx) == source[2] == SUMS[source[0]]


def test_the_readme_counts_are_real(shipped):
    """If this fails, the table of rows and label counts in data/README.md is wrong."""
    name, table = shipped
    counts = " ".join(str(n) for n in np.bincount(table["label"], minlength=10))
    assert f"| `{name}` | {len(table):,} | {counts} |" in README


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_text_is_what_the_script_writes(name):
    """If this fails, the header, the line ends or a checksum in data/README.md is wrong, or the
    script writes other text than the file that is shipped."""
    packed = (DATA / name).read_bytes()
    assert packed[:9] == b"\x1f\x8b\x08\0\0\0\0\0\x02"  # no name, time 0, -9: the same each time
    text = gzip.decompress(packed)
    lines = text[:500_000].split(b"\n")
    assert lines[0].decode() == ",".join(["label"] + [f"pixel{i}" for i in range(784)])
    assert make_csv.md5(text) == SUMS[name.removesuffix(".gz")]
    rows = np.array([line.split(b",") for line in lines[1:201]], dtype=int).astype(np.uint8)
    made = make_csv.csv_lines(rows[:, 1:].tobytes(), rows[:, 0].tobytes())
    assert "".join(made).encode() == b"".join(line + b"\n" for line in lines[:201])


# A small stand-in for MNIST: the same four names with 30 and 20 rows of noise.


@pytest.fixture
def idx(tmp_path, monkeypatch):
    """A folder with four small IDX files, plain; make_csv expects their sums."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "idx"
    folder.mkdir()
    sources = {}
    for (name, pair), rows in zip(make_csv.SOURCES.items(), (30, 20), strict=True):
        small = []
        for (file, _, _), values in zip(pair, (256, 10), strict=True):
            shape = (rows, 784) if values == 256 else rows
            data = rng.integers(0, values, shape, dtype=np.uint8).tobytes()
            data = make_csv.idx_header(file, rows) + data
            (folder / file).write_bytes(data)
            small.append((file, rows, make_csv.md5(data)))
        sources[name] = tuple(small)
    monkeypatch.setattr(make_csv, "SOURCES", sources)
    return folder


@pytest.fixture
def out(tmp_path):
    """An output folder that already holds two files worth keeping."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(b"old")
    return folder


def run(folder, out):
    make_csv.main([str(folder), "--out", str(out)])


def test_plain_and_gzipped_input_give_the_same_bytes_each_time(idx, out):
    """If this fails, the result depends on more than the digits."""
    run(idx, out)
    first = [(out / name).read_bytes() for name in NAMES]
    for path in list(idx.iterdir()):
        with gzip.open(f"{path}.gz", "wb") as packed:
            packed.write(path.read_bytes())
        path.unlink()
    run(idx, out)
    assert [(out / name).read_bytes() for name in NAMES] == first
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)


def test_the_numbers_arrive_in_order(idx, out):
    """If this fails, the script mixes up rows, pixels or labels."""
    run(idx, out)
    for name, (images, labels) in make_csv.SOURCES.items():
        table = pd.read_csv(out / name, dtype=np.uint8)
        for (file, rows, _), values in ((images, table.iloc[:, 1:]), (labels, table["label"])):
            header = make_csv.idx_header(file, rows)
            assert (idx / file).read_bytes() == header + values.to_numpy().tobytes()


IMAGES, LABELS = "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def missing(folder):
    (folder / LABELS).unlink()


def cut_short(folder):
    packed = gzip.compress((folder / IMAGES).read_bytes())
    (folder / IMAGES).unlink()
    (folder / f"{IMAGES}.gz").write_bytes(packed[: len(packed) // 2])


def other_digits(folder):
    data = bytearray((folder / IMAGES).read_bytes())
    data[100] ^= 1
    (folder / IMAGES).write_bytes(data)


@pytest.mark.parametrize("spoil, says", [
    (missing, f"has neither {LABELS} nor {LABELS}.gz: get the file"),
    (cut_short, f"{IMAGES}.gz is cut short inside its gzip data: get it again"),
    (other_digits, f"is not MNIST's {IMAGES}: its MD5 sum is"),
])  # fmt: skip
def test_bad_input_gets_one_sentence_and_changes_nothing(spoil, says, idx, out):
    """If this fails, a wrong file is taken for MNIST, or a failure loses what was there."""
    spoil(idx)
    with pytest.raises(SystemExit) as end:
        run(idx, out)
    sentence = end.value.code  # a text: Python prints it on stderr and exits with 1
    assert says in sentence and sentence.endswith(".") and "\n" not in sentence
    assert {path.name: path.read_bytes() for path in out.iterdir()} == dict.fromkeys(NAMES, b"old")


def test_a_failed_write_keeps_the_old_file(idx, out, monkeypatch):
    """If this fails, a full disk destroys the file that was there."""

    def full(part, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(make_csv.os, "replace", full)
    with pytest.raises(SystemExit, match="cannot be written: No space left on device"):
        run(idx, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == dict.fromkeys(NAMES, b"old")


def test_the_command_line_says_it_on_stderr_and_exits_with_1(tmp_path):
    """If this fails, the script cannot be run as data/README.md says, or fails unnoticed."""
    script = [sys.executable, str(DATA / "make_csv.py"), str(tmp_path / "none")]
    ran = subprocess.run(script, capture_output=True, text=True)
    assert ran.returncode == 1 and ran.stdout == ""
    assert re.fullmatch(r"make_csv\.py: There is no folder .*: check its name\.\n", ran.stderr)
