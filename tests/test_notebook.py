"""The committed notebook as a document: its form, its links, and what its cells may do."""

import ast
import builtins
import re
import statistics
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest

import run_notebook
from run_notebook import NOTEBOOK

# What the learner writes; each has a cell, and below it a check
WRITTEN = [
    "init_params", "ReLU", "softmax", "forward_prop", "cross_entropy", "one_hot", "ReLU_deriv",
    "backward_prop", "update_params", "get_predictions", "get_accuracy", "gradient_descent",
    "init_params_scaled", "minibatches", "train_epoch", "update_velocity", "shift_images",
]  # fmt: skip


def cell_id(name):
    return name.lower().replace("_", "-")


def lines(source):
    """Lines of code: neither blank nor only a comment."""
    return [x for x in source.splitlines() if x.strip() and not x.strip().startswith("#")]


@pytest.fixture(scope="module")
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def prose(notebook):
    """The text cells without their code blocks."""
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [re.sub(r"```.*?```", "", source, flags=re.S) for source in text]


@pytest.fixture(scope="module")
def headings(prose):
    """(level, text) of every heading, in order."""
    return [
        (len(marks), text.strip())
        for source in prose
        for marks, text in re.findall(r"^(#+) (.+)$", source, flags=re.M)
    ]


# ---------------------------------------------------------------- the file


def test_file_is_valid_small_and_in_the_stored_form(notebook):
    nbformat.validate(notebook)
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    assert text == run_notebook.as_text(run_notebook.normalise(notebook))
    assert notebook.metadata.kernelspec.name == "python3"


def test_cells_were_executed_in_order_without_error_or_stderr(code):
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    run_notebook.complain(nbformat.v4.new_notebook(cells=code))


def test_outputs_hold_no_path_address_or_time(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = {k: v for k, v in output.get("data", {}).items() if k != "image/png"}
            text = output.get("text", "") + str(data)
            assert not re.search(r"/(home|root|tmp|work|Users)/|[A-Z]:\\|0x[0-9a-f]{6,}", text)
            assert not re.search(r"\d\d:\d\d:\d\d|20\d\d-\d\d-\d\d", text), cell.id


def test_cell_ids_are_words(notebook):
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id), cell.id
        assert not re.fullmatch(r"[0-9a-f]{8}", cell.id), cell.id


# ---------------------------------------------------------------- the form


def test_one_title_no_skipped_level_no_heading_twice(headings):
    levels = [level for level, _ in headings]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    names = [text for _, text in headings]
    assert len(names) == len(set(names))


def test_contents_list_every_section_and_link_to_it(cells, headings):
    sections = [text for level, text in headings if level == 2]
    links = re.findall(r"\[(.+?)\]\(#(.+?)\)", cells["contents"].source)
    assert [name for name, _ in links] == sections
    anchors = [unquote(target) for _, target in links]
    assert anchors == [name.replace(" ", "-") for name in sections]


def test_each_section_has_goal_minutes_and_key_point(cells, prose):
    text = "\n\n".join(prose)
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    minutes = dict(re.findall(r"\[(.+?)\]\(#.+?\) \| (\d+) \|", cells["contents"].source))
    for section in sections:
        title = section.splitlines()[0]
        stated = re.search(r"^\*\*Goal:\*\* .+ \*\*Minutes:\*\* (\d+)\.$", section, flags=re.M)
        assert stated, f"{title} states no goal or minutes"
        assert stated.group(1) == minutes[title], f"{title}: minutes differ from the contents"
        assert len(re.findall(r"^> \*\*Key point\.\*\* ", section, flags=re.M)) == 1, title
    assert sum(map(int, minutes.values())) == 180, "the text under the contents says three hours"


def test_prose_stands_before_every_code_cell(notebook):
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", f"nothing is said before {cell.id}"


def test_code_cells_are_few_and_short(code):
    sizes = [len(lines(cell.source)) for cell in code]
    assert 45 <= len(code) <= 90
    assert 3 <= statistics.median(sizes) <= 5
    assert max(sizes) <= 15
    assert all(len(line) <= 100 for cell in code for line in cell.source.splitlines())


def test_links_name_what_they_lead_to(prose):
    for source in prose:
        for text in re.findall(r"(?<!!)\[([^\]]+)\]\([^)]+\)", source):
            assert text.lower() not in {"here", "link", "this", "click here"}
        assert not re.search(r"(?<![(\"])https?://", source), "a bare address in the prose"


def test_details_open_and_close_with_the_blank_lines_that_markdown_needs(prose):
    for source in prose:
        assert source.count("<details>") == source.count("</details>")
        for block in re.findall(r"<details>.*?</details>", source, flags=re.S):
            assert re.match(r"<details><summary>[^<]+</summary>\n\n", block), block[:60]
            assert block.endswith("\n\n</details>"), block[-60:]


def test_pictures_have_a_description_and_their_files_exist(prose):
    for source in prose:
        for text, target in re.findall(r"!\[(.*?)\]\((.+?)\)", source):
            assert len(text) > 20, target
            assert (NOTEBOOK.parent / target).is_file(), target


def test_picture_at_the_top_is_the_one_that_the_notebook_draws(notebook):
    stored = (run_notebook.ROOT / run_notebook.PICTURE).read_bytes()
    assert stored == run_notebook.picture(notebook)


