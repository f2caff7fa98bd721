"""The notebook and its HTML export for a reader who hears it, sees it dimly or sees no colours.

What stands elsewhere: the notebook's headings, links and folded texts in test_notebook.py;
each text and line of the figures on its own ground in test_helpers.py; the pad as a browser shows
it, in JupyterLab, in test_browser.py. Here is the page that `jupyter nbconvert --to html --template
classic` makes, the colours as the sources name them, and what would be told by colour alone."""

import ast
import logging
import re
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import is_color_like, to_rgba
from nbconvert import HTMLExporter

import helpers
from run_notebook import NOTEBOOK, ROOT
from test_helpers import contrast, drawn

TEMPLATE = "classic"
GRAPHICS, TEXT = 3, 4.5  # the least contrast (WCAG 2.2, 1.4.11 and 1.4.3)
HUES = r"\b(red|orange|yellow|green|blue|pink|purple|violet|brown|turquoise)\b"


def export(notebook):
    """(page, warnings) of nbconvert's template that reads a figure's description.

    The default template does not: it writes that there is none."""
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


@pytest.fixture(scope="module")
def page(exported):
    """The committed notebook as a page."""
    return exported[0]


@pytest.fixture(scope="module")
def prose(notebook):
    """id -> text of each text cell, without code and without maths."""
    code = r"```.*?```|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$"
    return {
        cell.id: re.sub(code, "", cell.source, flags=re.S)
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    }


# ---------------------------------------------------------------- the text cells


def test_only_details_and_summary_are_written_in_html(prose):
    """A tag in a text cell would bring in a form that no test here reads, such as an <img>."""
    tags = {tag for text in prose.values() for tag in re.findall(r"</?[A-Za-z][^>]*>", text)}
    assert tags == {"<details>", "</details>", "<summary>", "</summary>"}


def test_no_text_sends_the_reader_to_a_colour(notebook, prose):
    """Who does not see colours could not follow a sentence such as "the blue line"."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    captions = [o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    assert len(captions) >= 15
    for text in [*prose.values(), *captions]:
        assert not re.search(HUES, text, flags=re.I), text


# ---------------------------------------------------------------- the page


def test_readme_exports_with_the_template_that_is_tested_here():
    """A reader is told to export in a way that leaves the descriptions out."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"nbconvert --to html --template {TEMPLATE} {NOTEBOOK.name}\n" in readme


def test_export_warns_of_nothing(exported):
    """nbconvert says that an image has no alternative text, or anything else."""
    assert exported[1] == []


def test_export_of_a_figure_without_description_warns():
    """The test above could not fail: nbconvert no longer warns, or warns where nobody listens."""
    png = nbformat.v4.new_output("display_data", {"image/png": "aGVsbG8="})
    cell = nbformat.v4.new_code_cell("picture", outputs=[png])
    _, heard = export(nbformat.v4.new_notebook(cells=[cell]))
    assert len(heard) == 1 and "lternative text" in heard[0]


def test_every_figure_of_the_page_has_its_stored_description(notebook, page):
    """The description is lost, or stands at another figure."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    stored = [output for output in outputs if "image/png" in output.get("data", {})]
    shown = [image for image in page.find_all("img") if image["src"].startswith("data:")]
    assert len(shown) == len(stored) >= 15
    for image, output in zip(shown, stored, strict=True):
        description = output.metadata["image/png"]["alt"]
        assert image["alt"] == description.strip() != ""
        same = image["src"].strip() == f"data:image/png;base64,{output.data['image/png'].strip()}"
        assert same, f"another figure has this description: {description}"


def test_every_picture_from_a_file_has_words_and_its_file(page):
    """A picture in a text cell is silent, or broken."""
    files = [image for image in page.find_all("img") if not image["src"].startswith("data:")]
    assert files
    for image in files:
        assert len(image["alt"]) > 20, image["src"]
        assert (ROOT / unquote(image["src"])).is_file(), image["src"]


def test_every_table_of_the_page_has_a_header_for_each_column(page):
    """A screen reader names the column of each cell by its header: one is missing or empty."""
    assert page.find("table")
    for table in page.find_all("table"):
        header, *rows = table.find_all("tr")
        names = header.find_all("th")
        assert [len(row.find_all(["th", "td"])) for row in rows] == [len(names)] * len(rows), header
        assert all(name.get_text().strip() for name in names), f"a header is empty: {header}"


# ---------------------------------------------------------------- the colours


def colours(path):
    """Every colour that a Python file writes down, but for the white ground and faint tracks."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = {text for text in texts if isinstance(text, str) and re.match("#|[a-z]{3}", text)}
    return {text for text in named if is_color_like(text)} - {"white", "none", "#ddd"}


@pytest.mark.parametrize(
    "path",
    [
        "helpers.py",
        "widgets/pad.py",
        "widgets/training.py",
        "tools/bench_training.py",
    ],
)
def test_every_colour_in_the_source_stands_out_on_white(path):
    """A colour is too pale for a line, a bar or a marker on the white page."""
    found = colours(path)
    assert found
    for colour in found:
        assert contrast(to_rgba(colour), (1, 1, 1)) >= GRAPHICS, colour


def test_colours_of_text_stand_out_more():
    """helpers.py calls a colour fit for text that is too pale for it."""
    for colour in ("black", helpers.GREY, helpers.BLUE):
        assert contrast(to_rgba(colour), (1, 1, 1)) >= TEXT, colour


def test_text_can_be_read_on_every_step_of_the_scales():
    """A number would fade in a cell of the confusion matrix."""
    heat = helpers.HEAT(np.linspace(0, 1, 101))
    assert contrast(to_rgba("black"), heat).min() >= TEXT
    assert contrast(to_rgba(helpers.BLUE), heat[0]) >= TEXT  # a right answer's cell is white


def test_what_differs_in_colour_differs_in_form():
    """Train and dev, or two clouds, look the same to who does not see their colours."""
    for kind in zip(*helpers.LOOKS, strict=True):
        assert len(set(kind)) == len(helpers.LOOKS) >= 4
    for ax in drawn("training_curves", 0)[1].axes:
        train, dev = [line for line in ax.lines if line.get_marker() in "os"]
        assert train.get_linestyle() != dev.get_linestyle()
        assert train.get_marker() != dev.get_marker()


def test_states_of_the_pad_differ_by_more_than_colour():
    """The likeliest digit, or a failure, shows in colour only."""
    css = (ROOT / "widgets/pad.css").read_text(encoding="utf-8")
    for state in ("draw-pad-most", "draw-pad-failed"):
        bodies = re.findall(rf"\.{state}\b[^{{]*\{{([^}}]*)\}}", css)
        properties = {name for body in bodies for name in re.findall(r"([\w-]+):", body)}
        assert properties - {"color", "background", "border-color", "opacity"}, state
    assert not re.search(r"outline: (none|0)", css), "the button in focus would not show"
