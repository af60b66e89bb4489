"""The spool: 202 from the disk while Kafka is away, and every event in Kafka afterwards, in the order of its key, through restarts."""
import json
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from case import HEAD, Sidecar
from drain_test import Client
from publishers import Publishers, check_stored  # after case, which says where the support modules are
from spool_case import SpoolCase

AFTER = 0.25  # spool.after
SLACK = 1     # of a busy machine


class KafkaAway(SpoolCase):
    def test_an_event_is_answered_202_at_once_and_is_in_kafka_when_kafka_is_back(self):
        sidecar = self.spooling()
        self.warm_up(sidecar, "away.event")
        self.assertEqual(self.publish(sidecar, "away.event", 0).status, 200)
        with self.kafka_away():
            for number in range(1, 21):
                began = time.monotonic()
                answer = self.publish(sidecar, "away.event", number)
                self.assertLess(time.monotonic() - began, AFTER + SLACK)
                self.assertEqual(answer.status, 202, answer.body)
                self.assertEqual(answer.json, {"id": f"away.event-{number}", "status": "spooled", "topic": "away.events"})
                self.assertEqual(answer.headers["location"], f"/v1/events/away.event-{number}")
                of_it = sidecar.request("GET", answer.headers["location"])
                self.assertEqual((of_it.status, of_it.json["status"]), (200, "spooled"))
            self.assertEqual(self.held(sidecar), 20)
            self.assertEqual(sidecar.ops("/readyz").status, 200, "a dead Kafka doesn't make the pod unready")
        self.drained(sidecar)
        self.assertEqual(self.numbers("away.events"), list(range(21)))
        for record in self.records("away.events"):
            if record.key == "warm":
                continue
            shown = self.status_of(sidecar, record.headers["ce_id"])
            self.assertEqual((shown["status"], shown["partition"], shown["offset"]), ("acked", record.partition, record.offset))
        self.warm_up(sidecar, "away.event")

    def test_the_location_of_any_id_can_be_followed(self):
        sidecar = self.spooling()
        with self.kafka_away():
            for identity in ("a b/c", "d?e=f&g#h", "%41", "é"):
                answer = sidecar.post("/v1/events", {"type": "odd.id", "id": identity, "key": "k", "data": {}})
                self.assertEqual((answer.status, answer.json["id"]), (202, identity), answer.body)
                of_it = sidecar.request("GET", answer.headers["location"])
                self.assertEqual((of_it.status, of_it.json["status"]), (200, "spooled"), of_it.body)

    def test_a_batch_and_a_stream_are_202_when_any_of_their_events_is_spooled(self):
        sidecar = self.spooling()
        events = [{"specversion": "1.0", "id": f"b{n}", "source": "/s", "type": "batch.event", "partitionkey": "k", "data": n} for n in range(5)]
        with self.kafka_away():
            answer = sidecar.post("/v1/events", events, {"content-type": "application/cloudevents-batch+json"})
            self.assertEqual((answer.status, {item["status"] for item in answer.json["results"]}), (202, {"spooled"}), answer.body)
            lines = "".join(json.dumps({"type": "batch.event", "id": f"l{n}", "key": "k", "data": n}) + "\n" for n in range(5, 10))
            answer = sidecar.post("/v1/events", lines, {"content-type": "application/x-ndjson"})
            self.assertEqual((answer.status, answer.json["accepted"], answer.json["failed"]), (202, 5, 0), answer.body)
        self.drained(sidecar)
        self.assertEqual(self.numbers("batch.events"), list(range(10)))

    def test_kafka_answers_again_soon_after_a_pause(self):
        sidecar = self.spooling()
        self.warm_up(sidecar, "pause.event")
        self.assertEqual(self.publish(sidecar, "pause.event", 0).status, 200)
        with self.kafka_paused():
            self.spool(sidecar, "pause.event", [1, 2])
        numbers = iter(range(3, 10_000))
        sidecar.wait_for(lambda: self.publish(sidecar, "pause.event", next(numbers)).status == 200, 5, "a 200")
        last = next(numbers)
        for number in range(last, last + 50):
            self.assertEqual(self.publish(sidecar, "pause.event", number).status, 200)
        self.assertEqual(self.numbers("pause.events"), list(range(last + 50)))
        self.drained(sidecar)


