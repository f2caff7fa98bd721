"""The drawing pad without a browser: preparation, sentences, failing predicts, what is stored."""
import base64
import pathlib
import re

import numpy as np
import pandas as pd
import pytest

import widgets
from widgets import (
    DrawPad,
    drawings,
    drawn_digits,
    picture_from_strokes,
    picture_from_text,
    prepare,
    rasterise,
    sentence,
)

HERE = pathlib.Path(widgets.__file__).parent
DATA = HERE.parent / "data"
MIDDLE = np.arange(28) + 0.5
SHAPES = [(digit, i) for digit, shapes in drawings.SHAPES.items() for i in range(len(shapes))]


def strokes_of(digit, i=0, scale=0.7):
    return drawings.place(drawings.SHAPES[digit][i], scale)


def mass_centre(picture):
    square = picture.reshape(28, 28)
    return np.array([square.sum(1) @ MIDDLE, square.sum(0) @ MIDDLE]) / square.sum()


def likeness(a, b):
    """Cosine of the angle between two pictures: 1 is the same picture, 0 shares no ink."""
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def probabilities(most=3, p=0.9):
    answer = np.full((10, 1), (1 - p) / 9)
    answer[most] = p
    return answer


def draw(pad, strokes, save=False):
    """What the browser does: the next request."""
    pad.request = {"number": pad.request["number"] + 1, "strokes": strokes,
                   "save": strokes if save else None}
    assert pad.answer["number"] == pad.request["number"]
    return pad.answer


