"""What Kafka refuses a consumer, or makes it miss: commits, permissions, topics that are deleted and created again."""
import json
import subprocess
import time
import unittest

from case import Kafka, KafkaCase, KafkaUnavailable, free_ports  # first: it says where the support modules are
from app import App
from kafka import ACLS, SASL_PLAIN

GROUP = "troubles"
SUBSCRIPTION = """
kafka:
  groupId: troubles
  consumer: {{properties: {{session.timeout.ms: 6000, heartbeat.interval.ms: 500, topic.metadata.refresh.interval.ms: 10000}}}}
{security}
subscriptions:
  - name: test
    topics: ["{topic}"]
    group: {group}
    deliver: {{url: "{url}", timeout: 2s}}
    retry: {{attempts: 5, backoff: {{initial: 20ms, max: 100ms}}}}
"""


class ConsumerCase(KafkaCase):
    def setUp(self):
        self.topic = self.id().rsplit(".", 1)[-1].replace("test_", "")[:60]
        self.app = App().start()
        self.addCleanup(self.app.stop)

    def consume(self, answer=None, topic=None, security="", partitions=2, **options):
        """A sidecar that delivers from this test's topic, made first, or from one that is there."""
        self.app.answer = answer or (lambda call: 200)
        if topic is None:
            self.kafka.create_topic(self.topic, partitions=partitions)
        return self.sidecar(SUBSCRIPTION.format(topic=topic or self.topic, group=self.topic, url=self.app.url, security=security), **options)

    def write(self, first, count, keys=10, topic=None):
        """Plain JSON events number `first` and on, by another client than ours."""
        lines = "".join(f"k{n % keys}:" + json.dumps({"id": f"e{n}", "type": "test.event", "data": {"n": n}}) + "\n" for n in range(first, first + count))
        subprocess.run(["kcat", "-P", "-b", self.kafka.bootstrap, "-t", topic or self.topic, "-K", ":"], input=lines.encode(), check=True,
                       timeout=30, stderr=subprocess.DEVNULL)

    def delivered(self):
        return {call.json["data"]["n"] for call in list(self.app.calls) if call.done == 200}

    def committed(self):
        """The sum of the group's committed offsets."""
        return sum(self.kafka.committed(self.topic).values())

    def condition(self, sidecar, reason, timeout=20, message=""):
        return sidecar.wait_for(lambda: (c := sidecar.condition("Delivering/test")) and c["reason"] == reason and message in c["message"] and c,
                                timeout, f"{reason} {message}: {sidecar.condition('Delivering/test')}")


class LittleMetadata(ConsumerCase):
    properties = {"offset.metadata.max.bytes": "40"}

    def test_offsets_move_and_retries_go_on_when_the_broker_takes_little_metadata(self):
        """"bytes of metadata" in `Delivering/<name>`"""
        # What settles behind two keys that fail needs more metadata than there may be.
        sidecar = self.consume(lambda call: 500 if call.json["data"]["n"] % 40 in (3, 7) and call.attempt < 3 else 200)
        self.write(0, 400, keys=40)
        sidecar.wait_for(lambda: self.delivered() == set(range(400)), 60, "all events")
        sidecar.wait_for(lambda: self.committed() == 400, 30, "the commits")
        self.assertEqual({call.attempt for call in self.app.calls if call.json["data"]["n"] == 3}, {1, 2, 3})
        self.assertIn("offset.metadata.max.bytes", sidecar.log)
        condition = self.condition(sidecar, "Delivering", message="bytes of metadata")
        self.assertEqual(condition["status"], "True", "offsets move")
        self.assertGreater(sidecar.metrics()['outrigger_consumer_commits_refused_total{subscription="test"}'], 0)
        said = [line for line in sidecar.log_lines() if "did not take the offset" in line["message"]]
        self.assertLess(len(said), 10, "once in a while")


