"""Measure learners on one server: a real JupyterHub, a server and a kernel for each. Run by hand.

    python3 -m venv ../hub
    ../hub/bin/python -m pip install -r requirements.txt jupyterhub configurable-http-proxy
    ../hub/bin/python tools/hub_load.py --users 8 --threads 1 --save

Each learner gets a folder of their own with the notebook and its files. All the code cells are sent
to a new kernel through the hub, as a browser does: first for one learner alone, then for all of
them at once. Memory is PSS, which divides what several processes share among them: a learner's
server and kernel together, at their peak. Exit code 1 if a cell failed. Linux only.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat
import psutil
from jupyter_client.session import Session
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from run_notebook import NOTEBOOK, ROOT, code_cells

MEASURED = ROOT / "tools" / "hub_load.json"
BIN = Path(sys.executable).parent
URL, TOKEN = "http://127.0.0.1:8000", secrets.token_hex()  # the hub takes 8001 and 8081, too
HEADERS = {"Authorization": f"token {TOKEN}"}
START = 180  # seconds that the servers may need to start

CONFIG = f"""
c.JupyterHub.bind_url = "{URL}"
c.ConfigurableHTTPProxy.command = ["{BIN}/configurable-http-proxy"]
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "homes/{{username}}"
c.Spawner.cmd = ["{BIN}/jupyterhub-singleuser", "--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {START}
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": {START}}}
c.JupyterHub.services = [{{"name": "load", "api_token": "{TOKEN}"}}]
c.JupyterHub.load_roles = [{{"name": "load", "services": ["load"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


async def ask(method, path):
    """The JSON answer of the hub or of a learner's server; HTTPClientError if it refuses."""
    body = "{}" if method == "POST" else None
    request = HTTPRequest(URL + path, method, HEADERS, body, request_timeout=START)
    answer = await AsyncHTTPClient().fetch(request)
    return json.loads(answer.body) if answer.body else None


@contextlib.asynccontextmanager
async def running_hub(folder, users, threads):
    """A hub in a folder, with a home for each user: its process, which ends with the block.
    SystemExit, with the end of its log, if it does not start."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "wheels")
    for user in users:
        shutil.copytree(ROOT, folder / "homes" / user, ignore=left_out)
    environment = {f"{name}_NUM_THREADS": str(threads) for name in ("OPENBLAS", "OMP") if threads}
    own = f"c.Authenticator.allowed_users = {set(users)}\nc.Spawner.environment = {environment}\n"
    (folder / "jupyterhub_config.py").write_text(CONFIG + own)
    log = folder / "hub.log"
    with open(log, "w") as file:
        hub = psutil.Popen([BIN / "jupyterhub"], cwd=folder, stdout=file, stderr=file)
    try:
        for _ in range(START):
            with contextlib.suppress(OSError, HTTPClientError):
                await ask("GET", "/hub/api/")
                break
            await asyncio.sleep(1)
        else:
            sys.exit(f"The hub does not start. Its log ends:\n{log.read_text()[-2000:]}")
        yield hub
    finally:
        processes = [hub, *hub.children(recursive=True)]
        hub.terminate()
        for left in psutil.wait_procs(processes, timeout=30)[1]:
            left.kill()


def weigh(hub):
    """The MB of this moment, by user: a Counter."""
    now = Counter()
    for process in [hub, *hub.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it has just ended
            mb = process.memory_full_info().pss / 2**20
            now[process.environ().get("JUPYTERHUB_USER")] += mb
    return now


async def run_all(user, cells):
    """Run All for one learner; returns seconds, failure or "", and the longest cell."""
    began, longest, error = time.monotonic(), (0, ""), None
    kernels = f"/user/{user}/api/kernels"
    kernel = f"{kernels}/{(await ask('POST', kernels))['id']}"
    request = HTTPRequest(f"{URL}{kernel}/channels".replace("http", "ws", 1), headers=HEADERS)
    channel = await websocket_connect(request, max_message_size=2**28)
    for cell in cells:
        sent = time.monotonic()
        error = await execute(channel, cell.source)
        longest = max(longest, (time.monotonic() - sent, cell.id))
        if error:
            break
    seconds = time.monotonic() - began
    channel.close()
    await ask("DELETE", kernel)
    return seconds, f"{user}, cell {cell.id}: {error}" if error else "", longest


async def execute(channel, source):
    """Send one cell over the websocket and wait until it is done; returns its error or None."""
    content = {"code": source, "silent": False, "allow_stdin": False}
    sent = Session().msg("execute_request", content) | {"channel": "shell"}
    await channel.write_message(json.dumps(sent, default=str))  # str: of its date
    while text := await channel.read_message():
        message = json.loads(text) if isinstance(text, str) else {}  # bytes: a widget's data
        if message.get("parent_header", {}).get("msg_id") == sent["msg_id"]:
            content = message["content"]
            if message["msg_type"] == "error":
                return f"{content['ename']}: {content['evalue']}".splitlines()[0]
            if content.get("execution_state") == "idle":  # all of its outputs have come
                return None
    return "the connection to the kernel closed"


async def measure(n, threads, folder):
    """Start the hub, run the notebook alone and for all at once; returns the figures, a dict."""
    users, peaks = [f"learner-{i + 1}" for i in range(n)], Counter()
    cells = code_cells(nbformat.read(NOTEBOOK, as_version=4))
    async with running_hub(folder, users, threads) as hub:
        print(f"The hub runs. Run All for one learner, then for {n} at once ...", flush=True)
        for user in users:  # eight that start at once get the hub's 503
            await ask("POST", f"/hub/api/users/{user}/server")
        alone = await run_all(users[0], cells)
        together = asyncio.gather(*(run_all(user, cells) for user in users))
        while not together.done():
            peaks |= await asyncio.to_thread(weigh, hub)  # the larger of each
            await asyncio.sleep(0.5)
        runs = await together
    return {
        "users": n,
        "cores": psutil.cpu_count(),
        "threads": threads,
        "alone_s": round(alone[0], 1),
        "longest_cell": alone[2][1],
        "longest_cell_s": round(alone[2][0], 1),
        "together_last_s": round(max(runs)[0], 1),
        "learner_pss_mb": round(max(peaks[user] for user in users)),
        "failures": [failure for _, failure, _ in [alone, *runs] if failure],
    }


def main():
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=8, help="learners at once (8)")
    parser.add_argument("--threads", type=int, help="threads of each kernel's matrix products")
    parser.add_argument("--save", action="store_true", help=f"keep the figures: {MEASURED.name}")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True) as folder:
        measured = asyncio.run(measure(args.users, args.threads, Path(folder)))
    print(json.dumps(measured, indent=1))
    if args.save:
        name = f"{args.users} users, {args.threads or 'free'} threads"
        kept = json.loads(MEASURED.read_text()) | {name: measured}
        MEASURED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return 1 if measured["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
