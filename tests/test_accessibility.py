"""The notebook and its HTML export for a reader who hears it, sees it dimly or sees no colours.

What stands elsewhere: the notebook's headings, links, tables and descriptions in test_notebook.py;
each text and line of the figures on its own ground in test_helpers.py; the pad as a browser shows
it, in JupyterLab, in test_browser.py. Here is the page that `jupyter nbconvert --to html --template
classic` makes, the colours as the sources name them, and what would be told by colour alone."""

import ast
import logging
import re
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from jupyter_core.paths import jupyter_path
from matplotlib.colors import is_color_like, to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from nbconvert import HTMLExporter

import helpers
from run_notebook import NOTEBOOK, ROOT
from test_helpers import PLOTS, contrast, drawn

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


def test_page_says_its_language_and_has_a_title_and_one_main_part(page):
    """A screen reader would read with another language's voice, or could not say where it is."""
    assert page.html["lang"] == "en"
    assert page.title.get_text().strip()
    assert len(page.find_all("main")) == 1


def test_page_has_one_title_no_skipped_level_and_no_empty_heading(page):
    """A list of headings, the way a screen reader's user skims a page, has gaps or two tops."""
    headings = page.find_all(re.compile(r"h[1-6]"))
    levels = [int(heading.name[1]) for heading in headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(low <= high + 1 for high, low in zip(levels, levels[1:], strict=False))
    assert all(heading.get_text().strip("\u00b6 \n") for heading in headings)


def test_page_gives_no_id_twice(page):
    """A link into the page leads to the first of two places."""
    ids = Counter(tag["id"] for tag in page.find_all(id=True))
    assert len(ids) > 100
    assert [name for name, count in ids.items() if count > 1] == []


def test_links_of_the_page_have_words_and_lead_somewhere(page):
    """A link says nothing, or leads to a heading or file that is not there."""
    ids = {tag["id"] for tag in page.find_all(id=True)}
    links = [a for a in page.find_all("a", href=True) if "anchor-link" not in a.get("class", [])]
    assert len(links) > 10
    for link in links:
        target = unquote(link["href"])
        assert re.search(r"\w{3}", link.get_text()), target
        if target.startswith("#"):
            assert target[1:] in ids, target
        elif not re.match(r"https?://", target):
            assert (ROOT / target).exists(), target


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
    """Every colour that a Python file writes down, but for white, the ground that it is on."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = {text for text in texts if isinstance(text, str) and re.match("#|[a-z]{3}", text)}
    return {text for text in named if is_color_like(text)} - {"white", "none"}


@pytest.mark.parametrize("path", ["helpers.py", "draw_pad/__init__.py", "tests/bench_training.py"])
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


def test_text_can_be_read_on_every_step_of_the_scales(monkeypatch):
    """A number would fade in a cell of the confusion matrix, or on some pixel of a digit."""
    heat = helpers.HEAT(np.linspace(0, 1, 101))
    for colour in ("black", helpers.BLUE):  # a right answer's cell is white
        ground = heat if colour == "black" else heat[0]
        assert contrast(to_rgba(colour), ground).min() >= TEXT, colour
    figures = []
    monkeypatch.setattr(helpers, "_png", lambda fig: figures.append(fig) or bytes(24))
    for first in (0, 100, 156):  # three digits that have all 256 numbers
        digit = np.zeros((28, 28), np.uint8)
        digit[9:19, 9:19] = np.arange(first, first + 100).reshape(10, 10)
        helpers.pixel_numbers(digit.ravel(), 5)
    numbers = [text for fig in figures for text in fig.axes[0].texts if text.get_text().isdigit()]
    assert {int(text.get_text()) for text in numbers} == set(range(256))
    for text in numbers:
        ground = helpers.INK(int(text.get_text()) / 255)
        assert contrast(to_rgba(text.get_color()), ground) >= TEXT, text.get_text()


def rules(css):
    """{name: value} of every custom property of a style sheet, the first that it gives."""
    found = re.findall(r"(--[\w-]+)\s*:\s*([^;}]+)", css)
    return dict(reversed([(name, " ".join(value.split())) for name, value in found]))


def value_of(text, known, ground=(1, 1, 1)):
    """The colour that a CSS value means, (red, green, blue) in 0..1, painted on a ground.

    known: name -> value, of custom properties and of the system's colours."""
    text = known.get(text, text)
    if match := re.fullmatch(r"var\((--[\w-]+)(?:, ?(.+))?\)", text):
        return value_of(known.get(match[1], match[2]), known, ground)
    if match := re.fullmatch(r"color-mix\(in srgb, (\w+) (\d+)%, (\w+)\)", text):
        one, other = (np.array(value_of(match[i], known)) for i in (1, 3))
        return tuple(other + (one - other) * int(match[2]) / 100)
    if match := re.fullmatch(r"rgba\((.+)\)", text):
        *rgb, alpha = (float(part) for part in match[1].split(","))
        return tuple(alpha * np.array(rgb) / 255 + (1 - alpha) * np.array(ground))
    return to_rgba(text)[:3]


# JupyterLab's own themes, as they are installed; its colours stand in their style sheets
THEMES = {
    sheet.parent.name: sheet
    for folder in jupyter_path("lab", "themes", "@jupyterlab")
    for sheet in sorted(Path(folder).glob("*/index.css"))
}
# Outside JupyterLab the pad takes the browser's own colours; these are Chromium's
BROWSER = {
    "light page": {"Canvas": "#ffffff", "CanvasText": "#000000"},
    "dark page": {"Canvas": "#121212", "CanvasText": "#ffffff"},
}


def test_themes_of_jupyterlab_were_found():
    """The test below would no longer see JupyterLab's colours."""
    assert {"theme-light-extension", "theme-dark-extension"} <= set(THEMES)


@pytest.mark.parametrize("place", [*THEMES, *BROWSER])
def test_pad_can_be_read_wherever_it_stands(place):
    """A theme's colours leave a text, a border, the ring around a button or a bar too pale."""
    known = rules((ROOT / "draw_pad/pad.css").read_text(encoding="utf-8"))
    if place in BROWSER:
        known |= BROWSER[place]
    else:
        known |= rules(THEMES[place].read_text(encoding="utf-8"))
    names = "text", "soft", "paper", "track", "accent"
    paper = value_of("--draw-pad-paper", known)
    text, soft, paper, track, accent = (
        value_of(f"--draw-pad-{name}", known, paper) for name in names
    )
    for what, one, other, least in [
        ("text and ink on the page", text, paper, TEXT),
        ("text on a button under the mouse", text, track, TEXT),
        ("titles and borders", soft, paper, TEXT),
        ("the ring around a button", accent, paper, GRAPHICS),
        ("a bar on its track", accent, track, GRAPHICS),
    ]:
        assert contrast(one, other) >= least, (what, float(contrast(one, other)))


def test_pad_css_writes_no_colour_that_the_test_above_does_not_see():
    """A colour has come into a rule of the pad, where its contrast is not computed."""
    css = (ROOT / "draw_pad/pad.css").read_text(encoding="utf-8")
    known = set(rules(css))
    for name, value in re.findall(r"^ *([\w-]+): ([^;]+);", css, flags=re.M):
        if name not in known:
            assert not re.search(r"#[0-9a-f]{3}|\b(rgb|hsl|color-mix)\(|--jp-.*color", value), value
        if name in {"color", "background", "background-color"}:
            assert value == "inherit" or value[4:-1] in known, (name, value)
    script = (ROOT / "draw_pad/pad.js").read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-f]{6}\b|rgb\(|style=", script)


# ---------------------------------------------------------------- not by colour alone


def test_runs_are_told_apart_by_marker_as_well():
    """Two runs on one chart look the same to who does not see their colours."""
    for kind in zip(*helpers.LOOKS, strict=True):
        assert len(set(kind)) == len(helpers.LOOKS) >= 4


def line_look(line):
    """All of a line's look but its colour."""
    filled = to_rgba(line.get_markerfacecolor()) != to_rgba("white")
    return line.get_marker(), filled, line.get_linestyle(), line.get_linewidth()


def bar_look(bar):
    """All of a bar's or frame's look but its colour."""
    return bar.get_fill(), bar.get_hatch(), bar.get_linewidth()


def bar_colour(bar):
    return to_rgba(bar.get_facecolor() if bar.get_fill() else bar.get_edgecolor())


@pytest.mark.parametrize("name", PLOTS)
def test_what_differs_in_colour_differs_in_form(name):
    """Two lines, or two bars without words, differ in nothing but their colour.

    A bar may stand out by colour from the others if a text of its own says what it is."""
    for i, _, fig in drawn(name):
        for ax in fig.axes:
            looks = defaultdict(set)
            for line in ax.lines:
                marked = line.get_linestyle() in ("None", "")
                color = line.get_markeredgecolor() if marked else line.get_color()
                if to_rgba(color) == to_rgba("white"):
                    color = line.get_markerfacecolor()
                looks[line_look(line)].add(to_rgba(color))
            assert all(len(colors) == 1 for colors in looks.values()), (i, dict(looks))
            told = {t.xy[1] for t in ax.texts if isinstance(t, Annotation) and t.get_text()}
            bars = defaultdict(list)
            for patch in ax.patches:
                if isinstance(patch, Rectangle) and patch.get_visible():
                    bars[bar_look(patch)].append(patch)
            for group in bars.values():
                [(usual, _)] = Counter(map(bar_colour, group)).most_common(1)
                for bar in group:
                    middle = round(bar.get_y() + bar.get_height() / 2, 6)
                    assert bar_colour(bar) == usual or middle in told, (i, bar)


def test_states_of_the_pad_differ_by_more_than_colour():
    """The likeliest digit, or a failure, shows in colour only."""
    css = (ROOT / "draw_pad/pad.css").read_text(encoding="utf-8")
    for state in ("draw-pad-most", "draw-pad-failed"):
        bodies = re.findall(rf"\.{state}\b[^{{]*\{{([^}}]*)\}}", css)
        properties = {name for body in bodies for name in re.findall(r"([\w-]+):", body)}
        assert properties - {"color", "background", "border-color", "opacity"}, state
    assert not re.search(r"outline: (none|0)", css), "the button in focus would not show"
