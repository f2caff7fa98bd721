"""The pad and the live run in a real browser, as a learner meets them in JupyterLab.

Most tests run on a short notebook, made here from the notebook's own function cells. Those marked
`full` look at every cell of the whole notebook. Skipped, with the reason, where Playwright for
Python or a Chromium, Chrome or Edge is missing; nothing is downloaded.

    SCREENSHOTS=folder pytest tests/test_browser.py    # keeps pictures of what was seen
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

import nbformat
import numpy as np
import pytest
from jupyter_client import BlockingKernelClient
from jupyter_server.serverapp import list_running_servers
from nbformat.v4 import new_code_cell, new_notebook

from run_notebook import NOTEBOOK
from test_helpers import contrast
from widgets import drawings

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
expect = playwright.expect
expect.set_options(timeout=30_000)

NAMES = "chromium chromium-browser google-chrome chrome msedge".split()
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
BROWSER = next(filter(None, map(shutil.which, [*NAMES, MAC])), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium, Chrome or Edge")
PRIVATE = """JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR JUPYTERLAB_SETTINGS_DIR
    JUPYTERLAB_WORKSPACES_DIR IPYTHONDIR""".split()
WIDE, NARROW = {"width": 1366, "height": 768}, {"width": 400, "height": 800}
CELLS = [
    f"""import sys
sys.path.insert(0, "tools")
import nbformat
import run_notebook
globals().update(run_notebook.functions(nbformat.read("{NOTEBOOK.name}", as_version=4)))""",
    """table = pd.read_csv("data/train.csv.gz", dtype=np.uint8, nrows=12_000).to_numpy()
X, Y = to_columns(table[:, 1:]), table[:, 0]
alphas = [0.05, 0.05, 0.05, 0.02, 0.01]
params = train(X, Y, alphas, 64, init_params_scaled(128), momentum=update_velocity)""",
    """pad = DrawPad(lambda picture: forward_prop(*params, picture)[3])
pad""",
    """own = DrawPad(ask=1)
own""",
    """dev = X[:, :1000], Y[:1000]
stopped, history = watch(gradient_descent, X, Y, 0.1, 2000, dev=dev, weights=True)""",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the tree: (address of a notebook in a workspace, folder, runtime)."""
    private = tmp_path_factory.mktemp("lab")
    tree = private / "tree"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "my_digits", "wheels")
    shutil.copytree(NOTEBOOK.parent, tree, ignore=left_out)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [new_code_cell(code) for code in CELLS]
    nbformat.write(new_notebook(cells=cells, metadata=notebook.metadata), tree / "short.ipynb")
    for extension, settings in {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},  # all cells are in the page
    }.items():
        file = private / f"JUPYTERLAB_SETTINGS_DIR/@jupyterlab/{extension}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    options = "--no-browser --ip=127.0.0.1 --IdentityProvider.token=test --allow-root"
    options += " --LabApp.extension_manager=readonly"
    env = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")}
    env |= {name: str(private / name) for name in PRIVATE}
    command = [sys.executable, "-m", "jupyterlab", *options.split()]
    with open(private / "lab.log", "w") as log:
        server = subprocess.Popen(command, cwd=tree, env=env, stdout=log, stderr=log)
    runtime = private / "JUPYTER_RUNTIME_DIR"
    try:
        for _ in range(600):
            if running := list(list_running_servers(runtime)):
                break
            time.sleep(0.1)
        assert running, f"no JupyterLab: {(private / 'lab.log').read_text()[-1000:]}"
        yield f"{running[0]['url']}lab/workspaces/%s/tree/%s?token=test", tree, runtime
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER)
        yield browser
        browser.close()


def open_notebook(browser, lab, name):
    """A tab with a notebook whose kernel is idle. It remembers what failed and whom it asked."""
    page = browser.new_page(viewport=WIDE, has_touch=True)
    page.set_default_timeout(60_000)
    page.failed, page.hosts = [], set()

    def fail(event, text):
        if "ERR_ABORTED" not in text:  # the page itself changed its mind
            page.failed.append(f"{event}: {text}")

    page.on("pageerror", lambda error: fail("error", str(error)))
    page.on("console", lambda m: m.type == "error" and fail(m.location, m.text))
    page.on("requestfailed", lambda request: fail(request.url, request.failure or ""))
    page.on("request", lambda r: page.hosts.add(urllib.parse.urlsplit(r.url).hostname))
    page.goto(lab[0] % (name[:-6], name))  # a workspace for each: no other tab comes back
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.click()  # the status bar follows the focus
    # Running a cell before that would ask for a kernel, and wait
    expect(page.locator("#jp-main-statusbar")).to_contain_text("Idle", timeout=120_000)
    return page


