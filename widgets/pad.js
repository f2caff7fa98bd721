// The browser's half of the drawing pad: it keeps the pen strokes and shows Python's answers.
//
// Written here, read by DrawPad in pad.py: `strokes` on the paper; `finished`, the drawings before
// them, each as {label, strokes}, without strokes where a question was skipped; `stopped`; `saves`,
// how often Save was pressed; `number`, one more for each change. Written there: `ask`, the digits
// to ask for (none: the pad reads what is drawn), and `answer`, with the number that it belongs to.
// ipywidgets itself sends one message at a time and merges the changes that wait.

const PEN = 0.085; // width of the pen as a part of the pad's side; the same as in picture.py
const STEP = 0.03; // how far an arrow key moves the pen
const PATIENCE = 1000; // milliseconds without an answer before the pad says that it waits
const QUIET = 600; // milliseconds without a change before a screen reader is told
const BLUE = "#0072b2"; // of the nib that keys move
const WAITING = "Waiting for the kernel ...";
const ADVICE = "It is busy or stopped. If it stopped, start it and run the notebook again.";
const KEPT = "They are this pad's X and Y. Save writes them to a file in my_digits.";
const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0],
               ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

// data-lm-suppress-shortcuts: keys pressed in the pad are for the pad, not for JupyterLab.
const PAGE = `
<div class="draw-pad" role="group" aria-label="Drawing pad" data-lm-suppress-shortcuts="true">
  <div class="draw-pad-draw">
    <p class="draw-pad-title">You draw</p>
    <div class="draw-pad-paper">
      <svg viewBox="0 0 1 1" role="application" tabindex="0" aria-label="Paper. Draw with mouse, pen
        or finger. By keyboard: the arrow keys move the pen, Space puts it down and lifts it, Enter
        takes new paper, Backspace takes back.">
        <path fill="none" stroke="currentColor" stroke-width="${PEN}"
              stroke-linecap="round" stroke-linejoin="round"/>
        <circle class="draw-pad-nib" r="${PEN / 2}" stroke="${BLUE}" stroke-width="0.012"/>
      </svg>
      <span class="draw-pad-hint" aria-hidden="true">Draw here<small>or with the arrow keys:
        Space puts the pen down</small></span>
    </div>
    <div class="draw-pad-buttons">
      <button type="button" class="draw-pad-undo">Undo</button>
      <button type="button" class="draw-pad-next"></button>
      <button type="button" class="draw-pad-stop"></button>
      <button type="button" class="draw-pad-save">Save</button>
    </div>
  </div>
  <div class="draw-pad-answer">
    <p class="draw-pad-progress"></p>
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

const copy = (value) => JSON.parse(JSON.stringify(value)); // an array changed in place is not sent
const round = (value) => Math.round(value * 1e4) / 1e4;

function render({ model, el }) {
  el.innerHTML = PAGE;
  const find = (name) => el.querySelector(`.draw-pad${name}`);
  const svg = el.querySelector("svg");
  const nib = find("-nib");
  const see = el.querySelector("canvas").getContext("2d");
  const rows = [...el.querySelectorAll("li")];
  const ask = model.get("ask");

  let strokes, finished, stopped;
  let pen = null; // the pointer that draws just now, or "keys"
  let place = [0.5, 0.5]; // of the pen that keys move
  let waiting = false; // no answer for a while
  let patience, quiet;

  const answered = () => model.get("answer").number === model.get("number");
  const asking = () => ask.length > 0 && !stopped && finished.length < ask.length;
  const drawn = () => finished.filter((drawing) => drawing.strokes.length).length;

  function take() { // what is on the paper, from the model
    strokes = copy(model.get("strokes"));
    finished = copy(model.get("finished"));
    stopped = model.get("stopped");
    pen = null;
  }

  function send() {
    model.set("strokes", copy(strokes));
    model.set("finished", copy(finished));
    model.set("stopped", stopped);
    model.set("number", model.get("number") + 1);
    model.save_changes();
    show();
  }

  function question() {
    if (asking()) {
      const digit = ask[finished.length];
      return `Draw ${digit === 8 ? "an" : "a"} ${digit}.`;
    }
    return `${stopped ? "Stopped" : "Done"}: ${drawn()} digit${drawn() === 1 ? "" : "s"} drawn.`;
  }

  function show() { // all that is on the page
    const { sentence, note, failed, probabilities, percents, picture } = model.get("answer");
    if (answered()) waiting = false;
    el.querySelector("path").setAttribute("d", path(strokes));
    find("-hint").hidden = strokes.length > 0 || pen !== null || (ask.length > 0 && !asking());
    nib.setAttribute("cx", place[0]);
    nib.setAttribute("cy", place[1]);
    nib.setAttribute("fill", pen === "keys" ? BLUE : "none"); // full while the pen is down
    find("-next").textContent = ask.length === 0 ? "Clear" : strokes.length ? "Next" : "Skip";
    find("-next").disabled = ask.length > 0 && !asking();
    find("-stop").textContent = stopped ? "Go on" : "Stop";
    find("-stop").disabled = finished.length === ask.length;
    find("-save").disabled = drawn() === 0;
    find("-progress").textContent = asking() ? `${finished.length + 1} of ${ask.length}` : "";
    const most = Math.max(...(probabilities ?? [2]));
    rows.forEach((row, digit) => {
      row.classList.toggle("draw-pad-most", probabilities?.[digit] === most);
      row.querySelector("i i").style.width = `${100 * (probabilities?.[digit] ?? 0)}%`;
      row.querySelector("span").textContent = percents[digit] ?? "";
    });
    const pixels = see.createImageData(28, 28); // dark ink on light paper
    picture.forEach((ink, i) => pixels.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * i));
    see.putImageData(pixels, 0, 0);
    find("").classList.toggle("draw-pad-failed", waiting || failed);
    if (ask.length === 0) {
      say(waiting ? WAITING : sentence, waiting ? ADVICE : note);
    } else {
      const kept = asking() || drawn() === 0 ? "" : KEPT;
      say(question(), waiting ? `${WAITING} ${ADVICE}` : failed ? sentence : note || kept);
    }
  }

  function say(sentence, note) {
    find("-sentence").textContent = sentence;
    find("-note").textContent = note;
    const text = `${sentence} ${find("-progress").textContent} ${note}`;
    clearTimeout(quiet);
    quiet = setTimeout(() => { // a screen reader is told when the hand rests
      if (pen === null) find("-announce").textContent = text;
    }, QUIET);
  }

  function asked() { // something was sent, from this view or from another one of the same pad
    if (pen === null) {
      take();
      show();
    }
    clearTimeout(patience);
    patience = setTimeout(() => {
      waiting = !answered();
      show();
    }, PATIENCE);
  }

  function next() { // new paper; what was on the old one is kept
    if (ask.length === 0 ? strokes.length === 0 : !asking()) return;
    finished.push({ label: ask[finished.length] ?? null, strokes });
    strokes = [];
    pen = null;
    send();
  }

  function undo() { // the last stroke, or back to the drawing before
    pen = null;
    stopped = false;
    if (strokes.length) strokes.pop();
    else if (finished.length) strokes = finished.pop().strokes;
    send();
  }

  function point(event) {
    const box = svg.getBoundingClientRect();
    return [round((event.clientX - box.left) / box.width),
            round((event.clientY - box.top) / box.height)];
  }

  svg.addEventListener("pointerdown", (event) => {
    if ((pen !== null && pen !== "keys") || event.button !== 0) return;
    if (ask.length > 0 && !asking()) return;
    event.preventDefault(); // no text selection, no dragging
    pen = event.pointerId;
    svg.setPointerCapture(pen);
    strokes.push([point(event)]);
    send();
  });
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    const events = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(events.length ? events : [event]).map(point));
    send();
  });
  svg.addEventListener("lostpointercapture", (event) => { // also after pointerup and pointercancel
    if (event.pointerId !== pen) return;
    pen = null;
    send();
  });

  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (KEYS[event.key]) {
      place = place.map((x, i) => round(Math.min(Math.max(x + KEYS[event.key][i], 0), 1)));
      if (pen === "keys") {
        strokes.at(-1).push(place);
        send();
      }
      show();
    } else if (event.key === " ") {
      if (pen === "keys") pen = null;
      else if (ask.length === 0 || asking()) {
        pen = "keys";
        strokes.push([place]);
      }
      send();
      find("-announce").textContent = pen === null ? "Pen up" : "Pen down";
    } else if (event.key === "Enter") next();
    else if (event.key === "Backspace") undo();
    else return;
    event.preventDefault(); // the page does not scroll
  });
  svg.addEventListener("blur", () => { if (pen === "keys") pen = null; show(); });

  find("-undo").addEventListener("click", undo);
  find("-next").addEventListener("click", next);
  find("-stop").addEventListener("click", () => {
    stopped = !stopped;
    send();
  });
  find("-save").addEventListener("click", () => {
    model.set("saves", model.get("saves") + 1);
    send();
  });

  find("").classList.toggle("draw-pad-asks", ask.length > 0);
  model.on("change:number", asked);
  model.on("change:answer", show);
  take();
  show();
  return () => {
    model.off("change:number", asked);
    model.off("change:answer", show);
    clearTimeout(patience);
    clearTimeout(quiet);
  };
}

export default { render };