def test_tables_have_a_header(prose):
    for source in prose:
        for block in re.findall(r"(?:^\|.*\n?)+", source, flags=re.M):
            rows = block.strip().splitlines()
            assert re.fullmatch(r"[|\s:-]+", rows[1]), rows[0]
            assert len({row.count("|") for row in rows}) == 1, rows[0]


def test_figures_carry_their_description_and_a_caption(code):
    figures = [o for cell in code for o in cell.outputs if "image/png" in o.get("data", {})]
    assert len(figures) >= 15
    for output in figures:
        assert len(output.data["text/plain"]) > 60
        assert len(output.metadata["image/png"]["alt"]) > 60


# ---------------------------------------------------------------- the code


def test_every_function_the_learner_writes_has_its_cell_tag_and_check(cells, code):
    order = [cell.id for cell in code]
    for name in WRITTEN:
        cell = cells[cell_id(name)]
        assert [n.name for n in ast.parse(cell.source).body] == [name]
        assert "write-me" in cell.metadata["tags"]
        assert cells[f"check-{cell_id(name)}"].source == f"checks.{name}({name})"
        assert order.index(f"check-{cell_id(name)}") == order.index(cell.id) + 1
    tagged = {cell.id for cell in code if "write-me" in cell.metadata.get("tags", [])}
    assert tagged == {cell_id(name) for name in WRITTEN}


def test_functions_have_docstrings_and_no_name_is_given_twice(code):
    """Fails if a function is redefined, or a cell binds a name that another cell has bound."""
    owner = {}
    for cell in code:
        bound = set()
        tree = ast.parse(cell.source)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                assert ast.get_docstring(node), node.name
                bound.add(node.name)
                continue
            inner = list(ast.walk(node))
            loops = [n.target for n in inner if isinstance(n, ast.comprehension)]
            own = {id(n) for target in loops for n in ast.walk(target)}
            for n in inner:
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and id(n) not in own:
                    bound.add(n.id)
        for name in bound - {"_", "name", "error", "seconds"}:  # loop variables and throw-aways
            assert name not in owner, f"{name} is bound in {owner.get(name)} and in {cell.id}"
            owner[name] = cell.id


def test_no_function_reads_a_global_array(code):
    """Every name that a function takes from outside is a module, a function or a builtin."""
    trees = [ast.parse(cell.source) for cell in code]
    functions = [n for t in trees for n in t.body if isinstance(n, ast.FunctionDef)]
    allowed = set(dir(builtins)) | {function.name for function in functions}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                allowed |= {alias.asname or alias.name for alias in node.names}
    for function in functions:
        body = [n for statement in function.body for n in ast.walk(statement)]
        names = [n for n in body if isinstance(n, ast.Name)]
        own = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        own |= {a.arg for n in ast.walk(function) if isinstance(n, ast.arguments)
                for a in [*n.posonlyargs, *n.args, *n.kwonlyargs]}  # fmt: skip
        own |= {n.name for n in body if isinstance(n, ast.ExceptHandler) and n.name}
        foreign = {n.id for n in names if isinstance(n.ctx, ast.Load)} - own - allowed
        assert not foreign, f"{function.name} reads {foreign} from outside"


def test_no_magic_and_no_shell_line(code):
    for cell in code:
        assert not re.search(r"^\s*[!%]", cell.source, flags=re.M), cell.id


def test_the_test_set_is_read_and_scored_in_one_cell_only(code):
    """Fails if the test file or its rows are touched before or besides the one score."""
    assert [c.id for c in code if "read_digits(TEST_CSV)" in c.source] == ["test-score"]
    assert [c.id for c in code if "held_out" in c.source] == ["split", "test-score"]
    users = [c.id for c in code if re.search(r"\b(pixels_test|X_test|Y_test|A2_test)\b", c.source)]
    assert users == ["test-score"]
    order = [c.id for c in code]
    later = code[order.index("test-score") :]
    assert not any(re.search(r"\b(gradient_descent|train)\(", c.source) for c in later)


def test_symbols_of_the_shape_table_are_the_code_s(cells, notebook_functions):
    """Fails if a row of the shape table gives another shape than the functions do."""
    f, m, n_hidden = notebook_functions, 7, 4
    params = f.init_params(n_hidden)
    X = np.ones((784, m), np.float32)
    Z1, A1, Z2, A2 = f.forward_prop(*params, X)
    arrays = dict(zip(["W1", "b1", "W2", "b2"], params, strict=True))
    arrays |= {"X": X, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    gradients = f.backward_prop(Z1, A1, Z2, A2, params[0], params[2], X, np.arange(m))
    arrays |= dict(zip(["dW1", "db1", "dW2", "db2"], gradients, strict=True))
    arrays |= {"dZ1": Z1, "dZ2": Z2}
    rows = re.findall(r"^\| (`.+?`) \| (\(.+?\)) \|", cells["shapes"].source, flags=re.M)
    rows += re.findall(r"^\| (`.+?`) \| (\(.+?\)) \|", cells["derive-rest"].source, flags=re.M)
    seen = set()
    for names, shape in rows:
        for name in re.findall(r"`(.+?)`", names):
            assert arrays[name].shape == eval(shape, {"m": m, "n_hidden": n_hidden}), name
            seen.add(name)
    assert seen == set(arrays)
