// The browser's half of the drawing pad: it draws the pen strokes and shows Python's answers.
//
// It shares two values with Python (see DrawPad in __init__.py): `request`, written here, and
// `answer`, written there. A request carries a number and its answer carries the same. While one
// is under way no other is sent, for PATIENCE; with its answer the newest strokes go next.

const PEN = 0.085; // width of the pen as a part of the pad's side; the same as in picture.py
const PATIENCE = 1000; // milliseconds without an answer before the pad says that it waits
const QUIET = 600; // milliseconds without a change before a screen reader is told
const WAITING = "Waiting for the kernel ...";
const ADVICE = "It is busy or stopped. If it stopped, start it and run the notebook again.";

// data-lm-suppress-shortcuts: keys pressed in the pad are for its buttons, not for JupyterLab.
const PAGE = `
<div class="draw-pad" role="group" aria-label="Drawing pad" data-lm-suppress-shortcuts="true">
  <div class="draw-pad-draw">
    <p class="draw-pad-title">You draw</p>
    <div class="draw-pad-paper">
      <svg viewBox="0 0 1 1" role="img" aria-label="Paper: draw with mouse, pen or finger">
        <path fill="none" stroke="currentColor" stroke-width="${PEN}"
              stroke-linecap="round" stroke-linejoin="round"/>
      </svg>
      <span class="draw-pad-hint" aria-hidden="true">Draw here</span>
    </div>
    <div class="draw-pad-buttons">
      <button type="button" class="draw-pad-undo">Undo</button>
      <button type="button" class="draw-pad-clear">Clear</button>
      <button type="button" class="draw-pad-save">Save this drawing</button>
    </div>
  </div>
  <div class="draw-pad-answer">
    <p class="draw-pad-sentence"></p>
    <p class="draw-pad-note"></p>
    <div class="draw-pad-columns">
      <div>
        <p class="draw-pad-title">The network sees</p>
        <canvas width="28" height="28" role="img"
                aria-label="The picture of 28 x 28 pixels that the network sees"></canvas>
      </div>
      <div class="draw-pad-bars">
        <p class="draw-pad-title">It answers</p>
        <ul aria-label="Probability of each digit">${[...Array(10).keys()].map((digit) => `
          <li><b>${digit}</b> <i><i></i></i> <span></span></li>`).join("")}
        </ul>
      </div>
    </div>
  </div>
  <p class="draw-pad-announce" aria-live="polite"></p>
</div>`;

const percent = (p) => (p >= 0.995 ? "over 99 %" : `${(100 * p).toFixed(0)} %`); // as in Python

/** The strokes as one smooth SVG path: curves through the middles between the points. */
function path(strokes) {
  return strokes.map((points) => {
    let d = `M${points[0]}`;
    for (let i = 1; i < points.length - 1; i++) {
      const [[x, y], [u, v]] = [points[i], points[i + 1]];
      d += `Q${x} ${y} ${(x + u) / 2} ${(y + v) / 2}`;
    }
    return `${d}L${points.at(-1)}`;
  }).join("");
}

function render({ model, el }) {
  el.innerHTML = PAGE;
  const find = (name) => el.querySelector(name);
  const svg = find("svg");
  const ink = find("path");
  const see = find("canvas").getContext("2d");
  const rows = [...el.querySelectorAll("li")];
  const copy = (value) => JSON.parse(JSON.stringify(value));

  let strokes = copy(model.get("request").strokes);
  let cleared = []; // what Clear took away, for Undo
  let pen = null; // the pointer that draws just now
  let waiting = false; // no answer for a while
  let changed = false; // the newest strokes are not sent yet
  let toSave = null; // strokes that are to be saved with the next request
  let patience, quiet;

  const answered = () => model.get("answer").number === model.get("request").number;

  function send() {
    changed = true;
    if (!answered() && !waiting) return; // show() sends it when the answer is there
    changed = false;
    const number = model.get("request").number + 1;
    model.set("request", { number, strokes: copy(strokes), save: toSave });
    toSave = null;
    model.save_changes();
  }

  function drawInk() {
    ink.setAttribute("d", path(strokes));
    find(".draw-pad-hint").hidden = strokes.length > 0;
  }

  function say(sentence, note, failed) {
    find(".draw-pad-sentence").textContent = sentence;
    find(".draw-pad-note").textContent = note;
    find(".draw-pad").classList.toggle("draw-pad-failed", failed);
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      if (pen === null) find(".draw-pad-announce").textContent = `${sentence} ${note}`;
    }, QUIET);
  }

  function show() {
    const { sentence, note, failed, probabilities, picture } = model.get("answer");
    if (answered()) {
      clearTimeout(patience);
      waiting = false;
    }
    const most = Math.max(...(probabilities ?? [2]));
    rows.forEach((row, digit) => {
      const p = probabilities?.[digit] ?? 0;
      row.classList.toggle("draw-pad-most", p === most);
      row.querySelector("i i").style.width = `${100 * p}%`;
      row.querySelector("span").textContent = probabilities ? percent(p) : "";
    });
    const pixels = see.createImageData(28, 28);
    picture.forEach((value, i) => pixels.data.set([value, value, value, 255], 4 * i));
    see.putImageData(pixels, 0, 0);
    say(sentence, note ?? "", failed);
    if (changed && answered()) send();
  }

  function asked() { // a request went out, from this view or from another one of the same pad
    if (pen === null && !changed) {
      strokes = copy(model.get("request").strokes);
      drawInk();
    }
    clearTimeout(patience);
    patience = setTimeout(() => {
      if (answered()) return;
      waiting = true;
      say(WAITING, ADVICE, true);
    }, PATIENCE);
  }

  function point(event) {
    const box = svg.getBoundingClientRect();
    const round = (value) => Math.round(value * 1e4) / 1e4;
    return [round((event.clientX - box.left) / box.width),
            round((event.clientY - box.top) / box.height)];
  }

  svg.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button !== 0) return;
    event.preventDefault(); // no text selection, no dragging
    pen = event.pointerId;
    svg.setPointerCapture(pen);
    strokes.push([point(event)]);
    drawInk();
    send();
  });
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    const events = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(events.length ? events : [event]).map(point));
    drawInk();
    send();
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    svg.addEventListener(name, (event) => {
      if (event.pointerId !== pen) return;
      pen = null;
      send();
    });
  }

  function replace(newStrokes) {
    strokes = newStrokes;
    drawInk();
    send();
  }
  find(".draw-pad-clear").addEventListener("click", () => {
    if (strokes.length) cleared = strokes;
    replace([]);
  });
  find(".draw-pad-undo").addEventListener("click", () => {
    replace(strokes.length ? strokes.slice(0, -1) : cleared);
    cleared = [];
  });
  find(".draw-pad-save").addEventListener("click", () => {
    toSave = copy(strokes);
    send();
  });

  model.on("change:request", asked);
  model.on("change:answer", show);
  drawInk();
  show();
  return () => {
    model.off("change:request", asked);
    model.off("change:answer", show);
    clearTimeout(patience);
    clearTimeout(quiet);
  };
}

export default { render };