class AskedFor(SpoolCase):
    def test_the_disk_answers_at_once_who_asks_for_it(self):
        sidecar = self.spooling("routes:\n  - {match: {type: 'rule.*'}, topic: by.rule, ack: disk}\n  - {topic: by.request}\n")
        for topic, path, headers in (("by.rule", "/v1/events/rule.a?", {}), ("by.request", "/v1/events/own.a?ack=disk&", {}),
                                     ("by.request", "/v1/events/own.a?", {"prefer": "respond-async"})):
            with self.subTest(path=path, headers=headers):
                identity = f"{topic}-{len(path)}-{len(headers)}"
                answer = sidecar.post(f"{path}id={identity}&key=k", {}, headers)
                self.assertEqual((answer.status, answer.json), (202, {"id": identity, "status": "spooled", "topic": topic}))
                self.assertEqual(answer.headers["location"], f"/v1/events/{identity}")
                self.assertEqual(answer.headers.get("preference-applied"), headers.get("prefer"))
                record = sidecar.wait_for(lambda: next((r for r in self.records(topic) if r.headers["ce_id"] == identity), None), what="the record")
                shown = sidecar.wait_for(lambda: (s := self.status_of(sidecar, identity))["status"] == "acked" and s, what="the ack")
                self.assertEqual((shown["partition"], shown["offset"]), (record.partition, record.offset))
        self.drained(sidecar)

    def test_events_that_ask_for_the_disk_and_others_of_the_key_keep_their_order(self):
        sidecar = self.spooling()
        for number in range(200):
            query = "&ack=disk" if number % 3 == 0 else ""
            self.assertIn(self.publish(sidecar, "mixed.event", number, query=query).status, (200, 202))
        self.drained(sidecar)
        self.assertEqual(self.numbers("mixed.events"), list(range(200)))


class Restarts(SpoolCase):
    def test_a_kill_with_a_full_spool_loses_nothing_and_keeps_the_order(self):
        sidecar = self.spooling()
        with self.kafka_away():
            self.spool(sidecar, "killed.event", range(20))
            self.run_again(sidecar)
            self.assertEqual(self.held(sidecar), 20)
            self.assertEqual(self.status_of(sidecar, "killed.event-3")["status"], "spooled")
            self.spool(sidecar, "killed.event", range(20, 30))
            sidecar.stop(signal.SIGKILL)
        sidecar.start()
        self.assertIn(self.publish(sidecar, "killed.event", 30).status, (200, 202))
        self.drained(sidecar)
        self.assertEqual(self.numbers("killed.events"), list(range(31)))

    def test_sigterm_leaves_what_is_undecided_to_the_next_start(self):
        sidecar = self.spooling("shutdown: {budget: 8s}\n")
        self.warm_up(sidecar, "a.b")
        clients = [Client(sidecar) for _ in range(8)]
        with self.kafka_paused():
            for client in clients:
                client.start()
            sidecar.wait_for(lambda: sum(client.answered for client in clients) > 100, 60, "events to be spooled")
            sidecar.process.send_signal(signal.SIGTERM)
            self.assertEqual(sidecar.process.wait(30), 0, sidecar.log[-2000:])
            for client in clients:
                client.join()
        self.assertEqual([lost for client in clients for lost in client.lost], [])
        sidecar.start()
        self.drained(sidecar)
        stored = {record.headers["ce_id"] for record in self.records("a.events") if record.key != "warm"}
        self.assertGreaterEqual(len(stored), sum(client.answered for client in clients), "each answered 202 is there")

    def test_a_second_sidecar_on_the_folder_refuses_to_start_and_names_the_first(self):
        first = self.spooling()
        second = Sidecar(text=HEAD + f"spool: {{path: {self.folder}}}\n", env={"KAFKA_BROKERS": self.kafka.bootstrap})
        self.addCleanup(second.close)
        second.start(wait=False)
        self.assertEqual(second.process.wait(15), 1)
        self.assertRegex(second.log, rf"\b{first.process.pid}\b")
        self.assertIn(self.folder, second.log)
        self.warm_up(first, "one.event")
        self.run_again(first)  # a killed one leaves no lock

    def test_a_repeated_event_is_in_kafka_once_also_when_a_restart_is_between(self):
        sidecar = self.spooling()

        def repeat():
            again = self.publish(sidecar, "twice.event", 1)
            self.assertEqual((again.status, again.json), (202, {"id": "twice.event-1", "status": "spooled", "topic": "twice.events"}))
            other = sidecar.post("/v1/events/twice.event?key=k&id=twice.event-1", "2 ", {"content-type": "text/plain"})
            self.assertEqual(other.status, 409, other.body)

        with self.kafka_away():
            self.spool(sidecar, "twice.event", [1])
            repeat()
            self.run_again(sidecar)
            repeat()
            self.assertEqual(self.held(sidecar), 1)
        self.drained(sidecar)
        self.assertEqual(self.numbers("twice.events"), [1])


