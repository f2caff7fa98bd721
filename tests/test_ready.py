"""workshop/ready.py: it says one thing, and says ready only of a machine that is."""

import shutil

import pytest

from run_notebook import ROOT
from workshop import ready


@pytest.fixture
def folder(tmp_path):
    """A copy of what the workshop needs."""
    for name in ready.FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def not_ready(folder, capsys):
    assert ready.main(folder) == 1
    *_, said = capsys.readouterr().out.splitlines()
    assert said.startswith("Not ready: ")
    return said


@pytest.mark.parametrize("name, content, says", [
    ("requirements.txt", "no-such-package>=1", "this Python lacks no-such-package. Run "),
    ("requirements.txt", "jupyterlab>=99.1", " and must be 99.1 or newer. Run "),
    # which only the notebook's first cells notice
    ("data/train.csv.gz", "half a file", "The notebook stops: ValueError: data/train.csv.gz"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(name, content, says, folder, capsys):
    """Fails if a machine that is not ready counts as ready, or its owner is not told what to do."""
    (folder / name).write_text(content)
    assert says in not_ready(folder, capsys)


def test_a_missing_file_or_an_old_python_is_said(folder, capsys, monkeypatch):
    (folder / "data/train.csv.gz").unlink()
    assert "has no data/train.csv.gz. Download the workshop's folder" in not_ready(folder, capsys)
    monkeypatch.setattr(ready, "PYTHON", (9, 9))
    assert "Install Python 9.9 or newer, delete the folder .venv" in not_ready(folder, capsys)


@pytest.mark.full
def test_this_machine_is_ready(capsys):
    assert ready.main() == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Ready: ")
