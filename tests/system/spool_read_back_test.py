"""After a crash what Kafka has already is read back, and is not sent again.

The places of the crashes are in src/base/fail_point.h; only a Debug build has them (OUTRIGGER_DEBUG_BINARY).
"""
import http.client
import json
import signal
import unittest

from case import outrigger  # first: it says where the support modules are
from spool_case import Crashes, SpoolCase

READ_BACK = 'outrigger_spool_left_total{outcome="already_in_kafka"}'


class ReadBack(Crashes, SpoolCase):
    def crashing(self, text=""):
        return self.spooling(text, binary=self.debug_binary())

    def read_back(self, sidecar):
        return sidecar.metrics()[READ_BACK]

    def left_by_crash(self, topic):
        """The ids of the topic's events that are in the file, and of those in Kafka."""
        run = outrigger("spool", "export", "--path", self.folder, "--topic", topic)
        self.assertEqual(run.returncode, 0, run.stderr)
        return {json.loads(line)["eventId"] for line in run.stdout.splitlines()}, {record.headers.get("ce_id") for record in self.records(topic)}

    def spool_all(self, sidecar, kind, count, keys=1):
        """Events 0 to count-1 on the disk, and the sidecar is gone."""
        with self.kafka_away():
            for n in range(count):
                self.spool(sidecar, kind, [n], f"k{n % keys}")
            sidecar.stop(signal.SIGKILL)

    def check(self, topic, identities, keys):
        """Each of the events is in Kafka once, those of a key in their order."""
        records = [record for record in self.records(topic) if record.key.startswith("k")]
        self.assertEqual(sorted(record.headers["ce_id"] for record in records), sorted(identities))
        numbers = [int(record.value.strip('"').split()[0]) for record in records]
        for key in range(keys):
            of_key = [n for n in numbers if n % keys == key]
            self.assertEqual(of_key, sorted(of_key))

    def test_what_drained_before_a_crash_and_was_not_removed_comes_once(self):
        sidecar, doubled = self.crashing(), 0
        for place, (count, keys, point) in enumerate(((60, 1, "row-acked:60"), (60, 1, "row-acked:2"), (300, 7, "row-remove:1"), (300, 7, "given:200"),
                                                      (3000, 50, "row-acked:1500"), (300, 7, "remove:1"), (300, 7, "commit:3"))):
            with self.subTest(point):
                kind, topic = f"d{place}.event", f"d{place}.events"
                self.kafka.create_topic(topic, partitions=4)
                sidecar.stop()
                sidecar.env["OUTRIGGER_FAIL_POINT"] = point
                sidecar.start()
                self.put_at_once(sidecar, kind, count, keys)
                self.wait_for_death(sidecar)
                file, kafka = self.left_by_crash(topic)
                sidecar.start()
                self.drained(sidecar)
                self.check(topic, {identity for identity in file | kafka if identity.startswith(kind)}, keys)
                self.assertEqual(self.read_back(sidecar), len(file & kafka))
                if file & kafka:
                    self.knows_where(sidecar, topic, (file & kafka).pop())
                doubled += len(file & kafka)
        self.assertGreater(doubled, 0)
        print(f"{doubled} in both", end=" ")

    def put_at_once(self, sidecar, kind, count, keys):
        """Events 0 to count-1, as one batch for the disk; of which it may have a part when it dies."""
        events = [{"specversion": "1.0", "id": f"{kind}-{n}", "source": "test", "type": kind, "partitionkey": f"k{n % keys}",
                   "datacontenttype": "text/plain", "data": f"{n} "} for n in range(count)]
        try:
            answer = sidecar.post("/v1/events?ack=disk", json.dumps(events), {"content-type": "application/cloudevents-batch+json"})
            self.assertEqual(answer.status, 202, answer.body[:1000])
        except (OSError, http.client.HTTPException):
            pass  # it is dead

    def knows_where(self, sidecar, topic, identity):
        status = self.status_of(sidecar, identity)
        record = next(record for record in self.records(topic) if record.headers["ce_id"] == identity)
        self.assertEqual((status["status"], status["partition"], status["offset"]), ("acked", record.partition, record.offset))

    def test_what_was_late_when_it_crashed_comes_once(self):
        kind, topic, count = "late.event", "late.events", 200
        self.kafka.create_topic(topic, partitions=4)
        sidecar = self.crashing()
        self.warm_up(sidecar, kind)
        sidecar.stop()
        sidecar.env["OUTRIGGER_FAIL_POINT"] = "row-acked:1"
        sidecar.start()
        with self.kafka_paused():
            lines = "".join(f'{{"type":"{kind}","id":"{kind}-{n}","key":"k{n % 9}","data":"{n} "}}\n' for n in range(count))
            answer = sidecar.post("/v1/events", lines, {"content-type": "application/x-ndjson"})
            self.assertEqual(answer.status, 202, answer.body)
        self.wait_for_death(sidecar)
        file, kafka = self.left_by_crash(topic)
        self.assertGreater(len(file & kafka), 0)
        sidecar.start()
        self.drained(sidecar)
        self.check(topic, {f"{kind}-{n}" for n in range(count)}, 9)
        self.assertEqual(self.read_back(sidecar), len(file & kafka))
        print(f"{len(file & kafka)} in both", end=" ")

    def test_a_record_of_an_aborted_transaction_is_none_that_kafka_has(self):
        attributes = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "test", "ce-type": "m.event", "ce-time": "2024-05-17T10:00:00Z",
                      "ce-partitionkey": "k", "content-type": "text/plain"}
        for topic in ("model", "aborted", "committed"):
            self.kafka.create_topic(topic, partitions=1)
        sidecar = self.crashing("routes:\n  - {topic: model}\n")
        sidecar.wait_for(lambda: sidecar.request("POST", "/v1/events", "0 ", attributes).status == 200, 30, "a 200")
        sidecar.stop()
        for how, topic in (("abort", "aborted"), ("commit", "committed")):
            sidecar = self.crashing(f"routes:\n  - {{topic: {topic}}}\n")
            with self.kafka_away():
                self.assertEqual(sidecar.request("POST", "/v1/events", "0 ", attributes).status, 202)
                sidecar.stop(signal.SIGKILL)
            self.kafka.write_transactions(topic, f"copy-{how}:model")
            sidecar.start()
            self.drained(sidecar)
            self.assertEqual(self.read_back(sidecar), 1 if topic == "committed" else 0)
            # The end of a transaction is written after it was answered.
            sidecar.wait_for(lambda: self.records(topic), 30, topic)
            self.assertEqual([record.value for record in self.records(topic)], ["0 "], topic)
            sidecar.close()

    def test_records_that_name_no_event_are_sent_again(self):
        self.kafka.create_topic("raw", partitions=1)
        sidecar = self.crashing("http:\n  rawTopics: [raw]\n")
        sidecar.wait_for(lambda: sidecar.post("/v1/topics/raw?key=warm", "0").status == 200, 30, "a 200")
        with self.kafka_away():
            for n in range(20):
                self.assertEqual(sidecar.post("/v1/topics/raw?key=k", f"{n} ").status, 202)
            sidecar.stop(signal.SIGKILL)
        self.dies(sidecar, "row-acked:20")
        there = len(self.records("raw")) - 1
        sidecar.start()
        self.drained(sidecar)
        numbers = self.numbers("raw")
        self.assertEqual(numbers[there:], list(range(20)))
        self.assertEqual(self.read_back(sidecar), 0)

    def test_another_topic_does_not_wait(self):
        kind = "other.event"
        sidecar = self.crashing()
        self.warm_up(sidecar, kind, "first.event")
        self.spool_all(sidecar, "first.event", 50)
        sidecar.start()
        sidecar.wait_for(lambda: self.publish(sidecar, kind, 1).status == 200, 2, "a 200")
        self.drained(sidecar, 10)
        self.check("first.events", {f"first.event-{n}" for n in range(50)}, 1)


if __name__ == "__main__":
    unittest.main()