@pytest.fixture(scope="module")
def page(browser, lab):
    """The short notebook; all cells but the last, which trains for long, have run."""
    page = open_notebook(browser, lab, "short.ipynb")
    page.locator(".jp-Notebook .jp-Cell .cm-content").last.click()
    menu(page, "Run", "Run All Above Selected Cell")
    expect(page.locator(".draw-pad")).to_have_count(2, timeout=180_000)
    return page


@pytest.fixture
def pad(page, request):
    """The pad that reads; new paper after each test."""
    pad = page.locator(".draw-pad").nth(0)
    yield pad
    look(page, request.node.name)
    clear(pad)


@pytest.fixture
def own(page, request):
    """The pad that asks."""
    yield page.locator(".draw-pad").nth(1)
    look(page, request.node.name)


@pytest.fixture(scope="module")
def kernel(lab, page):
    """Runs code in the notebook's kernel; gives what the code printed."""
    (file,) = lab[2].glob("kernel-*.json")
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=30)

    def run(code):
        said = []
        heard = {"output_hook": lambda m: said.append(m["content"].get("text", "")), "timeout": 60}
        reply = client.execute_interactive(code, store_history=False, **heard)["content"]
        assert reply["status"] == "ok", reply
        return "".join(said)

    yield run
    client.stop_channels()


def menu(page, *labels):
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{labels[0]}$")).click()
    for label in labels[1:]:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{label}$")).click()


def look(page, name):
    """Keep a picture of the page, where one was asked for."""
    if "SCREENSHOTS" in os.environ:
        page.screenshot(path=pathlib.Path(os.environ["SCREENSHOTS"]) / f"{name}.png")


def part(pad, name):
    return pad.locator(f".draw-pad-{name}")


def strokes_on(pad, digit):
    """The strokes of a digit in CSS px of the page, on the paper of a pad."""
    paper = pad.locator("svg")
    paper.scroll_into_view_if_needed()
    before, box = None, paper.bounding_box()
    while box != before:  # the page may still be moving
        time.sleep(0.05)
        before, box = box, paper.bounding_box()
    corner, side = np.array([box["x"], box["y"]]), np.array([box["width"], box["height"]])
    strokes = drawings.place(drawings.SHAPES[digit][0])
    return [(corner + side * [*s[:-1:3], s[-1]]).tolist() for s in strokes]


def draw(page, pad, digit):
    """Draw a digit on a pad with the mouse."""
    for points in strokes_on(pad, digit):
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def clear(pad):
    """New paper, by the button."""
    part(pad, "next").click()
    expect(part(pad, "sentence")).to_have_text("Draw a digit from 0 to 9.")


def reads(pad, digit):
    expect(part(pad, "sentence")).to_have_text(re.compile(f"^It reads an? {digit} "))


# --- the pad that reads


def test_draws_reads_clears_and_keeps(page, pad, kernel):
    """Fails when the answer to a drawing does not arrive, pad.picture is not what was seen, or
    Undo does not bring a cleared drawing back."""
    for digit in (3, 0, 2):
        draw(page, pad, digit)
        reads(pad, digit)
        percents = pad.locator("li span").all_text_contents()
        assert len(percents) == 10 and all(re.search(r"\d %$", text) for text in percents)
        for _ in range(100):  # until the last of the strokes has made its way
            kept = json.loads(kernel("print((255 * pad.picture[:, 0]).round().tolist())"))
            shown = pad.locator("canvas").evaluate(
                "c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]"
            )
            if [255 - ink for ink in kept] == shown[::4]:
                break
        else:
            pytest.fail("pad.picture is not the picture that the network sees")
        clear(pad)
        assert not any(pad.locator("li span").all_text_contents())
    assert kernel("print(pad.drawings.shape)").strip() == "(784, 3)"
    part(pad, "undo").click()
    reads(pad, 2)


