"""Every error of the table of answers, provoked: the code, what it says, and that nothing reached Kafka."""
import json
import socket
import unittest

from case import HEAD, KafkaCase, Sidecar, curl, read_topic

RULES = """
routes:
  - {{match: {{type: "order.*"}}, topic: orders, key: data.id, keyRequired: true}}
  - {{match: {{type: "checked.*"}}, topic: checked, schemas: {schemas}}}
  - {{match: {{type: "kept.*"}}, topic: kept, schemas: {schemas}, onInvalid: deadLetter, deadLetter: dead_letters}}
  - {{match: {{type: "tenant.*"}}, topic: "{{data.tenant}}.events", maxTopics: 1}}
  - {{match: {{type: "small.*"}}, topic: small, deadLetter: dead_letters}}
  - {{match: {{type: "nowhere.*"}}, topic: never.made}}
http:
  rawTopics: ["raw.*"]
  maxBody: 64KiB
  bodyTimeout: 1s
  headTimeout: 1s
"""
SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "mail": {"type": "string", "format": "email"}}}
JSON = "Content-Type: application/json"


class Answers(KafkaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kafka.create_topic("small", max_message_bytes=2000)
        cls.instance = Sidecar(env={"KAFKA_BROKERS": cls.kafka.bootstrap})
        for kind in ("checked.a", "kept.a"):
            folder = cls.instance.folder / "schemas" / kind
            folder.mkdir(parents=True)
            (folder / "1.0.json").write_text(json.dumps(SCHEMA))
        cls.instance.write_config(HEAD + RULES.format(schemas=cls.instance.folder / "schemas"))
        cls.instance.start()
        cls.addClassCleanup(cls.instance.close)

    def refused(self, code, path, data=b"", *headers, method="POST", limit=None, outcome=None):
        words = [word for header in headers for word in ("-H", header)]
        status, head, body = curl("-X", method, *words, f"http://127.0.0.1:{self.instance.port}{path}", data=data)
        self.assertEqual(status, code, body)
        self.assertEqual(head["content-type"], "application/problem+json")
        problem = json.loads(body)
        self.assertEqual(problem["status"], code)
        self.assertTrue(problem["title"] and problem["detail"])
        if limit:
            self.assertEqual(problem["limit"], limit)
        if outcome:
            self.assertEqual(problem["outcome"], outcome)
        if code == 503:
            self.assertIn("retry-after", head)
        return problem

    def test_400_says_where_the_json_breaks(self):
        for broken in (b'{"type":"order.a","data":{"n":01}}', b'{"type":"order.a","data":tru}', b'{"type":"order.a","data":[1,]}',
                       b'{"type":"order.a"}{"type":"order.b"}', b'{"type":"order.a","data":{"a":"\\x"}}', b"", b'"x"',
                       b'{"type":"order.a","data":{"a":"\xff"}}', b'{"type":"order.a","data":' + b"[" * 200 + b"]" * 200 + b"}"):
            self.refused(400, "/v1/events", broken, JSON)
        self.assertIn("byte", self.refused(400, "/v1/events", b'{"type":"order.a","data":{"n":01}}', JSON)["detail"])

    def test_400_for_a_name_that_appears_twice(self):
        self.assertIn("type", self.refused(400, "/v1/events", b'{"type":"order.a","type":"order.b","data":{}}', JSON)["detail"])
        self.assertIn("id", self.refused(400, "/v1/events", b'{"type":"order.a","data":{"id":1,"id":2}}', JSON)["detail"])

    def test_400_for_attributes_that_no_cloudevent_has(self):
        self.refused(400, "/v1/events", b'{"data":{"id":"x"}}', JSON)
        self.refused(400, "/v1/events", b'{"type":"order.a","time":"yesterday","data":{"id":"x"}}', JSON)
        self.refused(400, "/v1/events", b'{"type":"order.a","headers":{"ce_id":"x"},"data":{"id":"x"}}', JSON)
        self.refused(400, "/v1/events", b"x", "ce-specversion: 0.3", "ce-id: 1", "ce-source: /s", "ce-type: order.a")
        self.refused(400, "/v1/events", b"[]x", "Content-Type: application/cloudevents-batch+json")

    def test_400_for_attributes_that_are_no_text_names_them_in_every_form(self):
        order, binary = b'{"id":"x"}', ("ce-specversion: 1.0", "ce-id: 1", "ce-source: /s", "ce-type: order.a")
        for name, path, data, *headers in (
            ("id", "/v1/events/order.a?id=%ff", order, JSON),
            ("subject", "/v1/events/order.a?subject=a%7f", order, JSON),
            ("id", "/v1/events/order.a?id=a%00", order, JSON),
            ("version", "/v1/events/order.a?version=%c2%85", order, JSON),
            ("type", "/v1/events/order.%ff", order, JSON),
            ("id", "/v1/events/order.a", order, JSON, "Idempotency-Key: \udcc3"),
            ("datacontenttype", "/v1/events/order.a", b"x", "Content-Type: text/plain; a=\udcc3"),
            ("subject", "/v1/events", b"x", "Content-Type: text/plain", "ce-subject: a%00", *binary),
            ("own", "/v1/events", b"x", "Content-Type: text/plain", "ce-own: i%FF", *binary),
            ("source", "/v1/events", b'{"type":"order.a","source":"a\\u0000","data":{"id":"x"}}', JSON),
            ("id", "/v1/events", b'{"type":"order.a","id":"\\u009f","data":{"id":"x"}}', JSON),
            ("version", "/v1/events", b'{"type":"order.a","data":{"id":"x","version":"1\\n"}}', JSON),
            ("own", "/v1/events", b'{"specversion":"1.0","id":"1","source":"/s","type":"order.a","own":"\\u007f","data":{"id":"x"}}',
             "Content-Type: application/cloudevents+json"),
        ):
            with self.subTest(path=path, data=data, headers=headers):
                self.assertIn(f'"{name}"', self.refused(400, path, data, *headers)["detail"])
        status, _, body = curl("-H", JSON, f"http://127.0.0.1:{self.instance.port}/v1/topics/raw.a?key=%ff%00", data=b"x")
        self.assertEqual(status, 200, "a key is bytes")

    def test_400_for_one_idempotency_key_of_many_events(self):
        for form in ("application/cloudevents-batch+json", "application/x-ndjson"):
            self.assertIn("Idempotency-Key", self.refused(400, "/v1/events", b"[]", f"Content-Type: {form}", "Idempotency-Key: k")["detail"])

    def test_400_for_query_parameters_that_would_be_ignored(self):
        order = b'{"type":"order.a","data":{"id":"x"}}'
        self.assertIn("takes ack", self.refused(400, "/v1/events?key=x", order, JSON)["detail"])
        self.refused(400, "/v1/events?id=1", b'[]', "Content-Type: application/cloudevents-batch+json")
        self.refused(400, "/v1/events?key=x", order, "Content-Type: application/x-ndjson")
        self.assertIn("key, id, version, subject, ack", self.refused(400, "/v1/events/order.a?partition=1", b'{"id":"x"}', JSON)["detail"])
        self.assertIn("key, partition, timestamp, tombstone, ack", self.refused(400, "/v1/topics/raw.a?id=1", b"x")["detail"])
        for path in ("/v1/events/order.a?key=a&key=b", "/v1/events?ack=kafka&ack=memory", "/v1/topics/raw.a?partition=1&partition=1"):
            self.assertIn("twice", self.refused(400, path, order, JSON)["detail"])

    def test_404_no_route(self):
        self.assertIn("explain", self.refused(404, "/v1/events", b'{"type":"unknown.a"}', JSON)["detail"])
        self.refused(404, "/v2/nothing")
        self.refused(404, "/v1/topics/secret", b"x", limit="http.rawTopics")

    def test_405_with_allow(self):
        status, head, _ = curl("-X", "DELETE", f"http://127.0.0.1:{self.instance.port}/v1/events")
        self.assertEqual((status, head["allow"]), (405, "POST"))

    def test_408_slow_body(self):
        with socket.create_connection(("127.0.0.1", self.instance.port), 10) as s:
            s.sendall(b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
            answer = s.recv(4096)
        self.assertTrue(answer.startswith(b"HTTP/1.1 408"), answer)
        self.assertIn(b"http.bodyTimeout", answer)

    def test_409_known_id_with_another_body(self):
        path = "/v1/events/order.a?id=known"
        status, _, _ = curl("-H", JSON, f"http://127.0.0.1:{self.instance.port}{path}", data=b'{"id":"a"}')
        self.assertEqual(status, 200)
        self.refused(409, path, b'{"id":"b"}', JSON)

    def test_411_for_a_body_of_no_stated_length(self):
        event = b'{"type":"order.a","data":{"id":"x"}}'
        for path in ("/v1/events", "/v1/events/order.a", "/v1/topics/raw.a"):
            for version in (b"1.0", b"1.1"):
                with self.subTest(path=path, version=version), socket.create_connection(("127.0.0.1", self.instance.port), 10) as s:
                    s.sendall(b"POST " + path.encode() + b" HTTP/" + version + b"\r\nHost: a\r\nContent-Type: application/json\r\n\r\n" + event)
                    answer = b"".join(iter(lambda: s.recv(4096), b""))
                    self.assertTrue(answer.startswith(b"HTTP/1.1 411 Length Required\r\n"), answer)
                    self.assertEqual(answer.count(b"HTTP/1.1 "), 1, "what follows is no second request")
        status, _, body = curl("-H", JSON, f"http://127.0.0.1:{self.instance.port}/v1/topics/raw.empty", data=b"")
        self.assertEqual((status, json.loads(body)["status"]), (200, "acked"), "Content-Length: 0 states a length")

    def test_413(self):
        self.refused(413, "/v1/events", b" " * 70_000, JSON, limit="http.maxBody")
        self.refused(413, "/v1/events", b" " * 70_000, JSON, "Transfer-Encoding: chunked", limit="http.maxBody")
        self.refused(413, "/v1/events", b" " * 1_100_000, "Content-Type: application/cloudevents-batch+json", limit="http.maxBody")

    def test_each_413_is_counted_too_large_and_each_form_that_is_none_invalid(self):
        def counted(reason):
            return self.instance.metrics()[f'outrigger_producer_failures_total{{reason="{reason}",topic="none"}}']
        large, invalid = counted("too_large"), counted("invalid")
        self.refused(413, "/v1/events", b" " * 70_000, JSON)  # before its body is read
        self.refused(413, "/v1/events/order.a", b" " * 70_000, JSON, "Transfer-Encoding: chunked")
        self.refused(413, "/v1/topics/raw.a", b" " * 70_000, JSON)
        self.refused(413, "/v1/events", b"[{}" + b",{}" * 16_384 + b"]", "Content-Type: application/cloudevents-batch+json")
        status, _, _ = curl("-H", "Content-Type: application/jsonl", f"http://127.0.0.1:{self.instance.port}/v1/events", data=b" " * 70_000 + b"\n")
        self.assertEqual((status, counted("too_large") - large, counted("invalid") - invalid), (413, 5, 0))
        self.refused(400, "/v1/events", b"hello", JSON)
        self.refused(400, "/v1/events", b"[{}", "Content-Type: application/cloudevents-batch+json")
        self.refused(400, "/v1/topics/raw.a?partition=x", b"x", JSON)
        self.refused(400, "/v1/topics/raw.a?tombstone=true", b"x", JSON)
        self.assertEqual((counted("too_large") - large, counted("invalid") - invalid), (5, 4))

    def test_413_of_the_broker_alone_and_its_dead_letter_record(self):
        problem = self.refused(413, "/v1/events/small.a", b'"' + b"x" * 5000 + b'"', JSON, outcome="none")
        self.assertIn("dead_letters", problem["detail"])
        Sidecar.wait_for(lambda: [r for r in read_topic(self.kafka.bootstrap, "dead_letters")
                                  if r.headers["outrigger-error-reason"] == "too_large"], what="the dead-letter record")

    def test_415(self):
        self.refused(415, "/v1/events", b"<a/>", "Content-Type: application/xml")
        for form in ("+json", "-batch+json", "+avro"):
            self.refused(415, "/v1/events/order.a", b"{}", f"Content-Type: application/cloudevents{form}")
        self.refused(415, "/v1/events", b"x", "Content-Type: application/cloudevents+avro", "ce-specversion: 1.0", "ce-id: 1", "ce-source: /s",
                     "ce-type: order.a")
        self.refused(415, "/v1/events", b"{}", JSON, "Content-Encoding: gzip")

    def test_422_key(self):
        self.refused(422, "/v1/events/order.a", b'{"n":1}', JSON)
        self.refused(422, "/v1/events/order.a", b'{"id":{"a":1}}', JSON)
        for empty in ("/v1/events/order.a?key=", "/v1/events/order.a"):
            self.refused(422, empty, b'{"id":""}', JSON)

    def test_422_template(self):
        self.refused(422, "/v1/events/tenant.a", b"{}", JSON)
        self.refused(422, "/v1/events/tenant.a", b'{"tenant":"a/b"}', JSON)
        self.assertEqual(curl("-H", JSON, f"http://127.0.0.1:{self.instance.port}/v1/events/tenant.a", data=b'{"tenant":"one"}')[0], 200)
        self.refused(422, "/v1/events/tenant.a", b'{"tenant":"two"}', JSON, limit="routes[3].maxTopics")

    def test_422_schema_with_pointers(self):
        problem = self.refused(422, "/v1/events/checked.a", b'{"n":"1","mail":"no"}', JSON)
        self.assertEqual({e["pointer"] for e in problem["errors"]}, {"/n", "/mail"})
        problem = self.refused(422, "/v1/events/checked.a?version=7", b'{"n":1}', JSON)
        self.assertEqual([e["pointer"] for e in problem["errors"]], ["/version"])

    def test_422_dead_letter_where_the_rule_says_so(self):
        problem = self.refused(422, "/v1/events/kept.a?id=bad-1", b'{"n":"1"}', JSON)
        self.assertIn("dead_letters", problem["detail"])
        dead_letter = Sidecar.wait_for(lambda: next((r for r in read_topic(self.kafka.bootstrap, "dead_letters")
                                                if r.headers.get("ce_id") == "bad-1"), None), what="the dead-letter record")
        self.assertEqual(dead_letter.value, '{"n":"1"}')
        self.assertEqual(dead_letter.headers["outrigger-error-reason"], "schema")

    def test_431(self):
        self.refused(431, "/v1/events", b"{}", JSON, "X-Long: " + "x" * 20_000, limit="http.maxHeader")

    def test_501(self):
        self.refused(501, "/v1/events/order.a?ack=disk", b'{"id":"x"}', JSON)

    def test_a_preference_that_cant_be_met_is_ignored(self):
        answer = self.instance.post("/v1/events/order.a", {"id": "x"}, {"prefer": "respond-async"})
        self.assertEqual((answer.status, answer.headers.get("preference-applied")), (200, None), answer.body)

    def test_503_unknown_topic(self):
        kafka_says_no = self.sidecar("routes:\n  - {match: {type: \"*\"}, topic: never.made}\n"
                                     "kafka:\n  properties: {allow.auto.create.topics: false}\n")
        answer = kafka_says_no.post("/v1/events/a.b", {})
        self.assertEqual(answer.status, 503, answer.body)
        self.assertEqual(answer.json["outcome"], "none")
        self.assertIn("never.made", answer.json["detail"])

    def test_batch_code_is_the_worst_and_every_item_has_its_answer(self):
        events = [{"specversion": "1.0", "id": str(n), "source": "/s", "type": kind, "data": data} for n, (kind, data) in enumerate(
            [("order.a", {"id": "k"}), ("unknown.a", {}), ("checked.a", {"n": "x"}), ("order.a", {"id": "k"})])]
        status, _, body = curl("-H", "Content-Type: application/cloudevents-batch+json",
                               f"http://127.0.0.1:{self.instance.port}/v1/events", data=json.dumps(events).encode())
        results = json.loads(body)["results"]
        self.assertEqual(status, 422)
        self.assertEqual([r["status"] for r in results], ["acked", "failed", "failed", "acked"])
        self.assertEqual([r.get("problem", {}).get("status") for r in results], [None, 404, 422, None])

    def test_ndjson_goes_on_after_a_bad_line(self):
        body = b'{"type":"order.a","data":{"id":"k"}}\nnot json\n{"type":"unknown.a"}\n{"type":"order.a","data":{"id":"k"}}\n'
        status, _, answer = curl("-H", "Content-Type: application/x-ndjson", f"http://127.0.0.1:{self.instance.port}/v1/events", data=body)
        answer = json.loads(answer)
        self.assertEqual((status, answer["accepted"], answer["failed"], answer["line"]), (404, 2, 2, 4))
        self.assertEqual([f["line"] for f in answer["failures"]], [2, 3])


class Token(KafkaCase):
    def test_401_without_the_token(self):
        sidecar = Sidecar(env={"KAFKA_BROKERS": self.kafka.bootstrap})
        (sidecar.folder / "token").write_text("s3cret\n")
        sidecar.write_config(HEAD + f"http:\n  tokenFile: {sidecar.folder}/token\n")
        self.addCleanup(sidecar.close)
        sidecar.start()
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 401)
        self.assertEqual(sidecar.post("/v1/events/a.b", {}, {"authorization": "Bearer wrong"}).status, 401)
        self.assertEqual(sidecar.post("/v1/events/a.b", {}, {"authorization": "Bearer s3cret"}).status, 200)
        self.assertNotIn("s3cret", sidecar.log)


class Rate(KafkaCase):
    def test_429_over_the_rate(self):
        sidecar = self.sidecar("http:\n  rate: {events: 1, burst: 3}\n")
        answers = [sidecar.post("/v1/events/a.b", {}) for _ in range(6)]
        self.assertEqual([a.status for a in answers[:3]], [200] * 3)
        self.assertIn(429, [a.status for a in answers])
        late = next(a for a in answers if a.status == 429)
        self.assertEqual(late.json["limit"], "http.rate")
        self.assertIn("retry-after", late.headers)


if __name__ == "__main__":
    unittest.main()
