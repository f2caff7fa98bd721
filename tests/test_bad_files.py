"""A learner who names a wrong file gets one sentence that says what is wrong and what to do."""

import bz2
import gzip
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import checks

ROOT = Path(__file__).resolve().parent.parent
HEADER = ",".join(["label"] + [f"pixel{i}" for i in range(784)])


def line(label=3, **pixels):
    """One line of a CSV of digits; line(pixel5="x") puts x there."""
    values = [str(label)] + ["0"] * 784
    for name, value in pixels.items():
        values[1 + int(name.removeprefix("pixel"))] = value
    return ",".join(values)


def text(*lines, header=HEADER):
    return "\n".join([header, *lines]) + "\n"


def read_digits(path):
    """As in the notebook."""
    try:
        digits = pd.read_csv(path, dtype=np.uint8)
    except Exception as error:
        raise checks.unreadable(path, error) from None
    checks.digits(digits, path)
    return digits


def columns(*names):
    return ",".join(names)


PIXELS = HEADER.split(",")[1:]
GOOD = [line(i % 10, pixel400="255") for i in range(30)]
PACKED = gzip.compress(text(*GOOD * 200).encode())
BAD_LINES = text(*GOOD[:3], "", line(7, pixel5="{}"), *GOOD[:3])  # the bad line is line 6

