"""The producer where a topic or the cluster changes under it: permissions, limits, compaction, partitions, a topic made again."""
import http.client
import json
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from case import HEAD, Kafka, KafkaCase, KafkaUnavailable, Sidecar, free_ports, read_topic  # first: it says where the support modules are
from app import App
from kafka import ACLS
from publishers import Publishers, check_order, check_stored
from spool_case import Crashes

PATIENT = "http:\n  ackTimeout: 60s\n"


class Permissions(unittest.TestCase):
    """SCRAM and ACLs; a client without a password is the administrator."""

    @classmethod
    def setUpClass(cls):
        cls.sasl_port = free_ports(1)[0]
        try:
            cls.kafka = Kafka(sasl_port=cls.sasl_port, properties={
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                **ACLS,
            })
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        cls.addClassCleanup(cls.kafka.close)
        properties = cls.kafka.folder / "server.properties"
        properties.write_text(properties.read_text().replace("SASL_SSL", "SASL_PLAINTEXT"))
        cls.kafka.format(scram_users=[("app", "s3cret"), ("other", "s3cret"), ("reader", "s3cret")]).start()

    def start(self, text, user="app"):
        sidecar = Sidecar(env={"KAFKA_BROKERS": f"127.0.0.1:{self.sasl_port}"}, text=HEAD + "kafka:\n  security:\n"
                          f"    {{protocol: SASL_PLAINTEXT, mechanism: SCRAM-SHA-512, username: {user}, password: s3cret}}\n" + text)
        self.addCleanup(sidecar.close)
        return sidecar.start()

    def publishes(self, sidecar, path="/v1/events/a.b?key=k", timeout=60):
        sidecar.wait_for(lambda: sidecar.post(path, {}).status == 200, timeout, "publishing")

    def healthy(self, sidecar):
        sidecar.wait_for(lambda: (c := sidecar.condition("KafkaConnected"))["reason"] == "Connected" and c["status"] == "True", what="the condition")

    def test_write_granted_late_lets_publishing_and_dead_letters_go_on_without_a_restart(self):
        for topic in ("work", "dead", "published"):
            self.kafka.create_topic(topic, partitions=1)
        for topic in ("dead", "published"):
            self.kafka.acl("--add", "--topic", topic, operations=("DESCRIBE",))
        self.kafka.acl("--add", "--topic", "work", operations=("READ", "DESCRIBE"))
        self.kafka.acl("--add", "--group", "g", operations=("READ",))
        app = App(lambda call: 400).start()
        self.addCleanup(app.stop)
        sidecar = self.start(f"routes:\n  - {{topic: published}}\nsubscriptions:\n"
                             f"  - {{name: s, topics: [work], group: g, deliver: {{url: '{app.url}'}}, deadLetter: dead}}\n")
        subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-P", "-t", "work", "-k", "k"], input=b"{}", check=True)
        sidecar.wait_for(lambda: app.count() > 0, 60, "the event to be tried")
        condition = sidecar.wait_for(lambda: (c := sidecar.condition("KafkaConnected"))["reason"] == "PublishingRefused" and c, 30, "the condition")
        self.assertEqual(condition["status"], "False")
        self.assertIn("cluster", condition["message"])
        self.assertIn("IDEMPOTENT_WRITE", condition["message"])
        answer = sidecar.wait_for(lambda: (a := sidecar.post("/v1/events/a.b", {})).json.get("outcome") == "none" and a, 30, "a refusal")
        self.assertEqual(answer.status, 503)
        self.assertIn("IDEMPOTENT_WRITE", answer.json["detail"])
        # Each flow's client counts.
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_producer_rebuilds_total"] >= 3, 30, "rebuilds to be counted")
        self.assertEqual(read_topic(self.kafka.bootstrap, "dead"), [])
        for topic in ("dead", "published"):
            self.kafka.acl("--add", "--topic", topic)
        began = time.monotonic()
        self.publishes(sidecar)
        print(f"published {time.monotonic() - began:.1f} s after the grant", end=" ")
        sidecar.wait_for(lambda: read_topic(self.kafka.bootstrap, "dead"), 60, "the dead-letter record")
        self.healthy(sidecar)

    def test_write_revoked_and_granted_again_names_the_topic_meanwhile(self):
        self.kafka.create_topic("mine", partitions=1)
        self.kafka.create_topic("others", partitions=1)
        for topic in ("mine", "others"):
            self.kafka.acl("--add", "--topic", topic, operations=("WRITE", "DESCRIBE"), user="other")
        sidecar = self.start("routes:\n  - {match: {type: 'o.*'}, topic: others}\n  - {topic: mine}\n", user="other")
        self.publishes(sidecar)
        for _ in range(2):
            self.kafka.acl("--remove", "--topic", "mine", user="other")
            answer = sidecar.wait_for(lambda: (a := sidecar.post("/v1/events/a.b?key=k", {})).status == 503 and a, 30, "a refusal")
            self.assertIn("mine", answer.json["detail"])
            self.assertEqual(answer.json["outcome"], "none")
            condition = sidecar.wait_for(lambda: (c := sidecar.condition("KafkaConnected"))["reason"] == "TopicRefused" and c, what="the condition")
            self.assertEqual(condition["status"], "True")
            self.assertIn("mine", condition["message"])
            self.publishes(sidecar, "/v1/events/o.b", 1)
            self.kafka.acl("--add", "--topic", "mine", user="other")
            self.publishes(sidecar)
            self.healthy(sidecar)
        self.assertEqual(sidecar.metrics()["outrigger_producer_rebuilds_total"], 0, "one topic costs the others nothing")


