"""The notebook and its HTML export for a reader who hears it, sees it dimly or sees no colours.

What stands elsewhere: the notebook's headings, links and folded texts in test_notebook.py;
each text and line of the figures on its own ground in test_helpers.py; the pad as a browser shows
it, in JupyterLab, in test_browser.py. Here is the page that `jupyter nbconvert --to html --template
classic` makes, the colours as the sources name them, and what would be told by colour alone."""

import ast
import logging
import re

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import is_color_like, to_rgba
from nbconvert import HTMLExporter

import helpers
from run_notebook import NOTEBOOK, ROOT
from test_helpers import contrast, drawn

TEMPLATE = "classic"  # the default template writes that a figure has no description
HUES = r"\b(red|orange|yellow|green|blue|pink|purple|violet|brown|turquoise)\b"


def export(notebook):
    """(page, warnings) of nbconvert's template that reads a figure's description."""
    log, heard = logging.Logger("export", logging.WARNING), []
    log.addFilter(lambda record: heard.append(record.getMessage()))
    exporter = HTMLExporter(template_name=TEMPLATE, log=log)
    where = {"metadata": {"name": NOTEBOOK.stem, "path": str(ROOT)}}
    html, _ = exporter.from_notebook_node(notebook, where)
    return BeautifulSoup(html, "html.parser"), heard


@pytest.fixture(scope="module")
def exported(notebook):
    """The committed notebook: (page, warnings)."""
    return export(notebook)


# ---------------------------------------------------------------- the text cells


def test_no_tag_but_details_and_no_sentence_that_needs_a_colour(notebook):
    """A tag such as <img> would bring in a form that no test here reads; who does not see colours
    could not follow "the blue line"."""
    code = r"```.*?```|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$"
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    prose = re.sub(code, "", "\n\n".join(texts), flags=re.S)
    tags = set(re.findall(r"</?[A-Za-z][^>]*>", prose))
    assert tags == {"<details>", "</details>", "<summary>", "</summary>"}
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    captions = [o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    assert len(captions) >= 15
    assert re.findall(HUES, "\n".join([prose, *captions]), flags=re.I) == []


# ---------------------------------------------------------------- the page


def test_export_warns_of_a_figure_without_description_and_of_nothing_else(exported):
    """nbconvert says that an image has no alternative text, or README names another template."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"nbconvert --to html --template {TEMPLATE} {NOTEBOOK.name}\n" in readme
    assert exported[1] == []
    png = nbformat.v4.new_output("display_data", {"image/png": "aGVsbG8="})
    cell = nbformat.v4.new_code_cell("picture", outputs=[png])
    _, heard = export(nbformat.v4.new_notebook(cells=[cell]))
    assert len(heard) == 1 and "lternative text" in heard[0]


def test_every_figure_of_the_page_has_its_stored_description(notebook, exported):
    """The description is lost, or stands at another figure."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    stored = [output for output in outputs if "image/png" in output.get("data", {})]
    shown = [image for image in exported[0].find_all("img") if image["src"].startswith("data:")]
    assert len(shown) == len(stored) >= 15
    for image, output in zip(shown, stored, strict=True):
        description = output.metadata["image/png"]["alt"]
        assert image["alt"] == description.strip() != ""
        same = image["src"].strip() == f"data:image/png;base64,{output.data['image/png'].strip()}"
        assert same, f"another figure has this description: {description}"


def test_every_table_of_the_page_has_a_header_for_each_column(exported):
    """A screen reader names the column of each cell by its header: one is missing or empty."""
    tables = exported[0].find_all("table")
    assert tables
    for table in tables:
        header, *rows = table.find_all("tr")
        names = header.find_all("th")
        assert [len(row.find_all(["th", "td"])) for row in rows] == [len(names)] * len(rows), header
        assert all(name.get_text().strip() for name in names), f"a header is empty: {header}"


# ---------------------------------------------------------------- the colours


@pytest.mark.parametrize(
    "path", ["helpers.py", "widgets/pad.py", "widgets/training.py", "tools/bench_training.py"]
)
def test_every_colour_in_the_source_stands_out_on_white(path):
    """A colour, but for the white ground and faint tracks, is too pale for a line or a marker."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = {text for text in texts if isinstance(text, str) and re.match("#|[a-z]{3}", text)}
    colours = {text for text in named if is_color_like(text)} - {"white", "none", "#ddd"}
    assert colours
    for colour in colours:
        assert contrast(to_rgba(colour), (1, 1, 1)) >= 3, colour


def test_text_can_be_read_on_every_step_of_the_scale():
    """A number would fade in a cell of the confusion matrix; one that is right has a white cell."""
    assert contrast(to_rgba("black"), helpers.HEAT(np.linspace(0, 1, 101))).min() >= 4.5
    assert contrast(to_rgba(helpers.BLUE), helpers.HEAT(0.0)) >= 4.5


def test_what_differs_in_colour_differs_in_form():
    """Train and dev, or two clouds, look the same to who does not see their colours."""
    for kind in zip(*helpers.LOOKS, strict=True):
        assert len(set(kind)) == len(helpers.LOOKS) >= 4
    for i, lines in ((0, 2), (5, 4)):  # one run, and two beside each other
        for ax in drawn("training_curves", i)[1].axes:
            looks = [line.get_marker() for line in ax.lines if line.get_marker() in tuple("os^D")]
            assert len(looks) == len(set(looks)) == lines


def test_states_of_the_pad_differ_by_more_than_colour():
    """The likeliest digit, or a failure, shows in colour only."""
    css = (ROOT / "widgets/pad.css").read_text(encoding="utf-8")
    for state in ("draw-pad-most", "draw-pad-failed"):
        bodies = re.findall(rf"\.{state}\b[^{{]*\{{([^}}]*)\}}", css)
        properties = {name for body in bodies for name in re.findall(r"([\w-]+):", body)}
        assert properties - {"color", "background", "border-color", "opacity"}, state
    assert not re.search(r"outline: (none|0)", css), "the button in focus would not show"
