"""workshop/README.md, for the instructor: its minutes, names and commands are the notebook's."""

import re
import shlex

import pytest

from run_notebook import ROOT
from workshop import student_copy

GUIDE = (ROOT / "workshop/README.md").read_text(encoding="utf-8")


def rows(heading):
    """The first table under a heading of the guide: its rows without the header, as cells."""
    _, _, below = GUIDE.partition(f"\n## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.M).group()
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.fixture(scope="module")
def contents(cells):
    """{section: minutes} of the notebook's table of contents."""
    found = re.findall(r"\[(.+?)\]\(.+?\) \| (\d+) \|", cells["contents"].source)
    return {name: int(minutes) for name, minutes in found}


def test_each_path_has_every_section_and_adds_up(contents):
    """Fails if a section was added or renamed, or a minute moved, in one of the two places."""
    *sections, together = rows("Choose a path")
    assert {name: int(long) for name, _, _, long in sections} == contents
    assert together == ["Together", "60", "90", "180"]
    for column, total in enumerate(map(int, together[1:]), start=1):
        assert sum(int(row[column]) for row in sections) == total


def test_stop_points_are_those_of_the_notebook(cells):
    [said] = re.findall(r"ends of sections ([\d, and]+)\.", cells["contents"].source)
    stops = [after for after, *_ in rows("Where to stop, and what to say")]
    assert stops == re.findall(r"\d+", said)


def test_questions_to_the_room_follow_the_sections(contents):
    sections = [int(number) for number, *_ in rows("Ask the room")]
    assert sections == sorted(sections) and set(sections) <= set(range(1, len(contents) + 1))


@pytest.mark.parametrize("path", [60, 90, 180])
def test_commands_of_the_paths_make_a_copy(notebook, path):
    """Fails if a path leaves a function to the learners that the notebook does not have."""
    [command] = re.findall(rf"\*\*{path} minutes\.\*\*.*?```sh\n(.*?)\n```", GUIDE, re.S)
    names = shlex.split(command)[2:]
    hints = student_copy.read_hints(student_copy.HINTS.read_text(encoding="utf-8"))
    made = student_copy.student_copy(notebook, hints, names)
    stubs = [c for c in made.cells if "raise NotImplementedError(" in c.source]
    assert len(stubs) == (len(names) or len(hints)) and len(set(names)) == len(names)


def test_mistakes_to_expect_are_of_functions_that_are_written(notebook):
    named = {row[0].strip("`") for row in rows("Mistakes to expect")}
    assert named <= set(student_copy.write_me(notebook))
