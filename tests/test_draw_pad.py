"""The drawing pad without a browser: preparation, sentences, failing predicts, what is stored."""

import base64
import re

import numpy as np
import pandas as pd
import pytest

from run_notebook import NOTEBOOK
from widgets import DrawPad, drawings, drawn_digits, picture_from_strokes, prepare
from widgets.pad import HERE, sentence
from widgets.picture import PEN, rasterise

MIDDLE = np.arange(28) + 0.5
SHAPES = [(digit, i) for digit, shapes in drawings.SHAPES.items() for i in range(len(shapes))]


def strokes_of(digit, i=0, scale=0.7):
    return drawings.place(drawings.SHAPES[digit][i], scale)


def mass_centre(picture):
    square = picture.reshape(28, 28)
    return np.array([square.sum(1) @ MIDDLE, square.sum(0) @ MIDDLE]) / square.sum()


def probabilities(most=3, p=0.9):
    answer = np.full((10, 1), (1 - p) / 9)
    answer[most] = p
    return answer


def predict(picture):
    return probabilities()


def draw(pad, strokes, **more):
    """What the browser does: the strokes, then the number of the change."""
    pad.set_state({"strokes": strokes, "number": pad.number + 1, **more})
    assert pad.answer["number"] == pad.number
    return pad.answer


# --- the preparation


