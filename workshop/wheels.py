"""Fetch the packages for a room without a network: one folder for all systems, to take on a stick.

    python workshop/wheels.py                            Windows, both kinds of Mac, and Linux
    python workshop/wheels.py windows linux              only these
    python workshop/wheels.py --python 3.13              for another Python than 3.12

Run it with uv and pip in the environment: `python -m pip install uv`. Which packages a system
needs is asked of uv, because pip judges that by the machine on which it runs; pip then fetches
the files into the folder wheels/. It prints the size of each system's files. Exit code 1 if a
system's packages could not all be fetched.

In the room, on each computer: make an environment with that Python, and run
pip install --no-index --find-links wheels -r requirements.txt
"""

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# {system: (its name for uv, the platforms of wheels that run on it)}
SYSTEMS = {
    "windows": ("windows", ["win_amd64"]),
    "mac-arm": ("aarch64-apple-darwin", ["macosx_12_0_arm64"]),
    "mac-intel": ("x86_64-apple-darwin", ["macosx_12_0_x86_64"]),
    "linux": (
        "x86_64-manylinux_2_28",
        [*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64"],
    ),
}


def lock(system, python):
    """The exact packages that a system needs, the text of a requirements file.

    Those of .ci/constraints.txt; where one of them has no wheel for the system, the newest.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "requirements.txt", "--quiet"]
    command += ["--python-platform", SYSTEMS[system][0], "--python-version", python]
    command += ["--only-binary", ":all:", "--no-annotate", "--no-header"]
    tested = subprocess.run(
        [*command, "--constraints", ".ci/constraints.txt"], cwd=ROOT, capture_output=True, text=True
    )
    if tested.returncode == 0:
        return tested.stdout
    print(f"{system}: not all of the tested versions have a wheel, so it gets the newest ones.")
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def fetch(system, python, folder):
    """Download a system's wheels into a folder; returns their files, a list of paths."""
    with tempfile.TemporaryDirectory() as temporary:
        path, report = Path(temporary) / "lock.txt", Path(temporary) / "new"
        path.write_text(lock(system, python), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        command += ["--python-version", python, "--implementation", "cp", "--abi", "none"]
        command += ["--abi", "abi3", "--abi", "cp" + python.replace(".", "")]
        for platform in SYSTEMS[system][1]:
            command += ["--platform", platform]
        command += ["--quiet", "--disable-pip-version-check", "--find-links", folder]
        subprocess.run([*command, "-r", path, "-d", report], cwd=ROOT, check=True)
        return [Path(shutil.copy(file, folder)) for file in report.iterdir()]


def main(argv=None):
    """Run the command line; returns the exit code."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("systems", nargs="*", metavar="system", help=f"{', '.join(SYSTEMS)} (all)")
    parser.add_argument("--python", default="3.12", help="the Python in the room (3.12)")
    parser.add_argument("--folder", type=Path, default=ROOT / "wheels", help="where to (wheels)")
    args = parser.parse_args(argv)
    if unknown := set(args.systems) - set(SYSTEMS):
        parser.error(f"no such system: {', '.join(unknown)}; there are {', '.join(SYSTEMS)}.")
    if not all(importlib.util.find_spec(module) for module in ("uv", "pip")):
        print(f"uv is missing: run {sys.executable} -m pip install uv.", file=sys.stderr)
        return 1
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for system in args.systems or SYSTEMS:
        try:
            files = fetch(system, args.python, folder)
        except subprocess.CalledProcessError:
            print(f"{system}: not fetched, as the lines above say.", flush=True)
            failed = 1
            continue
        size = sum(file.stat().st_size for file in files) / 1e6
        print(f"{system}: {len(files)} files, {size:.0f} MB", flush=True)
    size = sum(file.stat().st_size for file in folder.glob("*.whl")) / 1e6
    print(f"Together in {folder.name}/: {size:.0f} MB.")
    return failed


if __name__ == "__main__":
    sys.exit(main())
