"""workshop/: the guide's minutes, names and commands are the notebook's; the services' files."""

import json
import os
import re
import shlex
from pathlib import Path

import pytest

import run_notebook
from checks import search
from run_notebook import ROOT
from test_checks import MISTAKES, message
from workshop import student_copy, wheels

GUIDE, NOTES, TAKE_HOME = (
    (ROOT / "workshop" / name).read_text(encoding="utf-8")
    for name in ("README.md", "notes.md", "take-home.md")
)
A_MINUTE, A_FUNCTION = 150, 4  # words that are read, minutes that a function takes at least


def rows(text, heading):
    """The first table under a heading: its rows without the header, as lists of cells."""
    _, _, below = text.partition(f"\n## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.M).group()
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.fixture(scope="module")
def sections(notebook):
    """{section's title: (its cells, the minutes of the contents table)}."""
    contents = next(cell.source for cell in notebook.cells if cell.id == "contents")
    minutes = dict(re.findall(r"\[(.+?)\]\(.+?\) \| (\d+) \|", contents))
    found = {}
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            title = cell.source.splitlines()[0][3:]
            found[title] = [], int(minutes[title])
        if found:
            found[title][0].append(cell)
    assert list(found) == list(minutes)
    return found


@pytest.fixture(scope="module")
def table():
    """{section's title: its cells of the guide's table}, and the three rows below."""
    return {name: cells for name, *cells in rows(GUIDE, "Choose a path")}


# ---------------------------------------------------------------- the minutes


def test_minutes_are_the_same_in_all_three_places_and_add_up(sections, table):
    """Fails if a minute moved in the contents, in a section's first line or in the guide."""
    for title, (cells, minutes) in sections.items():
        assert f"**Minutes:** {minutes}." in cells[0].source, title
        assert table[title][2] == str(minutes), title
    for column, path in enumerate(student_copy.PATHS):
        taught = sum(int(table[title][column]) for title in sections)
        assert taught == int(table["Together"][column])
        more = [row[column] for name, row in table.items() if name.startswith(("Slack", "Breaks"))]
        assert int(table["On the clock"][column]) == taught + sum(map(int, more)) >= int(path)
        assert int(path) in (taught, taught + int(more[0]))
    after_7 = [title for title in sections if int(title.split(".")[0]) > 7]
    assert all(table[title][0] == "0" for title in after_7)


def test_words_and_functions_fit_the_minutes(sections, table):
    """Fails if a section of a path has more to read and to write than its minutes hold."""
    for column, (path, names) in enumerate(student_copy.PATHS.items()):
        for title, (cells, _) in sections.items():
            minutes = int(table[title][column])
            prose = "\n".join(c.source for c in cells if c.cell_type == "markdown")
            prose = re.sub(r"<details>.*?</details>|\$\$.*?\$\$", " ", prose, flags=re.S)
            code = "\n".join(c.source for c in cells if c.cell_type == "code")
            to_write = [name for name in names if f"checks.{name}({name})" in code]
            needed = len(prose.split()) / A_MINUTE + A_FUNCTION * len(to_write)
            assert needed <= minutes or minutes == 0, (path, title, needed)


def test_exercise_minutes_are_those_of_the_notebook(sections, table):
    words = "one two three four five six seven eight nine ten fifteen".split()
    number = dict(zip(words, [*range(1, 11), 15], strict=True))
    for title, (cells, _) in sections.items():
        text = "\n".join(cell.source for cell in cells)
        asked = [number[word] for word in re.findall(r"\*\*Exercise, (\w+) minutes", text)]
        assert table[title][3] == (str(sum(asked)) if asked else ""), title
    assert table["Together"][3] == str(sum(int(table[t][3] or 0) for t in sections))


def test_stop_points_are_those_of_the_notebook(cells):
    [said] = re.findall(r"ends of sections ([\d, and]+)\.", cells["contents"].source)
    stops = [after for after, *_ in rows(GUIDE, "Where to stop, and what to say")]
    assert [after for after in stops if after.isdigit()] == re.findall(r"\d+", said)


def test_minutes_at_the_end_of_a_section_are_the_sums(table):
    [text] = re.findall(r"\*\*Late\?\*\*(.*?)\n## ", GUIDE, re.S)
    found = re.findall(r"^\| (\d) \| (\d+) \| (\d+) \| (\d+) \|", text, re.M)
    assert [row[0] for row in found] == ["4", "5", "6"]
    for last, *minutes in found:
        done = [row for title, row in table.items() if title.split(".")[0] in "123456"[: int(last)]]
        sums = [sum(int(row[column]) for row in done) for column in range(3)]
        sums[2] += 10  # the first break comes after section 4
        assert list(map(int, minutes)) == sums, last


# ---------------------------------------------------------------- words and commands


def test_commands_of_the_paths_are_in_the_guide():
    for path in student_copy.PATHS:
        [command] = re.findall(rf"\*\*{path} minutes\.\*\*.*?```sh\n(.*?)\n```", GUIDE, re.S)
        assert shlex.split(command)[1:] == ["workshop/student_copy.py", "--path", path]


def test_notes_follow_the_notebook_and_promise_what_the_checks_say(sections, monkeypatch):
    """Fails if a section lacks its notes, or a check no longer says what the notes quote."""
    titles = re.findall(r"^## (.+)$", NOTES, re.M)
    assert [t.split(".")[0] for t in titles[:-1]] == [t.split(".")[0] for t in sections]
    expected = re.findall(r'^\| `(\w+)` \|.*\| "(.+)" \|$', NOTES, re.M)
    assert len(expected) > 10
    monkeypatch.setattr(search, "repair", lambda *_: None)  # the notes quote facts, not places
    for name, words in expected:
        sources = [source for who, _, _, source in MISTAKES if who == name]
        assert any(words in message(name, source) for source in sources), (name, words)


def test_files_that_the_pages_name_exist():
    made = {student_copy.STUDENT, "digits-1.csv"}
    for page in (ROOT / "workshop").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for file in set(re.findall(r"[\w./-]*\w\.(?:py|txt|ipynb|md|csv)\b", text)):
            assert (
                Path(file).name in made
                or (ROOT / file).exists()
                or (ROOT / "workshop" / file).exists()
            ), file


@pytest.mark.full
def test_take_home_solutions_run_at_the_end_of_the_notebook(notebook, set_up, other_data):
    """Fails if a solution needs a name that the notebook no longer has, or is wrong."""
    code = re.findall(r"^```python\n(.*?)\n```$", TAKE_HOME, re.M | re.S)
    assert len(code) == 5
    quick = "\n".join(code).replace("falling(0.1, 30)", "falling(0.1, 3)")
    probe = quick + "\nanswer = [history_record[-1]['dev_accuracy'], A3_dev.shape[0]]"
    run = run_notebook.run(notebook, replace=set_up(*other_data), probe=probe)
    assert run.answer[0] > 0.5 and run.answer[1] == 10


# ---------------------------------------------------------------- where it runs


def test_files_for_binder_and_dev_containers_point_at_what_is_there():
    """Fails if a path in them is wrong, or their Python is not one that the packages support."""
    binder = ROOT / ".binder"
    for line in (binder / "requirements.txt").read_text().splitlines():
        assert (binder / line.split()[1]).resolve().is_file()
    assert (binder / "runtime.txt").read_text() == "python-3.12\n"
    assert os.access(binder / "postBuild", os.X_OK) or os.name == "nt"
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert container["image"].endswith(":3.12")
    for command in (binder / "postBuild").read_text(), container["postCreateCommand"]:
        assert "python workshop/student_copy.py" in command
    assert student_copy.STUDENT in container["postAttachCommand"]


def test_an_unknown_system_for_the_wheels_is_said(capsys):
    with pytest.raises(SystemExit):
        wheels.main(["amiga"])
    assert "no such system: amiga; there are windows, mac-arm, mac-intel, linux." in (
        capsys.readouterr().err
    )
