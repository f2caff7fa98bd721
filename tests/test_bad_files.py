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


GOOD = [line(i % 10, "255") for i in range(30)]
PACKED = gzip.compress(text(*GOOD * 200).encode())
BAD = text(*GOOD[:3], "", line(7, "{}"), *GOOD[:3])  # the bad line is line 6
FROM_1 = "label," + ",".join(f"pixel{i}" for i in range(1, 785))
RENAMED = HEADER.replace("pixel7,", "px,")
ZIP = zipped("train.csv")
SHORT, LONG = [each[:-2] for each in GOOD], [each + ",0" for each in GOOD]
NO_LABELS = text(*[each[2:] for each in GOOD], header=PIXELS)
WRONG_DATA = PACKED[:100] + b"\xff" * 40 + PACKED[140:]

CASES = [  # (what the sentence must say, pieces between "...", content, name of the file)
    ("is empty ... get the file again", ""),
    ("empty first line ... must be label", "\n\n"),
    ("header but no rows ... get the file again", HEADER + "\n"),
    ("has no header ... already a digit ... add a first", "\n".join(GOOD)),
    ("lacks the column pixel783: ... get", text(*SHORT, header=HEADER.removesuffix(",pixel783"))),
    ("lacks the column pixel1 and 782 more ... get", text("1,2", header="label,pixel0")),
    ("column 'px' but no pixel7 ... rename it", text(*GOOD, header=RENAMED)),
    ("counts its pixels from 1 ... rename", text(*GOOD, header=FROM_1)),
    ("a column too many, 'id' ... delete it", text(*LONG, header=HEADER + ",id")),
    ("a column too many, 'pixel0 ... delete it", text(*LONG, header=HEADER + ",pixel0")),
    ("another order ... sort them", text(*GOOD, header=PIXELS + ",label")),
    ("by semicolons ... with commas", text(*GOOD).replace(",", ";")),
    ("by tabs ... with commas", text(*GOOD).replace(",", "\t")),
    ("line 6 ... pixel5 is missing ... mend that line", BAD.format("")),
    ("line 6 ... pixel5 is missing ... mend that line", BAD.format("NA")),
    ("line 6 ... pixel5 holds the text 'black' ... mend", BAD.format("black")),
    ("line 6 ... pixel5 holds 256 ... 0 to 255 ... mend", BAD.format("256")),
    ("line 6 ... pixel5 holds -1 ... 0 to 255 ... mend", BAD.format("-1")),
    ("line 6 ... pixel5 holds 0.5 ... whole number", BAD.format("0.5")),
    ("line 6 ... pixel5 holds inf ... whole number", BAD.format("inf")),
    ("line 6 ... pixel5 holds 9999 ... 0 to 255", BAD.format("9" * 30)),
    ("line 4 ... label holds 10 ... 0 to 9", text(*GOOD[:2], line(10))),
    ("line 6 ... 784 values instead of 785", text(*GOOD[:4], SHORT[0])),
    ("line 6 ... 786 values instead", text(*GOOD[:4], LONG[0])),
    # of which pandas says nothing
    ("line 2 ... 786 values instead of 785 ... mend", text(*LONG)),
    ("line 2 ... 787 values", text(*[each + ",0" for each in LONG])),
    ("line 31 ... values instead of 785 ... mend", text(*GOOD)[:-700]),
    ("is packed with gzip ... add .gz", PACKED),
    ("is packed with zip ... add .zip", ZIP),
    ("is not text ... UTF-8", text(*GOOD).encode("utf-16")),
    ("line 32: it is not text ... UTF-8", text(*GOOD, "\xe9").encode("latin-1")),
    ("a.csv ... pixel0", "<!DOCTYPE html>\n<html>Not found</html>\n"),
    ("empty first line ... must be label", gzip.compress(b""), "a.csv.gz"),
    ("line 6 ... pixel5 holds 300 ... mend", gzip.compress(BAD.format("300").encode()), "A.CSV.GZ"),
    ("has no labels, like Kaggle's test.csv ... TEST_CSV = None", NO_LABELS, "test.csv"),
    ("damaged or cut short ... again", PACKED[: len(PACKED) // 2], "half.csv.gz"),
    ("damaged or cut short ... again", WRONG_DATA, "damaged.csv.gz"),
    ("damaged or cut short ... again", PACKED[:-8] + b"\0" * 8, "wrong sum.csv.gz"),
    ("named .gz but not ... take .gz off", text(*GOOD), "a.csv.gz"),
    ("zip archive ... cut short ... unpack it", ZIP[: len(ZIP) // 2], "a.csv.zip"),
    ("zip archive ... not hold one plain file ... unpack it", zipped("a.csv", "b.csv"), "a.zip"),
    ("named .zip but not ... take .zip off", text(*GOOD), "a.zip"),
]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def one_sentence(words, message, path):
    """The message names the file, holds the words, and is one short sentence."""
    assert str(path) in message
    rest = message.replace(str(path), "FILE").replace("pixel0,...,pixel783", "COLUMNS")
    rest = rest.replace("pixel1...pixel784", "COLUMNS").replace("test.csv", "TEST")
    rest = rest.replace(".gz", "GZ").replace(".zip", "ZIP")
    assert message.endswith(".") and not re.search(r"[.?!]\s", rest), message
    assert "\n" not in message and len(rest) < 260, message
    assert all(piece in message for piece in words.split(" ... ")), message


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_bad_file_gets_one_sentence(case, tmp_path, notebook_functions):
    says, content, name = (*case, "a.csv")[:3]
    path = write(tmp_path / name, content)
    with pytest.raises(ValueError) as caught:
        notebook_functions.read_digits(path)
    one_sentence(says, str(caught.value), path)


def test_what_cannot_be_opened_gets_one_sentence(tmp_path, notebook_functions, monkeypatch):
    for path, error, says in [
        (tmp_path / "train.csv.gz", FileNotFoundError, "There is no file ... mend the path"),
        (tmp_path, ValueError, "is a folder: name the CSV file in it"),
    ]:
        with pytest.raises(error) as caught:
            notebook_functions.read_digits(str(path))
        one_sentence(says, str(caught.value), path)
    path = write(tmp_path / "a.csv", text(*GOOD))
    unforeseen = str(checks.unreadable(path, MemoryError("no room. At all.")))
    one_sentence("MemoryError: no room", unforeseen, path)

    def refuse(path, *arguments, **keywords):  # the superuser may read every file
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    refused = str(checks.unreadable(path, PermissionError("Permission denied")))
    one_sentence("may not be read: change its permissions", refused, path)


GOOD_FILES = {
    "plain.csv": text(*GOOD),
    "no newline at the end.csv": text(*GOOD)[:-1],
    "one row.csv": text(GOOD[0]),
    "windows.csv": text(*GOOD).replace("\n", "\r\n"),
    "blank lines.csv": text(*GOOD[:3], "", *GOOD[:3], ""),
    "byte order mark.csv": b"\xef\xbb\xbf" + text(*GOOD).encode(),
    "quoted.csv": text(*GOOD, header='"label",' + PIXELS),
    "TRAIN.CSV.GZ": PACKED,
    "packed.csv.bz2": bz2.compress(text(*GOOD).encode()),
    "train.csv.zip": ZIP,
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_good_file_passes_in_setup_and_when_it_is_read(name, folder, notebook_functions):
    path = write(folder / name, GOOD_FILES[name])
    checks.setup(path, None)
    pixels, labels = notebook_functions.read_digits(path)
    assert pixels.shape == (labels.size, 784) and pixels.dtype == labels.dtype == np.uint8
    assert data._line_problem(path) is None


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


def failed_setup(error, train_csv="data/train.csv", test_csv=None):
    with pytest.raises(error) as caught:
        checks.setup(train_csv, test_csv)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    return message


def test_setup_prints_one_line_and_reads_no_pixel_of_the_test_file(folder, capsys):
    """A test file whose rows are all nonsense passes, so only its header was looked at."""
    write(folder / "data" / "test.csv", HEADER + "\nnonsense\n")
    checks.setup("data/train.csv", "data/test.csv")
    assert re.fullmatch(r"Ready: [^\n\d/]*\.\n", capsys.readouterr().out)
    checks.setup("data/train.csv", None)
    assert re.fullmatch(r"Ready: .* 10,000 rows will be held out .*\n", capsys.readouterr().out)


def test_setup_says_what_is_wrong(folder, monkeypatch):
    for paths in [("data/no.csv",), ("data/train.csv", "data/no.csv")]:
        assert "There is no file data/no.csv" in failed_setup(FileNotFoundError, *paths)
    write(folder / "data" / "test.csv", text(*GOOD, header=PIXELS))
    message = failed_setup(ValueError, "data/train.csv", "data/test.csv")
    assert "data/test.csv has no labels, like Kaggle's test.csv" in message
    (folder / "helpers.py").unlink()
    message = failed_setup(FileNotFoundError)
    assert "not in the working folder: open mnist-scratch" in message
    monkeypatch.setitem(data.FLOORS, "no-such-package", "1.0")
    message = failed_setup(RuntimeError)
    assert "no-such-package is missing but must be 1.0 or later: run pip install" in message
    monkeypatch.setitem(data.FLOORS, "numpy", "99.0")
    assert f"numpy is {np.__version__} but must be 99.0" in failed_setup(RuntimeError)
    monkeypatch.setattr(data, "PYTHON_FLOOR", (9, 9))
    assert "install Python 9.9 or later" in failed_setup(RuntimeError)


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
