"""The exercises: every folded solution runs at the end of the notebook and gives what is said."""

import re

import pytest

import run_notebook

# What each solution must print on the real data, as patterns
PRINTS = {
    "exercise-start": [r"data/trian\.csv\.gz"],
    "exercise-look": [r"^67 pixels are empty"],
    "exercise-baseline": [r"nearest average: 79\.4%"],
    "exercise-prepare": [r"\(784, 5\) \(784,\) \(59000,\)"],
    "exercise-build": [r"^2\.30[0-5]$"],
    "exercise-gradients": [
        r"dW1: .* DIFFERENT", r"db1: .* DIFFERENT", r"dW2: .* equal", r"db2: .* equal",
    ],
    "exercise-train": [r"The loss stays at 2\.30"],
    "exercise-alpha": [r"alpha 0\.1: dev", r"alpha 0\.3: dev", r"alpha 1: dev"],
    "exercise-inside": [r"all units: 8\d", r"without unit 9: "],
    "exercise-climb": [r"30 hidden units: dev 9[5-7]\."],
    "exercise-score": [r"^1 x", r"^4 x"],
    "exercise-draw": [r"^ 0 pixels: read as 7", r"^10 pixels: "],
    "exercise-third-layer": [r"slopes: right\. All \d+ gradients agree"],
    "exercise-activation": [r"slopes: right\. All 78 gradients agree"],
    "exercise-data": None,  # no code: tests/test_whole_run.py runs the notebook on other data
    "exercise-bend": [r"^(8\d|9\d|1[01]\d)% of the ink"],
}  # fmt: skip


def numbers(text, pattern):
    return [float(found) for found in re.findall(pattern, text)]


@pytest.fixture(scope="module")
def printed(whole_run):
    return whole_run.answer["solutions"]


def test_every_section_ends_with_an_exercise(notebook):
    """Fails if a section has no exercise, or if one stands after its key point."""
    section, seen = None, {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            section = cell.source.splitlines()[0]
            seen[section] = []
        if cell.id.startswith("exercise-"):
            seen[section].append(cell.id)
    assert all(1 <= len(ids) <= 4 for ids in seen.values()), seen
    assert sorted(sum(seen.values(), [])) == sorted(PRINTS)


def test_every_exercise_folds_its_solution_and_most_ask_for_a_guess(cells):
    for cell in PRINTS:
        question, _, folded = cells[cell].source.partition("<details>")
        assert folded.startswith("<summary>Solution</summary>"), cell
        assert "```" not in question, f"{cell} shows its solution"
    guesses = [cell for cell in PRINTS if "Predict first" in cells[cell].source]
    assert len(guesses) >= 10


@pytest.mark.parametrize("cell", PRINTS)
def test_solution_runs_and_prints_what_it_should(notebook, printed, cell):
    """Fails if a solution raises, or its check or its result is no longer what the text says."""
    if PRINTS[cell] is None:
        assert not run_notebook.solutions(notebook)[cell]
        return
    assert run_notebook.solutions(notebook)[cell]
    assert not re.match(r"\w*(Error|Exception)\b", printed[cell]), printed[cell]
    for pattern in PRINTS[cell]:
        assert re.search(pattern, printed[cell], re.M), printed[cell]


def test_code_of_the_solutions_is_short_enough_to_read(notebook):
    for cell, code in run_notebook.solutions(notebook).items():
        assert all(len(line) <= 100 for line in code.splitlines()), cell
        assert len(code.splitlines()) <= 45, cell


def test_zero_start_stays_near_ln_ten(printed):
    [loss] = numbers(printed["exercise-train"], r"stays at ([\d.]+)")
    assert loss == pytest.approx(2.303, abs=0.01)


def test_larger_alpha_wins_and_the_largest_is_rough(printed):
    dev = numbers(printed["exercise-alpha"], r"dev ([\d.]+)%")
    rises = numbers(printed["exercise-alpha"], r"rose (\d+) times")
    assert dev[1] > dev[0] + 2
    assert rises[0] == rises[1] == 0 < rises[2]


def test_thirty_units_end_between_ten_and_128(printed, whole_run):
    [dev] = numbers(printed["exercise-climb"], r"dev ([\d.]+)%")
    rungs = whole_run.answer["rungs"]
    assert rungs["mini-batches"] < dev < rungs["momentum, falling"]


def test_unit_0_is_missed_most_and_unit_2_least(printed):
    without = numbers(printed["exercise-inside"], r"without unit \d: ([\d.]+)%")
    [whole] = numbers(printed["exercise-inside"], r"all units: ([\d.]+)%")
    assert without[0] == min(without) == pytest.approx(50, abs=8)
    assert without[2] == max(without) == pytest.approx(whole, abs=2)


def test_a_seven_near_the_border_is_misread_with_confidence(printed):
    read = re.findall(r"(\d+) pixels: read as (\d), (\d+)% sure", printed["exercise-draw"])
    assert all(digit == "7" for pixels, digit, _ in read if int(pixels) <= 6)
    assert all(digit != "7" and int(sure) > 50 for pixels, digit, sure in read if int(pixels) >= 8)


def test_four_times_the_digits_halve_the_interval(printed):
    width = numbers(printed["exercise-score"], r"minus ([\d.]+)%")
    assert width[2] == pytest.approx(width[0] / 2, abs=0.006)