def test_reads_a_finger_on_a_narrow_screen(page, pad):
    """Fails when touch scrolls instead of drawing, or when the pad is wider than a telephone."""
    touch = page.context.new_cdp_session(page)
    page.set_viewport_size(NARROW)
    try:
        page.locator(".jp-SideBar .lm-mod-current").first.click()  # folds the list of files
        page.wait_for_timeout(500)
        strokes = strokes_on(pad, 7)
        top = pad.locator("svg").bounding_box()["y"]
        for points in strokes:
            moves = [("Move", [point]) for point in points]
            for kind, at in [("Start", points[:1]), *moves, ("End", [])]:
                event = {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": y} for x, y in at]}
                touch.send("Input.dispatchTouchEvent", event)
        reads(pad, 7)
        look(page, "pad-narrow")
        assert pad.locator("svg").bounding_box()["y"] == pytest.approx(top, abs=1)
        assert pad.evaluate("e => e.scrollWidth <= e.clientWidth")
    finally:
        page.set_viewport_size(WIDE)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="cannot hold a process on Windows")
def test_says_that_it_waits_for_a_held_kernel_and_goes_on(page, pad, kernel):
    """Fails when a kernel that does not answer leaves the pad silent or stuck."""
    pid = int(kernel("import os; print(os.getpid())"))
    os.kill(pid, signal.SIGSTOP)
    try:
        draw(page, pad, 0)
        expect(part(pad, "sentence")).to_have_text("Waiting for the kernel ...")
        look(page, "pad-waiting")
    finally:
        os.kill(pid, signal.SIGCONT)
    reads(pad, 0)


# --- the pad that asks


def test_asks_for_each_digit_keeps_and_saves_them(page, own, kernel, lab):
    """Fails when a digit is lost, mislabelled or spoiled on its way, or the file is not there."""
    seen = []
    while (question := part(own, "sentence").text_content()).startswith("Draw"):
        seen.append(int(question[-2]))
        assert part(own, "progress").text_content() == f"{len(seen)} of 10"
        draw(page, own, seen[-1])
        expect(part(own, "next")).to_have_text("Next")
        part(own, "next").click()
    assert sorted(seen) == list(range(10)) != seen
    expect(part(own, "sentence")).to_have_text("Done: 10 digits drawn.")
    part(own, "save").click()
    expect(part(own, "note")).to_have_text("Saved as my_digits/digits-1.csv.")
    assert (lab[1] / "my_digits/digits-1.csv").read_text().count("\n") == 11
    assert kernel("print(own.Y.tolist())").strip() == str(seen)
    right = kernel("print(get_accuracy(get_predictions(forward_prop(*params, own.X)[3]), own.Y))")
    assert float(right) >= 0.8


def test_draws_skips_stops_goes_on_and_goes_back_by_keyboard(page, own, kernel):
    """Fails when the pad cannot be left or used by keys, a screen reader is not told, or a skipped
    digit gets into X and Y."""
    kernel("own.finished = []; own.number += 1")
    expect(part(own, "progress")).to_have_text("1 of 10")
    own.locator("svg").focus()
    for key in "Enter", " ", *["ArrowDown"] * 8:  # skip one, draw a line for the second
        page.keyboard.press(key)
    expect(part(own, "announce")).to_have_text("Pen down")
    page.keyboard.press("Enter")
    expect(part(own, "progress")).to_have_text("3 of 10")
    expect(part(own, "announce")).to_have_text(re.compile(r"Draw an? \d\. 3 of 10"))
    assert kernel("print(own.Y.size, own.Y[0] == own.ask[1])").strip() == "1 True"
    page.keyboard.press("Backspace")  # back to the second, with its line
    expect(part(own, "progress")).to_have_text("2 of 10")
    expect(part(own, "next")).to_have_text("Next")
    page.keyboard.press("Enter")
    for key in "Tab", "Tab", "Tab", "Enter":
        page.keyboard.press(key)
    expect(part(own, "sentence")).to_have_text("Stopped: 1 digit drawn.")
    look(page, "quiz-stopped")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "draw-pad-save"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(part(own, "progress")).to_have_text("3 of 10")


# --- the run


