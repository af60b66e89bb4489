"""The real binary as a process, on ports of its own, and what a test or the demo asks of it."""
import http.client
import json
import os
import re
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from logged_process import LoggedProcess  # noqa: E402
from ports import free_ports  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Sidecar(LoggedProcess):
    """start() returns when it listens. `config` is a file, or text; its ports are chosen here unless given."""

    name = "the sidecar"

    def __init__(self, config=None, text=None, binary=None, env=None, ports=None):
        self.binary = binary or os.environ.get("OUTRIGGER_BINARY") or str(ROOT / "build/release/outrigger")
        self.folder = Path(tempfile.mkdtemp(prefix="outrigger-"))
        self.port, self.ops_port = ports or free_ports(2)
        self.env = dict(os.environ, **(env or {}))
        self.config = self.folder / "outrigger.yaml"
        if config is not None:
            config = Path(config).resolve()
            text = re.sub(r"(?m)^(\s+schemas: )(\w)", rf"\g<1>{config.parent}/\g<2>", config.read_text())
        self.write_config(text if text is not None else "apiVersion: outrigger/v1\nkind: Sidecar\n")
        self.log_path = self.folder / "log"

    def write_config(self, text):
        """Replaces the file as a ConfigMap does: a rename, never a half-written file. A pod's spool becomes one of its own."""
        text = text.replace("path: /var/lib/outrigger", f"path: {self.folder}/spool")
        for section, port in (("http", self.port), ("ops", self.ops_port)):
            listen = f'  listen: "127.0.0.1:{port}"\n'
            if re.search(rf"(?m)^{section}:\s*$", text):
                text = re.sub(rf"(?m)^{section}:\s*$", f"{section}:\n{listen.rstrip()}", text)
            else:
                text += f"\n{section}:\n{listen}"
        new = self.config.with_suffix(".new")
        new.write_text(text)
        new.rename(self.config)

    def start(self, timeout=20, wait=True, under=()):
        """`under`: a command that becomes the sidecar."""
        self.started = time.monotonic()
        self.spawn([*under, self.binary, "run", "--config", str(self.config)], self.env)
        if wait:
            self.wait_for(self.listens, timeout, "the sidecar to listen")
        return self

    def listens(self):
        self.check_alive()
        try:
            return self.ops("/healthz").status == 200 and socket.create_connection(("127.0.0.1", self.port)).close() is None
        except OSError:
            return False

    @staticmethod
    def wait_for(condition, timeout=20, what="it"):
        """Polls `condition`; the only way in which a test waits."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.01)
        raise TimeoutError(f"waited {timeout} s for {what}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def log_lines(self):
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def bootstrap(self):
        """Where the embedded broker listens."""
        return next(line["bootstrap"] for line in self.log_lines() if "bootstrap" in line)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(self, method, path, body=None, headers=None, connection=None):
        own = connection or self.connect()
        try:
            own.request(method, path, body, headers or {})
            return Answer(own.getresponse())
        finally:
            if connection is None:
                own.close()

    def post(self, path, body, headers=None, connection=None):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        return self.request("POST", path, body, dict({"content-type": "application/json"}, **(headers or {})), connection)

    def ops(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=10)
        try:
            connection.request("GET", path)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def metrics(self):
        """{series: value} of /metrics."""
        out = {}
        for line in self.ops("/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                out[name] = float(value)
        return out

    def condition(self, kind):
        return next((c for c in self.ops("/status").json["conditions"] if c["type"] == kind), None)

    def memory(self):
        """RSS and its anonymous part, in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return tuple(int(re.search(rf"{name}:\s+(\d+)", text).group(1)) * 1024 for name in ("VmRSS", "RssAnon"))

    def most_memory(self):
        """The largest RSS since its start, in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) * 1024

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
