"""README.md, the guide and the set-up files: what they promise is what is there."""

import re
import shutil
import subprocess

import pytest

from run_notebook import ROOT

README, REQUIREMENTS, LOCK = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "requirements.txt", ".ci/constraints.txt")
)
PAGES = ["README.md", "workshop/README.md", "data/README.md"]
TEST = ".venv/bin/python -m pytest"


def tracked():
    """The paths that belong to the project, of a clone; skips where git cannot tell."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a clone: git cannot tell what belongs to it")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # another user's folder, for example in a container
        pytest.skip(listed.stderr.strip())
    return [ROOT / path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


def test_windows_lines_are_the_same_commands():
    unix, [windows] = (
        re.findall(rf"^```{language}\n(.*)\n```", README, re.M) for language in ("sh", "bat")
    )
    assert windows.replace(".venv\\Scripts\\", ".venv/bin/").replace("py -m", "python3 -m") in unix
    assert TEST in unix and TEST.replace("/", "\\").replace("bin", "Scripts") in README


def test_ci_and_workflow_run_the_test_command_of_the_readme():
    for name in (".ci/run", ".github/workflows/test.yml"):
        assert TEST in (ROOT / name).read_text(encoding="utf-8"), name


def test_every_place_in_the_table_exists_and_none_is_left_out():
    rows = re.findall(r"^\| `(.+?)` \|", README, flags=re.M)
    places = {row.rstrip("/") for row in rows if (ROOT / row.rstrip("/")).exists()}
    there = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert places | {"README.md"} == {name for name in there if not name.startswith(".")}


@pytest.mark.parametrize("page", PAGES)
def test_links_and_files_that_a_page_names_exist(page):
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)", text)
    files = re.findall(r"(?<![\w-])[\w./-]*\w\.(?:py|txt|ipynb|md|json)\b", text)
    made = {"mnist-scratch-student.ipynb"}  # by a command
    for name in {*links, *files} - made:
        found = (path.parent / name).exists() or (ROOT / name).exists()
        assert found or name.startswith("https://"), name


def test_requirements_are_floors_without_caps_and_locked():
    for line in REQUIREMENTS.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z-]+>=[\d.]+", line), line
    for name in re.findall(r"^([a-z-]+)>=", REQUIREMENTS, flags=re.M):
        assert re.search(rf"^{name}==", LOCK, flags=re.M), f"{name} is not locked"


def test_no_file_names_a_path_of_a_machine():
    """Fails if something committed leads to one person's disk."""
    binary = {".png", ".gz"}
    for path in tracked():
        if path.suffix not in binary:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(home|Users|root|work)/\w", text), path
