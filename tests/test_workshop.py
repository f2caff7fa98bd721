"""workshop/README.md, for the instructor: its minutes, names and commands are those of the rest."""

import json
import re
import shlex

import pytest

import hub_load
from run_notebook import ROOT
from test_checks import MISTAKES
from workshop import student_copy

GUIDE = (ROOT / "workshop/README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(heading):
    """The first table under a heading of the guide: its rows without the header, as cells."""
    _, _, below = GUIDE.partition(f"\n## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.M).group()
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def section_of_names(path):
    """The functions that the command of a path leaves to the learners."""
    [command] = re.findall(rf"\*\*{path} minutes\.\*\*.*?```sh\n(.*?)\n```", GUIDE, re.S)
    return shlex.split(command)[2:]


@pytest.fixture(scope="module")
def contents(cells):
    """{section: minutes} of the notebook's table of contents."""
    found = re.findall(r"\[(.+?)\]\(.+?\) \| (\d+) \|", cells["contents"].source)
    return {name: int(minutes) for name, minutes in found}


def test_each_path_has_every_section_and_adds_up(contents):
    """Fails if a section was added or renamed, or a minute moved, in one of the two places."""
    *sections, together = rows("Choose a path")
    assert [name for name, *_ in sections] == list(contents)
    assert together == ["Together", "60", "90", "180"]
    for column, total in [(1, 60), (2, 90), (3, 180)]:
        assert sum(int(row[column]) for row in sections) == total
    for row in sections:
        assert 0 < int(row[1]) <= int(row[2]) <= int(row[3]), row


def test_the_long_path_is_the_contents_table(contents):
    assert [int(row[3]) for row in rows("Choose a path")[:-1]] == list(contents.values())


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
    hints = student_copy.read_hints(student_copy.HINTS.read_text(encoding="utf-8"))
    names = section_of_names(path)
    made = student_copy.student_copy(notebook, hints, names)
    stubs = [c for c in made.cells if "raise NotImplementedError(" in c.source]
    assert len(stubs) == (len(names) or len(hints)) and len(set(names)) == len(names)


@pytest.mark.parametrize("name, words", [
    (row[0].strip("`"), row[2].strip('"')) for row in rows("Mistakes to expect")
])  # fmt: skip
def test_each_mistake_is_one_that_the_check_names(name, words):
    """Fails if the guide promises a message that the check does not give."""
    said = [re.sub(r"\\(.)", r"\1", says) for _, who, _, says in MISTAKES if who == name]
    assert any(words in each for each in said), said


def test_commands_are_those_of_the_readme():
    """Fails if the guide links to offline commands that README.md lacks, or names another copy."""
    assert "(../README.md#teach-a-room)" in GUIDE
    offline = README.partition("\n## Teach a room\n")[2].partition("\n## ")[0]
    assert "pip download -d wheels" in offline and "--no-index --find-links wheels" in offline
    assert ".venv/bin/python -m pytest\n" in README
    assert ".venv/bin/python -m pytest mnist-scratch.ipynb\n" in GUIDE
    assert student_copy.STUDENT in GUIDE


def test_files_that_the_guide_names_exist():
    made = {student_copy.STUDENT}
    for file in set(re.findall(r"[\w./-]*\w\.(?:py|txt|ipynb|md)\b", GUIDE)) - made:
        assert (ROOT / file).exists() or (ROOT / "workshop" / file).exists(), file


def test_hub_load_takes_the_options_that_the_guide_uses(capsys):
    """Fails if the command to measure a server was renamed or changed."""
    [command] = re.findall(r"^\S+python tests/hub_load\.py (.+)$", GUIDE, re.M)
    with pytest.raises(SystemExit) as done:
        hub_load.main([*shlex.split(command), "--help"])
    assert done.value.code == 0
    shown = capsys.readouterr().out
    for option in re.findall(r"--\w+", command):
        assert option in shown
    with pytest.raises(SystemExit) as done:
        hub_load.main(["--no-such-option"])
    assert done.value.code == 2


def test_memory_is_what_the_tests_allow():
    """Fails if the guide's memory is not the limit that a run of the notebook is held to."""
    [limit] = re.findall(r"the notebook needs (\d+) MB", README)  # tested: test_front_door.py
    assert f"about {limit} MB at the most" in GUIDE
    assert "1 GB of memory for each learner" in GUIDE and "1 GB of memory for each" in README
    assert hub_load.LEARNER_MB == 1000 > int(limit)


def test_measured_hub_stands_in_the_guide():
    """Fails if the guide's figures of a hub are not those that hub_load.py kept."""
    if not hub_load.MEASURED.exists():
        pytest.skip("no hub was measured: tests/hub_load.py --save keeps the figures")
    for m in json.loads(hub_load.MEASURED.read_text(encoding="utf-8")).values():
        row = (
            f"| {m['users']} | {m['cores']} | {m['threads'] or 'not set'} | {m['learner_pss_mb']} "
            f"MB | {m['alone_s']:.0f} s | {m['together_last_s']:.0f} s |"
        )
        assert row in GUIDE, f"put this row into the guide: {row}"
        assert not m["failures"] and m["learner_pss_mb"] < hub_load.LEARNER_MB
