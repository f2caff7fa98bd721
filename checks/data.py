"""The set-up and the data files: one sentence on what is wrong with them, and what to do."""

import contextlib
import io
import re
import sys
import zipfile
import zlib
from importlib import import_module, metadata
from pathlib import Path

import numpy as np

from .reference import PIXELS

try:
    from lzma import LZMAError
except ImportError:  # a Python built without liblzma reads everything but .xz
    LZMAError = EOFError

DAMAGED = (OSError, EOFError, zlib.error, LZMAError, zipfile.BadZipFile)
UNPACK = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}  # ending of a file's name: Python's module

FLOORS = {"numpy": "2.0", "pandas": "2.2.2", "matplotlib": "3.9", "scikit-learn": "1.5"}
PYTHON_FLOOR = (3, 10)


def setup(train_csv, test_csv):
    """Check Python, packages, working folder and the headers of both files; prints one line.

    test_csv may be None. Only the first line of a file is read. Raises RuntimeError,
    FileNotFoundError or ValueError with one sentence on what to do.
    """
    if sys.version_info < PYTHON_FLOOR:
        raise RuntimeError(
            f"This is Python {sys.version.split()[0]}, too old: install Python "
            f"{'.'.join(map(str, PYTHON_FLOOR))} or later, and set up again as README.md says."
        )
    for package, floor in FLOORS.items():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            version = "missing"
        if version == "missing" or _numbers(version) < _numbers(floor):
            raise RuntimeError(
                f"{package} is {version} but must be {floor} or later: "
                "run pip install -r requirements.txt, then restart the kernel."
            )
    if not (Path("helpers.py").is_file() and Path("data").is_dir()):
        raise FileNotFoundError(
            "helpers.py and data/ are not in the working folder: "
            "open mnist-scratch.ipynb from the folder in which it came, beside them."
        )
    for path in filter(None, (train_csv, test_csv)):
        problem = _file_problem(path) or _header_problem(_first_line(path).split(","), path)
        if problem:
            raise (ValueError if Path(path).exists() else FileNotFoundError)(problem)
    held_out = "" if test_csv else " No test file is named: 10,000 rows will be held out instead."
    print("Ready: Python, the packages, the folder and the data files are in place." + held_out)


def _numbers(version):
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


# --- The data -------------------------------------------------------------------------------------

COLUMNS = ["label"] + [f"pixel{i}" for i in range(PIXELS)]
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[0-9][0-9]?)"
_GOOD_LINE = re.compile(rf"[0-9](?:,{_BYTE}){{{PIXELS}}}\s*")


def unreadable(path, error):
    """An exception with one sentence: why pandas could not read `path`, and what to do.

    error is what pandas raised. Looks into the file again, so it also finds the line. Returns
    FileNotFoundError when there is no such file, ValueError for all else.
    """
    kind = ValueError if Path(path).exists() else FileNotFoundError
    with contextlib.suppress(ValueError, *DAMAGED):
        problem = _file_problem(path)
        if not problem:
            problem = _header_problem(_first_line(path).split(","), path) or _line_problem(path)
        if problem:
            return kind(problem)
    said = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(". ").replace(". ", ", ")
    return kind(f"{path} cannot be read as a table of digits ({said}): get the file again.")


def digits(table, path):
    """Check a table that pd.read_csv(path, dtype=np.uint8) gave: columns, rows, labels.

    Raises ValueError with one sentence. Takes milliseconds, unless something is wrong or an older
    pandas makes it go through the file itself.
    """
    problem = _header_problem([str(name) for name in table.columns], path)
    if not problem and len(table) == 0:
        problem = f"{path} has a header but no rows: get the file again, or name another one."
    if not problem and (type(table.index).__name__ != "RangeIndex" or table["label"].max() > 9):
        problem = _line_problem(path) or f"{path} does not fit its header: get the file again."
    if not problem and _wraps_silently() and Path(path).exists():
        problem = _line_problem(path)
    if problem:
        raise ValueError(problem)


def _wraps_silently():
    """True for older pandas (measured: 2.2.2), which reads 256 as 0 without an error."""
    import pandas  # here, so that setup can say that it is missing

    try:
        return len(pandas.read_csv(io.StringIO("a\n256\n"), dtype=np.uint8)) == 1
    except ValueError:
        return False


def enough_rows(m, held_out, dev=1000):
    """Check that m rows are enough to take out held_out test rows and dev rows, and train on more.

    Raises ValueError with one sentence.
    """
    if m <= held_out + dev:
        parts = f"{dev:,} dev rows" + f" and {held_out:,} test rows" * bool(held_out)
        raise ValueError(
            f"The train file has only {m:,} rows, too few to set {parts} aside: "
            f"use a file with more than {held_out + dev:,} rows."
        )


def _open(path, errors="strict"):
    """The file as text, unpacked as pandas would do it by its ending, in capitals or not."""
    ending = _ending(path)
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            [member] = archive.namelist()
            file = archive.open(member)
        return io.TextIOWrapper(file, encoding="utf-8-sig", errors=errors)
    opener = import_module(UNPACK[ending]).open if ending in UNPACK else open
    return opener(path, "rt", encoding="utf-8-sig", errors=errors)


