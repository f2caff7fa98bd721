"""The committed notebook as a document: its form, its links, and what its cells may do."""

import ast
import builtins
import re
import symtable
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest

import run_notebook
from run_notebook import NOTEBOOK
from workshop import catch_up

THROW_AWAY = {"_", "error", "alpha"}  # loop variables and the like: any cell may bind them


@pytest.fixture(scope="module")
def code(notebook):
    return run_notebook.code_cells(notebook)


# ---------------------------------------------------------------- the file


def test_file_is_valid_small_and_in_the_stored_form(notebook):
    nbformat.validate(notebook)
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    assert text == run_notebook.as_text(run_notebook.normalise(notebook))
    assert all(re.fullmatch(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)*", cell.id) for cell in notebook.cells)
    assert run_notebook.PICTURE.read_bytes() == run_notebook.picture(notebook)


def test_no_output_shows_an_error_a_path_an_address_or_a_date(notebook, code):
    run_notebook.complain(notebook)
    for cell in code:
        for output in cell.outputs:
            data = {k: v for k, v in output.get("data", {}).items() if k != "image/png"}
            text = output.get("text", "") + str(data)
            assert not re.search(r"/(home|root|tmp|work|Users)/|[A-Z]:\\|0x[0-9a-f]{6,}", text)
            assert not re.search(r"\d\d:\d\d:\d\d|20\d\d-\d\d-\d\d", text), cell.id


# ---------------------------------------------------------------- the form


def test_headings_nest_and_contents_link_to_each_section(notebook, cells):
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    headings = re.findall(r"^(#+) (.+?) *$", prose, flags=re.M)
    levels, names = [len(marks) for marks, _ in headings], [text for _, text in headings]
    assert levels.count(1) == 1 and levels[0] == 1 and len(names) == len(set(names))
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    sections = [text for marks, text in headings if marks == "##"]
    links = re.findall(r"\[(.+?)\]\(#(.+?)\)", cells["contents"].source)
    assert [name for name, _ in links] == sections
    assert [unquote(to) for _, to in links] == [name.replace(" ", "-") for name in sections]


def test_details_open_and_close_with_the_blank_lines_that_markdown_needs(notebook):
    """Fails if JupyterLab would show a folded text as raw Markdown, or a solution unfolded."""
    for cell in notebook.cells:
        text = cell.source if cell.cell_type == "markdown" else ""
        blocks = re.findall(r"<details>.*?</details>", text, flags=re.S)
        assert text.count("<details>") == text.count("</details>") == len(blocks), cell.id
        for block in blocks:
            assert re.match(r"<details><summary>[^<]+</summary>\n\n", block), block[:60]
            assert block.endswith("\n\n</details>"), block[-60:]
        if cell.id.startswith("exercise-"):
            assert blocks[0].startswith("<details><summary>Solution</summary>"), cell.id
            assert "```" not in text.partition("<details>")[0], f"{cell.id} shows its solution"


def test_shapes_of_the_table_are_those_of_the_functions(cells, notebook_functions):
    """Fails if a row of the shape table gives another shape than the functions do."""
    sizes = {"m": 7, "n_hidden": 4}
    params = notebook_functions.init_params(sizes["n_hidden"])
    X = np.ones((784, sizes["m"]), np.float32)
    arrays = [*params, X, *notebook_functions.forward_prop(*params, X)]
    names = ["W1", "b1", "W2", "b2", "X", "Z1", "A1", "Z2", "A2"]
    told = {}
    for row in re.findall(r"^\| (`.+?`) \| (\(.+?\)) \|", cells["shapes"].source, re.M):
        of, shapes = re.findall(r"`(.+?)`", row[0]), re.findall(r"\(.+?\)", row[1])
        told |= dict(zip(of, shapes * (len(of) // len(shapes)), strict=True))
    shapes = {name: eval(shape, dict(sizes)) for name, shape in told.items()}
    assert shapes == {name: array.shape for name, array in zip(names, arrays, strict=True)}


# ---------------------------------------------------------------- the code


def test_cells_are_short_sections_state_their_goal_and_functions_what_they_do(notebook, code):
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            assert re.search(r"^\*\*Goal:\*\* .+ \*\*Minutes:\*\* \d+\.", cell.source, re.M), (
                cell.id
            )
    for cell in code:
        lines = [x for x in cell.source.splitlines() if x.strip() and not x.strip().startswith("#")]
        assert len(lines) <= 16, cell.id  # 15, and a function's check
        for node in ast.parse(cell.source).body:
            assert not isinstance(node, ast.FunctionDef) or ast.get_docstring(node), node.name


def test_no_name_is_bound_in_two_cells():
    """Fails if running an earlier cell again would change what a later one finds."""
    owner = {}
    for statement in sum(catch_up.read_sections().values(), []):
        for name in statement.makes - THROW_AWAY:
            first = owner.setdefault(name, statement.cell)
            assert first == statement.cell, f"{name} is bound in {first} and in {statement.cell}"


def test_no_function_reads_a_global_array(code):
    """Every name that a function takes from outside is a module, a function or a builtin."""

    def outside(table):
        names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
        return names.union(*map(outside, table.get_children()))

    tables = [symtable.symtable(cell.source, cell.id, "exec") for cell in code]
    symbols = [symbol for table in tables for symbol in table.get_symbols()]
    functions = {symbol.get_name() for symbol in symbols if symbol.is_namespace()}
    allowed = functions | {symbol.get_name() for symbol in symbols if symbol.is_imported()}
    allowed |= set(dir(builtins))
    for table in tables:
        for function in table.get_children():
            if function.get_name() in functions:  # not a lambda or a comprehension of the cell
                foreign = outside(function) - allowed
                assert not foreign, f"{function.get_name()} reads {foreign} from outside"


def test_the_test_set_is_read_and_scored_in_one_cell_only(code):
    """Fails if the test file or its rows are touched before or besides the one score."""

    def users(words):
        return [cell.id for cell in code if re.search(rf"\b({words})\b", cell.source)]

    assert users(r"read_digits\(TEST_CSV") == ["test-score"] == users("X_test|Y_test|A2_test")
    assert users("held_out") == ["split", "test-score"]
    ids = [cell.id for cell in code]
    after = code[ids.index("test-score") + 1 :]
    assert not any(re.search(r"\b(gradient_descent|train)\(", cell.source) for cell in after)
