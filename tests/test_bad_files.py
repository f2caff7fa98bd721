"""A learner who names a wrong file gets one sentence that says what is wrong and what to do."""

import bz2
import gzip
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import checks
from checks import data

ROOT = Path(__file__).resolve().parent.parent
HEADER = ",".join(["label"] + [f"pixel{i}" for i in range(784)])
PIXELS = HEADER.removeprefix("label,")


def line(label=3, pixel5="0"):
    return ",".join([str(label), *["0"] * 5, pixel5, *["0"] * 778])


def text(*lines, header=HEADER):
    return "\n".join([header, *lines]) + "\n"


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text(*GOOD))
    return file.getvalue()


def read_digits(path):
    """As in the notebook."""
    try:
        table = pd.read_csv(path, dtype=np.uint8)
    except Exception as error:
        raise checks.unreadable(path, error) from None
    checks.digits(table, path)
    return table


GOOD = [line(i % 10, "255") for i in range(30)]
PACKED = gzip.compress(text(*GOOD * 200).encode())
BAD = text(*GOOD[:3], "", line(7, "{}"), *GOOD[:3])  # the bad line is line 6
FROM_1 = "label," + ",".join(f"pixel{i}" for i in range(1, 785))
ZIP = zipped("train.csv")
SHORT, LONG = [each[:-2] for each in GOOD], [each + ",0" for each in GOOD]

