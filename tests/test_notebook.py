"""The committed notebook as a document: its form, its links, and what its cells may do."""

import ast
import builtins
import re
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest

import run_notebook
from run_notebook import NOTEBOOK
from workshop import student_copy

THROW_AWAY = {"_", "name", "error", "alpha"}  # loop variables and the like: any cell may bind them


@pytest.fixture(scope="module")
def code(notebook):
    return run_notebook.code_cells(notebook)


@pytest.fixture(scope="module")
def prose(notebook):
    """The text cells without their code blocks, as one text."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```", "", text, flags=re.S)


# ---------------------------------------------------------------- the file


def test_file_is_valid_small_and_in_the_stored_form(notebook):
    nbformat.validate(notebook)
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    assert text == run_notebook.as_text(run_notebook.normalise(notebook))
    assert all(re.fullmatch(r"[a-z]+[a-z0-9]*(-[a-z0-9]+)*", cell.id) for cell in notebook.cells)


def test_every_cell_was_executed_without_error_or_stderr(notebook, code):
    """Fails if an output was never made, or holds a traceback."""
    run_notebook.complain(notebook)
    for cell in code:
        last = ast.parse(cell.source).body[-1]
        if not cell.outputs:
            assert not isinstance(last, ast.Expr) or "check" in ast.unparse(last), cell.id


def test_outputs_hold_no_path_address_or_date(code):
    for cell in code:
        for output in cell.outputs:
            data = {k: v for k, v in output.get("data", {}).items() if k != "image/png"}
            text = output.get("text", "") + str(data)
            assert not re.search(r"/(home|root|tmp|work|Users)/|[A-Z]:\\|0x[0-9a-f]{6,}", text)
            assert not re.search(r"\d\d:\d\d:\d\d|20\d\d-\d\d-\d\d", text), cell.id


def test_figures_carry_their_description(code):
    figures = [o for cell in code for o in cell.outputs if "image/png" in o.get("data", {})]
    assert len(figures) >= 15
    for output in figures:
        assert len(output.data["text/plain"]) > 40
        assert len(output.metadata["image/png"]["alt"]) > 40


def test_picture_at_the_top_is_the_one_that_the_notebook_draws(notebook):
    assert run_notebook.PICTURE.read_bytes() == run_notebook.picture(notebook)


# ---------------------------------------------------------------- the form


def test_headings_nest_and_contents_link_to_each_section(cells, prose):
    headings = re.findall(r"^(#+) (.+?) *$", prose, flags=re.M)
    levels, names = [len(marks) for marks, _ in headings], [text for _, text in headings]
    assert levels.count(1) == 1 and levels[0] == 1 and len(names) == len(set(names))
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    sections = [text for marks, text in headings if marks == "##"]
    links = re.findall(r"\[(.+?)\]\(#(.+?)\)", cells["contents"].source)
    assert [name for name, _ in links] == sections
    assert [unquote(to) for _, to in links] == [name.replace(" ", "-") for name in sections]


def test_each_section_has_goal_and_minutes(cells, notebook, prose):
    minutes = dict(re.findall(r"\[(.+?)\]\(#.+?\) \| (\d+) \|", cells["contents"].source))
    sections = re.split(r"^## ", prose, flags=re.M)[1:]
    for section in sections:
        title = section.splitlines()[0]
        stated = re.search(r"^\*\*Goal:\*\* .+ \*\*Minutes:\*\* (\d+)\.( |$)", section, flags=re.M)
        assert stated and stated.group(1) == minutes[title], title
    assert sum(map(int, minutes.values())) == 180, "the text under the contents says three hours"
    for cell in notebook.cells:
        if cell.id.startswith("exercise-"):
            question, _, folded = cell.source.partition("<details>")
            assert folded.startswith("<summary>Solution</summary>"), cell.id
            assert "```" not in question, f"{cell.id} shows its solution"


def test_details_open_and_close_with_the_blank_lines_that_markdown_needs(prose):
    assert prose.count("<details>") == prose.count("</details>") > 0
    for block in re.findall(r"<details>.*?</details>", prose, flags=re.S):
        assert re.match(r"<details><summary>[^<]+</summary>\n\n", block), block[:60]
        assert block.endswith("\n\n</details>"), block[-60:]


def test_pictures_have_a_description_and_their_files_exist(prose):
    for text, target in re.findall(r"!\[(.*?)\]\((.+?)\)", prose):
        assert len(text) > 20, target
        assert (NOTEBOOK.parent / target).is_file(), target


# ---------------------------------------------------------------- the code


def test_code_cells_are_short(code):
    for cell in code:
        lines = [x for x in cell.source.splitlines() if x.strip() and not x.strip().startswith("#")]
        assert len(lines) <= 16, cell.id  # 15, and a function's check
        assert not re.search(r"^\s*[!%]", cell.source, flags=re.M), f"{cell.id}: magic or shell"


def test_every_function_the_learner_writes_has_its_cell_and_check(notebook, code):
    for name, cell in student_copy.write_me(notebook).items():
        assert cell.id == name.lower().replace("_", "-")
        after = code[code.index(cell) + 1]
        checked = [cell.source.splitlines()[-1], after.source]  # in the cell, or right below it
        assert f"checks.{name}({name})" in checked, name


def test_functions_have_docstrings_and_no_name_is_given_twice(code):
    """Fails if a function is redefined, or a cell binds a name that another cell has bound."""
    owner = {}
    for cell in code:
        bound = set()
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef):
                assert ast.get_docstring(node), node.name
                bound.add(node.name)
                continue
            inner = list(ast.walk(node))
            loops = [n.target for n in inner if isinstance(n, ast.comprehension)]
            own = {id(n) for target in loops for n in ast.walk(target)}
            names = [n for n in inner if isinstance(n, ast.Name) and id(n) not in own]
            bound |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
        for name in bound - THROW_AWAY:
            assert name not in owner, f"{name} is bound in {owner.get(name)} and in {cell.id}"
            owner[name] = cell.id


def test_no_function_reads_a_global_array(code):
    """Every name that a function takes from outside is a module, a function or a builtin."""
    nodes = [node for cell in code for node in ast.parse(cell.source).body]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    inner = [inner for node in nodes for inner in ast.walk(node)]
    imports = [node for node in inner if isinstance(node, ast.Import | ast.ImportFrom)]
    allowed = set(dir(builtins)) | {function.name for function in functions}
    allowed |= {alias.asname or alias.name for node in imports for alias in node.names}
    for function in functions:
        body = [n for statement in function.body for n in ast.walk(statement)]
        names = [n for n in body if isinstance(n, ast.Name)]
        own = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        own |= {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)}
        own |= {
            n.name for n in body if isinstance(n, ast.ExceptHandler | ast.FunctionDef) and n.name
        }
        foreign = {n.id for n in names if isinstance(n.ctx, ast.Load)} - own - allowed
        assert not foreign, f"{function.name} reads {foreign} from outside"


def test_the_test_set_is_read_and_scored_in_one_cell_only(code):
    """Fails if the test file or its rows are touched before or besides the one score."""

    def users(words):
        return [cell.id for cell in code if re.search(rf"\b({words})\b", cell.source)]

    assert users(r"read_digits\(TEST_CSV") == ["test-score"] == users("X_test|Y_test|A2_test")
    assert users("held_out") == ["split", "test-score"]
    ids = [cell.id for cell in code]
    after = code[ids.index("test-score") + 1 :]
    assert not any(re.search(r"\b(gradient_descent|train)\(", cell.source) for cell in after)


def test_symbols_of_the_shape_table_are_the_code_s(cells, notebook_functions):
    """Fails if a row of the shape table gives another shape than the functions do."""
    f, m, n_hidden = notebook_functions, 7, 4
    params = f.init_params(n_hidden)
    X = np.ones((784, m), np.float32)
    Z1, A1, Z2, A2 = f.forward_prop(*params, X)
    gradients = f.backward_prop(Z1, A1, Z2, A2, params[0], params[2], X, np.arange(m))
    arrays = {"X": X, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    arrays |= dict(zip(["W1", "b1", "W2", "b2"], params, strict=True))
    arrays |= dict(zip(["dW1", "db1", "dW2", "db2"], gradients, strict=True))
    seen = set()
    for names, shapes in re.findall(r"^\| (`.+?`) \| (\(.+?\)) \|", cells["shapes"].source, re.M):
        names, shapes = re.findall(r"`(.+?)`", names), re.findall(r"\(.+?\)", shapes)
        for name, shape in zip(names, shapes * (len(names) // len(shapes)), strict=True):
            assert arrays[name].shape == eval(shape, {"m": m, "n_hidden": n_hidden}), name
            seen.add(name)
    assert seen == {"X", "Z1", "A1", "Z2", "A2", "W1", "b1", "W2", "b2"}
    for name in ("W1", "b1", "W2", "b2"):
        assert arrays[f"d{name}"].shape == arrays[name].shape
