"""One allocation of a flow fails: call 1, 2, 3 … until a run passes untouched. Nothing is lost, no slot stays taken."""
import http.client
import signal
import subprocess
import tempfile
import unittest

from case import KafkaCase, read_topic  # first: it says where the support modules are
from app import App
from failing_malloc import build_shim

FAILED = "failing_malloc: failed"
# Our own end, and librdkafka's: it asserts that it got its memory, or writes to it unasked.
ENDS = (70, -signal.SIGABRT, -signal.SIGSEGV)


class FailingAllocationsTest(KafkaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.shim = build_shim(folder.name)

    def start(self, thread, at, text):
        return self.sidecar(text, env={"LD_PRELOAD": str(self.shim), "FAIL_THREAD": thread, "FAIL_AT": str(at)})

    def arm(self, sidecar):
        sidecar.process.send_signal(signal.SIGUSR2)
        sidecar.wait_for(lambda: "failing_malloc: armed" in sidecar.log, what="the signal")

    def ended(self, sidecar):
        return sidecar.process.poll() is not None

    def until_untouched(self, run):
        """`run(n)` answers its sidecar. Returns how many allocations failed."""
        for n in range(1, 5000):
            sidecar = run(n)
            failed, ended = FAILED in sidecar.log, self.ended(sidecar)
            if ended:
                self.assertIn(sidecar.process.returncode, ENDS, sidecar.log)
                self.assertTrue(failed, sidecar.log)
                if sidecar.process.returncode == ENDS[0]:
                    self.assertIn("an unexpected exception ends the process", sidecar.log)
            sidecar.close()
            if not failed:
                return n - 1
        self.fail("no run passed untouched")

    def test_a_published_batch_is_stored_or_refused_and_every_acknowledged_event_is_in_kafka(self):
        acknowledged = set()

        def publish(sidecar, ids):
            """The ids that were acknowledged; none when the sidecar ended."""
            batch = [{"specversion": "1.0", "id": each, "source": "/t", "type": "published.x", "partitionkey": each[-1], "data": {"n": each}} for each in ids]
            try:
                answer = sidecar.post("/v1/events", batch, {"content-type": "application/cloudevents-batch+json"})
            except (OSError, http.client.HTTPException):
                return set()
            return {one["id"] for one in answer.json["results"] if one["status"] == "acked"} if answer.status in (200, 503) else set()

        def run(n):
            sidecar = self.start("publish", n, "")
            self.assertEqual(publish(sidecar, [f"{n}-warm"]), {f"{n}-warm"})
            self.arm(sidecar)
            ids = [f"{n}-{k}" for k in range(3)]
            acknowledged.update(publish(sidecar, ids))
            if FAILED in sidecar.log and not self.ended(sidecar):
                try:
                    self.assertEqual(publish(sidecar, [f"{n}-after"]), {f"{n}-after"}, "the flow goes on")
                except AssertionError:
                    sidecar.wait_for(lambda: self.ended(sidecar), what=f"the sidecar to end or to serve ({n})")
            return sidecar

        failed = self.until_untouched(run)
        self.assertGreater(failed, 50)
        self.assertTrue(acknowledged)
        stored = {record.headers["ce_id"] for record in read_topic(self.kafka.bootstrap, "published.events")}
        self.assertEqual(acknowledged - stored, set())
        print(f"{failed} failed allocations, {len(acknowledged)} events acknowledged, all of them in Kafka")

    def test_a_consumed_batch_is_delivered_whole_with_its_retry_and_its_dead_letter_record(self):
        app = App()
        self.addCleanup(app.stop)

        def answer(call):
            kind = call.key.split("-")[1]
            if kind == "dead":
                return 200, '{"status": "DEAD_LETTER"}', {"Content-Type": "application/json"}
            return 500 if kind == "again" and sum(one.key == call.key for one in list(app.calls)) == 1 else 200

        app.answer = answer
        app.start()
        text = f"""
kafka: {{groupId: allocations, consumer: {{properties: {{group.instance.id: one}}}}}}
subscriptions:
  - name: test
    topics: [consumed.events]
    deliver: {{url: "{app.url}"}}
    retry: {{attempts: 20, backoff: {{initial: 1ms, max: 5ms}}}}
    deadLetter: consumed.dead
"""
        self.kafka.create_topic("consumed.events", partitions=1)
        self.kafka.create_topic("consumed.dead", partitions=1)
        sent = []

        def settled():
            return {one.key for one in list(app.calls) if one.done == 200}

        def lag(sidecar):
            try:
                return sidecar.metrics().get('outrigger_consumer_lag{group="allocations.test",partition="0",topic="consumed.events"}')
            except (OSError, http.client.HTTPException):
                return None  # it ends just now

        def run(n):
            sidecar = self.start("deliver", n, text)
            sidecar.wait_for(lambda: self.ended(sidecar) or (settled() >= set(sent) and lag(sidecar) == 0), what="what came before")
            self.arm(sidecar)
            ids = [f"{n}-{kind}" for kind in ("done", "again", "dead")]
            lines = "".join(f'{each}:{{"type": "consumed.x"}}\n' for each in ids)
            subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-P", "-t", "consumed.events", "-p", "0", "-K:"], input=lines, text=True, check=True)
            sent.extend(ids)
            sidecar.wait_for(lambda: self.ended(sidecar) or (settled() >= set(sent) and lag(sidecar) == 0), what=f"the batch to be settled or the end ({n})")
            return sidecar

        failed = self.until_untouched(run)
        self.assertGreater(failed, 50)
        self.assertEqual(set(sent) - settled(), set())
        dead = {record.key for record in read_topic(self.kafka.bootstrap, "consumed.dead")}
        self.assertEqual(dead, {each for each in sent if each.endswith("dead")})
        print(f"{failed} failed allocations, {len(sent)} events consumed, all of them settled")


if __name__ == "__main__":
    unittest.main()