def _ending(path):
    return Path(path).suffix.lower()


def _first_line(path):
    with _open(path) as file:
        return file.readline(20_000).strip()


def _file_problem(path):
    """One sentence on what keeps the first line of a file from being read, or None."""
    if not Path(path).exists():
        return f"There is no file {path}: put it there, or mend the path where it is set."
    if Path(path).is_dir():
        return f"{path} is a folder: name the CSV file in it."
    if Path(path).stat().st_size == 0:
        return f"{path} is empty: get the file again."
    try:
        with open(path, "rb") as file:
            start = file.read(2)
    except PermissionError:
        return f"{path} may not be read: change its permissions, or copy it."
    for ending, magic, packer in ((".zip", b"PK", "zip"), (".gz", b"\x1f\x8b", "gzip")):
        named, packed = _ending(path) == ending, start.startswith(magic)
        if packed and not named:
            return f"{path} is packed with {packer}: add {ending} to its name, here and there."
        if named and not packed:
            return f"{path} is named {ending} but not packed so: take {ending} off its name."
    try:
        if not _first_line(path):
            return f"{path} has an empty first line: it must be label,pixel0,...,pixel783."
    except UnicodeDecodeError:
        return f"{path} is not text: save it as CSV in UTF-8, or name another file."
    except ImportError:
        return f"{path} cannot be unpacked by this Python: unpack it, and name the CSV file."
    except (zipfile.BadZipFile, ValueError, RuntimeError):  # several files, or a password
        what = "is a zip archive that is cut short or does not hold one plain file"
        return f"{path} {what}: get it again, or unpack it, and name the CSV file."
    except DAMAGED:
        return f"{path} is damaged or cut short: download or copy it again."
    return None


def _header_problem(names, path):
    """One sentence on what is wrong with the column names, or None."""
    names = [name.strip().strip('"') for name in names]
    if names == COLUMNS:
        return None
    mend = "the first line must be label,pixel0,...,pixel783"
    if names == COLUMNS[1:]:
        return (
            f"{path} has no labels, like Kaggle's test.csv: name a labelled file, "
            "or set TEST_CSV = None to hold rows of the train file out."
        )
    for mark, said in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            return f"{path} is separated by {said}: save it with commas."
    if re.fullmatch(r"[0-9.]+", names[0]):
        return f"{path} has no header, its first line is already a digit: add a first line, {mend}."
    if names == ["label"] + [f"pixel{i + 1}" for i in range(PIXELS)]:
        return f"{path} counts its pixels from 1: rename pixel1...pixel784, {mend}."
    missing = [name for name in COLUMNS if name not in names]
    extra = [name for name in names if name not in COLUMNS]
    if missing and extra:
        return f"{path} has a column {extra[0]!r} but no {missing[0]}: rename it, {mend}."
    if missing:
        more = f" and {len(missing) - 1} more" * (len(missing) > 1)
        return f"{path} lacks the column {missing[0]}{more}: get the whole file, {mend}."
    if extra or len(names) > len(COLUMNS):
        name = extra[0] if extra else next(name for name in names if names.count(name) > 1)
        return f"{path} has a column too many, {name!r}: delete it, {mend}."
    return f"{path} has its columns in another order: sort them, {mend}."


def _line_problem(path):
    """One sentence on the first bad line of the file, counted as an editor does, or None."""
    count = 0
    try:
        with _open(path, errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if number == 1 or not line.strip():
                    continue
                count += 1
                if "\ufffd" in line:
                    return f"{path}, line {number}: it is not text: save the file as CSV in UTF-8."
                if not _GOOD_LINE.fullmatch(line):
                    problem = _values_problem(line.rstrip("\n").split(","))
                    if problem:
                        what, cure = problem
                        return f"{path}, line {number}: {what}: {cure}."
    except DAMAGED:
        return f"{path} is damaged or cut short after line {count + 1}: download or copy it again."
    return None if count else f"{path} has a header but no rows: get the file again."


def _values_problem(values):
    """What is wrong with one line, and the cure; None when pandas reads it as it should."""
    if len(values) != len(COLUMNS):
        return f"it has {len(values)} values instead of {len(COLUMNS)}", "mend or delete that line"
    for name, text in zip(COLUMNS, values, strict=True):
        text = text.strip().strip('"')
        top = 9 if name == "label" else 255
        cure = f"a {name.rstrip('0123456789')} is a whole number from 0 to {top}, so mend that line"
        if text == "" or text.lower() in ("na", "nan", "null", "none", "n/a"):
            return f"the value of {name} is missing", cure
        try:
            value = float(text)
        except ValueError:
            return f"{name} holds the text {text[:20]!r}", cure
        if not 0 <= value <= top or value != int(value):
            return f"{name} holds {text[:20]}", cure
    return None
