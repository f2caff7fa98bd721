"""Say whether this machine is ready for the workshop, or what is missing and what to do.

    python workshop/ready.py

Looks at Python, the packages and the folder. Then it starts a kernel as JupyterLab does, and runs
the notebook's first cells and a small training in it. Works from any folder, and needs no package
to say that one is missing. Exit code 0 if ready, 1 if not.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ["mnist-scratch.ipynb", "requirements.txt", "helpers.py", "checks", "widgets"]
FILES += ["data/train.csv.gz", "data/test.csv.gz"]
SELF, PYTHON = "workshop/ready.py", (3, 10)
STUDENT = "mnist-scratch-student.ipynb"
TESTS_ONLY = {"pytest", "nbval"}
# Runs after the notebook's first three sections. The functions are those of the finished notebook
TRAIN = """
from workshop import catch_up

catch_up.bring_up_to("training", globals())
for statement in catch_up.read_sections()["training"]:
    if statement.function and statement.cell != "draw-early":
        exec(statement.code, globals())
trained = gradient_descent(X_train[:, :1000], Y_train[:1000], 0.1, 200)
print(get_accuracy(get_predictions(forward_prop(*trained, X_dev)[3]), Y_dev))
"""


class NotReady(Exception):
    """What is missing, and what to do."""


def check_python(root):
    """Raise NotReady if this Python is too old."""
    if sys.version_info < PYTHON:
        version = ".".join(map(str, PYTHON))
        raise NotReady(
            f"This is Python {sys.version.split()[0]}. Install Python {version} or newer, "
            "delete the folder .venv, and set up again as workshop/before-you-come.md says."
        )


def check_folder(root):
    """Raise NotReady if a part of the workshop's folder is missing."""
    missing = [name for name in FILES if not (root / name).exists()]
    if missing:
        raise NotReady(
            f"The folder {root} has no {', '.join(missing)}. "
            "Download the workshop's folder again, whole, and unpack it."
        )


def check_packages(root):
    """Raise NotReady if a package is missing or older than requirements.txt allows."""
    from importlib import metadata

    missing, wrong = [], []
    lines = (root / "requirements.txt").read_text(encoding="utf-8")
    for package, floor in re.findall(r"^([\w-]+)>=([\d.]+)", lines, re.M):
        if package in TESTS_ONLY:
            continue
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            missing.append(package)
            continue
        if _numbers(version) < _numbers(floor):
            wrong.append(f"{package} is {version} and must be {floor} or newer")
    if missing:
        wrong.insert(0, f"this Python lacks {', '.join(missing)}")
    if not wrong:
        return
    cure = f"Run {sys.executable} -m pip install --upgrade -r requirements.txt in {root}"
    if sys.prefix == sys.base_prefix:  # not in an environment
        python = r".venv\Scripts\python" if os.name == "nt" else ".venv/bin/python"
        cure = f"Run the set-up line of workshop/before-you-come.md, then {python} {SELF}"
    raise NotReady(f"{'; '.join(wrong)}. {cure}.")


def _numbers(version):
    return [int(n) for n in re.findall(r"\d+", version)[:3]]


def check_run(root):
    """Run the first cells and a small training; returns its accuracy. Raises NotReady."""
    from jupyter_client.manager import start_new_kernel

    cells = json.loads((root / FILES[0]).read_text(encoding="utf-8"))["cells"]
    cells = itertools.takewhile(lambda cell: cell["id"] != "build", cells)
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    said = []

    def hear(message):
        said.append(message["content"].get("text", ""))

    try:
        manager, client = start_new_kernel(
            startup_timeout=120, cwd=str(root), stderr=subprocess.DEVNULL
        )
    except Exception as error:  # each system has its own
        raise NotReady(
            f"JupyterLab's kernel does not start ({error}). "
            f"Run {sys.executable} -m pip install --force-reinstall ipykernel."
        ) from None
    try:
        for source in [*sources, TRAIN]:
            reply = client.execute_interactive(source, timeout=120, output_hook=hear)["content"]
            if reply["status"] != "ok":
                first = reply.get("evalue", "").splitlines() or ["no more is known"]
                raise NotReady(f"The notebook stops: {reply.get('ename')}: {first[0]}")
    except (TimeoutError, RuntimeError) as error:
        raise NotReady(
            f"The notebook's first cells do not come to an end ({error}). "
            "Close other programs: it needs 1 GB of memory. Then try again."
        ) from None
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return float("".join(said).split()[-1])


def main(root=ROOT):
    """Print one line; returns the exit code."""
    began = time.time()
    try:
        for check in (check_python, check_folder, check_packages):
            check(root)
        print(
            "The packages and the folder are in place. A small run, half a minute ...", flush=True
        )
        accuracy = check_run(root)
        if not accuracy > 0.5:
            raise NotReady(
                f"The small training reads only {accuracy:.0%} of the digits. "
                "Show this line to your instructor."
            )
    except NotReady as problem:
        print(f"Not ready: {problem}")
        return 1
    took = time.time() - began
    more = f" The learners' copy, {STUDENT}, is not here yet: ask your instructor for it."
    more = "" if (root / STUDENT).exists() else more
    print(f"Ready: a small network learned to read {accuracy:.0%} in {took:.0f} s.{more}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