@pytest.mark.parametrize(("digit", "i"), SHAPES)
def test_every_picture_is_made_as_mnist_was(digit, i):
    """Fails when a picture is not fitted to 20 x 20, centred by mass, in whole grey levels."""
    picture = picture_from_strokes(strokes_of(digit, i))
    assert picture.shape == (784, 1) and picture.dtype == np.float32
    assert picture.min() == 0 and picture.max() == 1
    assert ((255 * picture).astype(np.uint8) / np.float32(255) == picture).all()
    rows, columns = (np.flatnonzero(picture.reshape(28, 28).any(axis=k)) for k in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    # half a pixel by rounding, a little more where a corner of the ink was cut off at the edge
    assert abs(mass_centre(picture) - 14.5).max() <= 0.51
    # wherever on the pad it was drawn
    strokes = strokes_of(digit, i, scale=0.4)
    moved = [[(x + 9 / 112, y - 14 / 112) for x, y in stroke] for stroke in strokes]
    pictures = [picture_from_strokes(each) for each in (strokes, moved)]
    np.testing.assert_allclose(*pictures, atol=1.5 / 255)


def test_odd_drawings_still_give_a_picture():
    """Fails when a dot, a line, a huge or a broken drawing raises or loses its ink, or when an
    empty pad divides 0 by 0."""
    for strokes in [[], [[]], [[[np.nan, 0.5]]], [[[5, 5]]]]:
        np.testing.assert_array_equal(picture_from_strokes(strokes), np.zeros((784, 1)))
    dot, line, broken = [[[0.5, 0.5]]], [[[-3, 0.5], [4, 0.5]]], [[[0.2, 0.2], [np.inf, 0]]]
    for strokes in [dot, 2 * dot, line, broken, [[[0.02, 0.02]], [[1e300, 0.5]]]]:
        picture = picture_from_strokes(strokes)
        assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() == 1, strokes


def test_ink_is_smooth_and_as_wide_as_the_pen():
    """Fails when the rasteriser draws stairs or another width than the browser."""
    ink = rasterise([[[0.5, -0.5], [0.5, 1.5]]], width=0.1, size=200)
    assert ink.dtype == np.float32 and ink.shape == (200, 200)
    np.testing.assert_allclose(ink.sum(axis=1), 20, atol=0.01)


def test_other_forms_are_refused_with_a_sentence():
    """Fails when the learner gets a traceback from inside NumPy."""
    for strokes in ["a 3", [1, 2], [[1, 2, 3]], [[["x", "y"]]], None]:
        with pytest.raises(ValueError, match="a list of points"):
            rasterise(strokes)
    for ink in [np.zeros(784), [[np.nan, 1]], 3.0]:
        with pytest.raises(ValueError, match="must be a 2-D array"):
            prepare(ink)


# --- the set of drawings


def test_the_drawings_are_the_same_each_time_and_differ_from_each_other():
    """Fails when the set depends on anything but its seed, or repeats itself."""
    inks, labels = drawn_digits(60)
    np.testing.assert_array_equal(inks, drawn_digits(60)[0])
    assert inks.shape == (60, 112, 112) and inks.dtype == np.float32
    assert np.bincount(labels).tolist() == [6] * 10
    assert len({ink.tobytes() for ink in inks}) == 60 and all(ink.any() for ink in inks)
    heights = [np.ptp(np.flatnonzero(ink.any(1))) / 112 for ink in inks]
    assert min(heights) < 0.5 and max(heights) > 0.75, "all of one size"


def test_the_drawings_are_read_as_well_as_mnist(notebook_functions):
    """Fails when a network reads fewer than 95 % of them: 784-128-10, by the notebook's own
    functions, after 4 epochs of 12,000 digits."""
    f, path = notebook_functions, NOTEBOOK.parent / "data/train.csv.gz"
    rows = pd.read_csv(path, dtype=np.uint8, nrows=12_000).to_numpy()
    X, Y = f.to_columns(rows[:, 1:]), rows[:, 0]
    start, alphas = f.init_params_scaled(128), [0.05, 0.05, 0.02, 0.01]
    params = f.train(X, Y, alphas, 64, start, momentum=f.update_velocity)
    inks, labels = drawn_digits(300)
    read = f.get_predictions(f.forward_prop(*params, np.hstack([prepare(i) for i in inks]))[3])
    assert (read == labels).mean() >= 0.95


# --- what the pad says


def test_says_what_it_reads():
    """Fails when the sentence is not what a person would say, or names a digit without reason."""
    for most, p, said in [
        (7, 0.96, "It reads a 7 (96 %)."),
        (8, 0.9, "It reads an 8 (90 %)."),
        (0, 1.0, "It reads a 0 (over 99 %)."),
        (1, 0.6, "It reads a 1 (60 %)."),
        (1, 0.59, "1 or 9? It cannot tell."),
    ]:
        assert sentence(probabilities(most, p).ravel()) == said


def test_answers_a_drawing():
    """Fails when the browser gets another picture or other probabilities than predict had."""
    seen = []
    pad = DrawPad(lambda picture: seen.append(picture) or probabilities(5).ravel().tolist())
    assert pad.answer["sentence"] == "Draw a digit from 0 to 9." and not seen
    answer = draw(pad, strokes_of(5))
    np.testing.assert_array_equal(seen[-1], picture_from_strokes(strokes_of(5)))
    assert answer["picture"] == np.rint(255 * seen[-1]).ravel().tolist()
    assert answer["probabilities"] == pytest.approx(probabilities(5).ravel().tolist())
    assert answer["percents"][4:6] == ["1 %", "90 %"]
    assert answer["sentence"] == "It reads a 5 (90 %)." and not answer["failed"]


def broken_shapes(picture):
    return np.linalg.inv(picture)


def stopped(picture):
    raise KeyboardInterrupt


def greedy(picture):
    picture[:] = 0
    return picture[:3]


@pytest.mark.parametrize(
    "wrong, said",
    [
        # not the line inside NumPy, where it fails
        (broken_shapes, 'the line "return np.linalg.inv(picture)" of broken_shapes. LinAlgError: '),
        (stopped, "KeyboardInterrupt"),
        (greedy, 'the line "return picture[:3]"'),
        (lambda picture: None, "needs a return"),
        (lambda picture: "seven", "ten numbers"),
        (lambda picture: probabilities().T, "it gave the shape (1, 10)"),
        (lambda picture: probabilities() * np.nan, "NaN"),
        (lambda picture: probabilities() * 3, "sum to 3, not to 1"),
        (lambda picture: np.linspace(-1, 1.2, 10), "one is negative"),
    ],
)
def test_a_failing_predict_is_a_sentence_and_the_pad_goes_on(wrong, said, capfd, recwarn):
    """Fails when a mistake in predict is swallowed, printed, or said without its cause."""
    pad = DrawPad(wrong)
    answer = draw(pad, strokes_of(3))
    assert said in answer["sentence"] and answer["failed"] and answer["probabilities"] is None
    assert any(answer["picture"]), "the picture that the network sees shows all the same"
    assert pad.still()[1].endswith(answer["sentence"]), "nor may the still picture fail"
    assert not capfd.readouterr().err and not recwarn.list
    pad._predict = predict
    assert draw(pad, strokes_of(3))["sentence"] == "It reads a 3 (90 %)."


def test_wants_a_function_or_a_number():
    """Fails when DrawPad(predict(X)) is found out only after drawing."""
    for given in ({}, {"predict": 3}, {"predict": probabilities()}):
        with pytest.raises(TypeError, match="without brackets"):
            DrawPad(**given)
    with pytest.raises(TypeError, match="one of the two"):
        DrawPad(predict, ask=2)


def test_keeps_what_was_drawn_without_being_asked():
    """Fails when a drawing is lost, or changed by the one that follows."""
    pad = DrawPad(predict)
    assert pad.drawings.shape == (784, 0)
    with pytest.raises(LookupError, match="Draw a digit on the pad"):
        _ = pad.picture
    two, six = (picture_from_strokes(strokes_of(d)) for d in (2, 6))
    draw(pad, strokes_of(2))
    np.testing.assert_array_equal(pad.picture, two)
    draw(pad, [], finished=[{"label": None, "strokes": strokes_of(2)}])
    np.testing.assert_array_equal(pad.picture, two)
    draw(pad, strokes_of(6))
    np.testing.assert_array_equal(pad.drawings, np.hstack([two, six]))
    assert pad.picture.dtype == np.float32 and pad.picture.shape == (784, 1)


def test_asks_keeps_and_saves(tmp_path, monkeypatch, notebook_functions):
    """Fails when X, Y or a file hold what was not drawn, or a file is written over."""
    monkeypatch.chdir(tmp_path)
    pad = DrawPad(ask=2)
    assert sorted(pad.ask) == sorted([*range(10)] * 2) and pad.ask == DrawPad(ask=2).ask
    assert pad.ask != DrawPad(ask=2, seed=1).ask
    assert pad.X.shape == (784, 0) and pad.Y.shape == (0,)
    assert "nothing to save" in draw(pad, [], saves=1)["note"] and not list(tmp_path.iterdir())
    digits = pad.ask[:3]
    finished = [{"label": d, "strokes": strokes_of(d)} for d in digits]
    finished.insert(1, {"label": 5, "strokes": []})  # skipped
    draw(pad, [[[0.5, 0.5]]], finished=finished)  # the drawing on the paper does not count yet
    assert pad.Y.tolist() == digits and pad.Y.dtype == np.uint8
    expected = np.hstack([picture_from_strokes(strokes_of(d)) for d in digits])
    np.testing.assert_array_equal(pad.X, expected)
    (tmp_path / "my_digits").mkdir()
    (tmp_path / "my_digits" / "digits-1.csv").write_text("mine")
    assert draw(pad, [], saves=2)["note"] == "Saved as my_digits/digits-2.csv."
    assert (tmp_path / "my_digits" / "digits-1.csv").read_text() == "mine"
    assert pad.save(tmp_path).name == "digits-1.csv"
    pixels, labels = notebook_functions.read_digits("my_digits/digits-2.csv")
    np.testing.assert_array_equal(notebook_functions.to_columns(pixels), pad.X)
    np.testing.assert_array_equal(labels, pad.Y)
    monkeypatch.chdir(tmp_path / "my_digits")
    (tmp_path / "my_digits" / "my_digits").write_text("a file in the way")
    assert draw(pad, [], saves=3)["note"].startswith("Not saved")


# --- what a notebook stores


@pytest.mark.parametrize("given", [{"predict": predict}, {"ask": 2}])
def test_stores_the_same_each_time_and_no_address(given):
    """Fails when re-executing the notebook changes the stored output."""
    first, second = (DrawPad(**given)._repr_mimebundle_() for _ in range(2))
    for data, _ in (first, second):
        del data["application/vnd.jupyter.widget-view+json"]  # a random id: not for the file
    assert first == second and set(first[0]) == {"text/plain", "image/png"}
    assert "0x" not in first[0]["text/plain"]
    assert b"matplotlib" not in base64.b64decode(first[0]["image/png"])


# --- the browser's half


def test_needs_no_network_and_styles_only_itself():
    """Fails when the pad would load anything from elsewhere, or change the rest of the page."""
    js, css = (HERE.joinpath(f"pad.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    assert not re.search(r"https?:|//[a-z0-9-]+\.|@import|\bimport\b|fetch\(|url\(", js + css)
    assert f"PEN = {PEN};" in js, "the browser draws with another pen than Python"
    for selector in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", css, flags=re.S)):
        for part in re.sub(r"\([^)]*\)", "", selector).split(","):
            assert part.strip().startswith((".draw-pad", "@media")), selector
