"""The benchmark measures the notebook's own runs, and the notebook quotes what it measured."""

import json
import re

import pytest

import bench_training
from run_notebook import ROOT

MEASURED = json.loads((ROOT / "tests/measured.json").read_text(encoding="utf-8"))
RUNGS = {
    "rung-3": "3 mini-batches",
    "rung-4": "4 width",
    "rung-5": "5 momentum, falling alpha",
    "rung-6": "6 shifts",
    "rung-7": "7 warps",
}


@pytest.mark.parametrize(("cell", "rung"), RUNGS.items())
def test_benchmark_trains_each_rung_as_the_notebook_does(cells, cell, rung):
    """Fails if a rung's settings are changed in one place only."""
    settings, source = bench_training.RUNGS[rung], cells[cell].source
    alpha, epochs = settings["alpha"], settings["epochs"]
    alphas = f"falling({alpha}, {epochs})" if settings.get("falls") else f"[{alpha}] * {epochs}"
    hidden = settings["hidden"] if settings["hidden"] != 10 else ""
    assert f"{alphas}, {settings['batch']}, init_params_scaled({hidden})" in source
    assert ("update_velocity" in source) == settings.get("momentum", False)
    change = settings.get("change")
    assert change is None or re.search(rf"\b{change}[,)]", source)


def test_benchmark_makes_the_full_batch_runs_as_the_notebook_does(cells):
    first, scaled = bench_training.FULL_BATCH.values()
    assert f"X_train[:, :{first['digits']:_}]" in cells["lineage-run"].source
    assert f"X_full, Y_full, 0.1, {first['iterations']}," in cells["lineage-run"].source
    assert f"X_full, Y_full, 0.1, {scaled['iterations']}," in cells["scaled-run"].source
    assert scaled["digits"] == first["digits"]


def test_measured_rungs_have_the_present_settings():
    """Fails if tests/measured.json is older than the benchmark's settings."""
    for rung, settings in (bench_training.FULL_BATCH | bench_training.RUNGS).items():
        if rung in MEASURED["rungs"]:
            stored = MEASURED["rungs"][rung]
            assert {key: stored[key] for key in settings} == settings, rung


def test_table_of_spreads_in_the_notebook_is_the_measured_one(cells):
    rows = re.findall(r"^\| (\d) [^|]*\| ([\d.]+) \| ([\d.]+) \|$", cells["spread"].source, re.M)
    assert len(rows) == 7
    for number, mean, deviation in rows:
        [stored] = [v for k, v in MEASURED["rungs"].items() if k.startswith(f"{number} ")]
        assert (float(mean), float(deviation)) == (stored["test_mean"], stored["test_sd"])
        assert stored["seeds"] >= 5


def test_exercise_promises_what_was_measured(cells):
    """Fails if the last exercise names another score than the benchmark found."""
    [mean] = re.findall(r"reached ([\d.]+) % on the test digits", cells["exercise-bend"].source)
    stored = MEASURED["rungs"]["exercise"]
    assert (float(mean), stored["seeds"]) == (stored["test_mean"], 5)
    assert f"{stored['hidden']:,} hidden units with it for {stored['epochs']} epochs" in (
        cells["exercise-bend"].source
    )


def test_readme_quotes_the_measured_speed():
    """Fails if README.md tells of another measurement than the stored one."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    epoch, rungs = MEASURED["epoch"], MEASURED["rungs"]
    for pattern, value in [
        (r"needs ([\d.]+) times as long as its matrix", epoch["ours / products alone"]),
        (r"takes ([\d.]+) times as long as in PyTorch", epoch["ours / PyTorch"]),
        (r"and ([\d.]+) times as long as in scikit", epoch["ours / scikit-learn"]),
        (r"section 8, from (\d+) %", 100 - rungs["1 first start"]["test_mean"]),
        (r"% to ([\d.]+) %, its last", 100 - rungs["7 warps"]["test_mean"]),
        (r"exercise, ([\d.]+) %, and", 100 - rungs["exercise"]["test_mean"]),
        (r"scikit-learn, ([\d.]+) %\]", 100 - rungs["scikit-learn as rung 5"]["test_mean"]),
    ]:
        [said] = re.findall(pattern, readme)
        digits = len(said.partition(".")[2])
        assert float(said) == round(value, digits), pattern