# (case, file name, content, what the sentence must say: what is wrong, what to do)
CASES = [
    ("empty file", "a.csv", "", ["is empty", "get the file again"]),
    ("empty gzip", "a.csv.gz", gzip.compress(b""), ["empty first line", "must be label"]),
    ("blank lines only", "a.csv", "\n\n", ["empty first line", "must be label"]),
    ("header and no rows", "a.csv", HEADER + "\n", ["header but no rows", "get the file again"]),
    ("no header", "a.csv", "\n".join(GOOD), ["has no header", "already a digit", "add a first "
     "line"]),
    ("no header, one row", "a.csv", GOOD[0], ["has no header", "add a first line"]),
    ("missing column", "a.csv", text(*[g[:-2] for g in GOOD], header=HEADER.rsplit(",", 1)[0]),
     ["lacks the column pixel783:", "get the whole file"]),
    ("missing columns", "a.csv", text("1,2", header="label,pixel0"),
     ["lacks the column pixel1 and 782 more", "get the whole file"]),
    ("renamed column", "a.csv", text(*GOOD, header=HEADER.replace("pixel7,", "px7,")),
     ["has a column 'px7' but no pixel7", "rename it"]),
    ("renamed label", "a.csv", text(*GOOD, header=HEADER.replace("label", "digit")),
     ["has a column 'digit' but no label", "rename it"]),
    ("pixels counted from 1", "a.csv",
     text(*GOOD, header=columns("label", *(f"pixel{i}" for i in range(1, 785)))),
     ["counts its pixels from 1", "rename"]),
    ("extra column", "a.csv", text(*[g + ",1" for g in GOOD], header=HEADER + ",id"),
     ["a column too many, 'id'", "delete it"]),
    ("column twice", "a.csv", text(*[g + ",1" for g in GOOD], header=HEADER + ",pixel0"),
     ["a column too many, 'pixel0", "delete it"]),
    ("index saved by pandas", "a.csv", text(*["0," + g for g in GOOD], header="," + HEADER),
     ["a column too many", "delete it"]),
    ("label last", "a.csv", text(*GOOD, header=columns(*PIXELS, "label")),
     ["another order", "sort them"]),
    ("semicolons", "a.csv", text(*GOOD).replace(",", ";"), ["separated by semicolons",
     "with commas"]),
    ("tabs", "a.csv", text(*GOOD).replace(",", "\t"), ["separated by tabs", "with commas"]),
    ("missing value", "a.csv", BAD_LINES.format(""), ["line 6", "pixel5 is missing", "mend that "
     "line"]),
    ("missing value, NA", "a.csv", BAD_LINES.format("NA"), ["line 6", "pixel5 is missing",
     "mend that line"]),
    ("text in a pixel", "a.csv", BAD_LINES.format("black"), ["line 6", "pixel5 holds the text "
     "'black'", "mend"]),
    ("pixel above 255", "a.csv", BAD_LINES.format("256"), ["line 6", "pixel5 holds 256",
     "0 to 255", "mend"]),
    ("pixel below 0", "a.csv", BAD_LINES.format("-1"),
     ["line 6", "pixel5 holds -1", "0 to 255", "mend"]),
    ("fractional pixel", "a.csv", BAD_LINES.format("0.5"), ["line 6", "pixel5 holds 0.5",
     "whole number"]),
    ("infinite pixel", "a.csv", BAD_LINES.format("inf"), ["line 6", "pixel5 holds inf",
     "whole number"]),
    ("huge pixel", "a.csv", BAD_LINES.format("9" * 30), ["line 6", "pixel5 holds 9999",
     "0 to 255"]),
    ("the same in gzip", "a.csv.gz", gzip.compress(BAD_LINES.format("300").encode()),
     ["line 6", "pixel5 holds 300", "mend"]),
    ("label above 9", "a.csv", text(*GOOD[:2], line(10)),
     ["line 4", "label holds 10", "0 to 9", "mend"]),
    ("label 200", "a.csv", text(line(200)), ["line 2", "label holds 200", "0 to 9", "mend"]),
    ("letter as label", "a.csv", text(*GOOD[:2], line("A")), ["line 4", "label holds the text "
     "'A'", "mend"]),
    ("missing label", "a.csv", text(*GOOD[:2], line("")), ["line 4", "label is missing", "mend"]),
    ("one value too few", "a.csv", text(*GOOD[:4], GOOD[0][:-2]), ["line 6", "784 values instead "
     "of 785", "mend"]),
    ("one value too many", "a.csv", text(*GOOD[:4], GOOD[0] + ",0"), ["line 6", "786 values "
     "instead", "mend"]),
    ("one too many in every line: pandas says nothing", "a.csv", text(*[g + ",0" for g in GOOD]),
     ["line 2", "786 values instead of 785", "mend"]),
    ("two too many in every line", "a.csv", text(*[g + ",0,0" for g in GOOD]), ["line 2",
     "787 values", "mend"]),
    ("cut in mid-line", "a.csv", text(*GOOD)[:-700], ["line 31", "values instead of 785", "mend"]),
    ("Kaggle's test.csv", "test.csv", text(*[g[2:] for g in GOOD], header=columns(*PIXELS)),
     ["has no labels, like Kaggle's test.csv", "TEST_CSV = None"]),
    ("truncated gzip", "a.csv.gz", PACKED[: len(PACKED) // 2], ["damaged or cut short", "again"]),
    ("gzip cut after 30 bytes", "a.csv.gz", PACKED[:30], ["damaged or cut short", "again"]),
    ("damaged gzip", "a.csv.gz", PACKED[:4000] + b"\xff" * 40 + PACKED[4040:], ["damaged or cut "
     "short", "again"]),
    ("gzip with a wrong checksum", "a.csv.gz", PACKED[:-8] + b"\0" * 8,
     ["damaged or cut short", "again"]),
    ("not gzip, named .gz", "a.csv.gz", text(*GOOD), ["named .gz but is not", "take .gz off"]),
    ("gzip, not named so", "a.csv", PACKED, ["is compressed with gzip", "add .gz"]),
    ("a zip archive", "a.csv.zip", b"PK\x03\x04" + b"\0" * 100, ["zip archive", "unpack it"]),
    ("a damaged bz2", "a.csv.bz2", bz2.compress(text(*GOOD).encode())[:60], ["damaged or cut "
     "short", "again"]),
    ("UTF-16", "a.csv", text(*GOOD).encode("utf-16"), ["is not text", "UTF-8"]),
    ("a picture", "a.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), ["is not text",
     "name another file"]),
    ("Latin-1 in the middle", "a.csv", text(*GOOD, "\xe9").encode("latin-1"), ["line 32: it is "
     "not text", "UTF-8"]),
    ("a web page", "a.csv", "<!DOCTYPE html>\n<html><body>Not found</body></html>\n",
     ["a.csv", "pixel0"]),
]  # fmt: skip


def one_sentence(message, path):
    assert str(path) in message
    rest = message.replace(str(path), "FILE").replace("pixel0,...,pixel783", "COLUMNS")
    rest = rest.replace("pixel1...pixel784", "COLUMNS").replace("test.csv", "TEST")
    assert message.endswith(".") and not re.search(r"[.?!]\s", rest), message
    assert "\n" not in message and len(rest) < 260, message


@pytest.mark.parametrize(
    ("case", "name", "content", "says"), CASES, ids=[case[0] for case in CASES]
)
def test_a_bad_file_gets_one_sentence(case, name, content, says, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError) as caught:
        read_digits(str(path))
    message = str(caught.value)
    one_sentence(message, path)
    for words in says:
        assert words in message, message


def test_a_missing_file_and_a_folder_get_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file .* mend the path") as caught:
        read_digits(str(tmp_path / "train.csv.gz"))
    one_sentence(str(caught.value), tmp_path / "train.csv.gz")
    with pytest.raises(ValueError, match="is a folder: name the CSV file in it") as caught:
        read_digits(str(tmp_path))
    one_sentence(str(caught.value), tmp_path)


def test_a_file_that_may_not_be_read_gets_one_sentence(tmp_path, monkeypatch):
    """The superuser may read every file, so the refusal is played."""
    (tmp_path / "a.csv").write_text(text(*GOOD))

    def refuse(path, *arguments, **keywords):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    message = str(checks.unreadable(tmp_path / "a.csv", PermissionError("Permission denied")))
    assert "may not be read: change its permissions" in message
    one_sentence(message, tmp_path / "a.csv")


def test_what_nobody_foresaw_still_names_the_file_and_the_error(tmp_path):
    (tmp_path / "a.csv").write_text(text(*GOOD))
    message = str(checks.unreadable(tmp_path / "a.csv", MemoryError("no room. At all.")))
    assert "MemoryError: no room" in message
    one_sentence(message, tmp_path / "a.csv")


@pytest.mark.parametrize(("name", "content"), [
    ("plain.csv", text(*GOOD)),
    ("no newline at the end.csv", text(*GOOD)[:-1]),
    ("one row.csv", text(GOOD[0])),
    ("windows.csv", text(*GOOD).replace("\n", "\r\n")),
    ("blank lines.csv", text(*GOOD[:3], "", *GOOD[:3], "")),
    ("byte order mark.csv", b"\xef\xbb\xbf" + text(*GOOD).encode()),
    ("quoted.csv", text(*GOOD, header='"label",' + HEADER.split(",", 1)[1])),
    ("packed.csv.gz", PACKED),
    ("packed.csv.bz2", bz2.compress(text(*GOOD).encode())),
])  # fmt: skip
def test_a_good_file_passes_whatever_its_line_ends(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_digits(path)
    assert table.shape[1] == 785 and set(table.dtypes) == {np.dtype(np.uint8)}


def test_the_check_of_60000_rows_costs_under_a_tenth_of_a_second():
    table = pd.DataFrame(np.zeros((60_000, 785), dtype=np.uint8), columns=HEADER.split(","))
    start = time.perf_counter()
    checks.digits(table, "train.csv")
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(("m", "held_out"), [(1, 0), (1000, 0), (11_000, 10_000), (1001, 10_000)])
def test_too_few_rows_get_one_sentence(m, held_out):
    with pytest.raises(
        ValueError,
        match=r"^The train file has only [^.]*: use a file with more "
        r"than [^.]*\.$",
    ):
        checks.enough_rows(m, held_out=held_out, dev=1000)


@pytest.mark.parametrize(("m", "held_out"), [(1001, 0), (11_001, 10_000), (60_000, 0)])
def test_enough_rows_pass(m, held_out):
    assert checks.enough_rows(m, held_out=held_out, dev=1000) is None


# --- setup ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder as it must be, with a plain train and test file."""
    (tmp_path / "helpers.py").touch()
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "test.csv"):
        (tmp_path / "data" / name).write_text(text(*GOOD))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failed_setup(error, *paths):
    with pytest.raises(error) as caught:
        checks.setup(*paths)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    return message


def test_setup_prints_one_line_without_versions_or_paths(folder, capsys):
    checks.setup("data/train.csv", "data/test.csv")
    first = capsys.readouterr().out
    checks.setup("data/train.csv", None)
    second = capsys.readouterr().out
    assert re.fullmatch(r"Ready: [^\n\d/]*\.\n", first)
    assert second.count("\n") == 1 and "10,000 rows will be held out" in second


def test_setup_says_when_the_folder_is_wrong(folder):
    (folder / "helpers.py").unlink()
    assert "not in the working folder: open mnist-scratch" in failed_setup(
        FileNotFoundError, "data/train.csv", None
    )


def test_setup_says_when_a_file_is_missing_or_has_a_wrong_header(folder):
    for paths in [("data/no.csv", None), ("data/train.csv", "data/no.csv")]:
        assert "There is no file data/no.csv" in failed_setup(FileNotFoundError, *paths)
    Path("data/test.csv").write_text(text(*GOOD, header=columns(*PIXELS)))
    message = failed_setup(ValueError, "data/train.csv", "data/test.csv")
    assert "data/test.csv has no labels, like Kaggle's test.csv" in message
    Path("data/train.csv").write_text("\n".join(GOOD))
    assert "has no header" in failed_setup(ValueError, "data/train.csv", None)


def test_setup_reads_no_pixel_of_the_test_file(folder):
    """A test file whose rows are all nonsense passes, so only its header was looked at."""
    Path("data/test.csv").write_text(HEADER + "\nnonsense\n")
    checks.setup("data/train.csv", "data/test.csv")


def test_setup_says_when_a_package_or_python_is_missing_or_too_old(folder, monkeypatch):
    monkeypatch.setitem(checks.data.FLOORS, "numpy", "99.0")
    assert "numpy is " in failed_setup(RuntimeError, "data/train.csv", None)
    monkeypatch.setitem(checks.data.FLOORS, "numpy", "2.0")
    monkeypatch.setitem(checks.data.FLOORS, "no-such-package", "1.0")
    message = failed_setup(RuntimeError, "data/train.csv", None)
    assert "no-such-package is missing but must be 1.0 or later: run pip install" in message
    monkeypatch.setattr(checks.data, "PYTHON_FLOOR", (9, 9))
    assert "install Python 9.9 or later" in failed_setup(RuntimeError, "data/train.csv", None)


def test_floors_are_those_of_requirements_and_ruff():
    """Fails when a floor is raised in one place only."""
    floors = dict(re.findall(r"^([\w-]+)>=([\d.]+)", (ROOT / "requirements.txt").read_text(), re.M))
    assert checks.data.FLOORS == {name: floors[name] for name in checks.data.FLOORS}
    target = "py" + "".join(map(str, checks.data.PYTHON_FLOOR))
    assert f'target-version = "{target}"' in (ROOT / ".ruff.toml").read_text()


def test_checks_needs_numpy_only(tmp_path):
    """setup must be able to say that another package is missing, so importing checks needs none."""
    shutil.copytree(ROOT / "checks", tmp_path / "checks")
    code = "import sys, checks; print({'pandas', 'sklearn', 'matplotlib'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert out.stdout == "set()\n", out.stderr
