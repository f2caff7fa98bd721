"""README.md and the set-up files: what they promise is what is there."""

import re
import shutil
import subprocess

import pytest

from run_notebook import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci/run").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")

SET_UP = (
    "python3 -m venv .venv && .venv/bin/python -m pip install -r requirements.txt"
    " && .venv/bin/jupyter lab mnist-scratch.ipynb"
)
TEST = ".venv/bin/python -m pytest"


def blocks(language):
    """The README's code blocks in a language, each as its lines."""
    found = re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)
    return [block.strip().splitlines() for block in found]


def test_set_up_and_test_are_one_line_each():
    assert [SET_UP] in blocks("sh")
    assert [TEST] in blocks("sh")


def test_ci_runs_the_test_command_of_the_readme():
    """Fails if CI tests by another command than the one that a user is told."""
    assert re.search(rf"^\s*{re.escape(TEST)}$", CI, flags=re.M)
    assert f"run: {TEST}" in WORKFLOW


def test_workflow_runs_the_set_up_line_on_three_systems_and_five_pythons():
    install = SET_UP.rpartition(" && ")[0]
    assert f"run: {install} && .venv/bin/jupyter lab --version" in WORKFLOW
    assert "[ubuntu-latest, macos-latest, windows-latest]" in WORKFLOW
    assert '["3.10", "3.11", "3.12", "3.13", "3.14"]' in WORKFLOW
    assert "schedule" in WORKFLOW and "push" in WORKFLOW


def test_windows_lines_are_the_same_commands():
    unix = [line for block in blocks("sh") for line in block]
    [[windows]] = blocks("bat")
    assert windows.replace(".venv\\Scripts\\", ".venv/bin/").replace("py -m", "python3 -m") in unix
    assert TEST.replace("bin/", "Scripts\\").replace(".venv/", ".venv\\") in README


def test_every_place_in_the_table_exists_and_none_is_left_out():
    rows = re.findall(r"^\| `(.+?)` \|", README, flags=re.M)
    places = {row.rstrip("/") for row in rows if (ROOT / row.rstrip("/")).exists()}
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a clone: git cannot tell what belongs to it")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # another user's folder, for example in a container
        pytest.skip(listed.stderr.strip())
    there = {path.split("/")[0] for path in listed.stdout.splitlines()}
    assert places | {"README.md"} == {name for name in there if not name.startswith(".")}


def test_links_and_pictures_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


@pytest.mark.parametrize("file", re.findall(r"(?<![\w-])[\w./-]*\w\.(?:py|txt|ipynb|md)\b", README))
def test_files_that_the_readme_names_exist(file):
    assert (ROOT / file).exists() or file == "mnist-scratch-student.ipynb"  # made by a command


def test_requirements_are_floors_without_caps():
    for line in REQUIREMENTS.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z-]+>=[\d.]+", line), line


def test_lock_holds_every_requirement():
    lock = (ROOT / ".ci/constraints.txt").read_text(encoding="utf-8")
    for name in re.findall(r"^([a-z-]+)>=", REQUIREMENTS, flags=re.M):
        assert re.search(rf"^{name}==", lock, flags=re.M), f"{name} is not locked"


def test_python_floor_is_the_same_everywhere():
    assert "Python 3.10 or newer" in README
    assert re.search(r'^target-version = "py310"', (ROOT / ".ruff.toml").read_text(), re.M)


def test_memory_that_the_readme_names_is_enough(whole_run):
    """Fails if the kernel's peak in Run All is above what a learner, or a hub, is told to have."""
    [needed] = re.findall(r"the notebook needs (\d+) MB", README)
    assert int(needed) == 700
    if whole_run.answer["peak_mb"] is None:
        pytest.skip("the peak is measured on Linux")
    assert whole_run.answer["peak_mb"] < int(needed)


def test_no_file_names_a_path_of_a_machine():
    """Fails if something committed leads to one person's disk."""
    texts = [
        path
        for path in ROOT.rglob("*")
        if path.suffix in {".py", ".md", ".txt", ".yml", ".js", ".css", ".json", ".ini", ".toml"}
    ]
    for path in [*texts, ROOT / ".ci/run", ROOT / "mnist-scratch.ipynb"]:
        if ".venv" not in path.parts and "site-packages" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(home|Users|root|work)/\w", text), path
