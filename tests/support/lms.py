"""The e-learning platform of manifests/lms as processes: its Node app, Outrigger with its rules, and a mail server that keeps what it gets."""
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from gate import Gate
from logged_process import LoggedProcess
from ports import free_ports
from sidecar import ROOT, Answer, Sidecar
from smtp_sink import SmtpSink

MANIFESTS = ROOT / "manifests/lms"


def rules(handlers_port, replace=()):
    """outrigger.yaml unchanged, but with the port of this app's handlers; `replace`: (old, new) pieces of it."""
    text = (MANIFESTS / "outrigger.yaml").read_text().replace("127.0.0.1:3001", f"127.0.0.1:{handlers_port}")
    for old, new in replace:
        assert old in text, f"the rules have no {old!r}"
        text = text.replace(old, new)
    return re.sub(r"(?m)^(\s+schemas: )(\w)", rf"\g<1>{MANIFESTS}/\g<2>", text)


class NodeApp(LoggedProcess):
    """server.js as a process. stop() and start() keep ports and data."""

    name = "the app"

    def __init__(self, outrigger_port, smtp_port, port=None, env=None):
        self.port, self.handlers_port = free_ports(2)
        self.port = port or self.port
        self.folder = Path(tempfile.mkdtemp(prefix="lms-app-"))
        self.log_path = self.folder / "log"
        self.env = dict(os.environ, OUTRIGGER_URL=f"http://127.0.0.1:{outrigger_port}", SMTP_PORT=str(smtp_port), HOST="127.0.0.1",
                        PORT=str(self.port), HANDLERS_PORT=str(self.handlers_port), DATA_DIR=str(self.folder), **(env or {}))

    def start(self):
        self.spawn(["node", str(MANIFESTS / "app/server.js")], self.env)
        Sidecar.wait_for(self.listens, what="the app to listen")
        return self

    def listens(self):
        self.check_alive()
        try:
            return self.get("/healthz").status == 200
        except OSError:
            return False

    def close(self):
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def lines(self, name):
        """The entries of one of the app's journals."""
        file = self.folder / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


class Lms:
    """All three. `gated`: the app publishes through a TCP gate, which can be slow or shut."""

    def __init__(self, brokers="embedded", binary=None, ports=None, app_port=None, env=None, replace=(), gated=False):
        self.sink = SmtpSink()
        ports = ports or free_ports(2)
        self.gate = Gate(ports[0]) if gated else None
        self.app = NodeApp(self.gate.port if gated else ports[0], self.sink.port, port=app_port)
        self.sidecar = Sidecar(text=rules(self.app.handlers_port, replace), binary=binary, ports=ports,
                               env=dict({"KAFKA_BROKERS": brokers}, **(env or {})))

    def start(self):
        self.sidecar.start()
        self.app.start()
        return self

    def close(self):
        self.app.close()
        self.sidecar.close()
        self.sink.close()
        if self.gate:
            self.gate.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def node(self, script):
        """What `script` prints as JSON; it has `events`, the app's own events.js, and may await."""
        program = f"const events = require({json.dumps(str(MANIFESTS / 'app/events.js'))}); (async () => {{ {script} }})();"
        run = subprocess.run(["node", "-e", program], env=self.app.env, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout), run.stderr

    def register(self, name, **more):
        """A new user, as the API answers it."""
        user = {"email": f"{name}@example.com", "firstName": name.title(), "lastName": "Lee", **more}
        answer = self.app.request("POST", "/register", user)
        assert answer.status == 201, answer.body
        return answer.json
