"""Kafka stopped, started, killed and slow to come, under load; topics with a small limit; the drain. No 200 that isn't in Kafka."""
import json
import signal
import time
import unittest

from case import HEAD, Kafka, KafkaCase, Sidecar, free_ports, read_topic
from publishers import Publishers, check_order, check_stored


class KafkaGoesAndComes(KafkaCase):
    def test_stop_and_start_under_load(self):
        sidecar = self.sidecar("http:\n  ackTimeout: 2s\n")
        load = Publishers(sidecar, keys=200).start()
        sidecar.wait_for(lambda: load.count() > 2000, what="load")
        for kill in (False, True):
            self.kafka.stop(kill)
            sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["status"] == "False", 30, "the condition")
            self.assertEqual(sidecar.ops("/readyz").status, 200, "a dead Kafka doesn't make the pod unready")
            self.assertEqual(sidecar.ops("/health/kafka").json, {"kafka": {"enabled": True, "connected": False}})
            answer = sidecar.post("/v1/events/load.event", {})
            self.assertEqual((answer.status, answer.json["outcome"]), (503, "none"))
            self.assertIn("retry-after", answer.headers)
            self.kafka.start()
            before = load.count()
            sidecar.wait_for(lambda: load.count() > before + 1000, 30, "publishing to go on")
        load.stop()
        records = read_topic(self.kafka.bootstrap, "load.events")
        duplicates = check_stored(self, load, records)
        print(f"{load.count()} acked, {load.answers}, {duplicates} duplicates", end=" ")
        self.assertEqual(sidecar.metrics()["outrigger_kafka_connected"], 1)
        said = [line for line in sidecar.log_lines() if "can't be reached" in line["message"]]
        self.assertLessEqual(len(said), 4, "once for each outage")


