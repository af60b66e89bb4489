"""What the system tests share: one real Kafka for a file, a sidecar for a test or a class."""
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/support"))

from kafka import Kafka, KafkaUnavailable  # noqa: E402,F401
from ports import free_ports  # noqa: E402,F401
from records import read_bytes, read_topic  # noqa: E402,F401
from sidecar import Sidecar  # noqa: E402,F401

HEAD = "apiVersion: outrigger/v1\nkind: Sidecar\n"


class KafkaCase(unittest.TestCase):
    """A class with a Kafka of its own. Skips, and says so, where Kafka's jars can't be had."""

    properties = None  # of the broker, beside those of every test

    @classmethod
    def setUpClass(cls):
        try:
            cls.kafka = Kafka(properties=cls.properties).format().start()
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        cls.addClassCleanup(cls.kafka.close)

    def sidecar(self, text="", env=None, **options):
        """A running sidecar on this class's Kafka, gone with the test."""
        env = dict({"KAFKA_BROKERS": self.kafka.bootstrap}, **(env or {}))
        sidecar = Sidecar(text=HEAD + text, env=env, **options)
        self.addCleanup(sidecar.close)
        return sidecar.start()


def outrigger(*arguments, stdin=None, env=None):
    """One command of the binary, to its end."""
    binary = Sidecar(text="").binary
    return subprocess.run([binary, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60, env=env)


def curl(*arguments, data=None):
    """(status, headers, body) of a request by curl."""
    command = ["curl", "-sS", "-i", "--max-time", "60", *map(str, arguments)]
    if data is not None:
        command += ["--data-binary", "@-"]
    run = subprocess.run(command, input=data, capture_output=True)
    if run.returncode != 0:
        raise RuntimeError(f"curl: {run.stderr.decode()}")
    head, _, body = run.stdout.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


def order_of_keys(records):
    """{key: [numbers]} of records whose value begins with a number, in their order."""
    out = {}
    for record in records:
        out.setdefault(record.key, []).append(int(record.value.split()[0]))
    return out
