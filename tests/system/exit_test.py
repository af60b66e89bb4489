"""SIGTERM ends the process within its budget, whatever hangs: Kafka that is frozen, a log that nobody reads."""
import fcntl
import os
import signal
import subprocess
import time
import unittest

from case import HEAD, KafkaCase, Sidecar, free_ports, read_topic  # first: it says where the support modules are
from app import App

BUDGET = "shutdown: {budget: 5s}\n"


def subscriptions(app, count):
    return "subscriptions:\n" + "".join(
        f"  - {{name: s{n}, topics: [t{n}], deliver: {{url: '{app.url}'}}, deadLetter: dead}}\n" for n in range(count))


class FrozenKafka(KafkaCase):
    def stop_within(self, sidecar, seconds):
        began = time.monotonic()
        self.assertEqual(sidecar.stop(), 0)
        took = time.monotonic() - began
        print(f"{took:.1f} s", end=" ")
        self.assertLess(took, seconds)

    def frozen(self, count, publish):
        app = App().start()
        self.addCleanup(app.stop)
        for n in range(count):  # asking for a topic makes it
            subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-L", "-t", f"t{n}"], check=True, capture_output=True)
        # A group of its own: a member that could not leave is missed only after its session.
        sidecar = self.sidecar(BUDGET + subscriptions(app, count), env={"KAFKA_GROUP_ID": self.id()})
        sidecar.wait_for(lambda: sidecar.post("/v1/events/a.b", {}).status == 200, what="publishing")
        sidecar.wait_for(lambda: sidecar.condition("Delivering/s0")["status"] == "True", 30, "an assignment")
        self.kafka.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.kafka.process.send_signal, signal.SIGCONT)
        if publish:
            sidecar.post("/v1/events/a.b?ack=memory", {})
        self.stop_within(sidecar, 6)
        self.assertIn("not acked" if publish else "drained", sidecar.log)

    def test_with_one_subscription(self):
        self.frozen(1, publish=False)

    def test_with_twelve(self):
        self.frozen(12, publish=False)

    def test_with_events_that_wait(self):
        self.frozen(2, publish=True)


class LogNobodyReads(KafkaCase):
    def test_sigterm_ends_the_process_and_what_was_published_is_in_kafka(self):
        sidecar = Sidecar(text=HEAD + BUDGET + "log: {level: debug}\n", env={"KAFKA_BROKERS": self.kafka.bootstrap})
        fifo = sidecar.folder / "full"
        os.mkfifo(fifo)
        pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, pipe)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        self.addCleanup(sidecar.close)
        sidecar.start(under=("bash", "-c", f'exec "$0" "$@" 2>{fifo}'))
        sidecar.wait_for(lambda: sidecar.post("/v1/events/quiet.event?key=k", {}).status == 200, what="publishing")
        try:
            while True:
                os.write(pipe, b"x" * 512)
        except BlockingIOError:
            pass
        self.assertEqual(sidecar.post("/v1/events/quiet.event?key=k", {}).status, 200, "a full log stops nothing")
        began = time.monotonic()
        sidecar.process.send_signal(signal.SIGTERM)
        self.assertEqual(sidecar.process.wait(30), 0)
        self.assertLess(time.monotonic() - began, 6)
        self.assertGreaterEqual(len(read_topic(self.kafka.bootstrap, "quiet.events")), 2)

    def test_a_start_that_fails_ends_on_sigterm_too(self):
        sidecar = Sidecar(text=HEAD, env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}", "REQUIRE_KAFKA": "true"})
        fifo = sidecar.folder / "full"
        os.mkfifo(fifo)
        pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, pipe)
        self.addCleanup(sidecar.close)
        try:
            while True:
                os.write(pipe, b"x" * 4096)
        except BlockingIOError:
            pass
        sidecar.start(wait=False, under=("bash", "-c", f'exec "$0" "$@" 2>{fifo}'))
        sidecar.wait_for(lambda: sidecar.process.poll() is not None or time.monotonic() - sidecar.started > 11, 20, "its end or its message")
        sidecar.process.send_signal(signal.SIGTERM)
        self.assertIn(sidecar.process.wait(5), (0, 1, 128 + signal.SIGTERM))


if __name__ == "__main__":
    unittest.main()
