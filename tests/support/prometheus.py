"""A real Prometheus on loopback that scrapes several times a second, and what a test asks of it."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from ports import free_ports


class Prometheus:
    """`targets`: (port, labels) each; `rule_files`: paths. start() returns at once; it answers when it is ready()."""

    def __init__(self, targets, rule_files=(), every="300ms"):
        self.folder = Path(tempfile.mkdtemp(prefix="outrigger-prometheus-"))
        self.port = free_ports(1)[0]
        # JSON is YAML.
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [str(path) for path in rule_files],
            "scrape_configs": [{"job_name": "outrigger", "static_configs": [
                {"targets": [f"127.0.0.1:{port}"], "labels": labels} for port, labels in targets]}]}))
        self.process = None

    def start(self):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], stdout=log, stderr=subprocess.STDOUT,
                env=dict(os.environ, GOMAXPROCS="1"))
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"Prometheus ended:\n{(self.folder / 'log').read_text()[-2000:]}")
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def api(self, path, **parameters):
        """The data of an answer; a refused query is an error that quotes it."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise RuntimeError(f"{parameters}: {refused.read().decode()}") from None

    def values(self, query, seconds=30):
        """Every sample of `query` within the last seconds, over all its series; NaN and infinities left out."""
        now = time.time()
        series = self.api("query_range", query=query, start=now - seconds, end=now, step="0.5")["result"]
        samples = [float(value) for one in series for _, value in one["values"]]
        return [value for value in samples if abs(value) < float("inf")]

    def label_values(self, label, *selector):
        return self.api(f"label/{label}/values", **({"match[]": selector} if selector else {}))

    def rules(self):
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
