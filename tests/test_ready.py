"""workshop/ready.py: it says one thing, and says ready only of a machine that is."""

import importlib.metadata
import shutil

import pytest

from run_notebook import ROOT
from workshop import ready


@pytest.fixture
def packages(monkeypatch):
    """A function that sets the version of a package; None: it is missing."""

    def set_version(package, version):
        real = importlib.metadata.version

        def stand_in(name):
            if name == package and version is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return version if name == package else real(name)

        monkeypatch.setattr(importlib.metadata, "version", stand_in)

    return set_version


@pytest.mark.parametrize("package, version, says", [
    ("pandas", None, "Not ready: this Python lacks pandas. Run "),
    ("jupyterlab", "4.1.8", "Not ready: jupyterlab is 4.1.8 and must be 4.2 or newer. Run "),
])  # fmt: skip
def test_a_package_that_is_missing_or_too_old_is_named(packages, capsys, package, version, says):
    packages(package, version)
    assert ready.main() == 1
    said = capsys.readouterr().out
    assert said.startswith(says) and said.count("\n") == 1
    assert "requirements.txt" in said or "before-you-come.md" in said


def test_a_folder_without_the_data_is_named(tmp_path, capsys):
    shutil.copytree(ROOT / "checks", tmp_path / "checks")
    for name in ready.FILES:
        if "data" not in name and not (tmp_path / name).exists():
            (tmp_path / name).touch() if "." in name else (tmp_path / name).mkdir()
    assert ready.main(tmp_path) == 1
    said = capsys.readouterr().out
    assert "has no data/train.csv.gz, data/test.csv.gz. Download" in said
    assert said.startswith("Not ready: ") and said.count("\n") == 1


def test_an_old_python_is_told_before_anything_is_imported(monkeypatch, capsys):
    monkeypatch.setattr(ready.sys, "version_info", (3, 9))
    assert ready.main() == 1
    assert "Install Python 3.10 or newer" in capsys.readouterr().out


def test_what_the_notebook_says_of_its_files_is_passed_on(tmp_path, capsys):
    """Fails if a damaged file, which only the first cells notice, counts as ready."""
    for name in ready.FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "data/train.csv.gz").write_bytes(b"half a file")
    assert ready.main(tmp_path) == 1
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("Not ready: The notebook stops: ") and "data/train.csv.gz" in said


@pytest.mark.full
def test_this_machine_is_ready(capsys):
    assert ready.main() == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Ready: ")
