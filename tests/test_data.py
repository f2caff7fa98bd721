"""The shipped CSV files are MNIST, and data/make_csv.py makes them or says what is wrong."""

import gzip
import hashlib
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


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


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
        assert md5(idx) == source[2] == SUMS[source[0]]


def test_the_readme_counts_are_real(shipped):
    """If this fails, the table of rows and label counts in data/README.md is wrong."""
    name, table = shipped
    counts = " ".join(str(n) for n in np.bincount(table["label"], minlength=10))
    assert f"| `{name}` | {len(table):,} | {counts} |" in README


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_text_is_what_the_script_writes(name):
    """If this fails, the header, the line ends or a checksum in data/README.md is wrong, or the
    script writes other text than the file that is shipped."""
    text = gzip.decompress((DATA / name).read_bytes())
    lines = text[:500_000].split(b"\n")
    assert lines[0].decode() == ",".join(["label"] + [f"pixel{i}" for i in range(784)])
    assert md5(text) == SUMS[name.removesuffix(".gz")]
    rows = np.array([line.split(b",") for line in lines[1:201]], dtype=int).astype(np.uint8)
    made = make_csv.csv_lines(rows[:, 1:].tobytes(), rows[:, 0].tobytes())
    assert "".join(made).encode() == b"".join(line + b"\n" for line in lines[:201])


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_gzip_holds_no_time_and_no_name(name):
    """If this fails, making the file again would give other bytes each time."""
    start = (DATA / name).read_bytes()[:9]
    assert start == b"\x1f\x8b\x08" + b"\x00" + b"\x00" * 4 + b"\x02"  # no name, time 0, -9


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
            small.append((file, rows, md5(data)))
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


def drop(folder):
    (folder / LABELS).unlink()


def cut(folder):
    (folder / IMAGES).write_bytes((folder / IMAGES).read_bytes()[:-5])


def cut_gzip(folder):
    packed = gzip.compress((folder / IMAGES).read_bytes())
    (folder / IMAGES).unlink()
    (folder / f"{IMAGES}.gz").write_bytes(packed[: len(packed) // 2])


def damage_gzip(folder):
    packed = bytearray(gzip.compress((folder / IMAGES).read_bytes()))
    packed[len(packed) // 2] ^= 0xFF
    (folder / IMAGES).write_bytes(packed)


def damage_checksum(folder):
    packed = bytearray(gzip.compress((folder / IMAGES).read_bytes()))
    packed[-8] ^= 0xFF
    (folder / IMAGES).write_bytes(packed)


def swap(folder):
    (folder / IMAGES).write_bytes((folder / LABELS).read_bytes())


def other_digits(folder):
    data = bytearray((folder / IMAGES).read_bytes())
    data[100] ^= 1
    (folder / IMAGES).write_bytes(data)


def too_long(folder):
    (folder / IMAGES).write_bytes((folder / IMAGES).read_bytes() + b"more")


def web_page(folder):
    (folder / LABELS).write_text("<!DOCTYPE html>")


def empty(folder):
    (folder / LABELS).write_bytes(b"")


@pytest.mark.parametrize(
    "spoil, says",
    [
        (drop, f"has neither {LABELS} nor {LABELS}.gz: get the file"),
        (cut, "is cut short, with 23531 of 23536 bytes: get it again"),
        (cut_gzip, f"{IMAGES}.gz is cut short inside its gzip data: get it again"),
        (damage_gzip, "is damaged gzip"),
        (damage_checksum, "is damaged gzip"),
        (swap, f"is not an IDX file of images: get MNIST's {IMAGES}"),
        (other_digits, f"is not MNIST's {IMAGES}: its MD5 sum is"),
        (too_long, f"is not MNIST's {IMAGES}: its MD5 sum is"),
        (web_page, f"is not an IDX file of labels: get MNIST's {LABELS}"),
        (empty, f"is not an IDX file of labels: get MNIST's {LABELS}"),
    ],
)
def test_bad_input_gets_one_sentence_and_changes_nothing(spoil, says, idx, out):
    """If this fails, a wrong file is taken for MNIST, or a failure loses what was there."""
    spoil(idx)
    with pytest.raises(SystemExit) as end:
        run(idx, out)
    sentence = end.value.code  # a text: Python prints it on stderr and exits with 1
    assert says in sentence and sentence.endswith(".") and "\n" not in sentence
    assert {path.name: path.read_bytes() for path in out.iterdir()} == dict.fromkeys(NAMES, b"old")


@pytest.mark.parametrize("which", ["in", "out"])
def test_a_missing_folder_is_named(which, idx, out, tmp_path):
    """If this fails, a mistyped folder ends in a traceback, or is silently made."""
    none = tmp_path / "none"
    with pytest.raises(SystemExit, match="There is no folder .*none: check its name"):
        run(*((none, out) if which == "in" else (idx, none)))
    assert not none.exists()


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
    script = [sys.executable, str(DATA / "make_csv.py")]
    ran = subprocess.run([*script, str(tmp_path / "none")], capture_output=True, text=True)
    assert ran.returncode == 1 and ran.stdout == ""
    assert re.fullmatch(r"make_csv\.py: There is no folder .*: check its name\.\n", ran.stderr)
    ran = subprocess.run([*script, "--help"], capture_output=True, text=True)
    assert ran.returncode == 0 and "the folder with the four IDX files" in ran.stdout