class AtTheStart(unittest.TestCase):
    def test_kafka_that_comes_later_is_found(self):
        kafka = Kafka().format()
        self.addCleanup(kafka.close)
        sidecar = Sidecar(text=HEAD, env={"KAFKA_BROKERS": kafka.bootstrap}).start()
        self.addCleanup(sidecar.close)
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["status"] == "False", 10, "the condition")
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 503)
        kafka.start()
        sidecar.wait_for(lambda: sidecar.post("/v1/events/a.b", {}).status == 200, 60, "Kafka to be found")
        self.assertIn("Kafka is connected", sidecar.log)

    def test_require_kafka_ends_within_ten_seconds_naming_broker_and_reason(self):
        port = free_ports(1)[0]
        began = time.monotonic()
        sidecar = Sidecar(text=HEAD, env={"KAFKA_BROKERS": f"127.0.0.1:{port}", "REQUIRE_KAFKA": "true"})
        sidecar.start(wait=False)
        self.assertEqual(sidecar.process.wait(15), 1)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn(f"127.0.0.1:{port}", sidecar.log)
        self.assertIn("refused", sidecar.log)

    def test_require_kafka_ends_in_time_with_many_subscriptions_too(self):
        text = "subscriptions:\n" + "".join(
            f'  - {{name: s{n}, topics: [t{n}], deliver: {{url: "http://127.0.0.1:9/s{n}"}}}}\n' for n in range(9))
        port = free_ports(1)[0]
        for _ in range(3):
            with Sidecar(text=HEAD + text, env={"KAFKA_BROKERS": f"127.0.0.1:{port}", "REQUIRE_KAFKA": "true"}) as sidecar:
                began = time.monotonic()
                sidecar.start(wait=False)
                self.assertEqual(sidecar.process.wait(20), 1)
                self.assertLess(time.monotonic() - began, 10)

    def test_kafka_disabled_discards_on_purpose_and_says_so_once(self):
        with Sidecar(text=HEAD, env={"KAFKA_ENABLED": "false"}) as sidecar:
            sidecar.start()
            for _ in range(3):
                answer = sidecar.post("/v1/events/a.b", {})
                self.assertEqual((answer.status, answer.json["status"]), (202, "discarded"))
            self.assertEqual(sidecar.post("/v1/events", '{"type":').status, 400, "what is malformed is refused all the same")
            sidecar.wait_for(lambda: "discarded" in sidecar.log, what="the log line")
            self.assertEqual(sidecar.ops("/health/kafka").json, {"kafka": {"enabled": False, "connected": False}})
            self.assertEqual(sidecar.metrics()['outrigger_producer_events_total{outcome="discarded",topic="{type.first}.events"}'], 3)
            sidecar.stop()
            self.assertEqual(sidecar.log.count("discarded"), 1)

    def test_kafka_disabled_says_of_each_subscription_that_nothing_is_consumed(self):
        text = "subscriptions:\n" + "".join(
            f'  - {{name: {name}, topics: [t], deliver: {{url: "http://127.0.0.1:9/{name}"}}}}\n' for name in ("mail", "audit"))
        with Sidecar(text=HEAD + text, env={"KAFKA_ENABLED": "false"}) as sidecar:
            sidecar.start()
            for name in ("mail", "audit"):
                condition = sidecar.condition(f"Delivering/{name}")
                self.assertEqual((condition["status"], condition["reason"]), ("False", "KafkaDisabled"))
                self.assertIn("nothing is consumed", condition["message"])

    def test_a_taken_port_is_named(self):
        with Sidecar(text=HEAD, env={"KAFKA_BROKERS": "embedded"}) as first:
            first.start()
            second = Sidecar(text=HEAD, env={"KAFKA_BROKERS": "embedded"}, ports=(first.port, free_ports(1)[0])).start(wait=False)
            self.assertEqual(second.process.wait(10), 1)
            self.assertIn(str(first.port), second.log)

    def test_a_unix_socket_in_a_folder_that_is_not_there_is_named(self):
        with Sidecar(text=HEAD + "http:\n  unixSocket: /nowhere/outrigger.sock\n", env={"KAFKA_BROKERS": "embedded"}) as sidecar:
            sidecar.start(wait=False)
            self.assertEqual(sidecar.process.wait(10), 1)
            self.assertIn("/nowhere/outrigger.sock", sidecar.log)
            self.assertIn("No such file", sidecar.log)


class SmallLimit(KafkaCase):
    def test_one_in_fifty_too_large_costs_only_itself(self):
        self.kafka.create_topic("load.events", max_message_bytes=3000)
        sidecar = self.sidecar()

        def body(key, number):
            return f"{number} " + ("x" * 5000 if (key + number) % 50 == 7 else "y" * 200)

        load = Publishers(sidecar, keys=1000, body=body).start()
        sidecar.wait_for(lambda: load.count() > 8000, 120, "8,000 acked events")
        load.stop()
        check_stored(self, load, read_topic(self.kafka.bootstrap, "load.events", timeout=60))
        wrong = {key for key in load.refused if (int(key[0][4:]) + key[1]) % 50 != 7}
        self.assertEqual(wrong, set(), "only what is too large is refused")
        self.assertEqual(set(load.refused.values()), {413})
        self.assertGreater(len(load.refused), 100)
        self.assertEqual({key for key in load.acked if (int(key[0][4:]) + key[1]) % 50 == 7}, set())
        print(f"{load.count()} acked, {len(load.refused)} refused", end=" ")


