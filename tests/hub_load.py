"""Measure learners on one server: a real JupyterHub, a server and a kernel for each. Run by hand.

    python3 -m venv ../hub
    ../hub/bin/python -m pip install -r requirements.txt jupyterhub
    npm install --prefix ../hub configurable-http-proxy
    ../hub/bin/python tests/hub_load.py --users 8 --save

The hub has dummy passwords and one process for each server. Each learner gets a folder of their own
with the notebook and its files. Through the hub's proxy a session is opened, and all the code cells
are sent over its websocket, as a browser does: first for one learner alone, then for all of them at
once, each in a new kernel. The table says how long that took, the peak of memory for each learner
(server and kernel), and which runs failed, and where. PSS divides the memory that several processes
share among them, which is what counts for a server; RSS counts it in full for each.

Exit code 1 if a cell of any learner failed, 2 if something is missing. Linux only.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ["mnist-scratch.ipynb", "checks.py", "helpers.py", "draw_pad", "data"]
MEASURED = ROOT / "tests" / "hub_load.json"
LEARNER_MB = 1000  # room asked for each learner before the run begins, as README.md says
START, STOP = 180, 30  # seconds for a server to start, and for the hub to end

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [{command!r}]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = {args!r}
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = {start}
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.services = [{{"name": "load", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{"name": "load", "services": ["load"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


class Missing(Exception):
    """The measurement cannot begin. The message is one sentence."""


def find_proxy():
    """The command of the hub's proxy, beside this Python or on the PATH; raises Missing."""
    beside = Path(sys.prefix) / "node_modules" / ".bin" / "configurable-http-proxy"
    found = str(beside) if beside.exists() else shutil.which("configurable-http-proxy")
    if not found:
        raise Missing(
            "There is no configurable-http-proxy: run "
            f"npm install --prefix {sys.prefix} configurable-http-proxy"
        )
    return found


def require(users):
    """Raise Missing if a package, Node or memory for this many users is not there."""
    if not sys.platform.startswith("linux"):
        raise Missing("This measurement reads /proc, so it needs Linux.")
    for name in ["jupyterhub", "jupyterlab", "psutil", "sklearn", "anywidget"]:
        if importlib.util.find_spec(name) is None:
            raise Missing(f"There is no {name} in this Python: see the top of this file.")
    if not shutil.which("node"):
        raise Missing("There is no node, which the hub's proxy needs: install Node.js.")
    import psutil

    free = psutil.virtual_memory().available / 1e6
    if free < users * LEARNER_MB:
        raise Missing(
            f"{free:.0f} MB of memory are free, and {users} learners may need "
            f"{users * LEARNER_MB} MB: use --users {int(free // LEARNER_MB)}."
        )


def free_ports(count):
    """So many free ports, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def prepare_home(home, small):
    """Put the notebook and its files into a learner's folder; small: only the first digits."""
    home.mkdir(parents=True)
    for name in FILES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, home / name)
    if small:
        import numpy as np
        import pandas as pd

        for name, rows in [("train.csv.gz", 3000), ("test.csv.gz", 500)]:
            path = home / "data" / name
            pd.read_csv(path, dtype=np.uint8, nrows=rows).to_csv(path, index=False)


class Memory(threading.Thread):
    """Watches the processes below `pid`: the peak of memory for each learner and of all, in MB.

    peaks[user] holds the largest "pss" of server and kernels together at one moment, and the
    largest "server_rss" and "kernel_rss" of a single process. total: the largest PSS of everything,
    the hub and its proxy included.
    """

    def __init__(self, pid, every=0.5):
        super().__init__(daemon=True)
        self.pid, self.every, self.ended = pid, every, threading.Event()
        self.reset()

    def reset(self):
        """Forget what was seen so far."""
        self.peaks, self.total = defaultdict(lambda: defaultdict(float)), 0.0

    def run(self):
        import psutil

        top, owner = psutil.Process(self.pid), {}
        while not self.ended.wait(self.every):
            now, total = defaultdict(float), 0.0
            try:
                processes = [top, *top.children(recursive=True)]
            except psutil.Error:
                return
            for process in processes:
                try:
                    if process not in owner:
                        owner[process] = process.environ().get("JUPYTERHUB_USER")
                    with open(f"/proc/{process.pid}/smaps_rollup") as file:
                        sizes = {k.strip(":"): int(v) / 1024 for k, v, *_ in
                                 map(str.split, list(file)[1:])}  # fmt: skip
                    kernel = "ipykernel_launcher" in process.cmdline()
                except (psutil.Error, OSError):
                    continue  # it has just ended
                total += sizes["Pss"]
                user = owner[process]
                if user:
                    now[user] += sizes["Pss"]
                    part = "kernel_rss" if kernel else "server_rss"
                    self.peaks[user][part] = max(self.peaks[user][part], sizes["Rss"])
            for user, pss in now.items():
                self.peaks[user]["pss"] = max(self.peaks[user]["pss"], pss)
            self.total = max(self.total, total)


