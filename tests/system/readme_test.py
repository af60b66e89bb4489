"""The READMEs are true: tables match the binary, links lead somewhere, and commands run as they are written."""
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from case import HEAD, ROOT, Sidecar, free_ports

READMES = sorted(file for file in ROOT.glob("**/README.md") if file.relative_to(ROOT).parts[0] in ("README.md", "src", "charts", "manifests"))
# Programs that need a cluster, a registry or minutes; tests/kubernetes/chart_test.py covers what Helm is told.
ELSEWHERE = ("helm", "kubectl", "docker", "promtool", "./dev", "mkdir")
CURL = '#!/bin/sh\nexec /usr/bin/curl --silent --show-error --fail-with-body "$@"\n'


def blocks(file, kind):
    return re.findall(rf"(?m)^```{kind}\n(.*?)^```", file.read_text(), re.S)


def runnable(block):
    return not re.match(rf"(# .*\n)*({'|'.join(map(re.escape, ELSEWHERE))})\b", block)


def binary():
    return str(Path(Sidecar(text="").binary).resolve())


class Tables(unittest.TestCase):
    def test_the_reference_of_the_config_is_that_of_this_binary(self):
        run = subprocess.run(["python3", ROOT / ".dev/config_reference.py", "--check", binary()], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_every_metric_is_described_once(self):
        golden = re.findall(r"# TYPE (outrigger_\w+)", (ROOT / "tests/golden/metrics.txt").read_text())
        listed = re.findall(r"(?m)^\| `(outrigger_\w+)`", (ROOT / "src/telemetry/README.md").read_text())
        self.assertEqual(sorted(listed), sorted(golden))

    def test_the_list_of_metrics_is_that_of_a_running_sidecar(self):
        delivering = "spool: {path: spool}\nsubscriptions:\n  - {name: a, topics: [a.events], deliver: {url: 'http://127.0.0.1:1/'}}\n"
        with Sidecar(text=HEAD + delivering, env={"KAFKA_BROKERS": "embedded"}) as sidecar:
            sidecar.start()
            sidecar.post("/v1/events/a.b", {})
            sidecar.wait_for(lambda: "outrigger_consumer_lag{" in sidecar.ops("/metrics").body.decode(), what="partitions")
            names = set(re.findall(r"# TYPE (outrigger_\w+)", sidecar.ops("/metrics").body.decode()))
        self.assertEqual(names, set(re.findall(r"# TYPE (outrigger_\w+)", (ROOT / "tests/golden/metrics.txt").read_text())))

    def test_every_alert_is_listed_under_its_severity(self):
        rules = (ROOT / "charts/outrigger/rules/outrigger.yaml").read_text()
        severities = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", rules, re.S)
        rows = re.findall(r"(?m)^\| (critical|warning|info)\b[^|]*\| (.*) \|$", (ROOT / "charts/outrigger/README.md").read_text())
        listed = [(alert, severity) for severity, names in rows for alert in re.findall(r"`(\w+)`", names)]
        self.assertEqual(sorted(listed), sorted(severities))


class Text(unittest.TestCase):
    def test_every_link_leads_to_a_file(self):
        for file in READMES:
            for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text()):
                with self.subTest(file=str(file.relative_to(ROOT)), target=target):
                    self.assertTrue((file.parent / target).exists())

    def test_the_configs_shown_are_good_but_for_their_schemas(self):
        shown = [text for file in READMES for text in blocks(file, "yaml") if "kind: Sidecar" in text]
        self.assertTrue(shown)
        for text in shown:
            with tempfile.TemporaryDirectory() as folder:
                for schemas in re.findall(r"schemas: (\S+)", text):
                    (Path(folder) / schemas).mkdir(parents=True, exist_ok=True)
                (Path(folder) / "shown.yaml").write_text(text)
                run = subprocess.run([binary(), "check", f"{folder}/shown.yaml"], capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_commands_of_dev_exist(self):
        known = set(re.findall(r"(?m)^\./dev (\w+)", subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout))
        for file in READMES:
            for command in re.findall(r"\./dev (\w+)", file.read_text()):
                with self.subTest(file=str(file.relative_to(ROOT)), command=command):
                    self.assertIn(command, known)


class Commands(unittest.TestCase):
    """The sh blocks of a README as one script, in a folder of their own that sees the repository, on ports of their own."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("manifests", "charts"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "bin").mkdir()
        (self.folder / "bin/curl").write_text(CURL)
        (self.folder / "bin/curl").chmod(0o755)
        (self.folder / "bin/outrigger").symlink_to(binary())

    def script(self, file, ports):
        """What of `file` runs here; `ports`: those that are written, and those to use."""
        text = "".join(block for block in blocks(file, "sh") if runnable(block))
        return re.sub(rf"\b({'|'.join(map(str, ports))})\b", lambda port: str(ports[int(port[1])]), text)

    def shell(self, **options):
        """A shell that runs what it is given, as when it is pasted; it ends with all that it has started."""
        environment = dict(os.environ, PATH=f"{self.folder}/bin:{os.environ['PATH']}", **options.pop("env", {}))
        shell = subprocess.Popen(["bash", "-e", "-o", "pipefail"], cwd=self.folder, env=environment, stdin=subprocess.PIPE, text=True,
                                 start_new_session=True, **options)
        self.addCleanup(shell.wait)
        self.addCleanup(self.end, shell.pid)
        return shell

    @staticmethod
    def end(group):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)

    def test_the_quick_start(self):
        app, http, ops = free_ports(3)
        listen = f'http: {{listen: "127.0.0.1:{http}"}}\nops: {{listen: "127.0.0.1:{ops}"}}\n'
        script = self.script(ROOT / "README.md", {3000: app, 8800: http, 8801: ops}).replace("\nsubscriptions:\n", f"\n{listen}subscriptions:\n")
        until_published, rest = script.split(f"curl http://127.0.0.1:{ops}/status\n")
        out = self.folder / "out"
        with open(out, "w") as file:
            shell = self.shell(stdout=file, stderr=subprocess.STDOUT)
        shell.stdin.write(until_published)
        shell.stdin.flush()
        event = '{"userId":"u-1","plan":"trial"}'
        Sidecar.wait_for(lambda: f"delivered: user.registered {event}" in out.read_text() or shell.poll(), 40, "the delivery")
        shell.communicate(f"curl http://127.0.0.1:{ops}/status\n{rest}wait\n", timeout=30)
        said = out.read_text()
        self.assertIn('"status":"acked","topic":"user.events"', said)
        self.assertIn('"type":"Delivering/welcome","status":"True"', said)
        self.assertEqual(said.count(event), 2, "by the handler and by kcat:\n" + said)

    def test_the_other_readmes(self):
        with Sidecar(text=HEAD, env={"KAFKA_BROKERS": "embedded"}) as sidecar:
            sidecar.start()
            ran = 0
            for file in READMES:
                if file == ROOT / "README.md" or not any(map(runnable, blocks(file, "sh"))):
                    continue
                with self.subTest(str(file.relative_to(ROOT))):
                    ports = {8800: sidecar.port, 8801: sidecar.ops_port}
                    shell = self.shell(env={"OUTRIGGER_URL": f"http://127.0.0.1:{sidecar.port}"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                    said, _ = shell.communicate(self.script(file, ports), timeout=60)
                    self.assertEqual(shell.returncode, 0, said)
                    ran += 1
            self.assertGreaterEqual(ran, 3)

    def test_answers_shown_are_those_given(self):
        """A comment below a command is its answer: the same members, with values of their own."""
        shown = json.loads(re.search(r"(?m)^# (\{.*\})$", (ROOT / "src/publish/README.md").read_text()).group(1))
        with Sidecar(text=HEAD, env={"KAFKA_BROKERS": "embedded"}) as sidecar:
            sidecar.start()
            answer = sidecar.post("/v1/events", {"type": "user.registered", "key": "u-1", "data": {"userId": "u-1", "plan": "trial"}}).json
        self.assertEqual(list(answer), list(shown))
        self.assertEqual((answer["status"], answer["topic"]), (shown["status"], shown["topic"]))


if __name__ == "__main__":
    unittest.main()