class NewTopic(KafkaCase):
    def test_the_first_events_of_a_topic_that_is_only_being_made_are_all_there(self):
        for turn in range(10):
            topic = f"new{turn}"
            sidecar = self.sidecar(f"routes:\n  - {{topic: {topic}}}\n"
                                   f"subscriptions:\n  - {{name: a, topics: [{topic}], deliver: {{url: 'http://127.0.0.1:1/'}}}}\n")
            lines = "".join(json.dumps({"type": topic, "id": f"{topic}-{n}", "key": f"k{n % 1000}", "data": n}) + "\n" for n in range(4000))
            answer = sidecar.post("/v1/events", lines, {"content-type": "application/x-ndjson"})
            self.assertEqual((answer.status, answer.json["accepted"]), (200, 4000))
            sidecar.close()
            stored = [r.headers["ce_id"] for r in read_topic(self.kafka.bootstrap, topic)]
            self.assertEqual(set(range(4000)) - {int(e.split("-")[1]) for e in stored}, set(), topic)

    def test_a_topic_recreated_with_fewer_partitions_under_load_keeps_working_and_the_order(self):
        self.kafka.create_topic("recreated", partitions=6)
        sidecar = self.sidecar("routes:\n  - {topic: recreated}\nhttp:\n  ackTimeout: 2s\n")
        load = Publishers(sidecar, keys=40).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: load.count() > 2000, what="load")
        self.kafka.delete_topic("recreated")  # and recreated by its next event, with the four partitions of the broker's default
        before = load.numbers()
        sidecar.wait_for(lambda: all(number > before[key] + 5 for key, number in load.numbers().items()), 30, "every key to go on")
        load.stop()
        # A key's partition depends on their number, so a key may have records in two of them: before and after the client knew.
        records = read_topic(self.kafka.bootstrap, "recreated")
        for partition in range(4):
            check_order(self, [record for record in records if record.partition == partition])
        self.assertLess(sidecar.cpu_seconds(), 20, "nothing spins")


class Drain(KafkaCase):
    def test_sigterm_under_load_answers_what_it_took(self):
        for _ in range(3):
            sidecar = self.sidecar()
            load = Publishers(sidecar, keys=100, path="/v1/events/drain.event").start()
            sidecar.wait_for(lambda: load.count() > 500, what="load")
            sidecar.process.send_signal(signal.SIGTERM)
            before = load.count()
            sidecar.wait_for(lambda: load.count() > before + 200, what="publishing during the drain")
            load.stop()
            self.assertEqual(sidecar.process.wait(20), 0)
            self.assertEqual(set(load.answers), {200})
            check_stored(self, load, [r for r in read_topic(self.kafka.bootstrap, "drain.events")
                                      if (r.partition, r.offset) in {(a["partition"], a["offset"]) for a in load.acked.values()}])

    def test_kill_9_loses_nothing_that_was_answered(self):
        sidecar = self.sidecar()
        load = Publishers(sidecar, keys=100, path="/v1/events/killed.event").start()
        for _ in range(5):
            before = load.count()
            sidecar.wait_for(lambda: load.count() > before + 500, what="load")
            sidecar.stop(signal.SIGKILL)
            sidecar.start()
        load.stop()
        check_stored(self, load, read_topic(self.kafka.bootstrap, "killed.events"))

    def test_with_kafka_away_the_budget_ends_it(self):
        port = free_ports(1)[0]
        sidecar = Sidecar(text=HEAD + "shutdown: {budget: 3s}\n", env={"KAFKA_BROKERS": f"127.0.0.1:{port}"}).start()
        self.addCleanup(sidecar.close)
        sidecar.post("/v1/events/a.b?ack=memory", {})
        began = time.monotonic()
        self.assertEqual(sidecar.stop(), 0)
        self.assertLess(time.monotonic() - began, 6)
        self.assertIn("not acked", sidecar.log)

    def test_with_kafka_just_gone_the_budget_ends_it_too(self):
        with Kafka() as kafka:
            kafka.format().start()
            sidecar = Sidecar(text=HEAD + "shutdown: {budget: 4s}\n", env={"KAFKA_BROKERS": kafka.bootstrap}).start()
            self.addCleanup(sidecar.close)
            self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 200)
            kafka.stop(kill=True)
            sidecar.post("/v1/events/a.b?ack=memory", {})
            began = time.monotonic()
            self.assertEqual(sidecar.stop(), 0)
            self.assertLess(time.monotonic() - began, 4.4)
            self.assertIn("not acked", sidecar.log)


if __name__ == "__main__":
    unittest.main()