class Hub:
    """A running JupyterHub in a temporary folder, and what a script may ask of it."""

    def __init__(self, folder, threads):
        public, hub, proxy = free_ports(3)
        self.url, self.folder = f"http://127.0.0.1:{public}", folder
        self.token = secrets.token_hex()
        environment = {"PYTHONDONTWRITEBYTECODE": "1"}
        if threads:
            environment |= dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"], str(threads))
        config = folder / "jupyterhub_config.py"
        config.write_text(CONFIG.format(
            public=public, hub=hub, proxy=proxy, command=find_proxy(), homes=str(folder / "homes"),
            python=sys.executable, args=["--allow-root"] if os.geteuid() == 0 else [],
            environment=environment, start=START, token=self.token,
        ))  # fmt: skip
        self.log = folder / "hub.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(config)],
                cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex()},
            )  # fmt: skip

    async def ask(self, method, path, body=None):
        """The JSON answer of the hub or of a learner's server; RuntimeError if it refuses."""
        from tornado.httpclient import AsyncHTTPClient

        answer = await AsyncHTTPClient().fetch(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"},
            body=None if method in ("GET", "DELETE") else json.dumps(body or {}),
            request_timeout=START, raise_error=False,
        )  # fmt: skip
        if answer.code >= 300:
            raise RuntimeError(f"{method} {path}: {answer.code} {answer.reason}")
        return json.loads(answer.body) if answer.body else None

    async def ready(self):
        """Wait until the hub answers."""
        deadline = time.monotonic() + START
        while True:
            try:
                return await self.ask("GET", "/hub/api/")
            except (RuntimeError, OSError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Missing(f"The hub does not start: {self.last_words()}") from None
                await asyncio.sleep(0.5)

    async def start_server(self, user):
        """Add the user and start their server; returns the seconds that it took."""
        began = time.monotonic()
        await self.ask("POST", f"/hub/api/users/{user}")
        await self.ask("POST", f"/hub/api/users/{user}/server")
        while time.monotonic() < began + START:
            servers = (await self.ask("GET", f"/hub/api/users/{user}"))["servers"]
            if servers.get("", {}).get("ready"):
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        raise RuntimeError(f"the server of {user} was not ready within {START} s")

    def last_words(self):
        """The last line of the log with an error, or its last line."""
        lines = self.log.read_text().strip().splitlines() or ["it said nothing"]
        return next((x for x in reversed(lines) if "Error" in x or "[E " in x), lines[-1])

    def stop(self):
        """End the hub, and then whatever it has left behind."""
        import psutil

        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            children = []
        self.process.terminate()
        try:
            self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for child in psutil.wait_procs(children, timeout=5)[1]:
            child.kill()


async def run_all(hub, user, timeout):
    """Run All for one learner in a new session; returns (seconds, failure or None)."""
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    home = hub.folder / "homes" / user
    nb = json.loads((home / FILES[0]).read_text(encoding="utf-8"))
    cells = [cell for cell in nb["cells"] if cell["cell_type"] == "code"]
    base, began = f"/user/{user}", time.monotonic()
    session = await hub.ask("POST", f"{base}/api/sessions", {
        "path": FILES[0], "name": FILES[0], "type": "notebook", "kernel": {"name": "python3"},
    })  # fmt: skip
    address = f"{hub.url}{base}/api/kernels/{session['kernel']['id']}/channels"
    request = HTTPRequest(
        address.replace("http", "ws", 1), headers={"Authorization": f"token {hub.token}"}
    )
    channel = await websocket_connect(request, max_message_size=2**28)
    try:
        for cell in cells:
            where = f"cell {cell['id']}"
            source = "".join(cell["source"])
            error = await asyncio.wait_for(execute(channel, source), timeout)
            if error:
                return time.monotonic() - began, f"{where}: {error}"
    except asyncio.TimeoutError:
        return time.monotonic() - began, f"{where}: not done within {timeout} s"
    except RuntimeError as error:
        return time.monotonic() - began, f"{where}: {error}"
    finally:
        seconds = time.monotonic() - began
        channel.close()
        with contextlib.suppress(RuntimeError):  # a kernel that died cannot be closed
            await hub.ask("DELETE", f"{base}/api/sessions/{session['id']}")
    return seconds, None


async def execute(channel, source):
    """Send one cell over the websocket and wait until it is done; returns its error or None."""
    header = {
        "msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": uuid.uuid4().hex,
        "username": "load", "version": "5.3",
    }  # fmt: skip
    content = {
        "code": source, "silent": False, "store_history": True, "user_expressions": {},
        "allow_stdin": False, "stop_on_error": True,
    }  # fmt: skip
    await channel.write_message(json.dumps({
        "channel": "shell", "header": header, "parent_header": {}, "metadata": {},
        "content": content, "buffers": [],
    }))  # fmt: skip
    reply, idle = None, False
    while reply is None or not idle:  # all of its outputs have come when the kernel is idle
        text = await channel.read_message()
        if text is None:
            raise RuntimeError("the connection to the kernel closed")
        if isinstance(text, bytes):
            continue  # a widget's data
        message = json.loads(text)
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] in ("restarting", "dead"):
            raise RuntimeError("the kernel died")
        if message["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if kind == "execute_reply":
            reply = content
        idle = idle or (kind == "status" and content["execution_state"] == "idle")
    if reply["status"] == "ok":
        return None
    return f"{reply.get('ename', 'error')}: {reply.get('evalue', '')}".splitlines()[0]


async def measure(args, folder):
    """Start the hub, run the notebook alone and for all at once; returns the figures, a dict."""
    users = [f"learner-{n}" for n in range(1, args.users + 1)]
    for user in users:
        prepare_home(folder / "homes" / user, args.small)
    hub = Hub(folder, args.threads)
    memory = Memory(hub.process.pid)
    try:
        await hub.ready()
        memory.start()
        print(f"The hub runs. Starting {len(users)} servers ...", flush=True)
        starts = await asyncio.gather(*map(hub.start_server, users))
        await asyncio.sleep(2)
        idle = max(memory.peaks[user]["pss"] for user in users)
        print("Run All for one learner alone ...", flush=True)
        alone, failure = await run_all(hub, users[0], args.timeout)
        failures = [f"{users[0]}, alone, {failure}"] if failure else []
        memory.reset()
        print(f"Run All for {len(users)} learners at once ...", flush=True)
        runs = await asyncio.gather(*(run_all(hub, user, args.timeout) for user in users))
        failures += [f"{u}, {why}" for u, (_, why) in zip(users, runs, strict=True) if why]
        peaks, total = [memory.peaks[user] for user in users], memory.total
    finally:
        memory.ended.set()
        hub.stop()
    learner = max(p["pss"] for p in peaks)
    return {
        "users": len(users), "cores": os.cpu_count(), "threads": args.threads, "small": args.small,
        "server_start_s": round(max(starts), 1), "alone_s": round(alone, 1),
        "together_first_s": round(min(s for s, _ in runs), 1),
        "together_last_s": round(max(s for s, _ in runs), 1),
        "idle_server_mb": round(idle), "learner_pss_mb": round(learner),
        "kernel_rss_mb": round(max(p["kernel_rss"] for p in peaks)),
        "server_rss_mb": round(max(p["server_rss"] for p in peaks)),
        "everything_mb": round(total), "failures": failures,
    }  # fmt: skip


def report(m):
    """Print the figures as a table."""
    rows = [
        ("learners, cores", f"{m['users']}, {m['cores']}"),
        ("a server starts within", f"{m['server_start_s']} s (all at once)"),
        ("Run All, alone", f"{m['alone_s']} s"),
        ("Run All, all at once", f"{m['together_first_s']} to {m['together_last_s']} s"),
        ("server without a notebook, PSS", f"{m['idle_server_mb']} MB"),
        ("learner at the peak, PSS", f"{m['learner_pss_mb']} MB (server and kernel, the largest)"),
        ("kernel, server, RSS", f"{m['kernel_rss_mb']} MB, {m['server_rss_mb']} MB"),
        ("everything at the peak, PSS", f"{m['everything_mb']} MB (with the hub and its proxy)"),
        ("30 learners at their peaks", f"{0.03 * m['learner_pss_mb']:.0f} GB (by calculation)"),
        ("runs that failed", len(m["failures"])),
    ]
    for what, value in rows:
        print(f"{what:32} {value}")
    for failure in m["failures"]:
        print(failure)


def main(argv=None):
    """Run the command line; returns the exit code."""
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=8, help="learners at once (8)")
    parser.add_argument("--threads", type=int, help="threads of each kernel's matrix products")
    parser.add_argument("--small", action="store_true", help="3,000 digits: only to try the script")
    parser.add_argument("--timeout", type=int, default=1800, help="seconds for a cell (1800)")
    parser.add_argument("--save", action="store_true", help=f"keep the figures: {MEASURED.name}")
    args = parser.parse_args(argv)
    try:
        require(args.users)
        with tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True) as folder:
            measured = asyncio.run(measure(args, Path(folder)))
    except (Missing, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    report(measured)
    if args.save and not args.small:
        kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
        kept[f"{args.users} users, {args.threads or 'free'} threads"] = measured
        MEASURED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return 1 if measured["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