def test_a_run_is_seen_to_grow_and_stop_leaves_it(page, kernel):
    """Fails when the picture does not change, flickers or jumps, or is gone after a stop."""
    cell = page.locator(".jp-Notebook .jp-Cell").last
    cell.locator(".cm-content").click()
    page.evaluate("""() => {
        window.heights = new Set(), window.missing = 0;
        const cell = [...document.querySelectorAll(".jp-Notebook .jp-Cell")].at(-1);
        (function look() {
            const svg = cell.querySelector(".jp-OutputArea svg[role=img]");
            const output = svg ?? cell.querySelector(".jp-OutputArea img");
            if (output) heights.add(Math.round(output.getBoundingClientRect().height));
            else if (heights.size) missing += 1;
            requestAnimationFrame(look);
        })();
    }""")
    page.keyboard.press("Control+Enter")
    live = cell.locator(".jp-OutputArea svg[role=img]")
    labels = set()
    while len(labels) < 6:
        labels.add(live.get_attribute("aria-label"))
        page.wait_for_timeout(100)
    assert all("of 2,000" in label for label in labels), labels
    look(page, "run-live")
    menu(page, "Kernel", "Interrupt Kernel")
    picture = cell.locator(".jp-OutputArea img")
    expect(picture).to_have_count(1, timeout=60_000)
    expect(live).to_have_count(0)
    expect(cell).to_contain_text("You stopped the run: it returns the network of step")
    look(page, "run-stopped")
    assert picture.evaluate("e => e.complete && e.naturalWidth > 0")
    heights = page.evaluate("[...heights]")
    assert max(heights) - min(heights) <= 2 and page.evaluate("missing") == 0, heights
    step = re.search(r"network of step (\d+) of 2,000", cell.inner_text())[1]
    said = kernel("print(history[-1]['step'], stopped is history[-1]['params'])")
    assert said == f"{step} True\n"


# --- the look


COLOUR = """(pad, [name, what, ground]) => {
    const pixel = new OffscreenCanvas(1, 1).getContext("2d");
    return [ground, getComputedStyle(pad.querySelector(name))[what]].map((colour) => {
        pixel.fillStyle = colour.replace("page", getComputedStyle(pad).getPropertyValue(
            "--jp-layout-color0"));
        pixel.fillRect(0, 0, 1, 1); // mixed with what is there
        return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3).map((level) => level / 255);
    });
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_can_be_read_in_both_themes(page, pad, theme):
    """Fails when text has less than 4.5:1, a bar or a border less than 3:1, or the ink is light."""
    menu(page, "Settings", "Theme", theme)
    page.wait_for_function(
        f"document.body.dataset.jpThemeName === '{theme}'"
        " && !document.querySelector('#jupyterlab-splash')"
    )
    draw(page, pad, 5)
    reads(pad, 5)
    for name, what, ground, least in [
        (".draw-pad-sentence", "color", "page", 4.5),
        ("li span", "color", "page", 4.5),
        (".draw-pad-title", "color", "page", 4.5),
        ("svg", "borderTopColor", "page", 3),
        ("button", "borderTopColor", "page", 3),
        ("li i i", "backgroundColor", "page", 3),
        ("svg", "color", "white", 12),
        (".draw-pad-hint", "color", "white", 4.5),
    ]:
        assert contrast(*pad.evaluate(COLOUR, [name, what, ground])) >= least, (name, what)
    expect(pad.locator("svg")).to_have_css("background-color", "rgb(255, 255, 255)")
    sizes = pad.locator("p, b, span, small, button").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 16


def test_nothing_failed_and_nothing_left_this_machine(page):
    """Fails on an error in the console, a failed request, or a request to another machine."""
    assert not page.failed, page.failed
    assert page.hosts - {None} == {"127.0.0.1"}, page.hosts


# --- the whole notebook


@pytest.mark.full
def test_every_cell_of_the_whole_notebook_shows(browser, lab):
    """Fails when a figure is broken or maths stays source."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    page = open_notebook(browser, lab, NOTEBOOK.name)
    nodes = page.locator(".jp-Notebook .jp-Cell")
    expect(nodes).to_have_count(len(book.cells))
    for i in range(0, len(book.cells), 8):
        nodes.nth(i).scroll_into_view_if_needed()
    for cell, node in zip(book.cells, nodes.all(), strict=True):
        if cell.cell_type == "code":
            pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
            shown = node.locator(".jp-OutputArea img")
            expect(shown).to_have_count(pictures)
            for picture in shown.all():
                assert picture.evaluate("e => e.decode().then(() => e.naturalWidth)"), cell.id
            continue
        if re.search(r"\$[^$`]+\$", cell.source):
            expect(node.locator("mjx-container, .katex").first).to_be_attached()
            assert "$$" not in node.inner_text(), cell.id
        assert not node.locator("mjx-merror, [data-mjx-error]").count(), cell.id
    assert not page.failed and page.hosts - {None} == {"127.0.0.1"}, page.failed
