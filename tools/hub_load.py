"""Measure learners on one server: a real JupyterHub, a server and a kernel for each. Run by hand.

    python3 -m venv ../hub
    ../hub/bin/python -m pip install -r requirements.txt jupyterhub configurable-http-proxy
    ../hub/bin/python tools/hub_load.py --users 8 --threads 1 --save

The hub has dummy passwords and one process for each server. Each learner gets a folder of their
own with the notebook and its files. Through the hub's proxy a session is opened, and all the code
cells are sent over its websocket, as a browser does: first for one learner alone, then for all of
them at once, each in a new kernel. Memory is PSS, which divides what several processes share
among them: a learner's server and kernel together, at their peak.

Exit code 1 if a cell of any learner failed. Linux only, as it reads /proc.
"""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from pathlib import Path

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = "mnist-scratch.ipynb"
FILES = [NOTEBOOK, "checks", "helpers.py", "widgets", "data"]
MEASURED = ROOT / "tools" / "hub_load.json"
START, CELL = 180, 1800  # seconds that a server may need to start, and a cell to run

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = [{bin!r} + "/configurable-http-proxy"]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {folder!r} + "/{{username}}"
c.Spawner.cmd = [{bin!r} + "/jupyterhub-singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = {start}
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.services = [{{"name": "load", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{"name": "load", "services": ["load"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


class Hub:
    """A running JupyterHub in a temporary folder, and what a script may ask of it."""

    def __init__(self, folder, threads):
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports = [each.getsockname()[1] for each in sockets]
        for each in sockets:
            each.close()
        self.url, self.token = f"http://127.0.0.1:{ports[0]}", secrets.token_hex()
        names = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"] if threads else []
        environment = {"PYTHONDONTWRITEBYTECODE": "1", **dict.fromkeys(names, str(threads))}
        config, self.log = folder / "jupyterhub_config.py", folder / "hub.log"
        config.write_text(CONFIG.format(
            ports=ports, bin=str(Path(sys.executable).parent), folder=str(folder), start=START,
            environment=environment, token=self.token,
        ))  # fmt: skip
        with open(self.log, "w") as log:
            command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
            env = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex()}
            self.process = psutil.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env
            )
        self.peaks = defaultdict(float)  # MB by user, and of everything under None

    async def ask(self, method, path, body=None):
        """The JSON answer of the hub or of a learner's server; HTTPClientError if it refuses."""
        answer = await AsyncHTTPClient().fetch(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"},
            body=None if method in ("GET", "DELETE") else json.dumps(body or {}),
            request_timeout=START,
        )  # fmt: skip
        return json.loads(answer.body) if answer.body else None

    async def until(self, check):
        """Wait until the coroutine function `check` gives something true; SystemExit if never."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if await check():
                    return
            except OSError:
                pass  # nobody listens yet
            await asyncio.sleep(0.3)
        sys.exit(f"The hub does not get ready. Its log ends:\n{self.log.read_text()[-2000:]}")

    async def start_server(self, user):
        """Add the user and start their server; returns the seconds that it took."""

        async def ready():
            servers = (await self.ask("GET", f"/hub/api/users/{user}"))["servers"]
            return servers.get("", {}).get("ready")

        began = time.monotonic()
        await self.ask("POST", f"/hub/api/users/{user}")
        await self.ask("POST", f"/hub/api/users/{user}/server")
        await self.until(ready)
        return time.monotonic() - began

    def weigh(self):
        """Note the memory of this moment where it is a new peak."""
        now = defaultdict(float)
        for process in [self.process, *self.process.children(recursive=True)]:
            try:
                mb = process.memory_full_info().pss / 2**20
                user = process.environ().get("JUPYTERHUB_USER")
            except psutil.Error:
                continue  # it has just ended
            now[None] += mb
            if user:
                now[user] += mb
        for name, mb in now.items():
            self.peaks[name] = max(self.peaks[name], mb)

    async def watch(self):
        while True:
            await asyncio.to_thread(self.weigh)
            await asyncio.sleep(0.5)

    def stop(self):
        """End the hub, and then whatever it has left behind."""
        children = self.process.children(recursive=True)
        self.process.terminate()
        for left in psutil.wait_procs([self.process, *children], timeout=30)[1]:
            left.kill()


async def run_all(hub, user, cells):
    """Run All for one learner in a new session; returns (seconds, failure or None)."""
    base, began, failure = f"/user/{user}", time.monotonic(), None
    session = await hub.ask("POST", f"{base}/api/sessions", {
        "path": NOTEBOOK, "name": NOTEBOOK, "type": "notebook", "kernel": {"name": "python3"},
    })  # fmt: skip
    address = f"{hub.url}{base}/api/kernels/{session['kernel']['id']}/channels"
    token = {"Authorization": f"token {hub.token}"}
    request = HTTPRequest(address.replace("http", "ws", 1), headers=token)
    channel = await websocket_connect(request, max_message_size=2**28)
    for cell in cells:
        try:
            error = await asyncio.wait_for(execute(channel, "".join(cell["source"])), CELL)
        except asyncio.TimeoutError:
            error = f"not done within {CELL} s"
        if error:
            failure = f"{user}, cell {cell['id']}: {error}"
            break
    seconds = time.monotonic() - began
    channel.close()
    await hub.ask("DELETE", f"{base}/api/sessions/{session['id']}")
    return seconds, failure


async def execute(channel, source):
    """Send one cell over the websocket and wait until it is done; returns its error or None."""
    header = {
        "msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": uuid.uuid4().hex,
        "username": "load", "version": "5.3",
    }  # fmt: skip
    await channel.write_message(json.dumps({
        "channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "buffers": [],
        "content": {"code": source, "silent": False, "allow_stdin": False},
    }))  # fmt: skip
    error = None
    while text := await channel.read_message():
        if isinstance(text, bytes):
            continue  # a widget's data
        message = json.loads(text)
        if message["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        content = message["content"]
        if message["header"]["msg_type"] == "error":
            error = f"{content['ename']}: {content['evalue']}".splitlines()[0]
        if content.get("execution_state") == "idle":  # all of its outputs have come
            return error
    return "the connection to the kernel closed"


async def measure(users, threads, folder):
    """Start the hub, run the notebook alone and for all at once; returns the figures, a dict."""
    names = [f"learner-{n}" for n in range(1, users + 1)]
    for name in names:
        (folder / name).mkdir()
        for file in FILES:
            copy = shutil.copytree if (ROOT / file).is_dir() else shutil.copy
            copy(ROOT / file, folder / name / file)
    cells = json.loads((ROOT / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    hub = Hub(folder, threads)
    try:
        await hub.until(lambda: hub.ask("GET", "/hub/api/"))
        print(f"The hub runs. Starting {users} servers ...", flush=True)
        starts = await asyncio.gather(*map(hub.start_server, names))
        print("Run All for one learner alone ...", flush=True)
        alone = await run_all(hub, names[0], cells)
        print(f"Run All for {users} learners at once ...", flush=True)
        watching = asyncio.create_task(hub.watch())
        runs = await asyncio.gather(*(run_all(hub, name, cells) for name in names))
        watching.cancel()
    finally:
        hub.stop()
    return {
        "users": users, "cores": os.cpu_count(), "threads": threads,
        "server_start_s": round(max(starts), 1), "alone_s": round(alone[0], 1),
        "together_first_s": round(min(runs)[0], 1), "together_last_s": round(max(runs)[0], 1),
        "learner_pss_mb": round(max(hub.peaks[name] for name in names)),
        "everything_mb": round(hub.peaks[None]),
        "failures": [failure for _, failure in [alone, *runs] if failure],
    }  # fmt: skip


def main(argv=None):
    """Run the command line; returns the exit code."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=8, help="learners at once (8)")
    parser.add_argument("--threads", type=int, help="threads of each kernel's matrix products")
    parser.add_argument("--save", action="store_true", help=f"keep the figures: {MEASURED.name}")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True) as folder:
        measured = asyncio.run(measure(args.users, args.threads, Path(folder)))
    for name, value in measured.items():
        print(f"{name:18} {value}")
    if args.save:
        kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
        kept[f"{args.users} users, {args.threads or 'free'} threads"] = measured
        MEASURED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return 1 if measured["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