class Full(SpoolCase):
    BODY = "x" * 50_000

    def post(self, sidecar, topic, name):
        return sidecar.post(f"/v1/events/{topic}.event?key=k&id={name}", f"{name} {self.BODY}", {"content-type": "text/plain"})

    def fill(self, sidecar, topic):
        """Publishes from several connections until it is refused; returns the ids that were taken."""
        taken = []

        def publish_until_refused(thread):
            for n in range(1000):
                name = f"{topic}-{thread}-{n}"
                answer = self.post(sidecar, topic, name)
                if answer.status == 503:
                    return answer
                self.assertEqual((answer.status, answer.json.get("status")), (202, "spooled"), answer.body)
                taken.append(name)
            return None

        with ThreadPoolExecutor(8) as pool:
            refused = list(pool.map(publish_until_refused, range(8)))
        for answer in refused:
            self.assertIsNotNone(answer, "the spool takes more than its limit")
            self.assertEqual((answer.json["outcome"], answer.json["limit"]), ("none", "spool.maxBytes"), answer.body)
            self.assertIn("retry-after", answer.headers)
        return taken

    def test_a_full_spool_refuses_at_once_and_takes_events_again_by_itself(self):
        sidecar = self.spooling(spool=", maxBytes: 16MiB")
        taken = {}
        with self.kafka_away():
            taken["one"] = self.fill(sidecar, "one")
            self.assertLessEqual(len(taken["one"]) * len(self.BODY), 8 << 20, "one topic has half of it at most")
            taken["two"] = self.fill(sidecar, "two")
            self.assertGreater(len(taken["two"]), 10, "the other half is for other topics")
            began = time.monotonic()
            self.assertEqual(self.post(sidecar, "two", "late").status, 503)
            self.assertLess(time.monotonic() - began, SLACK)
            self.assertEqual(sidecar.ops("/healthz").status, 200)
        for topic in taken:
            sidecar.wait_for(lambda: self.post(sidecar, topic, f"{topic}-late").status in (200, 202), 60, "events to be taken")
        self.drained(sidecar)
        for topic, names in taken.items():
            stored = [record.headers["ce_id"] for record in self.records(f"{topic}.events")]
            self.assertEqual(set(names) - set(stored), set(), "answered 202 and lost")
            self.assertEqual(len(stored), len(set(stored)))


class Load(SpoolCase):
    def test_kafka_stopped_and_paused_under_load_keeps_every_key_in_order(self):
        sidecar = self.spooling()
        load = Publishers(sidecar, keys=64).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: load.count() > 500, what="load")
        for away in (self.kafka_paused, self.kafka_away, self.kafka_paused):
            with away():
                before = len(load.spooled)
                sidecar.wait_for(lambda: len(load.spooled) > before + 200, 60, "events to be spooled")
            acked = len(load.acked)
            sidecar.wait_for(lambda: len(load.acked) > acked + 500, 60, "Kafka to acknowledge again")
        load.stop()
        self.drained(sidecar)
        duplicates = check_stored(self, load, self.records("load.events"))
        print(f"{len(load.acked)} acked, {len(load.spooled)} spooled, {load.answers}, {duplicates} duplicates", end=" ")
        self.assertEqual(set(load.answers), {200, 202})


if __name__ == "__main__":
    unittest.main()