class PermissionsWithSpool(Crashes, Permissions):
    """What Kafka does not let the sidecar publish waits in the spool."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="outrigger-spool-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, text, user="app"):
        return super().start(f"spool: {{path: {self.folder}}}\n{text}", user)

    def spool(self, sidecar, numbers, path="/v1/events/a.b"):
        for number in numbers:
            answer = sidecar.post(f"{path}?key=spooled", number)
            self.assertEqual(answer.status, 202, answer.body)

    def arrive(self, sidecar, topic, numbers):
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_spool_records"] == 0, 60, "the spool to drain")
        records = [record for record in read_topic(self.kafka.bootstrap, topic) if record.key == "spooled"]
        self.assertEqual([json.loads(record.value) for record in records], list(numbers))

    def test_write_granted_late_lets_publishing_and_dead_letters_go_on_without_a_restart(self):
        self.kafka.create_topic("late", partitions=1)
        self.kafka.acl("--add", "--topic", "late", operations=("DESCRIBE",))
        sidecar = self.start("routes:\n  - {topic: late}\n")
        self.spool(sidecar, range(20))
        condition = sidecar.wait_for(lambda: (c := sidecar.condition("SpoolDrained"))["status"] == "False" and "IDEMPOTENT_WRITE" in c["message"] and c,
                                     30, "the condition")
        self.assertEqual(condition["reason"], "WaitingForKafka")
        self.kafka.acl("--add", "--topic", "late")
        self.arrive(sidecar, "late", range(20))
        self.publishes(sidecar)

    def test_write_revoked_and_granted_again_names_the_topic_meanwhile(self):
        for topic in ("closed", "open"):
            self.kafka.create_topic(topic, partitions=1)
            self.kafka.acl("--add", "--topic", topic, operations=("WRITE", "DESCRIBE"), user="other")
        sidecar = self.start("routes:\n  - {match: {type: 'o.*'}, topic: open}\n  - {topic: closed}\n", user="other")
        self.publishes(sidecar)
        self.publishes(sidecar, "/v1/events/o.b")
        self.kafka.acl("--remove", "--topic", "closed", user="other")
        sidecar.wait_for(lambda: sidecar.post("/v1/events/a.b?key=k", {}).status == 202, 30, "an event to be spooled")
        self.spool(sidecar, range(10))
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["reason"] == "TopicRefused", 30, "the condition")
        for _ in range(10):
            self.assertEqual(sidecar.post("/v1/events/o.b?key=k", {}).status, 200)
        self.kafka.acl("--add", "--topic", "closed", user="other")
        self.arrive(sidecar, "closed", range(10))
        self.publishes(sidecar)
        self.healthy(sidecar)

    def test_a_wrong_password_that_becomes_right_lets_the_spool_drain(self):
        self.kafka.create_topic("known", partitions=1)
        self.kafka.scram("newcomer", "another")
        self.kafka.acl("--add", "--topic", "known", operations=("WRITE", "DESCRIBE"), user="newcomer")
        sidecar = self.start("routes:\n  - {topic: known}\n", user="newcomer")
        self.spool(sidecar, range(10))
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["reason"] == "AuthenticationFailed", 30, "the condition")
        self.kafka.scram("newcomer", "s3cret")
        self.arrive(sidecar, "known", range(10))
        self.publishes(sidecar)

    def test_without_read_what_kafka_had_before_a_crash_is_sent_again_and_the_log_says_what_to_grant(self):
        self.kafka.create_topic("unread", partitions=1)
        # Its own user: who may write to a topic may write idempotently, which the others are not to.
        self.kafka.acl("--add", "--topic", "unread", operations=("WRITE", "DESCRIBE"), user="reader")
        sidecar = self.start("routes:\n  - {topic: unread}\n", user="reader")
        sidecar.binary = self.debug_binary()
        self.publishes(sidecar)
        for granted in (False, True):
            if granted:
                self.kafka.acl("--add", "--topic", "unread", operations=("READ",), user="reader")
            sidecar.stop()
            sidecar.env["OUTRIGGER_FAIL_POINT"] = "row-acked:10"
            sidecar.start()
            lines = "".join(f'{{"type":"a.b","key":"{granted}","data":{n}}}\n' for n in range(10))
            try:
                sidecar.post("/v1/events?ack=disk", lines, {"content-type": "application/x-ndjson"})
            except (OSError, http.client.HTTPException):
                pass  # it is dead
            self.wait_for_death(sidecar)
            sidecar.start()
            sidecar.wait_for(lambda: sidecar.metrics()["outrigger_spool_records"] == 0, 60, "the spool to drain")
            values = [json.loads(record.value) for record in read_topic(self.kafka.bootstrap, "unread") if record.key == str(granted)]
            self.assertEqual(set(values), set(range(10)))
            self.assertEqual(len(values) == 10, granted, values)
            self.assertEqual(sidecar.log.count("ACL with READ on unread"), 1, "only without the grant")


class Refusals(KafkaCase):
    """Records that a topic refuses among those that it takes; of one key, those it takes stay in order."""

    def stream(self, sidecar, turn, lines=20000, keyless=400):
        def line(n):
            key = "" if keyless and n % keyless == keyless - 1 else f'"key":"k{n % 50}",'
            return f'{{"type":"a.b","id":"{turn}-{n}",{key}"data":{n}}}\n'

        return sidecar.post("/v1/events", "".join(map(line, range(lines))), {"content-type": "application/x-ndjson"})

    def check(self, topic, turn, lines, bad):
        """Each line that is not bad is there, of each key the first ones in order."""
        seen, out_of_order = {}, 0
        for record in read_topic(self.kafka.bootstrap, topic, timeout=60):
            of, number = record.headers["ce_id"].split("-")
            if of != str(turn):
                continue
            numbers = seen.setdefault(record.key, {})
            if int(number) in numbers:
                continue
            out_of_order += int(number) < next(reversed(numbers), -1)
            numbers[int(number)] = True
        stored = {n for numbers in seen.values() for n in numbers}
        self.assertEqual(stored, {n for n in range(lines) if not bad(n)})
        self.assertEqual(out_of_order, 0)

    def test_records_without_a_key_in_a_compacted_topic_keep_the_others_in_order(self):
        self.kafka.create_topic("compacted", partitions=1, cleanup_policy="compact")
        sidecar = self.sidecar(f"routes:\n  - {{topic: compacted}}\n{PATIENT}")
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 422)
        for turn in range(5):
            answer = self.stream(sidecar, turn)
            self.assertEqual((answer.json["accepted"], answer.json["failed"]), (19950, 50))
            self.check("compacted", turn, 20000, lambda n: n % 400 == 399)
        self.assertEqual(answer.json["failures"][0]["problem"]["status"], 422)
        self.assertIn("without a key", answer.json["failures"][0]["problem"]["detail"])
        self.assertEqual(sidecar.metrics()["outrigger_producer_rebuilds_total"], 0, "refused unasked")

    def test_a_topic_that_is_compacted_from_now_on_keeps_the_others_in_order_too(self):
        for turn in range(3):
            topic = f"later{turn}"
            self.kafka.create_topic(topic, partitions=1)
            sidecar = self.sidecar(f"routes:\n  - {{topic: {topic}}}\n{PATIENT}")
            self.assertEqual(self.stream(sidecar, "first", 100, 0).json["accepted"], 100)
            self.kafka.configure_topic(topic, cleanup_policy="compact")
            answer = self.stream(sidecar, turn, 4000)
            self.assertEqual((answer.json["accepted"], answer.json["failed"]), (3990, 10))
            self.check(topic, turn, 4000, lambda n: n % 400 == 399)
            print(sidecar.metrics()["outrigger_producer_rebuilds_total"], "rebuilds", end=" ")
            sidecar.close()

    def test_a_limit_that_is_lowered_under_load_keeps_the_others_in_order_too(self):
        self.kafka.create_topic("load.events", partitions=2)
        sidecar = self.sidecar()

        def body(key, number):
            return f"{number} " + ("x" * 5000 if (key + number) % 50 == 7 else "y" * 200)

        load = Publishers(sidecar, keys=200, body=body).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: load.count() > 1000, 60, "load")
        self.kafka.configure_topic("load.events", max_message_bytes=3000)
        before = load.count()
        sidecar.wait_for(lambda: load.count() > before + 5000, 120, "load to go on")
        load.stop()
        records = read_topic(self.kafka.bootstrap, "load.events", timeout=60)
        check_stored(self, load, records)
        self.assertEqual(set(load.refused.values()), {413})
        check_order(self, records)


    def test_headers_that_are_too_large_by_themselves_are_413(self):
        self.kafka.create_topic("tiny", partitions=1, max_message_bytes=2000)
        sidecar = self.sidecar("http:\n  rawTopics: [tiny]\n")
        for size, status in ((100, 200), (1990, 413), (5000, 413), (100, 200)):
            answer = sidecar.post("/v1/topics/tiny?key=k", "{}", {"kafka-x": "y" * size})
            self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(sidecar.post("/v1/topics/tiny", "{}", {"kafka-x": "y" * 5000}).json["limit"], "max.message.bytes")


class Partitions(KafkaCase):
    def test_a_partition_of_a_topic_that_has_just_grown_is_there(self):
        self.kafka.create_topic("raw", partitions=2)
        sidecar = self.sidecar("http:\n  rawTopics: [raw]\n")
        self.assertEqual(sidecar.post("/v1/topics/raw?partition=1", "x").status, 200)
        self.kafka.grow_topic("raw", 6)
        answer = sidecar.post("/v1/topics/raw?partition=5", "x")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json["partition"], 5)

    def test_a_partition_that_is_not_there_is_refused_soon_and_asked_for_rarely(self):
        self.kafka.create_topic("raw2", partitions=2)
        sidecar = self.sidecar("http:\n  rawTopics: [raw2]\n")
        self.assertEqual(sidecar.post("/v1/topics/raw2?partition=1", "x").status, 200)
        began = time.monotonic()
        for _ in range(3):
            answer = sidecar.post("/v1/topics/raw2?partition=2", "x")
            self.assertEqual(answer.status, 422)
            self.assertIn("2 partitions", answer.json["detail"])
        self.assertGreater(time.monotonic() - began, 1.9, "no more than one look a second")
        self.assertLess(time.monotonic() - began, 4.5)

    def test_a_topic_deleted_and_made_again_under_load_goes_on_in_bounded_time(self):
        self.kafka.create_topic("again", partitions=3)
        # Each start raises the leaders' epochs; those of the new topic begin at 0.
        for _ in range(2):
            self.kafka.stop()
            self.kafka.start()
        sidecar = self.sidecar("routes:\n  - {topic: again}\nhttp:\n  ackTimeout: 2s\n")
        load = Publishers(sidecar, keys=40).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: load.count() > 2000, 60, "load")
        self.kafka.delete_topic("again")
        subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-L", "-t", "again"], capture_output=True)
        began, before = time.monotonic(), load.numbers()
        sidecar.wait_for(lambda: all(number > before[key] + 5 for key, number in load.numbers().items()), 90, "every key to go on")
        print(f"{time.monotonic() - began:.1f} s, {sidecar.metrics()['outrigger_producer_rebuilds_total']} rebuilds", end=" ")
        load.stop()
        records = read_topic(self.kafka.bootstrap, "again", timeout=60)
        check_order(self, records)
        stored = {(r.key, int(r.value.split()[0])) for r in records}
        lost = {e for e in load.acked if e not in stored and e[1] > before[e[0]] + 1}
        self.assertEqual(lost, set(), "acknowledged after the topic was made again")


class TwoBrokers(unittest.TestCase):
    def test_a_topic_made_again_with_a_lower_leader_epoch_elsewhere_goes_on_in_bounded_time(self):
        try:
            kafka = Kafka(properties={"auto.create.topics.enable": "false"}, heap="256m")
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        self.addCleanup(kafka.close)
        kafka.format().start()
        other = kafka.beside(properties={"auto.create.topics.enable": "false"}, heap="256m")
        self.addCleanup(other.close)
        kafka.create_topic("again", on=2)
        for _ in range(2):  # each raises the leader's epoch
            other.stop()
            other.start()
        sidecar = Sidecar(text=HEAD + "routes:\n  - {topic: again}\nhttp:\n  ackTimeout: 2s\n", env={"KAFKA_BROKERS": kafka.bootstrap})
        self.addCleanup(sidecar.close)
        sidecar.start()
        load = Publishers(sidecar, keys=40).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: load.count() > 500, 60, "load")
        # The tools are slow: so that the client never sees the topic missing, it is stopped meanwhile.
        sidecar.process.send_signal(signal.SIGSTOP)
        kafka.delete_topic("again")
        kafka.create_topic("again", on=1)
        sidecar.process.send_signal(signal.SIGCONT)
        began, before = time.monotonic(), load.numbers()
        sidecar.wait_for(lambda: all(number > before[key] + 5 for key, number in load.numbers().items()), 90, "every key to go on")
        print(f"{time.monotonic() - began:.1f} s, {sidecar.metrics()['outrigger_producer_rebuilds_total']} rebuilds", end=" ")
        load.stop()
        records = read_topic(kafka.bootstrap, "again", timeout=60)
        check_order(self, records)
        stored = {(r.key, int(r.value.split()[0])) for r in records}
        self.assertEqual({e for e in load.acked if e not in stored and e[1] > before[e[0]] + 1}, set())


class Forgetting(unittest.TestCase):
    def test_a_broker_that_has_forgotten_the_client_takes_its_next_events(self):
        try:
            kafka = Kafka(properties={"producer.id.expiration.ms": 1000, "producer.id.expiration.check.interval.ms": 500})
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        self.addCleanup(kafka.close)
        kafka.format().start()
        kafka.create_topic("t", partitions=1)
        with Sidecar(text=HEAD + "routes:\n  - {topic: t}\n", env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
            sidecar.start()
            for turn in range(4):
                lines = "".join(json.dumps({"type": "a.b", "key": "k", "id": f"{turn}-{n}", "data": n}) + "\n" for n in range(2000))
                answer = sidecar.post("/v1/events", lines, {"content-type": "application/x-ndjson"})
                self.assertEqual((answer.status, answer.json["accepted"]), (200, 2000))
                quiet = time.monotonic()
                sidecar.wait_for(lambda: time.monotonic() - quiet > 2.5, what="the broker to forget")
            stored = [r.headers["ce_id"] for r in read_topic(kafka.bootstrap, "t")]
            self.assertEqual(stored, [f"{turn}-{n}" for turn in range(4) for n in range(2000)])
            self.assertEqual(sidecar.metrics()["outrigger_producer_rebuilds_total"], 0)


if __name__ == "__main__":
    unittest.main()