@pytest.fixture(scope="module")
def network():
    """784-128-10, trained for 4 epochs with momentum: a function from pictures (784, m)."""
    table = pd.read_csv(DATA / "train.csv.gz", dtype=np.uint8).to_numpy()
    Y, X = table[:, 0], np.ascontiguousarray(table[:, 1:]) / np.float32(255)
    rng = np.random.default_rng(0)
    params = [rng.normal(0, (2 / n) ** 0.5, (k, n)).astype(np.float32)
              for k, n in ((128, 784), (10, 128))]
    params[1:1] = [np.zeros((128, 1), np.float32)]
    params.append(np.zeros((10, 1), np.float32))
    speeds = [np.zeros_like(p) for p in params]

    def forward(x):
        W1, b1, W2, b2 = params
        A1 = np.maximum(W1 @ x + b1, 0)
        E = W2 @ A1 + b2
        E = np.exp(E - E.max(axis=0))
        return A1, E / E.sum(axis=0)

    for epoch in range(4):
        for rows in np.array_split(rng.permutation(Y.size), Y.size // 128):
            x = X[rows].T
            A1, d2 = forward(x)
            d2[Y[rows], np.arange(rows.size)] -= 1
            d2 /= rows.size
            d1 = params[2].T @ d2 * (A1 > 0)
            slopes = (d1 @ x.T, d1.sum(1, keepdims=True), d2 @ A1.T, d2.sum(1, keepdims=True))
            for p, v, slope in zip(params, speeds, slopes, strict=True):
                v *= 0.9
                v -= 0.1 * (1 - epoch / 4) * slope
                p += v
    return lambda pictures: forward(pictures)[1]


# --- the preparation


def test_mnist_itself_has_its_mass_centres_where_we_put_ours():
    """Fails when the pad centres digits elsewhere than the pictures to learn from."""
    table = pd.read_csv(DATA / "train.csv.gz", dtype=np.uint8, nrows=2000).to_numpy()
    centres = np.array([mass_centre(row[1:].astype(float)) for row in table])
    assert abs(centres - widgets.picture.MASS_CENTRE).max() <= 0.505


@pytest.mark.parametrize("digit, i", SHAPES)
def test_every_picture_is_made_as_mnist_was(digit, i):
    """Fails when a picture is not (784, 1) float32 in 0..1, fitted to 20 x 20, centred by mass."""
    picture = picture_from_strokes(strokes_of(digit, i))
    assert picture.shape == (784, 1) and picture.dtype == np.float32
    assert picture.min() == 0 and picture.max() == 1
    rows, columns = (np.flatnonzero(picture.reshape(28, 28).any(axis=k)) for k in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    # half a pixel by rounding, a little more where a corner of the ink was cut off at the edge
    assert abs(mass_centre(picture) - 14.5).max() <= 0.51
    assert len(np.unique(picture)) > (20 if (digit, i) != (1, 0) else 2), "not anti-aliased"


def test_keeps_the_shape_of_a_drawing():
    """Fails when fitting stretches a narrow digit to a square."""
    ink = np.zeros((112, 112))
    ink[20:80, 30:45] = 1  # 60 high and 15 wide
    square = prepare(ink).reshape(28, 28)
    assert square.any(1).sum() == 20 and square.sum() == pytest.approx(20 * 5)


@pytest.mark.parametrize("digit, i", SHAPES)
def test_place_and_size_on_the_pad_do_not_matter(digit, i):
    """Fails when moving a drawing changes its picture, or scaling pen and all changes it much."""
    strokes = strokes_of(digit, i, scale=0.4)
    ink = rasterise(strokes)
    moved = rasterise([[(x + 9 / 112, y - 14 / 112) for x, y in stroke] for stroke in strokes])
    np.testing.assert_allclose(prepare(moved), prepare(ink), atol=1e-5)
    for scale in (0.2, 0.8):
        other = rasterise(strokes_of(digit, i, scale), width=widgets.picture.PEN * scale / 0.4)
        assert likeness(prepare(other), prepare(ink)) > 0.88, scale


@pytest.mark.parametrize("digit, i", SHAPES)
def test_the_width_of_the_pen_matters_little(digit, i):
    """Fails when a pen of half or one and a half times the width gives another picture."""
    pictures = [prepare(rasterise(strokes_of(digit, i), width=w)) for w in (0.045, 0.085, 0.13)]
    assert likeness(pictures[0], pictures[1]) > 0.7
    assert likeness(pictures[2], pictures[1]) > 0.7


def test_no_ink_is_an_empty_picture():
    """Fails when an empty pad raises, or divides 0 by 0."""
    for strokes in ([], [[]], [[[np.nan, 0.5]]], [[[5, 5]]]):
        assert not picture_from_strokes(strokes).any()
        assert picture_from_strokes(strokes).shape == (784, 1)
    assert not picture_from_text("").any() and not picture_from_text(" \n ").any()


@pytest.mark.parametrize("strokes", [
    [[[0.5, 0.5]]], [[[0.1, 0.1], [0.1, 0.1]]], [[[0.5, 0.1], [0.5, 0.9]]],
    [[[0.1, 0.5], [0.9, 0.5]]], [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]],
    [[[0.5, 0.5], [0.505, 0.5]]], [[[-3, 0.5], [4, 0.5]]], [[[0.2, 0.2], [np.inf, 0], [0.8, 0.8]]],
    [[[0.02, 0.02]], [[0.98, 0.98]]], [[[1e300, 0.5], [0.5, 0.5]]]],
    ids=["dot", "one place twice", "upright", "level", "whole pad", "tiny", "across the edges",
         "infinite point", "two far dots", "huge number"])
def test_odd_drawings_still_give_a_picture(strokes):
    """Fails when a dot, a line, a tiny, a huge or a broken drawing raises or loses its ink."""
    picture = picture_from_strokes(strokes)
    assert picture.shape == (784, 1) and picture.dtype == np.float32
    assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() == 1


def test_points_that_are_no_numbers_are_left_out():
    """Fails when one broken point spoils a stroke."""
    good = [[[0.2, 0.2], [0.8, 0.8]]]
    broken = [[[0.2, 0.2], [np.nan, 0.4], [0.8, 0.8]]]
    np.testing.assert_array_equal(rasterise(broken), rasterise(good))


def test_thousands_of_points_are_the_same_line_as_two():
    """Fails when a slow hand, which gives many points, gets another picture than a quick one."""
    many = np.linspace([0.2, 0.1], [0.7, 0.9], 5000).tolist()
    np.testing.assert_allclose(rasterise([many]), rasterise([[many[0], many[-1]]]), atol=0.01)


def test_ink_is_smooth_and_as_wide_as_the_pen():
    """Fails when the rasteriser draws stairs or another width than the browser."""
    ink = rasterise([[[0.5, -0.5], [0.5, 1.5]]], width=0.1, size=200)
    assert ink.dtype == np.float32 and ink.shape == (200, 200)
    np.testing.assert_allclose(ink.sum(axis=1), 20, atol=0.01)


@pytest.mark.parametrize("strokes", ["a 3", [1, 2], [[1, 2, 3]], [[["x", "y"]]], 7, None])
def test_strokes_in_another_form_are_refused_with_a_sentence(strokes):
    """Fails when the learner gets a traceback from inside NumPy."""
    with pytest.raises(ValueError, match="a list of points"):
        rasterise(strokes)


@pytest.mark.parametrize("ink", [np.zeros(784), np.zeros((2, 2, 2)), [[np.nan, 1]], 3.0])
def test_ink_in_another_form_is_refused_with_a_sentence(ink):
    """Fails when prepare takes what is not a picture."""
    with pytest.raises(ValueError, match="must be a 2-D array"):
        prepare(ink)


def test_without_fitting_and_centring_the_pad_is_only_shrunk():
    """Fails when the notebook's comparison "without" does something else than shrink the pad."""
    ink = rasterise(strokes_of(3, scale=0.4))
    plain = prepare(ink, fit=False, centre=False).reshape(28, 28)
    shrunk = ink.reshape(28, 4, 28, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(plain, shrunk / shrunk.max(), atol=1e-6)
    assert abs(mass_centre(prepare(ink, fit=False)) - 14.5).max() <= 0.51
    box = np.flatnonzero(prepare(ink, centre=False).reshape(28, 28).any(axis=1))
    assert (box[0], box[-1]) == (4, 23)


def test_typed_digits_go_through_the_same_preparation():
    """Fails when text is prepared in another way, or characters count differently."""
    text = "\n  ####\n     #\n    #\n   #\n"
    ink = np.array([[c != " " for c in row.ljust(6)] for row in text.split("\n")], float)
    np.testing.assert_array_equal(picture_from_text(text), prepare(ink.repeat(2, axis=0)))
    np.testing.assert_array_equal(picture_from_text(text), picture_from_text(
        text.replace("#", "8").replace("\n", "\n   ") + "   \n\n"))
    with pytest.raises(TypeError, match="between triple quotes; this is a list"):
        picture_from_text([text])


TYPED = {  # as a learner types them, looking right on the screen
    0: " ####\n##  ##\n##  ##\n##  ##\n##  ##\n##  ##\n ####",
    2: " #####\n##   ##\n     ##\n    ##\n  ##\n ##\n########",
    3: "######\n     ##\n     ##\n #####\n     ##\n     ##\n######",
    4: "##   ##\n##   ##\n##   ##\n########\n     ##\n     ##\n     ##",
    7: "########\n      ##\n     ##\n    ##\n   ##\n  ##\n  ##",
}


def test_typed_digits_are_read(network):
    """Fails when the fallback without a pad does not give pictures that the network can read."""
    assert {d: int(network(picture_from_text(t)).argmax()) for d, t in TYPED.items()} == {
        d: d for d in TYPED}


# --- the set of drawings


def test_the_drawings_are_the_same_each_time_and_differ_from_each_other():
    """Fails when the set depends on anything but its seed, or repeats itself."""
    inks, labels = drawn_digits(60)
    again, _ = drawn_digits(60)
    np.testing.assert_array_equal(inks, again)
    assert inks.shape == (60, 112, 112) and inks.dtype == np.float32
    assert np.bincount(labels).tolist() == [6] * 10
    assert len({ink.tobytes() for ink in inks}) == 60
    heights = [np.ptp(np.flatnonzero(ink.any(1))) / 112 for ink in inks]
    assert min(heights) < 0.5 and max(heights) > 0.75, "all of one size"
    assert all(ink.any() for ink in inks)


def test_prepared_as_mnist_the_drawings_are_read_and_unprepared_they_are_not(network):
    """Fails when fewer than 97 % of the project's own drawings are read with preparation."""
    inks, labels = drawn_digits()
    right = {}
    for fit in (False, True):
        for centre in (False, True):
            pictures = np.hstack([prepare(ink, fit, centre) for ink in inks])
            right[fit, centre] = float((network(pictures).argmax(axis=0) == labels).mean())
    print({f"fit={f}, centre={c}": f"{r:.1%}" for (f, c), r in right.items()})
    assert right[True, True] >= 0.97
    assert right[False, False] < 0.5
    assert max(right[False, True], right[True, False]) < right[True, True]


def test_softmax_has_no_word_for_none_of_these(network):
    """Fails when what is no digit stops being called one, with probabilities that sum to 1."""
    for name, strokes in drawings.NOT_DIGITS.items():
        p = network(picture_from_strokes(strokes))
        assert p.sum() == pytest.approx(1, abs=1e-5), name
    said = [sentence(network(picture_from_strokes(drawings.NOT_DIGITS[name])).ravel())
            for name in ("the letter A", "the letter K", "4 and 2, side by side")]
    assert any(s.startswith("It reads") for s in said), said


# --- the sentences


@pytest.mark.parametrize("answer, said", [
    (probabilities(7, 0.96), "It reads a 7 (96 %)."),
    (probabilities(8, 0.9), "It reads an 8 (90 %)."),
    (probabilities(0, 0.9996), "It reads a 0 (over 99 %)."),
    (probabilities(1, 0.6), "It reads a 1 (60 %)."),
])
def test_says_what_it_reads(answer, said):
    """Fails when the sentence is not what a person would say."""
    assert sentence(answer.ravel()) == said


def test_says_when_it_cannot_tell():
    """Fails when the pad names a digit that the network itself is not sure of."""
    torn = np.full(10, 0.01)
    torn[7], torn[1] = 0.5, 0.42
    assert sentence(torn) == "7 or 1? It cannot tell."


# --- the pad's Python half


def predict(picture):
    return probabilities()


def test_answers_a_drawing():
    """Fails when the browser gets another picture or other probabilities than predict had."""
    seen = []
    pad = DrawPad(lambda picture: seen.append(picture) or probabilities(5))
    answer = draw(pad, strokes_of(5))
    np.testing.assert_array_equal(seen[-1], picture_from_strokes(strokes_of(5)))
    assert answer["picture"] == (seen[-1].ravel() * 255).round().astype(int).tolist()
    assert answer["probabilities"] == pytest.approx(probabilities(5).ravel().tolist())
    assert answer["sentence"] == "It reads a 5 (90 %)." and not answer["failed"]


def test_an_empty_pad_invites_and_does_not_ask_the_network():
    """Fails when an empty pad is read as a digit."""
    pad = DrawPad(lambda picture: pytest.fail("asked"))
    for answer in (pad.answer, draw(pad, [])):
        assert answer["sentence"] == "Draw a digit from 0 to 9."
        assert answer["probabilities"] is None and not any(answer["picture"])


def test_takes_ten_probabilities_in_a_row_or_in_a_column():
    """Fails when a learner's (10,) or list is refused."""
    for form in (np.ravel, np.ndarray.tolist, lambda p: p.astype(np.float32)):
        assert draw(DrawPad(lambda _, f=form: f(probabilities())), strokes_of(3))["probabilities"]


def broken_shapes(picture):
    return np.zeros((10, 784)) @ picture[:5]


@pytest.mark.parametrize("wrong, said", [
    (broken_shapes, 'at the line "return np.zeros((10, 784)) @ picture[:5]" of broken_shapes. Val'),
    (lambda picture: {}["W1"], "KeyError: 'W1'"),
    (lambda picture: None, "needs a return"),
    (lambda picture: "7", "ten numbers"),
    (lambda picture: {"seven": 7}, "it gave a dict"),
    (lambda picture: probabilities()[:9], "it gave the shape (9, 1)"),
    (lambda picture: probabilities().T, "it gave the shape (1, 10)"),
    (lambda picture: 7, "it gave the shape ()"),
    (lambda picture: probabilities() * np.nan, "NaN"),
    (lambda picture: probabilities() * 3, "sum to 3, not to 1"),
    (lambda picture: np.linspace(-1, 1.2, 10), "one is negative"),
    (lambda picture: np.full(10, np.inf), "sum to inf"),
])
def test_a_failing_predict_is_a_sentence_and_the_pad_goes_on(wrong, said, capfd, recwarn):
    """Fails when a mistake in predict is swallowed, printed, or said without its cause."""
    pad = DrawPad(wrong)
    answer = draw(pad, strokes_of(3))
    assert said in answer["sentence"] and answer["failed"] and answer["probabilities"] is None
    assert any(answer["picture"]), "the picture that the network sees shows all the same"
    assert wrong.__name__ in answer["sentence"] or "predict" in answer["sentence"] \
        or "line" in answer["sentence"]
    assert pad.still()[1].endswith(answer["sentence"]), "nor may the still picture fail"
    assert not capfd.readouterr().err and not recwarn.list
    pad._predict = predict
    assert draw(pad, strokes_of(3))["sentence"] == "It reads a 3 (90 %)."


def test_an_interrupted_predict_is_a_sentence():
    """Fails when a stop button pressed during predict leaves the pad waiting for ever."""
    def stopped(picture):
        raise KeyboardInterrupt
    assert "KeyboardInterrupt" in draw(DrawPad(stopped), strokes_of(3))["sentence"]


def test_names_the_line_of_a_wrong_result():
    """Fails when the sentence for a wrong result does not show the line to mend."""
    def three(picture):
        return picture[:3]
    assert 'the line "return picture[:3]"' in draw(DrawPad(three), strokes_of(3))["sentence"]


def test_predict_cannot_change_the_picture():
    """Fails when a predict that works in place changes what is shown and saved."""
    def greedy(picture):
        picture[:] = 0
        return probabilities()
    assert any(draw(DrawPad(greedy), strokes_of(3))["picture"])


@pytest.mark.parametrize("no_function", [None, 3, probabilities()])
def test_wants_a_function(no_function):
    """Fails when DrawPad(predict(X)) is found out only after drawing."""
    with pytest.raises(TypeError, match="without brackets"):
        DrawPad(no_function)


def test_saves_the_picture_only_when_asked():
    """Fails when a saved drawing is lost, changed by drawing on, or there before it is saved."""
    pad = DrawPad(predict)
    draw(pad, strokes_of(2))
    with pytest.raises(LookupError, match='press "Save this drawing"'):
        _ = pad.picture
    assert "pad.picture" in draw(pad, strokes_of(2), save=True)["note"]
    saved = pad.picture
    assert saved.shape == (784, 1) and saved.dtype == np.float32
    saved[:] = 0  # a copy
    draw(pad, strokes_of(6))
    assert draw(pad, [], save=True)["note"].startswith("Nothing to save")
    np.testing.assert_array_equal(pad.picture, picture_from_strokes(strokes_of(2)))


def test_saves_what_was_drawn_when_the_button_was_pressed():
    """Fails when strokes drawn after the button are saved too."""
    pad = DrawPad(predict)
    pad.request = {"number": 1, "strokes": strokes_of(9), "save": strokes_of(4)}
    np.testing.assert_array_equal(pad.picture, picture_from_strokes(strokes_of(4)))


def test_survives_a_request_in_another_form():
    """Fails when a broken message from a browser raises where nobody sees it."""
    pad = DrawPad(predict)
    for request in ({"number": 1, "strokes": "x"}, {"number": 2, "strokes": [1], "save": None},
                    {"number": 3, "strokes": [], "save": "x"}, {"number": 4}):
        pad.request = request
        assert pad.answer["number"] == request["number"] and pad.answer["sentence"]


# --- what a notebook stores


def test_stores_the_same_each_time_and_no_address():
    """Fails when re-executing the notebook changes the pad's stored output."""
    first, second = (DrawPad(predict)._repr_mimebundle_() for _ in range(2))
    for data, _ in (first, second):
        del data["application/vnd.jupyter.widget-view+json"]  # a random id: not for the file
    assert first == second
    assert set(first[0]) == {"text/plain", "image/png"}
    assert first[0]["text/plain"] == repr(DrawPad(predict)) and "0x" not in repr(DrawPad(predict))
    png = base64.b64decode(first[0]["image/png"])
    assert png.startswith(b"\x89PNG") and b"matplotlib" not in png and len(png) < 100_000


def test_the_still_picture_describes_itself():
    """Fails when a reader who cannot see the still picture is not told what it shows."""
    _, metadata = DrawPad(predict)._repr_mimebundle_()
    alt = metadata["image/png"]["alt"]
    assert "a drawn 3" in alt and "3: 90 %" in alt and alt.endswith("It reads a 3 (90 %).")


def test_the_still_picture_leaves_the_learners_plots_alone(capfd):
    """Fails when showing the pad changes matplotlib's settings, opens a figure or prints."""
    import matplotlib
    import matplotlib.pyplot as plt
    with matplotlib.rc_context({"font.size": 20, "figure.facecolor": "red"}):
        png, _ = DrawPad(predict).still()
        assert matplotlib.rcParams["font.size"] == 20
    assert png == DrawPad(predict).still()[0] and not plt.get_fignums()
    assert capfd.readouterr() == ("", "")


# --- the browser's half


def test_needs_no_network():
    """Fails when the pad would load anything from elsewhere."""
    for name in ("pad.js", "pad.css"):
        text = (HERE / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|//[a-z0-9-]+\.|@import|\bimport\b|fetch\(|url\(", text), name


def test_every_style_rule_is_the_pads_own():
    """Fails when a rule could change the rest of the page: a widget's style sheet is global."""
    css = re.sub(r"/\*.*?\*/", "", (HERE / "pad.css").read_text(encoding="utf-8"), flags=re.S)
    selectors = re.findall(r"([^{}]+)\{", css)
    assert len(selectors) > 10
    for selector in selectors:
        if not selector.strip().startswith("@media"):
            assert all(part.strip().startswith(".draw-pad") for part in
                       re.sub(r"\([^)]*\)", "", selector).split(",")), selector


def test_both_halves_agree():
    """Fails when the browser draws with another pen, or sends and reads other names than Python."""
    js = (HERE / "pad.js").read_text(encoding="utf-8")
    assert f"PEN = {widgets.picture.PEN};" in js
    pad = DrawPad(predict)
    assert set(re.search(r"const \{ (.*?) \} = model.get\(.answer", js)[1].split(", ")) <= set(
        draw(pad, [])), "an answer lacks what the browser reads"
    sent = re.search(r'model.set\("request", \{ number, strokes: .*?, (save): ', js)
    assert sent and set(pad.request) == {"number", "strokes", "save"}