class Permissions(ConsumerCase):
    @classmethod
    def setUpClass(cls):
        cls.sasl_port = free_ports(1)[0]
        try:
            cls.kafka = Kafka(sasl_port=cls.sasl_port, properties={**SASL_PLAIN, **ACLS})
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        cls.addClassCleanup(cls.kafka.close)
        cls.kafka.format().start()

    def start(self, answer=None):
        self.kafka.acl("--add", "--topic", self.topic, operations=("DESCRIBE",))
        self.allow("--topic")
        self.allow("--group")
        password = self.kafka.folder / "password"
        password.write_text("s3cret")
        sidecar = self.consume(answer, env={"KAFKA_BROKERS": f"127.0.0.1:{self.sasl_port}"}, security=(
            f"  security: {{protocol: SASL_PLAINTEXT, mechanism: PLAIN, username: app, passwordFile: {password}}}"))
        self.write(0, 20)
        sidecar.wait_for(lambda: self.committed() == 20, 30, "the first commits")
        self.condition(sidecar, "Delivering")
        return sidecar

    def allow(self, what):
        self.kafka.acl("--add", what, self.topic, operations=("READ",))

    def forbid(self, what):
        self.kafka.acl("--remove", what, self.topic, operations=("READ",))

    def test_without_read_on_the_group_retries_go_on_and_recovery_is_seen_within_seconds(self):
        """`Delivering/<name>` `CommitsRefused`"""
        sidecar = self.start(lambda call: 500 if call.attempt < 3 and call.json["data"]["n"] >= 20 and call.json["data"]["n"] % 5 == 0 else 200)
        self.forbid("--group")
        self.write(20, 20)
        refused = self.condition(sidecar, "CommitsRefused", message="READ on the group")
        self.assertEqual(refused["status"], "False")
        sidecar.wait_for(lambda: self.delivered() == set(range(40)), 10, "retries beside refused commits")
        self.allow("--group")
        self.condition(sidecar, "Delivering", 10)
        sidecar.wait_for(lambda: self.committed() == 40, 30, "the commits")

    def test_without_read_on_the_group_for_longer_than_the_session_recovery_is_seen_within_seconds(self):
        sidecar = self.start()
        self.forbid("--group")
        self.condition(sidecar, "KafkaRefuses", 30, "Group authorization failed")
        self.allow("--group")
        self.condition(sidecar, "Delivering", 10)
        self.write(20, 20)
        sidecar.wait_for(lambda: self.delivered() == set(range(40)), 20, "delivery to go on")

    def test_without_read_on_the_topic_it_is_said_and_recovery_is_seen_within_seconds_though_nothing_comes(self):
        """`Delivering/<name>` `KafkaRefuses`"""
        sidecar = self.start()
        self.forbid("--topic")
        self.write(20, 2, keys=2)
        self.condition(sidecar, "KafkaRefuses", 20, "uthorization failed")
        self.allow("--topic")
        self.condition(sidecar, "Delivering", 10)
        sidecar.wait_for(lambda: self.delivered() == set(range(22)), 10, "what came meanwhile")


class CreatedAgain(ConsumerCase):
    """Each restart of the broker raises its topics' leader epochs; a topic that is created again begins with the lowest."""

    def recreate(self, sidecar, answer_down):
        self.write(0, 20)
        sidecar.wait_for(lambda: self.committed() == 20, 30, "the first commits")
        for _ in range(2):
            self.kafka.stop()
            self.kafka.start()
        self.write(20, 20)
        sidecar.wait_for(lambda: self.delivered() >= set(range(40)), 60, "delivery after the restarts")
        self.condition(sidecar, "Delivering", 30)
        if answer_down:
            self.app.stop()
            self.write(40, 1)
            self.condition(sidecar, "AppDown")
        self.kafka.delete_topic(self.topic)
        self.kafka.create_topic(self.topic, partitions=2)
        self.write(100, 20)  # fewer than the group has committed of the old one
        if answer_down:
            self.app.start()
        sidecar.wait_for(lambda: self.delivered() >= set(range(100, 120)), 120, "the events of the new topic")
        self.condition(sidecar, "Delivering", 30)
        sidecar.wait_for(lambda: self.committed() == 20, 30, "the commits of the new topic")

    def test_a_topic_that_is_created_again_is_delivered_within_a_bounded_time(self):
        """`Delivering/<name>` `NotFetching`, `NotJoined`"""
        self.recreate(self.consume(), False)

    def test_a_topic_that_is_created_again_while_the_app_is_away_is_delivered_too(self):
        self.recreate(self.consume(), True)


class Expressions(ConsumerCase):
    def test_an_expression_that_no_topic_matches_is_said_until_one_does(self):
        sidecar = self.consume(topic=f"^{self.topic}[.].*")
        self.condition(sidecar, "TopicMissing", message=f"no topic matches ^{self.topic}[.].*")
        self.kafka.create_topic(f"{self.topic}.one", partitions=1)
        self.condition(sidecar, "Delivering", 20, "1 partitions")
        self.write(0, 10, topic=f"{self.topic}.one")
        sidecar.wait_for(lambda: self.delivered() == set(range(10)), 20, "its events")


class KafkaAway(ConsumerCase):
    def test_the_last_lag_stays_while_kafka_is_away_and_the_reason_is_right_again_when_it_is_back(self):
        sidecar = self.consume(lambda call: 503, partitions=1)
        self.app.stop()
        self.write(0, 225)
        name = f'outrigger_consumer_lag{{group="{self.topic}",partition="0",topic="{self.topic}"}}'
        sidecar.wait_for(lambda: sidecar.metrics().get(name) == 225, 20, "the lag")
        self.kafka.stop()
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_kafka_connected"] == 0, 30, "the outage to be seen")
        self.condition(sidecar, "AppDown", message="Connecting: ")
        end = time.monotonic() + 10  # longer than the session
        sidecar.wait_for(lambda: self.assertEqual(sidecar.metrics().get(name), 225) or time.monotonic() > end, 15)
        self.app.answer = lambda call: 200
        self.app.start()
        self.condition(sidecar, "Connecting")
        self.kafka.start()
        self.condition(sidecar, "Delivering", 30)
        sidecar.wait_for(lambda: sidecar.metrics().get(name) == 0, 30, "the lag's end")


# These docstrings are rows of the table in src/ops/README.md, too.
TOLD = (LittleMetadata, Permissions, CreatedAgain)


if __name__ == "__main__":
    unittest.main()
