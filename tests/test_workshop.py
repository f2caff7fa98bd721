"""workshop/: the guide's minutes, names and commands are the notebook's, and so are the notes."""

import ast
import copy
import re

import pytest

from checks import search
from run_notebook import ROOT
from test_checks import MISTAKES, message
from workshop import student_copy, wheels

GUIDE, NOTES = (
    (ROOT / "workshop" / name).read_text(encoding="utf-8") for name in ("README.md", "notes.md")
)
A_MINUTE = 150  # words that are read
NUMBERS = {"three": 3, "five": 5, "ten": 10, "fifteen": 15}


def rows(heading):
    """The guide's first table under a heading: its rows without the header, as lists of cells."""
    _, _, below = GUIDE.partition(f"\n## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.M).group()
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.fixture(scope="module")
def sections(notebook):
    """{section's title: its cells}."""
    found = {}
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            found[cell.source.splitlines()[0][3:]] = []
        if found:
            found[next(reversed(found))].append(cell)
    return found


@pytest.fixture(scope="module")
def table():
    """{section's title: its cells of the guide's table}, and the rows below."""
    return {name: cells for name, *cells in rows("Choose a path")}


def test_minutes_and_stops_are_the_same_in_all_places(cells, sections, table):
    """Fails if one moved in the contents, in a section's first line, at an exercise or in the
    guide, and not in the others."""
    contents = cells["contents"].source
    minutes = dict(re.findall(r"\[(.+?)\]\(.+?\) \| (\d+) \|", contents))
    assert list(minutes) == list(sections)
    for title, section in sections.items():
        assert f"**Minutes:** {minutes[title]}." in section[0].source, title
        text = "\n".join(cell.source for cell in section)
        asked = [NUMBERS[word] for word in re.findall(r"\*\*Exercise, (\w+) minutes", text)]
        assert table[title][2:] == [minutes[title], str(sum(asked) or "")], title
    [stops] = re.findall(r"ends of sections ([\d, and]+)\.", contents)
    in_guide = [after for after, *_ in rows("Where to stop, and what to say")]
    assert [after for after in in_guide if after.isdigit()] == re.findall(r"\d+", stops)


def test_minutes_add_up(sections, table):
    """Fails if a sum in the guide is not that of the rows above it."""
    number = {name: [int(n) if n.isdigit() else 0 for n in row] for name, row in table.items()}
    assert number["Together"] == [sum(number[t][c] for t in sections) for c in range(4)]
    _, slack, breaks, clock = list(number.values())[len(sections) :][:4]
    for column, path in enumerate(student_copy.PATHS):
        taught = number["Together"][column]
        assert clock[column] == taught + slack[column] + breaks[column] >= int(path)
        assert int(path) in (taught, taught + slack[column])
    late = re.findall(r"^\| (\d) \| (\d+) \| (\d+) \| (\d+) \|", GUIDE, re.M)
    assert [last for last, *_ in late] == ["3", "4", "5", "6"]
    for last, *minutes in late:
        done = list(sections)[: int(last)]
        sums = [sum(number[t][column] for t in done) for column in range(3)]
        sums[2] += 10 * (int(last) > 3)  # the first break comes after section 4
        assert list(map(int, minutes)) == sums, last


def to_write(name, code):
    """Minutes to write a function, as the guide estimates them."""
    function = next(n for n in ast.parse(code).body if getattr(n, "name", "") == name)
    return 8 if name == "backward_prop" else 4 if len(function.body) == 2 else 6  # with docstring


@pytest.mark.parametrize("path", student_copy.PATHS)
def test_words_and_functions_of_a_path_fit_its_minutes(sections, table, path):
    """Fails if a section has more to read and to write than its minutes hold, or if the guide
    names other functions than the command leaves to the learners."""
    names, column = student_copy.PATHS[path], list(student_copy.PATHS).index(path)
    above = [re.findall(r"Run all above: (\d+) s", cells[0].source) for cells in sections.values()]
    above = [int(s[0]) if s else 0 for s in above]
    seconds = {
        title: max(b - a, 0) for title, a, b in zip(sections, above, [*above[1:], 0], strict=True)
    }
    for title, cells in sections.items():
        minutes = int(table[title][column])
        prose = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        prose = re.sub(r"<details>.*?</details>|\$\$.*?\$\$", " ", prose, flags=re.S)
        code = "\n".join(c.source for c in cells if c.cell_type == "code")
        writing = sum(to_write(name, code) for name in names if f"checks.{name}({name})" in code)
        needed = len(prose.split()) / A_MINUTE + writing + seconds[title] / 60
        assert needed <= minutes or minutes == 0, (title, needed)
    told = GUIDE.partition(f"**{path} minutes.** They write ")[2].partition(". ")[0]
    assert told.startswith("all but") or re.findall(r"`(\w+)`", told) == names
    assert f"workshop/student_copy.py --path {path}\n" in GUIDE


@pytest.mark.parametrize("path", student_copy.PATHS)
def test_a_copy_shows_the_minutes_of_its_path(notebook, sections, table, path):
    """Fails if learners read other minutes than their teacher, or sections that come at home."""
    column = list(student_copy.PATHS).index(path)
    nb = copy.deepcopy(notebook)
    student_copy.put_minutes(nb, GUIDE, path)
    in_copy = re.findall(r"\*\*Minutes:\*\* (at home|\d+)", "".join(c.source for c in nb.cells))
    contents = next(cell for cell in nb.cells if cell.id == "contents").source
    assert in_copy == re.findall(r"\) \| (at home|\d+) \|", contents)
    assert in_copy == ["at home" if n == "0" else n for n in (table[t][column] for t in sections)]
    if path == "60":
        assert in_copy.index("at home") == 7, "the guide ends it with section 7"


def test_an_unknown_system_for_the_wheels_is_said(capsys):
    with pytest.raises(SystemExit):
        wheels.main(["amiga"])
    assert "no such system: amiga; there are windows" in capsys.readouterr().err


def test_notes_give_the_numbers_that_the_tiny_network_prints(cells):
    """Fails if the teacher's numbers for the board are not those that the learners see."""
    board = NOTES.partition("row by row: ")[2].partition("\n")[0]
    said = re.findall(r"((?:`d\w+`(?: and )?)+) ([-\d., and]+)[;.]", board)
    told = {
        name: re.findall(r"-?[\d.]*\d", row)
        for names, row in said
        for name in re.findall(r"d\w+", names)
    }
    outputs = [
        o.text for c in ("tiny-layer-2", "tiny-layer-1") for o in cells[c].outputs if "text" in o
    ]
    printed = dict(re.findall(r"(d\w+)  worked out  \[(.+)\]", "".join(outputs)))
    assert told == {name: row.split(", ") for name, row in printed.items()}


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
