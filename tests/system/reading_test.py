"""What other producers write into Kafka, as kcat writes it, and what the app gets of it."""
import json
import subprocess
import threading
import time
import unittest

from delivery_test import DeliveryCase
from case import read_topic

JSON = {"content-type": "application/json"}
BINARY = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/other", "ce_type": "user.registered"}
DEAD_LETTER = (200, '{"status":"DEAD_LETTER"}')
STRUCTURED = {"content-type": "application/cloudevents+json"}


class KcatCase(DeliveryCase):
    def write(self, value, headers=(), key="k", topic=None):
        """One record; value None is a tombstone. `headers`: a mapping, or pairs."""
        pairs = headers.items() if isinstance(headers, dict) else headers
        command = ["kcat", "-b", self.kafka.bootstrap, "-P", "-t", topic or self.topic, "-p", "0"]
        command += [part for name, text in pairs for part in ("-H", f"{name}={text}")]
        command += ["-Z"] if value is None else []
        # Delimiters that are in no value, so that a record may be empty or have several lines.
        run = subprocess.run([*command, "-K", "\x02", "-D", "\x01"], input=key.encode() + b"\x02" + (value or b"") + b"\x01",
                             capture_output=True, timeout=20)
        self.assertEqual(run.returncode, 0, run.stderr)

    def got(self, sidecar, value, headers=(), **more):
        """The call that the record makes."""
        before = self.app.count()
        self.write(value, headers, **more)
        sidecar.wait_for(lambda: self.app.count() == before + 1, 20, f"{value} {headers}")
        return self.app.calls[-1]


class Reading(KcatCase):
    def test_nothing_that_others_write_is_lost(self):
        sidecar = self.deliver()
        for odd, expected in {
            ("ce_datacontenttype", "text/plain"): ("content-type", "application/json"),
            ("ce_tenant_id", "blue"): ("kafka-ce_tenant_id", "blue"),
            ("ce_tenantId", "blue"): ("kafka-ce_tenantid", "blue"),  # names of HTTP have no case
            ("ce_time", "2024-01-01T00:00Z"): ("kafka-ce_time", "2024-01-01T00:00Z"),
            ("ce_specversion", "0.3"): ("kafka-ce_specversion", "0.3"),
            ("ce_type", "user.left"): ("ce-type", "user.left"),
        }.items():
            with self.subTest(odd):
                call = self.got(sidecar, b'{"n":1}', [*BINARY.items(), *JSON.items(), odd])
                self.assertEqual((call.headers.get(expected[0]), call.id, call.body), (expected[1], "1", b'{"n":1}'))
        for value in (b'{"a":"\\ud800"}', b"[" * 1200 + b"]" * 1200, b'{"a":1e999,"a":2}', b'{"n":'):
            with self.subTest(value[:20]):
                self.assertEqual(self.got(sidecar, value, dict(BINARY, **JSON)).body, value)
        self.assertEqual(self.got(sidecar, b'{"type":"t","a":"\\ud800"}').headers["ce-type"], "t")
        structured = self.got(sidecar, b'{"type":"t","tenant_id":"blue"}', STRUCTURED)
        self.assertEqual((structured.headers["ce-type"], structured.headers["kafka-ce_tenant_id"]), ("t", "blue"))
        self.assertEqual(self.outcome(sidecar, "dead_lettered"), 0)

    def test_a_tombstone_is_not_an_empty_value(self):
        sidecar = self.deliver()
        for headers in ({}, BINARY, dict(BINARY, **JSON), STRUCTURED):
            call = self.got(sidecar, None, headers)
            self.assertEqual((call.headers.get("outrigger-tombstone"), call.body), ("true", b""), headers)
        for headers in ({}, BINARY, dict(BINARY, **JSON)):
            call = self.got(sidecar, b"", headers)
            self.assertEqual((call.headers.get("outrigger-tombstone"), call.body), (None, b""), headers)

    def test_only_the_chosen_headers_go_along(self):
        sidecar = self.deliver(deliver=", headers: [\"x-*\"]")
        call = self.got(sidecar, b"{}", {"x-one": "1", "large": "y" * 100_000, "traceparent": "00-ab-cd-01"})
        self.assertEqual([name for name in call.headers if name.startswith("kafka-")], ["kafka-x-one"])
        self.assertEqual(call.headers["traceparent"], "00-ab-cd-01")

    def test_a_structured_event_has_no_charset(self):
        sidecar = self.deliver(deliver=", mode: structured")
        call = self.got(sidecar, b'{"n":1}', dict(BINARY, **JSON))
        self.assertEqual(call.headers["content-type"], "application/cloudevents+json")
        self.assertEqual(call.json["data"], {"n": 1})

    def test_headers_count_in_what_is_held(self):
        """600 records with 300 KB of headers each wait for an app that hangs."""
        self.kafka.create_topic(self.topic, 1)
        subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-P", "-t", self.topic, "-K", "|", "-H", "large=" + "x" * 100_000,
                        "-H", "more=" + "y" * 100_000, "-H", "most=" + "z" * 100_000],
                       input="".join(f"k{n}|{{}}\n" for n in range(600)).encode(), check=True, timeout=60)
        gate = threading.Event()
        self.addCleanup(gate.set)
        sidecar = self.deliver(lambda call: gate.wait(60) and 200, timeout="60s", concurrency=2)
        before, most, end = sidecar.memory()[1], 0, time.monotonic() + 5

        def rises():
            nonlocal most
            most = max(most, sidecar.memory()[1] - before)
            return time.monotonic() > end

        sidecar.wait_for(lambda: self.app.count() == 2, 20, "the first two")
        sidecar.wait_for(rises, 10, "the end of what rises")
        print(f"180 MB of headers wait; {most >> 20} MiB held at most", end=" ")
        # 32 MiB in the queues, what the Kafka client has fetched meanwhile, and copies on the way.
        self.assertLess(most, 96 << 20)


