"""Every request form through curl, read back with kcat: byte for byte, with the right headers."""
import json
import re
import unittest

from case import HEAD, KafkaCase, Sidecar, curl, read_bytes, read_topic

RULES = """
kafka: {clientId: forms}
routes:
  - {match: {type: "order.*"}, topic: orders, key: data.id}
  - {match: {type: "structured.*"}, topic: structured, mode: structured}
  - {match: {type: "fan.*"}, topic: fan.first, continue: true}
  - {match: {type: "fan.*"}, topic: fan.second}
  - {match: {type: "tenant.*"}, topic: "{data.tenant}.events", maxTopics: 2}
  - {match: {type: "gone.*"}, topic: gone, key: data.id, tombstones: true}
http:
  rawTopics: ["raw.*"]
"""
# Numbers, escapes, key order and blanks that any re-encoding would change.
DATA = rb'{ "id":"o-1", "n":1.50, "big":12345678901234567890, "e":1e400, "u":"\u00e9\/" , "z":[ ], "a":null}'
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Forms:
    """The claims, for each kind of broker."""

    def post(self, path, data, *headers):
        words = [word for header in headers for word in ("-H", header)]
        status, _, body = curl(*words, f"http://127.0.0.1:{self.instance.port}{path}", data=data)
        return status, json.loads(body)

    def stored(self, answer):
        """The record that an answer names: as kcat tells it, and its exact bytes."""
        record = next(r for r in read_topic(self.bootstrap, answer["topic"])
                      if (r.partition, r.offset) == (answer["partition"], answer["offset"]))
        return record, read_bytes(self.bootstrap, answer["topic"], answer["partition"], answer["offset"])

    def test_envelope(self):
        status, answer = self.post("/v1/events", b'{"type":"order.placed","data":' + DATA + b',"headers":{"tenant":"t"}}',
                                   "Content-Type: application/json")
        self.assertEqual((status, answer["status"]), (200, "acked"))
        self.assertRegex(answer["id"], UUID7)
        record, value = self.stored(answer)
        self.assertEqual(value, DATA)
        self.assertEqual(record.key, "o-1")
        self.assertRegex(record.headers.pop("ce_time"), TIME)
        self.assertEqual(record.headers, {"ce_specversion": "1.0", "ce_id": answer["id"], "ce_source": "forms",
                                          "ce_type": "order.placed", "ce_version": "1.0",
                                          "content-type": "application/json", "tenant": "t"})

    def test_envelope_with_every_attribute(self):
        status, answer = self.post("/v1/events", b'{"type":"order.placed","id":"i1","source":"/s","subject":"sub","version":"2.1",'
                                   b'"time":"2026-01-02T03:04:05Z","key":"mine","data":{"n":1}}', "Content-Type: application/json")
        self.assertEqual(status, 200)
        record, _ = self.stored(answer)
        self.assertEqual(record.key, "mine")
        for name, value in {"id": "i1", "source": "/s", "subject": "sub", "version": "2.1", "time": "2026-01-02T03:04:05Z"}.items():
            self.assertEqual(record.headers[f"ce_{name}"], value)

    def test_structured(self):
        status, answer = self.post("/v1/events", b'{"specversion":"1.0","id":"s1","source":"/s","type":"order.placed",'
                                   b'"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":' + DATA + b"}",
                                   "Content-Type: application/cloudevents+json; charset=utf-8")
        self.assertEqual(status, 200)
        record, value = self.stored(answer)
        self.assertEqual(value, DATA)
        self.assertEqual(record.headers["ce_id"], "s1")
        self.assertEqual(record.headers["ce_traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    def test_structured_with_binary_data(self):
        status, answer = self.post("/v1/events", b'{"specversion":"1.0","id":"s2","source":"/s","type":"order.scanned",'
                                   b'"datacontenttype":"image/png","partitionkey":"pk","data_base64":"AAEC/w=="}',
                                   "Content-Type: application/cloudevents+json")
        self.assertEqual(status, 200)
        record, value = self.stored(answer)
        self.assertEqual(value, b"\x00\x01\x02\xff")
        self.assertEqual(record.headers["content-type"], "image/png")
        self.assertEqual(record.key, "pk")

    def test_binary(self):
        status, answer = self.post("/v1/events", b"\x00\xff any bytes \r\n", "Content-Type: application/x-thing", "ce-specversion: 1.0",
                                   "ce-id: b1", "ce-source: /s", "ce-type: order.raw", "ce-partitionkey: p k", "ce-tenant: caf%C3%A9")
        self.assertEqual(status, 200)
        record, value = self.stored(answer)
        self.assertEqual(value, b"\x00\xff any bytes \r\n")
        self.assertEqual(record.headers["content-type"], "application/x-thing")
        self.assertEqual(record.headers["ce_tenant"], "café")
        self.assertEqual(record.key, "p k")

    def test_batch(self):
        events = [b'{"specversion":"1.0","id":"m%d","source":"/s","type":"order.placed","data":%s}' % (n, DATA) for n in range(3)]
        status, answer = self.post("/v1/events", b"[" + b" , ".join(events) + b"]", "Content-Type: application/cloudevents-batch+json")
        self.assertEqual(status, 200)
        self.assertEqual([r["id"] for r in answer["results"]], ["m0", "m1", "m2"])
        offsets = [r["offset"] for r in answer["results"]]
        self.assertEqual(offsets, sorted(offsets), "one key, one partition, in the batch's order")
        for result in answer["results"]:
            self.assertEqual(self.stored(result)[1], DATA)

    def test_ndjson(self):
        lines = b"".join(b'{"type":"order.line","id":"l%d","data":{"id":"k","n":%d}}\r\n' % (n, n) for n in range(50))
        status, answer = self.post("/v1/events", lines + b'\n{"type":"order.line","id":"last","data":{"id":"k"}}',
                                   "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
        self.assertEqual(status, 200, answer)
        self.assertEqual((answer["accepted"], answer["failed"]), (51, 0))
        mine = [r for r in read_topic(self.bootstrap, "orders") if r.headers.get("ce_type") == "order.line"]
        self.assertEqual([r.headers["ce_id"] for r in mine], [f"l{n}" for n in range(50)] + ["last"])

    def test_type_in_the_path(self):
        status, answer = self.post("/v1/events/order.csv?key=a%2Fb&id=q1&version=3&subject=s%20s", b"a;b\n1;2\n", "Content-Type: text/csv")
        self.assertEqual(status, 200)
        record, value = self.stored(answer)
        self.assertEqual(value, b"a;b\n1;2\n")
        self.assertEqual((record.key, record.headers["ce_id"], record.headers["ce_version"], record.headers["ce_subject"]),
                         ("a/b", "q1", "3", "s s"))
        self.assertEqual(record.headers["content-type"], "text/csv")

    def test_raw(self):
        status, answer = self.post("/v1/topics/raw.bytes?key=k&partition=2", b"\xfe\x00raw", "kafka-trace: abc", "Content-Type: application/octet-stream")
        self.assertEqual((status, answer["partition"]), (200, 2))
        record, value = self.stored(answer)
        self.assertEqual(value, b"\xfe\x00raw")
        self.assertEqual(record.key, "k")
        self.assertEqual(record.headers["trace"], "abc")
        self.assertNotIn("ce_id", record.headers)

    def test_raw_carries_the_trace_and_one_content_type(self):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        status, answer = self.post("/v1/topics/raw.traced", b"x", f"traceparent: {trace}", "tracestate: a=1", "Content-Type: text/plain",
                                   "kafka-content-type: text/csv", "kafka-tracestate: b=2")
        self.assertEqual(status, 200)
        record, _ = self.stored(answer)
        self.assertEqual(sorted(record.header_pairs), [("content-type", "text/csv"), ("traceparent", trace), ("tracestate", "b=2")])

    def test_raw_with_an_idempotency_key_stands_once(self):
        def post(key, value, topic="raw.once"):
            return self.post(f"/v1/topics/{topic}?key=k", value, "Content-Type: text/plain", f"Idempotency-Key: {key}")
        first = post("r-1", b"x")
        self.assertEqual((first[0], first[1]["id"]), (200, "r-1"))
        self.assertEqual(post("r-1", b"x"), first)
        self.assertEqual(post("r-1", b"y")[0], 409)
        self.assertEqual(post("r-1", b"x", "raw.other")[1]["topic"], "raw.other", "a key is one topic's")
        self.assertEqual([r.value for r in read_topic(self.bootstrap, "raw.once")], ["x"])

    def test_structured_mode_of_a_rule(self):
        status, answer = self.post("/v1/events", b'{"type":"structured.x","id":"st","data":' + DATA + b"}", "Content-Type: application/json")
        self.assertEqual(status, 200)
        record, value = self.stored(answer)
        self.assertTrue(record.headers["content-type"].startswith("application/cloudevents+json"))
        self.assertIn(b'"data":' + DATA, value)

    def test_fan_out(self):
        status, answer = self.post("/v1/events/fan.out?id=f1", b"{}", "Content-Type: application/json")
        self.assertEqual(status, 200)
        self.assertEqual([t["topic"] for t in answer["targets"]], ["fan.first", "fan.second"])
        for target in answer["targets"]:
            self.assertEqual(self.stored(target)[0].headers["ce_id"], "f1")

    def test_topic_template(self):
        status, answer = self.post("/v1/events/tenant.made", b'{"tenant":"acme"}', "Content-Type: application/json")
        self.assertEqual((status, answer["topic"]), (200, "acme.events"))

    def test_idempotency_key_is_the_id_and_a_retry_gets_the_first_answer(self):
        first = self.post("/v1/events/order.idem", b'{"id":"x"}', "Content-Type: application/json", "Idempotency-Key: idem-1")
        again = self.post("/v1/events/order.idem", b'{"id":"x"}', "Content-Type: application/json", "Idempotency-Key: idem-1")
        self.assertEqual(first, again)
        self.assertEqual(first[1]["id"], "idem-1")

    def test_tombstone(self):
        status, answer = self.post("/v1/events", b'{"type":"gone.user","key":"g1"}', "Content-Type: application/json")
        self.assertEqual(status, 200, answer)
        record, _ = self.stored(answer)
        self.assertIsNone(record.value)
        status, answer = self.post("/v1/events/gone.user?key=g2", b"", "Content-Length: 0")
        self.assertEqual((status, self.stored(answer)[0].value), (200, None), answer)


class OnRealKafka(Forms, KafkaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bootstrap = cls.kafka.bootstrap
        cls.instance = Sidecar(text=HEAD + RULES, env={"KAFKA_BROKERS": cls.bootstrap}).start()
        cls.addClassCleanup(cls.instance.close)


class OnTheEmbeddedBroker(Forms, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.instance = Sidecar(text=HEAD + RULES, env={"KAFKA_BROKERS": "embedded"}).start()
        cls.addClassCleanup(cls.instance.close)
        cls.bootstrap = cls.instance.bootstrap


if __name__ == "__main__":
    unittest.main()
