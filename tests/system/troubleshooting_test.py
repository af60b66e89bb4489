"""Each row of the table in src/ops/README.md is provoked. The docstring of a test is the first cell of its row."""
import http.client
import json
import re
import signal
import subprocess
import tempfile
import threading
import unittest

from case import HEAD, ROOT, Kafka, KafkaCase, KafkaUnavailable, Sidecar, free_ports, read_topic  # first: it says where the support modules are
import consumer_troubles_test
from app import App
from failing_malloc import build_shim
from kafka import SASL_PLAIN
from lms import MANIFESTS, NodeApp, rules

USER = {"userId": "u-1", "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "role": "student"}
BY_SASL = """kafka:
  security: {{protocol: SASL_PLAINTEXT, mechanism: PLAIN, username: app, passwordFile: {password}}}
"""
TO_WORK = """
routes:
  - {{topic: work}}
subscriptions:
  - name: worker
    topics: [{topic}]
    group: {group}
    match: {{type: "{type}"}}
    deliver: {{url: "{url}", concurrency: {concurrency}}}
    retry: {{attempts: 3, backoff: {{initial: 50ms, max: 100ms}}}}
    deadLetter: dead
"""


def setUpModule():
    global without_kafka  # it takes seconds until it gives up, and other tests run meanwhile
    without_kafka = Sidecar(text=HEAD, env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}", "REQUIRE_KAFKA": "true"}).start(wait=False)
    unittest.addModuleCleanup(without_kafka.close)


class Publishing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sidecar = Sidecar(text=rules(free_ports(1)[0]), env={"KAFKA_BROKERS": "embedded"}).start()
        cls.addClassCleanup(cls.sidecar.close)

    def refused(self, status, path, data):
        answer = self.sidecar.post(path, data)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def test_outrigger_away(self):
        """the app's log: "Outrigger does not answer\""""
        port = free_ports(1)[0]
        app = NodeApp(port, smtp_port=1)
        self.addCleanup(app.close)
        app.start().request("POST", "/register", USER)
        Sidecar.wait_for(lambda: "Outrigger does not answer" in app.log, what="the warning")
        self.assertIn(str(port), app.log)
        self.assertIn("ECONNREFUSED", app.log)

    def test_memory_full(self):
        """503 with `limit: memory.budget`"""
        away = Sidecar(text=HEAD + "routes:\n  - {topic: work}\nmemory:\n  budget: 8MiB\n", env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}"}).start()
        self.addCleanup(away.close)
        answers = [away.post("/v1/events/a.b?ack=memory", {"x": "y" * 100_000}) for _ in range(100)]
        self.assertEqual({answer.status for answer in answers}, {202, 503})
        self.assertEqual((answers[-1].json["limit"], answers[-1].json["outcome"]), ("memory.budget", "none"))

        def full():
            kafka = away.ops("/status").json["memory"]["shares"]["kafka"]
            return kafka["used"] > kafka["bytes"] // 3  # one topic may have half
        away.wait_for(full, what="/status to show it")

    def test_no_route(self):
        """404 "no route takes an event of type …\""""
        self.assertIn('no route takes an event of type "course.created"', self.refused(404, "/v1/events/course.created", {})["detail"])
        event = self.sidecar.folder / "event.json"
        event.write_text('{"type":"course.created","data":{}}')
        told = subprocess.run([self.sidecar.binary, "explain", str(event), "--config", str(MANIFESTS / "outrigger.yaml")], capture_output=True, text=True)
        count = len(re.findall(r"(?m)^  - match:", (MANIFESTS / "outrigger.yaml").read_text().split("subscriptions:")[0]))
        self.assertEqual(len(re.findall(r'(?m)^not .*type is "course.created", not "', told.stdout)), count, told.stdout)

    def test_schema(self):
        """422 with `errors`"""
        errors = self.refused(422, "/v1/events/user.registered", {**USER, "role": "king", "email": "nobody"})["errors"]
        self.assertEqual({e["pointer"] for e in errors}, {"/role", "/email"})

    def test_version(self):
        """422 at `/version`"""
        error = self.refused(422, "/v1/events/user.registered?version=3.0", USER)["errors"][0]
        self.assertEqual(error["pointer"], "/version")
        self.assertRegex(error["message"], r"1\.0.*2\.0")

    def test_key(self):
        """422 "requires a key\""""
        self.assertIn("requires a key (keyRequired)", self.refused(422, "/v1/events/user.deleted", {"reason": "x"})["detail"])

    def test_body_too_large(self):
        """413 with `limit: http.maxBody`"""
        self.assertEqual(self.refused(413, "/v1/events/user.updated", {"userId": "u", "changes": {"x": "y" * 1_100_000}})["limit"], "http.maxBody")

    def test_order(self):
        """order looks wrong"""
        name = 'outrigger_producer_unkeyed_events_total{topic="analytics.events"}'
        before = self.sidecar.metrics().get(name, 0)
        self.assertEqual(self.sidecar.post("/v1/events/analytics.tracked", {"event": "x", "metadata": {}}).status, 200)
        self.assertEqual(self.sidecar.post("/v1/events/analytics.tracked", {"event": "x", "userId": "u", "metadata": {}}).status, 200)
        self.assertEqual(self.sidecar.metrics()[name], before + 1)

    def test_config(self):
        """the config's change does nothing"""
        text = HEAD + "kafka: {clientId: one}\n"
        sidecar = Sidecar(text=text, env={"KAFKA_BROKERS": "embedded"}).start()
        self.addCleanup(sidecar.close)
        for change, reason, said in (("roots: []\n", "Refused", "outrigger.yaml:4:1"), ("", "NeedsRestart", "kafka.enabled")):
            sidecar.write_config((text if change else text.replace("one", "one, enabled: false")) + change)
            told = sidecar.wait_for(lambda: (c := sidecar.condition("ConfigApplied"))["reason"] == reason and c, what=reason)
            self.assertIn(said, told["message"])

    def test_start(self):
        """exit 1 at the start"""
        port = str(self.sidecar.port)
        taken = Sidecar(text=HEAD, env={"KAFKA_BROKERS": "embedded"}, ports=(self.sidecar.port, free_ports(1)[0])).start(wait=False)
        wrong = Sidecar(text=HEAD + "routes:\n  - {topik: a}\n", env={"KAFKA_BROKERS": "embedded"}).start(wait=False)
        cases = {port: taken, "topik": wrong, "kafka.required": without_kafka}
        for said, sidecar in cases.items():
            self.assertEqual(sidecar.process.wait(20), 1, said)
            self.assertIn(said, sidecar.log)

    def test_unexpected(self):
        """exit 70 at any time, "an unexpected exception ends the process\""""
        with tempfile.TemporaryDirectory() as folder:
            shim = build_shim(folder)
            sidecar = Sidecar(text=HEAD, env={"KAFKA_BROKERS": "embedded", "LD_PRELOAD": str(shim), "FAIL_THREAD": "publish", "FAIL_AT": "1"})
            self.addCleanup(sidecar.close)
            sidecar.start().process.send_signal(signal.SIGUSR2)
            sidecar.wait_for(lambda: "failing_malloc: armed" in sidecar.log)
            self.assertRaises((OSError, http.client.HTTPException), sidecar.post, "/v1/events", {"type": "a.b", "data": {}})
            self.assertEqual(sidecar.process.wait(20), 70, sidecar.log)
            self.assertIn("an unexpected exception ends the process", sidecar.log)


class OnARealKafka(KafkaCase):
    @classmethod
    def setUpClass(cls):
        cls.sasl_port = free_ports(1)[0]
        try:
            cls.kafka = Kafka(sasl_port=cls.sasl_port, properties={"auto.create.topics.enable": "false", **SASL_PLAIN})
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        cls.addClassCleanup(cls.kafka.close)
        cls.kafka.format().start()
        topics = {"work": {}, "dead": {}, "small": {"max_message_bytes": 1000, "partitions": 1}}
        makers = [threading.Thread(target=cls.kafka.create_topic, args=(name,), kwargs=config) for name, config in topics.items()]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()

    def setUp(self):
        self.app = App()
        self.addCleanup(self.app.stop)

    def worker(self, answer=None, topic="work", kind="*", group=None, concurrency=64, more=""):
        """A sidecar that publishes to `work` and delivers from it to this test's app."""
        self.app.answer = answer or (lambda call: 200)
        if not self.app.port:
            self.app.start()
        group = group or self.id().rsplit(".", 1)[-1]
        sidecar = self.sidecar(TO_WORK.format(topic=topic, type=kind, url=self.app.url, group=group, concurrency=concurrency) + more)
        return sidecar

    def delivering(self, sidecar, reason, message=""):
        return sidecar.wait_for(lambda: (c := sidecar.condition("Delivering/worker")) and c["reason"] == reason and message in c["message"] and c,
                                what=f"{reason} {message}")

    def count(self, sidecar, series, label):
        return sum(v for k, v in sidecar.metrics().items() if k.startswith(f"outrigger_consumer_{series}_total{{") and label in k)

    def test_record_too_large(self):
        """413 with `limit: max.message.bytes`"""
        answer = self.sidecar("routes:\n  - {topic: small}\n").post("/v1/events/a.b", {"x": "y" * 2000})
        self.assertEqual((answer.status, answer.json["limit"]), (413, "max.message.bytes"))

    def test_kafka_away(self):
        """503 "Kafka can't be reached: …\""""
        sidecar = self.sidecar(env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}"})
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["status"] == "False", what="the condition")
        reason = "refused|transport failure"
        sidecar.wait_for(lambda: re.search(reason, sidecar.condition("KafkaConnected")["message"]), what="the reason in /status")
        answer = sidecar.wait_for(lambda: (a := sidecar.post("/v1/events/a.b", {})).json["outcome"] == "none" and a, what="503 at once")
        self.assertEqual(answer.status, 503)
        self.assertRegex(answer.json["detail"], f"Kafka can't be reached: .*({reason})")

    def test_topic_missing(self):
        """503 for one topic only"""
        sidecar = self.sidecar("routes:\n  - {match: {type: 'lost.*'}, topic: lost}\n  - {topic: work}\n")
        answer = sidecar.post("/v1/events/lost.event", {})
        self.assertEqual((answer.status, answer.json["outcome"]), (503, "none"))
        self.assertRegex(answer.json["detail"], "lost.*(does not exist|Unknown topic)")
        self.assertEqual(sidecar.post("/v1/events/other.event", {}).status, 200)

    def test_cluster_slow(self):
        """503 `outcome: unknown`"""
        sidecar = self.sidecar("routes:\n  - {topic: work}\nhttp:\n  ackTimeout: 300ms\n")
        sidecar.wait_for(lambda: sidecar.post("/v1/events/a.b", {}).status == 200, what="a quick cluster")
        self.kafka.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.kafka.process.send_signal, signal.SIGCONT)
        answer = sidecar.post("/v1/events/a.b?id=slow", {})
        self.assertEqual((answer.status, answer.json["outcome"]), (503, "unknown"), answer.body)
        self.kafka.process.send_signal(signal.SIGCONT)
        sidecar.wait_for(lambda: sidecar.post("/v1/events/a.b?id=slow", {}).status == 200, what="the same id's answer")
        self.assertEqual(sum(r.headers["ce_id"] == "slow" for r in read_topic(self.kafka.bootstrap, "work")), 1)

    def test_password(self):
        """`KafkaConnected` `AuthenticationFailed`"""
        sidecar = Sidecar(env={"KAFKA_BROKERS": f"127.0.0.1:{self.sasl_port}"})
        self.addCleanup(sidecar.close)
        password = sidecar.folder / "password"
        sidecar.write_config(HEAD + BY_SASL.format(password=password))
        password.write_text("wrong")
        sidecar.start()
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["reason"] == "AuthenticationFailed", what="the condition")
        sidecar.stop()
        password.write_text("s3cret")
        sidecar.start()
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["status"] == "True", what="the right password")

    def test_topic_misspelt(self):
        """`Delivering/<name>` `TopicMissing`"""
        self.delivering(self.worker(topic="wrok"), "TopicMissing", "Subscribed topic not available: wrok")

    def test_fenced(self):
        """`Delivering/<name>` `Fenced`"""
        one_id = "kafka: {consumer: {properties: {group.instance.id: pod, session.timeout.ms: 3000, heartbeat.interval.ms: 500}}}\n"
        first, second = (self.worker(more=one_id) for _ in range(2))
        fenced = first.wait_for(lambda: next((w for w in (first, second) if w.condition("Delivering/worker")["reason"] == "Fenced"), None), what="a clash")
        self.assertIn('"pod"', fenced.condition("Delivering/worker")["message"])
        (second if fenced is first else first).stop()
        fenced.wait_for(lambda: fenced.condition("Delivering/worker")["reason"] == "Delivering", 60, "its turn")

    def test_records_lost(self):
        """`RecordsLost/<name>`"""
        sidecar = self.worker(topic="small")
        self.delivering(sidecar, "Delivering", "1 partitions")
        sidecar.stop()
        self.kafka.write("small", ["{}"] * 20)
        self.kafka.delete_records("small", 15)
        sidecar.start()
        condition = sidecar.wait_for(lambda: sidecar.condition("RecordsLost/worker"), what="the condition")
        self.assertIn("small/0: the records from offset ", condition["message"])
        self.assertIn(" to 14 were deleted", condition["message"])

    def test_partitions_taken(self):
        """`Delivering/<name>`: "no partition of its own\""""
        workers = [self.worker(topic="small") for _ in range(2)]
        Sidecar.wait_for(lambda: sorted(w.condition("Delivering/worker")["message"].split(":")[0] for w in workers) == ["1 partitions", "no partition of its own"],
                         30, "one partition for two")
        busy, idle = sorted(workers, key=lambda w: w.condition("Delivering/worker")["message"])
        busy.stop()
        self.delivering(idle, "Delivering", "1 partitions")

    def test_filtered(self):
        """nothing is delivered, `outcome="filtered"` grows"""
        sidecar = self.worker(kind="order.payed")
        self.assertEqual(sidecar.post("/v1/events/order.paid", {}).status, 200)
        sidecar.wait_for(lambda: self.count(sidecar, "events", 'outcome="filtered"') > 0, what="the count")
        self.assertEqual(self.app.count(), 0)

    def test_no_handler(self):
        """`reason="status_4xx"`, and events are retried"""
        node = NodeApp(1, smtp_port=1)
        self.addCleanup(node.close)
        node.start()
        sidecar = self.sidecar(TO_WORK.format(topic="work", type="user.*", url=f"http://127.0.0.1:{node.handlers_port}/handlers/users/{{type}}",
                                              group="nobody", concurrency=64))
        sidecar.post("/v1/events/user.registered", USER)
        sidecar.wait_for(lambda: self.count(sidecar, "events", 'outcome="retried"') > 0, what="a retry")
        self.assertGreater(self.count(sidecar, "failures", 'reason="status_4xx"'), 0)

    def test_dead_letter(self):
        """events end up in the dead-letter topic"""
        sidecar = self.worker(lambda call: (422, "courseId is missing") if call.headers["ce-type"] == "order.bad" else 200, kind="order.*")
        for kind in ("order.good", "order.bad", "order.good"):
            sidecar.post(f"/v1/events/{kind}?key={kind}", {})
        sidecar.wait_for(lambda: self.count(sidecar, "events", 'outcome="dead_lettered"') > 0, what="the dead-letter record")
        dead_letter = next(r for r in read_topic(self.kafka.bootstrap, "dead") if r.headers["ce_type"] == "order.bad")
        self.assertEqual({n: dead_letter.headers[f"outrigger-error-{n}"] for n in ("status", "body", "attempts")},
                         {"status": "422", "body": "courseId is missing", "attempts": "1"})

    def test_app_down(self):
        """`Delivering/<name>` `AppDown`"""
        sidecar = self.worker()
        self.app.stop()
        sidecar.post("/v1/events/order.paid", {})
        self.delivering(sidecar, "AppDown", str(self.app.port))
        self.app.start()
        self.delivering(sidecar, "Delivering")
        sidecar.wait_for(lambda: self.app.count() > 0, what="the delivery")
        self.assertEqual(self.app.calls[0].attempt, 1)

    def test_lag(self):
        """`outrigger_consumer_lag` grows"""
        slow = threading.Event()
        self.addCleanup(slow.set)

        def lag(sidecar):
            return sum(v for k, v in sidecar.metrics().items() if k.startswith("outrigger_consumer_lag{"))

        first = self.worker(lambda call: slow.wait(0.02) and 200 or 200, concurrency=1)
        lines = "".join(json.dumps({"type": "order.paid", "key": f"k{n}", "data": {"n": n}}) + "\n" for n in range(400))
        self.assertEqual(first.post("/v1/events", lines, {"content-type": "application/x-ndjson"}).json["accepted"], 400)
        first.wait_for(lambda: lag(first) > 100, what="the lag")
        second = self.worker(self.app.answer, concurrency=1)
        first.wait_for(lambda: self.delivering(second, "Delivering", "2 partitions") and self.delivering(first, "Delivering", "2 partitions"), what="sharing")
        first.wait_for(lambda: self.count(second, "events", 'outcome="delivered"') > 0, what="the second pod's share")
        slow.set()
        first.wait_for(lambda: lag(first) == 0 and lag(second) == 0, 30, "no lag")
        self.assertIn('outrigger_delivery_latency_seconds_count{subscription="worker"}', first.metrics())


class Table(unittest.TestCase):
    def test_every_row_has_its_test_and_every_test_its_row(self):
        table = (ROOT / "src/ops/README.md").read_text().split("## When something is wrong")[1].split("\n## ")[0]
        lines = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")][2:]
        tests = [test._testMethodDoc for case in (Publishing, OnARealKafka) for test in unittest.defaultTestLoader.loadTestsFromTestCase(case)]
        tests += [test._testMethodDoc for case in consumer_troubles_test.TOLD for test in unittest.defaultTestLoader.loadTestsFromTestCase(case)
                  if test._testMethodDoc]
        self.assertEqual(sorted(tests), sorted(lines))


if __name__ == "__main__":
    unittest.main()