class DeadLetterTopics(KcatCase):
    def sidecar_for(self, text):
        return self.sidecar(f"kafka: {{groupId: {self.topic}}}\nsubscriptions:\n" + text)

    def subscription(self, name, topics, dead_letters):
        return (f"  - name: {name}\n    topics: [{topics}]\n    deadLetter: {dead_letters}\n    deliver: {{url: \"{self.app.url}\"}}\n"
                "    retry: {attempts: 1}\n")

    def test_a_loop_over_two_sidecars_ends(self):
        self.app.answer = lambda call: DEAD_LETTER
        self.app.start()
        there, back = f"{self.topic}.there", f"{self.topic}.back"
        for topic in (there, back):
            self.kafka.create_topic(topic, 1)
        sidecars = [self.sidecar_for(self.subscription("one", there, back)), self.sidecar_for(self.subscription("two", back, there))]
        self.write(b"{}", key="k", topic=there)
        sidecars[0].wait_for(lambda: sum(self.dropped(s) for s in sidecars) == 1, 60, "the end of the loop")
        records = read_topic(self.kafka.bootstrap, there) + read_topic(self.kafka.bootstrap, back)
        self.assertEqual(sorted(int(r.headers.get("outrigger-error-generation", 0)) for r in records), list(range(11)))
        self.assertEqual(self.app.count(), 11)

    def dropped(self, sidecar):
        return sum(value for name, value in sidecar.metrics().items()
                   if name.startswith("outrigger_consumer_events_total{") and 'outcome="dropped"' in name)

    def test_a_regular_expression_takes_no_dead_letters_of_its_own(self):
        self.app.answer = lambda call: DEAD_LETTER
        self.app.start()
        for topic in ("events", "dlq"):
            self.kafka.create_topic(f"{self.topic}.{topic}", 1)
        dead_letters = f"{self.topic}.dlq"
        sidecar = self.sidecar_for(self.subscription("one", f'"^{self.topic}[.].*"', dead_letters))
        for _ in range(2):
            self.write(b"{}", topic=f"{self.topic}.events")
        sidecar.wait_for(lambda: len(read_topic(self.kafka.bootstrap, dead_letters)) == 2, 40, "two dead-letter records")
        self.write(b"{}", topic=f"{self.topic}.events", key="last")
        sidecar.wait_for(lambda: len(read_topic(self.kafka.bootstrap, dead_letters)) == 3, 40, "a third")
        self.assertEqual(self.app.count(), 3)

    def test_a_record_of_the_topics_full_size_is_dead_lettered(self):
        self.app.answer = lambda call: (200, '{"status":"DEAD_LETTER","reason":"' + "no" * 600 + '"}')
        self.app.start()
        limit = 100_000
        dead_letters = f"{self.topic}.dlq"
        self.kafka.create_topic(self.topic, 1, max_message_bytes=limit)
        self.kafka.create_topic(dead_letters, 1, max_message_bytes=limit)
        sidecar = self.sidecar_for(self.subscription("one", self.topic, dead_letters))
        self.write(b" " * (limit - 300) + b"{}")
        self.write(b"{}", key="another")
        sidecar.wait_for(lambda: len(read_topic(self.kafka.bootstrap, dead_letters)) == 2, 40, "both dead-letter records")
        full = next(r for r in read_topic(self.kafka.bootstrap, dead_letters) if r.key == "k")
        self.assertEqual(full.headers["outrigger-error-generation"], "1")
        self.assertNotIn("outrigger-error-body", full.headers)


if __name__ == "__main__":
    unittest.main()
