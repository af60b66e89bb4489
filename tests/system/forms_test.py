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
  - {match: {type: "gone.structured"}, topic: gone.structured, mode: structured, tombstones: true}
  - {match: {type: "gone.*"}, topic: gone, key: data.id, tombstones: true}
  - {match: {type: "timed.*"}, topic: timed, timestamp: time}
  - {match: {type: "traced.*"}, topic: traced, headers: {traceparent: 00-rule, team: "{data.team}"}}
  - {match: {type: "two.*"}, topic: two, key: "{data.a}/{data.b}"}
  - {match: {type: "for.*", header.tenant: blue}, topic: for.header}
  - {match: {type: "for.*", extension.tenant: blue}, topic: for.extension}
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

    def test_raw_with_an_idempotency_key_is_written_once(self):
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

    def structured(self, members):
        """The JSON document in Kafka for a CloudEvent of type structured.x."""
        status, answer = self.post("/v1/events", b'{"specversion":"1.0","type":"structured.x",%s}' % members,
                                   "Content-Type: application/cloudevents+json")
        self.assertEqual(status, 200, answer)
        return json.loads(self.stored(answer)[1])

    def test_types_survive_from_structured_to_structured(self):
        event = self.structured(b'"id2":"5","seq":5,"neg":-2147483648,"flag":true,"off":false,"none":null,"data":{"a":1.50}')
        for name, value in {"id2": "5", "seq": 5, "neg": -2147483648, "flag": True, "off": False, "data": {"a": 1.5}}.items():
            self.assertEqual((type(event[name]), event[name]), (type(value), value))
        self.assertNotIn("none", event)

    def test_text_stays_text_and_bytes_stay_bytes(self):
        for kind, data in (("text/xml", "<x/>"), ("application/xml", "<x a='\u00e9'/>"), ("text/plain; charset=utf-8", ""),
                           ("application/x-own", "text")):
            event = self.structured(b'"datacontenttype":%s,"data":%s' % (json.dumps(kind).encode(), json.dumps(data).encode()))
            self.assertEqual((event["data"], event.get("data_base64")), (data, None))
        event = self.structured(b'"datacontenttype":"image/png","data_base64":"AAEC/w=="')
        self.assertEqual((event["data_base64"], event.get("data")), ("AAEC/w==", None))

    def test_a_context_attribute_that_is_no_string_is_400(self):
        for members in (b'"id":5', b'"id":"1","subject":false', b'"id":"1","seq":1.5', b'"id":"1","seq":2147483648', b'"id":"1","own":{}'):
            status, answer = self.post("/v1/events", b'{"specversion":"1.0","source":"/s","type":"order.a","data":1,%s}' % members,
                                       "Content-Type: application/cloudevents+json")
            self.assertEqual(status, 400, answer)

    def test_binary_with_quoted_strings(self):
        status, answer = self.post("/v1/events", b"x", "Content-Type: text/plain", 'ce-specversion: "1.0"', 'ce-id: "q 1"', "ce-source: /s",
                                   "ce-type: order.quoted", 'ce-subject: "hello \\"world\\""', 'ce-time: "2018-04-05T03:56:24Z"',
                                   "ce-own: %22as it is%22")
        self.assertEqual(status, 200, answer)
        record, _ = self.stored(answer)
        for name, value in {"id": "q 1", "subject": 'hello "world"', "time": "2018-04-05T03:56:24Z", "own": '"as it is"'}.items():
            self.assertEqual(record.headers[f"ce_{name}"], value)

    def test_one_trace_in_a_record_and_the_most_specific_wins(self):
        def trace(body, *headers, path="/v1/events", kind="application/json"):
            status, answer = self.post(path, body, f"Content-Type: {kind}", *headers)
            self.assertEqual(status, 200, answer)
            pairs = self.stored(answer)[0].header_pairs
            return sorted(pair for pair in pairs if pair[0] in ("traceparent", "tracestate", "team"))
        http = ("traceparent: 00-http", "tracestate: a=1,\tb=2", "tracestate: c=3")
        plain = b'{"type":"traced.x","data":{"team":"red"}}'
        self.assertEqual(trace(plain), [("team", "red"), ("traceparent", "00-rule")])
        self.assertEqual(trace(plain, *http), [("team", "red"), ("traceparent", "00-http"), ("tracestate", "a=1,b=2,c=3")])
        self.assertEqual(trace(b'{"type":"traced.x","data":{"team":"red"},"headers":{"traceparent":"00-own","team":"blue"}}', *http),
                         [("team", "blue"), ("traceparent", "00-own")])
        self.assertEqual(trace(b'{"specversion":"1.0","id":"tr","source":"/s","type":"traced.x","traceparent":"00-ext","data":{"team":"red"}}', *http,
                               kind="application/cloudevents+json"), [("team", "red"), ("traceparent", "00-ext")])
        self.assertEqual(trace(b"x", *http, path="/v1/topics/raw.traces", kind="text/plain"),
                         [("traceparent", "00-http"), ("tracestate", "a=1,b=2,c=3")])

    def test_a_key_of_two_parts_falls_back_to_the_callers(self):
        for data, key in ((b'{"a":1,"b":2}', "1/2"), (b'{"a":1}', "mine"), (b'{"a":1,"b":null}', "mine"), (b'{"a":1,"b":""}', "mine")):
            status, answer = self.post("/v1/events/two.x?key=mine", data, "Content-Type: application/json")
            self.assertEqual((status, self.stored(answer)[0].key), (200, key), answer)

    def test_a_header_is_matched_in_every_form(self):
        event = b'{"specversion":"1.0","id":"%d","source":"/s","type":"for.x","data":1}'
        for form in (
            ("/v1/events", b'{"type":"for.x","headers":{"tenant":"blue"},"data":1}', "Content-Type: application/json"),
            ("/v1/events", b'{"type":"for.x","data":1}', "Content-Type: application/json", "kafka-tenant: blue"),
            ("/v1/events", event % 1, "Content-Type: application/cloudevents+json", "kafka-tenant: blue"),
            ("/v1/events", b"x", "Content-Type: text/plain", "ce-specversion: 1.0", "ce-id: h", "ce-source: /s", "ce-type: for.x",
             "kafka-tenant: blue"),
            ("/v1/events/for.x", b"1", "Content-Type: application/json", "kafka-tenant: blue"),
        ):
            status, answer = self.post(*form)
            self.assertEqual((status, answer["topic"]), (200, "for.header"), form)
            self.assertEqual(self.stored(answer)[0].headers["tenant"], "blue")
        status, answer = self.post("/v1/events", b"[" + event % 2 + b"]", "Content-Type: application/cloudevents-batch+json", "kafka-tenant: blue")
        self.assertEqual((status, answer["results"][0]["topic"]), (200, "for.header"))
        before = len(read_topic(self.bootstrap, "for.header"))
        status, answer = self.post("/v1/events", b'{"type":"for.x","data":1}\n', "Content-Type: application/jsonl", "kafka-tenant: blue")
        self.assertEqual((status, len(read_topic(self.bootstrap, "for.header"))), (200, before + 1))
        status, answer = self.post("/v1/events", b"x", "Content-Type: text/plain", "ce-specversion: 1.0", "ce-id: e", "ce-source: /s",
                                   "ce-type: for.x", "ce-tenant: blue")
        self.assertEqual((status, answer["topic"]), (200, "for.extension"))

    def test_the_events_time_is_the_records_timestamp_where_a_rule_says_so(self):
        status, answer = self.post("/v1/events", b'{"type":"timed.x","time":"2026-01-02T03:04:05.678Z","data":1}', "Content-Type: application/json")
        self.assertEqual((status, self.stored(answer)[0].timestamp), (200, 1767323045678), answer)
        status, answer = self.post("/v1/topics/raw.timed?timestamp=1767323045678", b"x", "Content-Type: text/plain")
        self.assertEqual((status, self.stored(answer)[0].timestamp), (200, 1767323045678), answer)
        status, answer = self.post("/v1/events", b'{"type":"timed.x","time":"1969-01-02T03:04:05Z","data":1}', "Content-Type: application/json")
        self.assertEqual(status, 422, answer)

    def test_a_key_is_any_bytes(self):
        for path in ("/v1/topics/raw.keys", "/v1/events/order.keys"):
            status, answer = self.post(f"{path}?key=%00%00%00%2A", b"1", "Content-Type: application/json")
            self.assertEqual((status, self.stored(answer)[0].key), (200, "\0\0\0*"), answer)

    def test_json_in_every_name_and_with_a_byte_order_mark(self):
        event = b'{"type":"order.json","data":{"id":"j"}}'
        for kind in ("model/json", "APPLICATION/JSON; charset=UTF-8", "application/vnd.shop+json"):
            self.assertEqual(self.post("/v1/events", b"\xef\xbb\xbf" + event, f"Content-Type: {kind}")[0], 200, kind)
            status, answer = self.post("/v1/events/order.json", b'\xef\xbb\xbf{"id":"j"}', f"Content-Type: {kind}")
            record, value = self.stored(answer)
            self.assertEqual((status, record.key, value, record.headers["content-type"]), (200, "j", b'{"id":"j"}', kind))
        for kind in ("application/x-ndjson; charset=utf-8", "application/ndjson", "application/jsonl"):
            status, answer = self.post("/v1/events", event + b"\r\n\n" + event, f"Content-Type: {kind}")
            self.assertEqual((status, answer["accepted"]), (200, 2), kind)

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

    def test_a_tombstone_is_a_null_value_in_every_form(self):
        event = b'{"specversion":"1.0","id":"%d","source":"/gone","type":"gone.user","partitionkey":"g","data":null}'
        for form in (
            ("/v1/events", b'{"type":"gone.user","key":"g","data":null}', "Content-Type: application/json"),
            ("/v1/events", b'{"type":"gone.structured","key":"g","data":null}', "Content-Type: application/json"),
            ("/v1/events", b'{"type":"gone.structured","key":"g"}', "Content-Type: application/json"),
            ("/v1/events", event % 1, "Content-Type: application/cloudevents+json"),
            ("/v1/events", b"", "Content-Length: 0", "ce-specversion: 1.0", "ce-id: t", "ce-source: /s", "ce-type: gone.user",
             "ce-partitionkey: g"),
            ("/v1/events/gone.user?key=g", b"null", "Content-Type: application/json"),
            ("/v1/topics/raw.gone?key=g&tombstone=true", b"", "Content-Length: 0"),
        ):
            status, answer = self.post(*form)
            self.assertEqual(status, 200, answer)
            record, _ = self.stored(answer)
            self.assertEqual((record.value, record.key), (None, "g"), form)
        status, answer = self.post("/v1/events", b"[" + event % 2 + b"]", "Content-Type: application/cloudevents-batch+json")
        self.assertEqual((status, self.stored(answer["results"][0])[0].value), (200, None), answer)
        status, answer = self.post("/v1/topics/raw.gone?key=g", b"", "Content-Length: 0")
        self.assertEqual((status, self.stored(answer)[0].value), (200, ""), "without ?tombstone=true it is a value of no bytes")


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
