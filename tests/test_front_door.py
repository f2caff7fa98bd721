"""README.md, the guides and the set-up files: what they promise is what is there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from run_notebook import ROOT
from workshop import student_copy

README, REQUIREMENTS, LOCK = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "requirements.txt", ".ci/constraints.txt")
)
PAGES = [ROOT / "README.md", ROOT / "data/README.md", *sorted((ROOT / "workshop").glob("*.md"))]


@pytest.mark.parametrize("script", ["workshop/student_copy.py", "data/make_csv.py"])
def test_a_script_says_how_it_is_used_from_any_folder(script, tmp_path):
    """Fails if it needs what only the tests can import, or the right working folder."""
    command = [sys.executable, ROOT / script, "--help"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.startswith(f"usage: {Path(script).name}") and not run.stderr, run.stderr


def test_windows_lines_are_the_same_commands():
    """Fails if who has Windows is given another set-up than the others."""
    unix, [windows] = (
        re.findall(rf"^```{language}\n(.*)\n```", README, re.M) for language in ("sh", "bat")
    )
    assert windows.replace(".venv\\Scripts\\", ".venv/bin/").replace("py -m", "python3 -m") in unix


def test_ci_runs_the_test_command_of_the_readme():
    [command] = re.findall(r"^## Run the tests\n\n```sh\n(.+)\n```", README, re.M)
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_every_place_in_the_table_exists_and_none_is_left_out():
    """Fails if a stranger reads of a folder that is not there, or finds one that is not named."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a clone: git cannot tell what belongs to it")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # another user's folder, for example in a container
        pytest.skip(listed.stderr.strip())
    there = {Path(path).parts[0] for path in listed.stdout.splitlines() if (ROOT / path).exists()}
    places = {row.rstrip("/") for row in re.findall(r"^\| `(.+?)` \|", README, re.M)}
    shown = {name for name in there if not name.startswith(".")} - {"README.md"}
    assert shown == {place for place in places if (ROOT / place).exists()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_files_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)", text)
    files = re.findall(r"(?<![\w-])[\w./-]*\w\.(?:py|txt|ipynb|md|json)\b", text)
    for name in {*links, *files}:
        there = any((folder / name).exists() for folder in (page.parent, ROOT))
        assert there or name.startswith("https://") or name == student_copy.STUDENT, name


def test_requirements_are_floors_without_caps_and_locked():
    """Fails if a package is not tested at its oldest, its newest and its locked version."""
    for line in REQUIREMENTS.splitlines():
        if not line.startswith("#"):
            [name] = re.findall(r"^([a-z-]+)>=[\d.]+$", line)
            assert re.search(rf"^{name}==", LOCK, re.M), f"{name} is not locked"


def test_files_for_binder_and_dev_containers_point_at_what_is_there():
    """Fails if a service cannot be set up from them, or opens without the learners' copy."""
    binder = ROOT / ".binder"
    assert f"/{student_copy.STUDENT}\n" in (ROOT / ".gitignore").read_text(encoding="utf-8")
    for line in (binder / "requirements.txt").read_text().splitlines():
        assert (binder / line.split()[1]).is_file(), line
    assert os.access(binder / "postBuild", os.X_OK) or os.name == "nt"
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    for command in (binder / "postBuild").read_text(), container["postCreateCommand"]:
        assert "python workshop/student_copy.py" in command
    assert student_copy.STUDENT in container["postAttachCommand"]
