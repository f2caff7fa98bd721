"""The notebook in a real browser, as a learner meets it: Run All, draw a digit, read on.

Skipped, with the reason, where no Chromium, Chrome or Edge is installed. It is driven through its
DevTools protocol with websocket-client, which JupyterLab brings: nothing else needs installing.

    pytest tests/test_browser.py -s                    # -s shows the measured round trip
    SCREENSHOTS=folder pytest tests/test_browser.py    # keeps pictures of the whole page
    NOTEBOOK=other.ipynb pytest tests/test_browser.py  # another notebook that draws with `pad`
"""
import base64
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from importlib import metadata

import nbformat
import numpy as np
import pytest
import websocket
from jupyter_client import BlockingKernelClient

from widgets import drawings

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOTEBOOK = pathlib.Path(os.environ.get("NOTEBOOK", ROOT / "mnist-scratch.ipynb"))
BROWSER = next(filter(None, map(shutil.which, [
    "chromium", "chromium-browser", "google-chrome", "chrome", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"])), None)
LAB = tuple(int(n) for n in metadata.version("jupyterlab").split(".")[:2])
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium, Chrome or Edge: none is installed"),
    # It takes cells that are out of sight off the page, and the tests look for them there
    pytest.mark.skipif(LAB < (4, 4), reason="JupyterLab is older than 4.4: seen to fail with 4.2")]
RUN_ALL = 900  # seconds that Run All may take on a slow machine
REST = 5  # seconds that the kernel must have been idle when Run All has come to its end
KEYS = {"Enter": 13, " ": 32, "Tab": 9, "Escape": 27}


class Page:
    """One browser tab, driven by real mouse, finger and keys; it remembers what went wrong."""

    def __init__(self, url, screenshots):
        self.socket = websocket.create_connection(url, timeout=60, suppress_origin=True)
        self.numbers, self.events, self.screenshots = itertools.count(1), [], screenshots
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self.events.append(message)

    def js(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait(self, expression, seconds=20):
        """The value of a JavaScript expression once it is true."""
        end = time.monotonic() + seconds
        while not (value := self.js(expression)):
            if time.monotonic() > end:
                self.screenshot(f"waited-in-vain-{time.monotonic():.0f}")
                pytest.fail(f"waited {seconds} s in vain for: {expression}")
            time.sleep(0.05)
        return value

    def place(self, element):
        """Left, top, width, height of an element (a JavaScript expression), scrolled into view."""
        return self.wait(f"""(() => {{ const e = {element}; if (!e) return null;
            const seen = e.getBoundingClientRect();
            if (seen.top < 90 || seen.bottom > innerHeight - 40)
                e.scrollIntoView({{block: "center", behavior: "instant"}});
            const r = e.getBoundingClientRect();
            return r.width > 0 && [r.left, r.top, r.width, r.height]; }})()""")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, element):
        left, top, width, height = self.place(element)
        x, y = left + width / 2, top + height / 2
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def press(self, key):
        text = {"Enter": "\r", " ": " "}.get(key)
        more = {"key": key, "code": "Space" if key == " " else key,
                "windowsVirtualKeyCode": KEYS[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown",
                  **more, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **more)

    def menu(self, *labels):
        """Choose from JupyterLab's menus."""
        item = "[...document.querySelectorAll('{}')].find(e => e.textContent.trim() === '{}')"
        self.click(item.format(".lm-MenuBar-itemLabel", labels[0]))
        for label in labels[1:]:
            self.click(item.format(".lm-Menu-itemLabel", label))

    def screenshot(self, name):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        (self.screenshots / f"{name}.png").write_bytes(base64.b64decode(data))

    def draw(self, digit, shape=0, move=None):
        """Draw a digit on the pad, with the mouse; `move(x, y)` replaces each movement."""
        self.place(PAD)
        left, top, width, height = self.place(PAPER)
        for stroke in drawings.place(drawings.SHAPES[digit][shape]):
            points = [(left + x * width, top + y * height) for x, y in stroke]
            self.mouse("mouseMoved", *points[0])
            self.mouse("mousePressed", *points[0], button="left", clickCount=1)
            for x, y in points[1:]:
                (move or self.moved)(x, y)
            self.mouse("mouseReleased", *points[-1], button="left", clickCount=1)

    def moved(self, x, y):
        self.mouse("mouseMoved", x, y, button="left", buttons=1)
        time.sleep(0.01)


PAD = "document.querySelector('.draw-pad')"
PAPER = f"{PAD}?.querySelector('svg')"
SENTENCE = f"{PAD}?.querySelector('.draw-pad-sentence').textContent"
PERCENTS = f"[...{PAD}.querySelectorAll('li span')].map(e => e.textContent)"
PIXELS = f"[...{PAD}.querySelector('canvas').getContext('2d').getImageData(0, 0, 28, 28).data]"
SCROLLER = ("(document.querySelector('.jp-Notebook .jp-WindowedPanel-outer')"
            " ?? document.querySelector('.jp-Notebook'))")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(found, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if value := found():
                return value
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{what} did not start within {seconds} s")


def answers(address):
    with urllib.request.urlopen(address, timeout=5) as reply:
        return json.load(reply)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab with private settings on a copy of the tree: (its address, the token, folder)."""
    folder = tmp_path_factory.mktemp("lab")
    tree, private = folder / "tree", folder / "private"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__"))
    shutil.copy(NOTEBOOK, tree / "mnist-scratch.ipynb")
    quiet = private / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}')
    env = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")} | {
        "JUPYTER_CONFIG_DIR": str(private / "config"), "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_DATA_DIR": str(private / "data"), "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces")}
    port, token = free_port(), "token-of-the-test"
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
             f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
             "--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={tree}"],
            cwd=tree, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{address}/api/status?token={token}"), 60, "JupyterLab")
        yield address, token, private
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def page(lab, tmp_path_factory):
    """The notebook in JupyterLab, after Run All has come to its end."""
    address, token, _ = lab
    folder = tmp_path_factory.mktemp("browser")
    screenshots = pathlib.Path(os.environ.get("SCREENSHOTS", folder / "screenshots"))
    screenshots.mkdir(parents=True, exist_ok=True)
    root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with (folder / "browser.log").open("w") as log:
        browser = subprocess.Popen(
            [BROWSER, "--headless=new", *root, "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--no-first-run", "--hide-scrollbars",
             "--remote-debugging-port=0", f"--user-data-dir={folder / 'profile'}",
             "--window-size=1280,900", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=log)
    try:
        port_file = folder / "profile" / "DevToolsActivePort"

        def its_port():
            ended = browser.poll() is not None
            assert not ended, (folder / "browser.log").read_text(errors="replace")[-1000:]
            return port_file.read_text().split()[0]

        port = wait_for(its_port, 60, "The browser")
        tabs = wait_for(lambda: [tab for tab in answers(f"http://127.0.0.1:{port}/json")
                                 if tab["type"] == "page"], 20, "The browser's tab")
        page = Page(tabs[0]["webSocketDebuggerUrl"], screenshots)
        page.call("Emulation.setDeviceMetricsOverride", width=1280, height=900,
                  deviceScaleFactor=1, mobile=False)
        page.call("Emulation.setFocusEmulationEnabled", enabled=True)
        page.call("Page.navigate", url=f"{address}/lab/tree/mnist-scratch.ipynb?token={token}")
        idle = "/Idle/.test(document.querySelector('#jp-main-statusbar')?.textContent)"
        page.wait("!!document.querySelector('.jp-Notebook h1')", 120)
        page.click("document.querySelector('.jp-Notebook h1')")  # the status bar follows the focus
        page.wait(idle, 120)  # Run All before that would ask for a kernel, and wait
        page.menu("Run", "Run All Cells")
        page.wait(f"!({idle})", 20)
        # Between two cells the kernel is idle for a moment, so only a lasting rest is the end
        page.js(f"globalThis.busy = performance.now(); setInterval(() => {{"
                f"if (!({idle})) globalThis.busy = performance.now(); }}, 20)")
        page.wait(f"performance.now() - globalThis.busy > {1000 * REST}", RUN_ALL)
        yield page
    finally:
        browser.terminate()
        browser.wait(30)


@pytest.fixture(scope="module")
def kernel(lab, page):
    """A client of the notebook's kernel: run(code) gives what the code printed."""
    (file,) = (lab[2] / "runtime").glob("kernel-*.json")
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=30)

    def run(code):
        printed = []
        reply = client.execute_interactive(
            code, timeout=60, store_history=False,
            output_hook=lambda m: printed.append(m["content"].get("text", "")))
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed)

    yield run
    client.stop_channels()


def clear(page):
    page.click(f"{PAD}.querySelector('.draw-pad-clear')")
    page.wait(f"{SENTENCE} === 'Draw a digit from 0 to 9.'")


def reads(page, digit):
    page.wait(f"/^It reads an? {digit} /.test({SENTENCE})")


def test_draws_reads_clears_and_draws_again(page):
    """Fails when the pad does not show, or the network's answer to drawn digits does not arrive."""
    page.place(PAPER)
    clear(page)
    page.screenshot("pad-empty")
    for digit in (3, 0, 2):
        page.draw(digit)
        reads(page, digit)
        percents = page.js(PERCENTS)
        assert len(percents) == 10 and all(re.fullmatch(r"(over )?\d+ %", p) for p in percents)
        assert "over" in percents[digit] or int(percents[digit][:-2]) >= 60
        page.screenshot(f"pad-{digit}")
        clear(page)
        assert not any(page.js(PERCENTS))
        assert not any(page.js(PIXELS)[::4])


def test_reads_a_finger_on_a_narrow_screen(page):
    """Fails when touch scrolls instead of drawing, or when the pad is wider than a telephone."""
    page.call("Emulation.setDeviceMetricsOverride", width=375, height=812, deviceScaleFactor=2,
              mobile=True)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        page.click("document.querySelector('.jp-SideBar .lm-mod-current')")  # folds the file list
        page.js("new Promise(done => setTimeout(done, 800))")  # JupyterLab lays itself out anew
        left, top, width, height = page.place(PAPER)
        for stroke in drawings.place(drawings.SHAPES[7][0]):
            points = [{"x": left + x * width, "y": top + y * height} for x, y in stroke]
            page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=points[:1])
            for point in points[1:]:
                page.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
            page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        reads(page, 7)
        page.screenshot("pad-375px")
        assert page.js(f"{PAPER}.getBoundingClientRect().top") == pytest.approx(top, abs=1)
        assert page.js(f"{PAD}.scrollWidth <= {PAD}.clientWidth")
    finally:
        page.call("Emulation.setTouchEmulationEnabled", enabled=False)
        page.call("Emulation.setDeviceMetricsOverride", width=1280, height=900,
                  deviceScaleFactor=1, mobile=False)
        page.js("new Promise(done => setTimeout(done, 800))")
    clear(page)


def test_undo_takes_back_a_stroke_and_a_clear(page):
    """Fails when Undo loses a drawing."""
    strokes = f"{PAPER}.querySelector('path').getAttribute('d').split('M').length - 1"
    page.draw(4)
    assert page.js(strokes) == 2
    page.click(f"{PAD}.querySelector('.draw-pad-undo')")
    assert page.js(strokes) == 1
    clear(page)
    page.click(f"{PAD}.querySelector('.draw-pad-undo')")
    assert page.js(strokes) == 1
    clear(page)


def test_works_by_keyboard_and_says_so_to_a_screen_reader(page):
    """Fails when a button cannot be reached or pressed by keys, or nothing is announced."""
    page.draw(3)
    reads(page, 3)
    announced = f"{PAD}.querySelector('[aria-live=polite]').textContent"
    page.wait(f"{announced}.startsWith('It reads a 3')")
    page.js(f"{PAD}.querySelector('.draw-pad-undo').focus()")
    for key, name in (("Tab", "clear"), ("Tab", "save")):
        page.press(key)
        assert page.js("document.activeElement.className") == f"draw-pad-{name}"
    assert page.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.screenshot("pad-focus")
    page.press("Enter")
    page.wait(f"{PAD}.querySelector('.draw-pad-note').textContent.startsWith('Saved')")
    page.js(f"{PAD}.querySelector('.draw-pad-clear').focus()")
    page.press(" ")
    page.wait(f"{announced}.startsWith('Draw a digit')")


def test_save_keeps_the_picture_that_the_network_saw(page, kernel):
    """Fails when `pad.picture` is not the picture on the screen."""
    page.draw(2)
    reads(page, 2)
    page.click(f"{PAD}.querySelector('.draw-pad-save')")
    page.wait(f"{PAD}.querySelector('.draw-pad-note').textContent.startsWith('Saved')")
    shown = np.array(page.js(PIXELS)[::4])
    clear(page)
    saved = json.loads(kernel(
        "print([*pad.picture.shape, str(pad.picture.dtype)], end='|');"
        "print((pad.picture.ravel() * 255).round().astype(int).tolist())"
    ).split("|")[1])
    assert kernel("print(pad.picture.shape, pad.picture.dtype)").strip() == "(784, 1) float32"
    np.testing.assert_array_equal(saved, shown)


def test_follows_a_drawing_made_elsewhere(page, kernel):
    """Fails when a view does not show strokes that did not come from itself, as two views need."""
    kernel("pad.request = {'number': pad.request['number'] + 1, 'save': None,"
           "'strokes': [[[.5, .2], [.5, .8]]]}")
    reads(page, 1)
    assert "M0.5,0.2" in page.js(f"{PAPER}.querySelector('path').getAttribute('d')")
    clear(page)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="cannot hold a process on Windows")
def test_says_that_it_waits_for_a_held_kernel_and_goes_on(page, kernel):
    """Fails when a kernel that does not answer leaves the pad silent or stuck."""
    pid = int(kernel("import os; print(os.getpid())"))
    page.place(PAPER)
    os.kill(pid, signal.SIGSTOP)
    try:
        page.draw(0)
        page.wait(f"{SENTENCE}.startsWith('Waiting for the kernel')")
        page.screenshot("pad-waiting")
    finally:
        os.kill(pid, signal.SIGCONT)
    reads(page, 0)
    clear(page)


def test_shows_a_failing_predict_as_a_sentence(page, kernel):
    """Fails when a mistake in the learner's predict is swallowed."""
    kernel("_kept = pad._predict; pad._predict = lambda picture: picture[:3] @ picture[:2]")
    try:
        page.draw(1)
        page.wait(f"{SENTENCE}.startsWith('Your code stopped')")
        page.screenshot("pad-failed")
    finally:
        kernel("pad._predict = _kept; del _kept")
    clear(page)


def test_measures_the_round_trip(page):
    """Fails when a pen move needs a second to reach the bars; prints the median."""
    page.place(PAPER)
    page.js(f"""(() => {{
        window.trips = [];
        {PAPER}.addEventListener("pointermove", () => {{ window.started ??= performance.now(); }});
        new MutationObserver(() => {{
            if (window.started) trips.push(performance.now() - window.started);
            window.started = null;
        }}).observe({PAD}.querySelector("ul"), {{subtree: true, childList: true}});
    }})()""")

    def move(x, y):
        page.mouse("mouseMoved", x, y, button="left", buttons=1)
        page.wait("!window.started", 10)

    page.draw(8, move=move)
    trips = page.js("trips")
    clear(page)
    median = statistics.median(trips)
    print(f"\nfrom pen move to changed bars: median {median:.0f} ms, slowest {max(trips):.0f} ms, "
          f"{len(trips)} moves")
    assert len(trips) > 20 and median < 1000


def luminance(colour):
    channels = np.array([float(c) for c in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_can_be_read_in_both_themes(page, theme):
    """Fails when text has less than 4.5:1 or a bar, a border or the ink less than 3:1."""
    page.menu("Settings", "Theme", theme)
    page.wait(f"document.body.dataset.jpThemeName === '{theme}'"
              " && !document.querySelector('#jupyterlab-splash')")  # it lies over the page
    page.draw(5)
    reads(page, 5)
    page.screenshot("pad-" + theme.split()[1].lower())
    # Chromium mixes the colours: painted over each other on one pixel of a canvas.
    page.js("""window.seen = (...colours) => {
        const c = new OffscreenCanvas(1, 1).getContext("2d");
        for (const colour of colours) { c.fillStyle = colour; c.fillRect(0, 0, 1, 1); }
        return `${c.getImageData(0, 0, 1, 1).data.slice(0, 3)}`; }""")
    style = f"getComputedStyle({PAD}.querySelector('%s')).%s"
    paper = style % ("svg", "backgroundColor")
    for name, part, least in [(".draw-pad-sentence", "color", 4.5), ("li span", "color", 4.5),
                              (".draw-pad-title", "color", 4.5), ("svg", "color", 3),
                              ("svg", "borderTopColor", 3), ("button", "borderTopColor", 3),
                              ("li i i", "backgroundColor", 3)]:
        colours = page.js(f"[seen({paper}), seen({paper}, {style % (name, part)})]")
        dark, light = sorted(map(luminance, colours))
        assert (light + 0.05) / (dark + 0.05) >= least, (name, part, colours)
    sizes = page.js(f"[...{PAD}.querySelectorAll('p, b, span, button')]"
                    ".map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(sizes) >= 16
    clear(page)


def test_every_figure_and_formula_shows(page):
    """Fails when a figure is broken, maths is left as source, or a stored figure is not there."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    figures = {i for i, cell in enumerate(book.cells) if cell.cell_type == "code"
               and any("image/png" in o.get("data", {}) for o in cell.outputs)}
    formulas = {i for i, cell in enumerate(book.cells)
                if cell.cell_type == "markdown" and re.search(r"\$[^$`]+\$", cell.source)}
    seen, typeset, number = set(), set(), 0
    page.js(f"{SCROLLER}.scrollTo(0, 0)")
    while True:
        page.js("new Promise(done => setTimeout(done, 400))")  # lazy cells and maths come in
        for cell in page.js("""[...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(c => ({
                index: Number(c.dataset.windowedListIndex), text: c.querySelector(
                    '.jp-RenderedMarkdown, .jp-RenderedHTMLCommon')?.innerText ?? '',
                images: [...c.querySelectorAll('.jp-OutputArea img')].map(
                    i => i.complete && i.naturalWidth),
                pad: !!c.querySelector('.draw-pad'),
                maths: c.querySelectorAll('mjx-container, .katex').length,
                errors: c.querySelectorAll('mjx-merror, [data-mjx-error], .jp-RenderedText['
                    + 'data-mime-type*=stderr]').length}))"""):
            assert all(cell["images"]), f"a figure of cell {cell['index']} is broken"
            assert not cell["errors"], f"cell {cell['index']} shows an error"
            assert "$$" not in cell["text"], f"cell {cell['index']} shows maths as source"
            if cell["images"] or cell["pad"]:
                seen.add(cell["index"])
            if cell["maths"]:
                typeset.add(cell["index"])
        page.screenshot(f"page-{number:03d}")
        number += 1
        if page.js(f"(() => {{ const s = {SCROLLER}, before = s.scrollTop;"
                   "s.scrollBy({top: s.clientHeight - 60, behavior: 'instant'});"
                   "return s.scrollTop <= before; })()"):
            break
    assert figures <= seen, f"cells without their figure: {sorted(figures - seen)}"
    assert formulas <= typeset, f"cells with maths not typeset: {sorted(formulas - typeset)}"


def test_contents_links_land_on_their_headings(page):
    """Fails when a link of the contents list does not bring its section into view."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    links = [link for cell in book.cells if cell.cell_type == "markdown"
             for link in re.findall(r"\]\(#([^)]+)\)", cell.source)]
    assert links, "the notebook has no contents list"
    for link in links:
        page.js(f"{SCROLLER}.scrollTo(0, 0)")
        page.click(f"document.querySelector('.jp-RenderedMarkdown a[href=\"#{link}\"]')")
        heading = urllib.parse.unquote(link)
        page.wait(f"""[...document.querySelectorAll('.jp-Notebook :is(h1, h2, h3, h4)')].some(
            h => (h.id === {heading!r} || h.dataset.jupyterId === {heading!r}) && (top =>
                top >= 0 && top < innerHeight)(h.getBoundingClientRect().top))""", 10)


def test_solutions_open_with_mouse_and_keyboard(page):
    """Fails when a collapsed solution does not open."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    page.js(f"{SCROLLER}.scrollTo(0, 0)")
    for i, cell in enumerate(book.cells):
        node = f"document.querySelector('.jp-Cell[data-windowed-list-index=\"{i}\"]')"
        if "<details" in cell.source and cell.cell_type == "markdown":
            details = f"{node}?.querySelector('details')"
            show(page, node)
            page.click(f"{details}?.querySelector('summary')")
            assert page.wait(f"{details}.open")
            assert page.js(f"{details}.innerText.length > {details}.querySelector('summary')"
                           ".innerText.length"), f"the details of cell {i} are empty"
            page.js(f"{details}.querySelector('summary').focus()")
            page.press(" ")
            page.wait(f"!{details}.open")


def show(page, node):
    """Scroll down until a cell is in the page: JupyterLab takes far ones out."""
    while not page.js(f"!!{node}"):
        page.js(f"{SCROLLER}.scrollBy({{top: 600, behavior: 'instant'}})")
        page.js("new Promise(done => setTimeout(done, 150))")


def test_nothing_failed_and_nothing_left_this_machine(page):
    """Fails on an error in the console, a failed request, or a request to another machine."""
    page.js("1")
    problems, hosts = [], set()
    for event in page.events:
        name, params = event["method"], event["params"]
        if name == "Runtime.exceptionThrown":
            problems.append(params["exceptionDetails"].get("exception", params["exceptionDetails"]))
        elif name == "Runtime.consoleAPICalled" and params["type"] == "error":
            problems.append([a.get("value", a.get("description")) for a in params["args"]])
        elif name == "Log.entryAdded" and params["entry"]["level"] == "error":
            problems.append((params["entry"]["text"], params["entry"].get("url")))
        elif name == "Network.loadingFailed" and not params.get("canceled"):
            problems.append((params["errorText"], params))
        elif name == "Network.requestWillBeSent":
            hosts.add(urllib.parse.urlsplit(params["request"]["url"]).hostname)
    assert not problems, problems
    assert hosts - {None} == {"127.0.0.1"}, hosts