# case: (content, what the sentence must say, pieces between "...")
CASES = {
    "empty file": ("", "is empty ... get the file again"),
    "blank lines only": ("\n\n", "empty first line ... must be label"),
    "no rows": (HEADER + "\n", "header but no rows ... get the file again"),
    "no header": ("\n".join(GOOD), "has no header ... already a digit ... add a first"),
    "missing column": (
        text(*SHORT, header=HEADER.removesuffix(",pixel783")),
        "lacks the column pixel783: ... get the whole file",
    ),
    "missing columns": (
        text("1,2", header="label,pixel0"),
        "lacks the column pixel1 and 782 more ... get the whole file",
    ),
    "renamed column": (
        text(*GOOD, header=HEADER.replace("pixel7,", "px7,")),
        "has a column 'px7' but no pixel7 ... rename it",
    ),
    "pixels from 1": (text(*GOOD, header=FROM_1), "counts its pixels from 1 ... rename"),
    "extra column": (text(*LONG, header=HEADER + ",id"), "a column too many, 'id' ... delete it"),
    "column twice": (
        text(*LONG, header=HEADER + ",pixel0"),
        "a column too many, 'pixel0 ... delete it",
    ),
    "label last": (text(*GOOD, header=PIXELS + ",label"), "another order ... sort them"),
    "semicolons": (text(*GOOD).replace(",", ";"), "by semicolons ... with commas"),
    "tabs": (text(*GOOD).replace(",", "\t"), "by tabs ... with commas"),
    "missing value": (BAD.format(""), "line 6 ... pixel5 is missing ... mend that line"),
    "value NA": (BAD.format("NA"), "line 6 ... pixel5 is missing ... mend that line"),
    "word": (BAD.format("black"), "line 6 ... pixel5 holds the text 'black' ... mend"),
    "above 255": (BAD.format("256"), "line 6 ... pixel5 holds 256 ... 0 to 255 ... mend"),
    "below 0": (BAD.format("-1"), "line 6 ... pixel5 holds -1 ... 0 to 255 ... mend"),
    "fraction": (BAD.format("0.5"), "line 6 ... pixel5 holds 0.5 ... whole number"),
    "infinite": (BAD.format("inf"), "line 6 ... pixel5 holds inf ... whole number"),
    "huge": (BAD.format("9" * 30), "line 6 ... pixel5 holds 9999 ... 0 to 255"),
    "label above 9": (text(*GOOD[:2], line(10)), "line 4 ... label holds 10 ... 0 to 9"),
    "letter": (text(*GOOD[:2], line("A")), "line 4 ... label holds the text 'A' ... mend"),
    "no label": (text(*GOOD[:2], line("")), "line 4 ... label is missing ... mend"),
    "too few": (text(*GOOD[:4], GOOD[0][:-2]), "line 6 ... 784 values instead of 785"),
    "too many": (text(*GOOD[:4], GOOD[0] + ",0"), "line 6 ... 786 values instead"),
    # of which pandas says nothing
    "one too many in every line": (text(*LONG), "line 2 ... 786 values instead of 785 ... mend"),
    "two too many": (text(*[each + ",0,0" for each in GOOD]), "line 2 ... 787 values"),
    "cut in mid-line": (text(*GOOD)[:-700], "line 31 ... values instead of 785 ... mend"),
    "gzip, not named so": (PACKED, "is packed with gzip ... add .gz"),
    "zip, not named so": (ZIP, "is packed with zip ... add .zip"),
    "UTF-16": (text(*GOOD).encode("utf-16"), "is not text ... UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\xff", "is not text ... name another file"),
    "Latin-1": (text(*GOOD, "\xe9").encode("latin-1"), "line 32: it is not text ... UTF-8"),
    "a web page": ("<!DOCTYPE html>\n<html>Not found</html>\n", "a.csv ... pixel0"),
}
NAMED = {  # the same for files of another name
    "empty gzip": ("a.csv.gz", gzip.compress(b""), "empty first line ... must be label"),
    "above 255 in gzip": (
        "A.CSV.GZ",
        gzip.compress(BAD.format("300").encode()),
        "line 6 ... pixel5 holds 300 ... mend",
    ),
    "Kaggle's test.csv": (
        "test.csv",
        text(*[each[2:] for each in GOOD], header=PIXELS),
        "has no labels, like Kaggle's test.csv ... TEST_CSV = None",
    ),
    "half a gzip": ("a.csv.gz", PACKED[: len(PACKED) // 2], "damaged or cut short ... again"),
    "damaged gzip": (
        "a.csv.gz",
        PACKED[:4000] + b"\xff" * 40 + PACKED[4040:],
        "damaged or cut short ... again",
    ),
    "wrong checksum": ("a.csv.gz", PACKED[:-8] + b"\0" * 8, "damaged or cut short ... again"),
    "named .gz": ("a.csv.gz", text(*GOOD), "named .gz but not ... take .gz off"),
    "half a zip": ("a.csv.zip", ZIP[: len(ZIP) // 2], "zip archive ... cut short ... unpack it"),
    "zip of two": (
        "a.zip",
        zipped("a.csv", "b.csv"),
        "zip archive ... not hold one plain file ... unpack it",
    ),
    "named .zip": ("a.zip", text(*GOOD), "named .zip but not ... take .zip off"),
}


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def one_sentence(message, path):
    assert str(path) in message
    rest = message.replace(str(path), "FILE").replace("pixel0,...,pixel783", "COLUMNS")
    rest = rest.replace("pixel1...pixel784", "COLUMNS").replace("test.csv", "TEST")
    rest = rest.replace(".gz", "GZ").replace(".zip", "ZIP")
    assert message.endswith(".") and not re.search(r"[.?!]\s", rest), message
    assert "\n" not in message and len(rest) < 260, message


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("case", [*CASES, *NAMED])
def test_a_bad_file_gets_one_sentence(case, tmp_path):
    name, content, says = NAMED.get(case) or ("a.csv", *CASES[case])
    path = write(tmp_path / name, content)
    with pytest.raises(ValueError) as caught:
        read_digits(path)
    message = str(caught.value)
    one_sentence(message, path)
    assert all(words in message for words in says.split(" ... ")), message


def test_a_missing_file_and_a_folder_get_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file .* mend the path") as caught:
        read_digits(str(tmp_path / "train.csv.gz"))
    one_sentence(str(caught.value), tmp_path / "train.csv.gz")
    with pytest.raises(ValueError, match="is a folder: name the CSV file in it") as caught:
        read_digits(str(tmp_path))
    one_sentence(str(caught.value), tmp_path)


def test_a_file_that_may_not_be_read_gets_one_sentence(tmp_path, monkeypatch):
    """The superuser may read every file, so the refusal is played."""
    path = write(tmp_path / "a.csv", text(*GOOD))

    def refuse(path, *arguments, **keywords):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    message = str(checks.unreadable(path, PermissionError("Permission denied")))
    assert "may not be read: change its permissions" in message
    one_sentence(message, path)


def test_what_nobody_foresaw_still_names_the_file_and_the_error(tmp_path):
    path = write(tmp_path / "a.csv", text(*GOOD))
    message = str(checks.unreadable(path, MemoryError("no room. At all.")))
    assert "MemoryError: no room" in message
    one_sentence(message, path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", text(*GOOD)),
        ("no newline at the end.csv", text(*GOOD)[:-1]),
        ("one row.csv", text(GOOD[0])),
        ("windows.csv", text(*GOOD).replace("\n", "\r\n")),
        ("blank lines.csv", text(*GOOD[:3], "", *GOOD[:3], "")),
        ("byte order mark.csv", b"\xef\xbb\xbf" + text(*GOOD).encode()),
        ("quoted.csv", text(*GOOD, header='"label",' + PIXELS)),
        ("TRAIN.CSV.GZ", PACKED),
        ("packed.csv.bz2", bz2.compress(text(*GOOD).encode())),
        ("train.csv.zip", ZIP),
    ],
)
def test_a_good_file_passes_in_setup_and_when_it_is_read(name, content, folder):
    path = write(folder / name, content)
    checks.setup(path, None)
    table = read_digits(path)
    assert table.shape[1] == 785 and set(table.dtypes) == {np.dtype(np.uint8)}
    assert data._line_problem(path) is None


def test_too_few_rows_get_one_sentence_and_enough_pass():
    one = r"^The train file has only [^.]*: use a file with more than [^.]*\.$"
    for m, held_out in [(1000, 0), (11_000, 10_000)]:
        with pytest.raises(ValueError, match=one):
            checks.enough_rows(m, held_out=held_out, dev=1000)
        checks.enough_rows(m + 1, held_out=held_out, dev=1000)


# --- setup ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder as it must be, with a plain train and test file."""
    (tmp_path / "helpers.py").touch()
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "test.csv"):
        write(tmp_path / "data" / name, text(*GOOD))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failed_setup(error, *paths):
    with pytest.raises(error) as caught:
        checks.setup(*paths)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    return message


def test_setup_prints_one_line_and_reads_no_pixel_of_the_test_file(folder, capsys):
    """A test file whose rows are all nonsense passes, so only its header was looked at."""
    write(folder / "data" / "test.csv", HEADER + "\nnonsense\n")
    checks.setup("data/train.csv", "data/test.csv")
    assert re.fullmatch(r"Ready: [^\n\d/]*\.\n", capsys.readouterr().out)
    checks.setup("data/train.csv", None)
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "10,000 rows will be held out" in out


def test_setup_says_what_is_wrong_with_the_folder_or_a_file(folder):
    for paths in [("data/no.csv", None), ("data/train.csv", "data/no.csv")]:
        assert "There is no file data/no.csv" in failed_setup(FileNotFoundError, *paths)
    write(folder / "data" / "test.csv", text(*GOOD, header=PIXELS))
    message = failed_setup(ValueError, "data/train.csv", "data/test.csv")
    assert "data/test.csv has no labels, like Kaggle's test.csv" in message
    (folder / "helpers.py").unlink()
    message = failed_setup(FileNotFoundError, "data/train.csv", None)
    assert "not in the working folder: open mnist-scratch" in message


def test_setup_says_when_a_package_or_python_is_missing_or_too_old(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(data.FLOORS, "numpy", "99.0")
        assert "numpy is " in failed_setup(RuntimeError, "data/train.csv", None)
    monkeypatch.setitem(data.FLOORS, "no-such-package", "1.0")
    message = failed_setup(RuntimeError, "data/train.csv", None)
    assert "no-such-package is missing but must be 1.0 or later: run pip install" in message
    monkeypatch.setattr(data, "PYTHON_FLOOR", (9, 9))
    assert "install Python 9.9 or later" in failed_setup(RuntimeError, "data/train.csv", None)


def test_floors_are_those_of_requirements():
    """Fails when a floor is raised in one place only."""
    floors = dict(re.findall(r"^([\w-]+)>=([\d.]+)", (ROOT / "requirements.txt").read_text(), re.M))
    assert data.FLOORS == {name: floors[name] for name in data.FLOORS}


def test_checks_needs_numpy_only_and_no_lzma(tmp_path):
    """setup must be able to say that a package is missing; some Pythons are built without lzma."""
    shutil.copytree(ROOT / "checks", tmp_path / "checks")
    write(tmp_path / "a.csv", text(*GOOD))
    write(tmp_path / "a.csv.xz", "packed")
    code = """
import sys
sys.modules.update(dict.fromkeys(["_lzma", "_bz2", "lzma", "bz2"]))  # None: not to be found
import checks
print({"pandas", "sklearn", "matplotlib"} & set(sys.modules))
print(checks.unreadable("a.csv", ValueError("why")), checks.unreadable("a.csv.xz", ImportError()))
"""
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert out.stdout.startswith("set()\na.csv cannot be read"), out.stderr
    assert "a.csv.xz cannot be unpacked by this Python" in out.stdout
