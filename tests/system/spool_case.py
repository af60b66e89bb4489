"""What the tests of the spool share: a sidecar on a folder, and a Kafka that goes away."""
import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from case import ROOT, KafkaCase, Sidecar, read_topic  # first: it says where the support modules are


class Crashes:
    """Sidecars that die at a place of src/base/fail_point.h, which only a Debug build has (OUTRIGGER_DEBUG_BINARY)."""

    def debug_binary(self):
        binary = os.environ.get("OUTRIGGER_DEBUG_BINARY", str(ROOT / "build/dev/outrigger"))
        if not os.path.exists(binary):
            self.skipTest(f"{binary} is not there")
        return binary

    def dies(self, sidecar, point):
        """Starts it, and it dies at that place."""
        sidecar.env["OUTRIGGER_FAIL_POINT"] = point
        sidecar.start(wait=False)
        self.wait_for_death(sidecar)

    def wait_for_death(self, sidecar):
        sidecar.wait_for(lambda: sidecar.process.poll() is not None, 40, "its death")
        self.assertEqual(sidecar.process.returncode, -signal.SIGKILL, sidecar.log[-2000:])
        sidecar.stop(signal.SIGKILL)
        del sidecar.env["OUTRIGGER_FAIL_POINT"]


class SpoolCase(KafkaCase):
    """Each test has a folder of its own, which outlives its sidecars."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="outrigger-spool-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def spooling(self, text="", spool="", **options):
        """A running sidecar; `spool`: more fields of the spool."""
        return self.sidecar(f"spool: {{path: {self.folder}{spool}}}\n{text}", **options)

    def publish(self, sidecar, kind, number, key="k", query=""):
        """One event whose id, data and place in its key are `number`."""
        return sidecar.post(f"/v1/events/{kind}?key={key}&id={kind}-{number}{query}", f"{number} ", {"content-type": "text/plain"})

    def warm_up(self, sidecar, *kinds):
        """Until Kafka has made their topics and acknowledges at once; with a key of its own."""
        for kind in kinds:
            sidecar.wait_for(lambda: sidecar.post(f"/v1/events/{kind}?key=warm", {}).status == 200, 30, "a 200")

    def spool(self, sidecar, kind, numbers, key="k"):
        """Publishes events that Kafka does not take now."""
        for number in numbers:
            answer = self.publish(sidecar, kind, number, key)
            self.assertEqual((answer.status, answer.json.get("status")), (202, "spooled"), answer.body)

    def status_of(self, sidecar, identity):
        return sidecar.request("GET", f"/v1/events/{identity}").json

    @staticmethod
    def held(sidecar):
        return sidecar.metrics()["outrigger_spool_records"]

    def drained(self, sidecar, timeout=60):
        sidecar.wait_for(lambda: self.held(sidecar) == 0, timeout, "the spool to drain")

    def records(self, topic):
        return read_topic(self.kafka.bootstrap, topic, timeout=120)

    def numbers(self, topic, key="k"):
        """Those of the key, in the order of Kafka."""
        return [int(record.value.split()[0]) for record in self.records(topic) if record.key == key]

    @contextlib.contextmanager
    def kafka_away(self):
        self.kafka.stop()
        try:
            yield
        finally:
            self.kafka.start()

    @contextlib.contextmanager
    def kafka_paused(self):
        """Its connections stay open, and nothing is answered."""
        self.kafka.process.send_signal(signal.SIGSTOP)
        # A thread that runs stops when it next comes back from the kernel or is interrupted.
        tasks = Path(f"/proc/{self.kafka.process.pid}/task")
        Sidecar.wait_for(lambda: all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()), what="Kafka to stop")
        try:
            yield
        finally:
            self.kafka.process.send_signal(signal.SIGCONT)

    def run_again(self, sidecar, how=signal.SIGKILL):
        sidecar.stop(how)
        return sidecar.start()
