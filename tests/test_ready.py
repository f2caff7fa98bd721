"""workshop/ready.py: it says one thing, and says ready only of a machine that is."""

import importlib.metadata
import shutil

import pytest

from run_notebook import ROOT
from workshop import ready


def old_python(folder, monkeypatch):
    monkeypatch.setattr(ready.sys, "version_info", (3, 9))


def without_pandas(folder, monkeypatch):
    with_version(monkeypatch, "pandas", None)


def old_jupyterlab(folder, monkeypatch):
    with_version(monkeypatch, "jupyterlab", "4.1.8")


def with_version(monkeypatch, package, version):
    """Let a package have another version; None: it is missing."""
    real = importlib.metadata.version

    def stand_in(name):
        if name == package and version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version if name == package else real(name)

    monkeypatch.setattr(importlib.metadata, "version", stand_in)


def without_data(folder, monkeypatch):
    shutil.rmtree(folder / "data")


def damaged_data(folder, monkeypatch):  # which only the notebook's first cells notice
    (folder / "data/train.csv.gz").write_bytes(b"half a file")


@pytest.mark.parametrize("spoil, says", [
    (old_python, "Install Python 3.10 or newer, delete the folder .venv, and set"),
    (without_pandas, "this Python lacks pandas. Run "),
    (old_jupyterlab, "jupyterlab is 4.1.8 and must be 4.2 or newer. Run "),
    (without_data, "has no data/train.csv.gz, data/test.csv.gz. Download the workshop's folder"),
    (damaged_data, "The notebook stops: ValueError: data/train.csv.gz"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(spoil, says, tmp_path, monkeypatch, capsys):
    """Fails if a machine that is not ready counts as ready, or its owner is not told what to do."""
    for name in ready.FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    spoil(tmp_path, monkeypatch)
    assert ready.main(tmp_path) == 1
    *_, said = capsys.readouterr().out.splitlines()
    assert said.startswith("Not ready: ") and says in said


@pytest.mark.full
def test_this_machine_is_ready(capsys):
    assert ready.main() == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Ready: ")
