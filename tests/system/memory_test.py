"""Memory is bounded: in bodies that are being read, in answers that are not, in events that wait for Kafka, in who waits
for them, in what a stream remembers; and for the process as a whole, which a container's limit never ends."""
import http.client
import json
import select
import socket
import subprocess
import threading
import time
import unittest

from case import HEAD, KafkaCase, Sidecar, free_ports, read_topic

from app import App
from memory_cgroup import CgroupUnavailable, MemoryCgroup

MEGABYTE = 1 << 20
JSON = b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/%s\r\n"


class Memory(unittest.TestCase):
    """No Kafka is there, so that nothing leaves."""

    def setUp(self):
        self.restart()

    def restart(self, text=""):
        self.instance = Sidecar(text=HEAD + text, env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}"}).start()
        self.addCleanup(self.instance.close)
        self.before = self.instance.memory()[0]

    def grown(self):
        return self.instance.memory()[0] - self.before

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.instance.port), 20)
        self.addCleanup(connection.close)
        return connection

    def send(self, connection, data):
        """Whether all of it was taken; the sidecar may refuse in the middle."""
        try:
            connection.sendall(data)
        except ConnectionError:
            return False
        return True

    def test_bodies_of_many_large_batches_are_refused_beyond_their_budget(self):
        head = JSON % b"cloudevents-batch+json" + b"Content-Length: %d\r\n\r\n" % (16 * MEGABYTE)
        connections = [self.connect() for _ in range(40)]
        for connection in connections:
            self.send(connection, head)
        # Evenly, so that all of them are begun before any is whole; the last MiB comes later.
        for _ in range(15):
            for connection in connections:
                self.send(connection, b" " * MEGABYTE)
        def refused():
            return select.select(connections, [], [], 0)[0]
        self.instance.wait_for(lambda: len(refused()) == 36, what="four of 16 MiB to be left in 64 MiB")
        grown, answered = self.grown(), refused()
        whole = [connection for connection in connections if connection not in answered]
        print(f"{len(answered)} of 40 refused, RSS grew by {grown / 1e6:.0f} MB", end=" ")
        self.assertLess(grown, 128 * MEGABYTE, "the budget, and what growing strings leave behind")
        for connection in answered:
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            problem = json.loads(answer.read())
            self.assertEqual((answer.status, answer.headers["retry-after"], problem["outcome"], problem["limit"]),
                             (503, "1", "none", "http.maxBodies"))
        self.assertEqual(self.instance.post("/v1/events/a.b?ack=memory", {}).status, 202, "a small event finds room at any time")
        for connection in whole:
            self.send(connection, b" " * MEGABYTE)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            self.assertEqual(answer.status, 400, "there is no event in blanks")
        print(f"then {self.grown() / 1e6:.0f} MB", end=" ")

    def test_answers_that_nobody_reads_stay_within_their_budget_and_others_are_served(self):
        self.restart("http:\n  bodyTimeout: 60s\n")
        items = b"[" + b"{}," * 16_383 + b"{}]"
        request = JSON % b"cloudevents-batch+json" + b"Content-Length: %d\r\n\r\n" % len(items) + items
        peak = 0
        connections = []
        for _ in range(30):
            connection = self.connect()
            self.send(connection, request)
            connections.append(connection)
            peak = max(peak, self.instance.memory()[0])
            self.assertEqual(self.instance.post("/v1/events/a.b?ack=memory", {}).status, 202, "a small event finds room at any time")
        refused = 0
        for connection in connections[-10:]:
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            body = json.loads(answer.read())
            if answer.status == 503:
                refused += 1
                self.assertEqual((answer.headers["retry-after"], body["outcome"], body["limit"]), ("1", "none", "http.maxAnswers"))
            else:
                self.assertEqual((answer.status, len(body["results"])), (400, 16_384))
        print(f"{refused} of the last 10 refused, RSS at most {peak / 1e6:.0f} MB,", end=" ")
        self.assertGreater(refused, 0, "the budget is full")
        self.assertLess(peak, 128 * MEGABYTE)
        for connection in connections:
            connection.close()
        self.instance.wait_for(lambda: self.grown() < 24 * MEGABYTE, 20, "the memory to be returned")
        print(f"then {self.grown() / 1e6:.0f} MB more than before", end=" ")

    def test_failures_of_a_stream_show_little_of_its_lines(self):
        long_type = json.dumps({"id": "i" * 300_000, "type": "no such " + "t" * 600_000}) + "\n"
        answer = self.instance.post("/v1/events", (long_type * 30).encode(), {"content-type": "application/x-ndjson"})
        self.assertEqual(answer.json["failed"], 30)
        self.assertLess(len(answer.body), 256 << 10)
        print(f"answer of {len(answer.body)} bytes, RSS grew by {self.grown() / 1e6:.0f} MB", end=" ")
        self.assertLess(self.grown(), 48 * MEGABYTE)
        answer = self.instance.post("/v1/events", long_type)
        self.assertEqual(answer.status, 422)
        self.assertLess(len(answer.body), 2000)

    def test_joins_of_one_event_are_admitted_to_a_bound_and_hold_up_nobody(self):
        event = {"specversion": "1.0", "id": "1", "source": "s", "type": "a.b", "data": 1}
        batch = json.dumps([event] * 16_384).encode()
        answer = self.instance.post("/v1/events?ack=memory", event, {"content-type": "application/cloudevents+json"})
        self.assertEqual(answer.json["status"], "queued")
        request = (b"POST /v1/events?ack=kafka HTTP/1.1\r\nHost: h\r\nContent-Type: application/cloudevents-batch+json\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(batch) + batch)
        connections = [self.connect() for _ in range(30)]
        slowest = 0
        for connection in connections:
            self.send(connection, request)
            began = time.monotonic()
            self.assertEqual(self.instance.post("/v1/events/a.b?ack=memory", {}).status, 202)
            slowest = max(slowest, time.monotonic() - began)
        print(f"RSS grew by {self.grown() / 1e6:.0f} MB, another request waited {slowest * 1000:.0f} ms at most", end=" ")
        self.assertLess(self.grown(), 96 * MEGABYTE)
        self.assertLess(slowest, 2)
        self.assertEqual(self.instance.ops("/healthz").status, 200)

    def fill(self, topic, count):
        """How many small events a topic's queue took, each with an id and a key."""
        lines = "".join(json.dumps({"type": f"{topic}.made", "id": f"{topic}-{n:031}", "key": f"user-{n}", "data": {"n": n}}) + "\n"
                        for n in range(count))
        answer = self.instance.post("/v1/events?ack=memory", lines.encode(), {"content-type": "application/x-ndjson"}).json
        self.assertEqual(answer["accepted"] + answer["failed"], count)
        self.assertIn("is full", answer["failures"][0]["problem"]["detail"])
        return answer["accepted"]

    def test_small_events_that_wait_take_the_memory_that_they_are_counted_for(self):
        self.restart("memory:\n  budget: 108MiB\n")  # of which 64 MiB may wait for Kafka
        taken = self.fill("a", 60_000) + self.fill("b", 60_000)
        total, anonymous = self.instance.memory()
        print(f"{taken} small events wait in {anonymous / 1e6:.0f} MB, RSS {total / 1e6:.0f} MB", end=" ")
        self.assertLess(anonymous, 80 * MEGABYTE, "64 MiB, and what the sidecar has when it is idle")
        self.assertGreater(anonymous, 48 * MEGABYTE, "what is counted is really taken")
        self.assertGreater(taken, 40_000, "an event of 100 bytes doesn't take kilobytes")

    def test_a_batch_of_millions_of_items_is_refused_whole_and_leaves_nothing(self):
        items = b"[" + b"{}," * (5 * MEGABYTE) + b"{}]"
        answer = self.instance.post("/v1/events", items, {"content-type": "application/cloudevents-batch+json"})
        self.assertEqual(answer.status, 413, answer.body[:300])
        self.assertIn("16384", answer.json["detail"])
        self.assertIn("NDJSON takes any number", answer.json["detail"])
        grown = self.grown()
        print(f"RSS grew by {grown / 1e6:.0f} MB", end=" ")
        self.assertLess(grown, 32 * MEGABYTE)


class Container(KafkaCase):
    """A sidecar in a container of so much memory; where no cgroup can be made, with the budget that it would have."""

    BACKLOG = 200_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kafka.create_topic("backlog")
        lines = "".join(f'user-{n % 5000}:{{"n":{n},"text":"{"x" * 960}"}}\n' for n in range(cls.BACKLOG))
        subprocess.run(["kcat", "-P", "-b", cls.kafka.bootstrap, "-t", "backlog", "-K:", "-X", "queue.buffering.max.messages=1000000"],
                       input=lines.encode(), check=True)

    def setUp(self):
        self.app = App(port=free_ports(1)[0])
        self.addCleanup(self.app.stop)
        self.group = None

    def subscriptions(self, count):
        return "subscriptions:\n" + "".join(
            f"  - name: s{n}\n    topics: [backlog]\n    deliver: {{url: \"http://127.0.0.1:{self.app.port}/h\", concurrency: 4}}\n" for n in range(count))

    def contain(self, limit, text):
        try:
            self.group = MemoryCgroup(limit)
            self.addCleanup(self.group.close)
        except CgroupUnavailable as why:
            print(f"(no cgroup: {why})", end=" ")
            text += f"memory:\n  budget: {limit // 2}\n"
        self.instance = Sidecar(text=HEAD + text, env={"KAFKA_BROKERS": self.kafka.bootstrap, "KAFKA_GROUP_ID": f"of-{limit}"})
        self.addCleanup(self.instance.close)
        self.instance.start(under=self.group.under if self.group else (), timeout=40)

    def shares(self):
        return self.instance.ops("/status").json["memory"]["shares"]

    def sum_of(self, metric):
        return sum(value for name, value in self.instance.metrics().items() if name.split("{")[0] == metric)

    def check_memory(self, most):
        if self.group:
            self.assertEqual(self.group.kills(), 0)
        peak = self.instance.most_memory()
        print(f"RSS at most {peak / 1e6:.0f} MB", end=" ")
        self.assertLess(peak, most)

    def test_many_groups_with_a_backlog_fit_into_a_small_container(self):
        self.contain(256 * MEGABYTE, self.subscriptions(32))
        self.assertEqual(self.instance.ops("/status").json["memory"]["budget"], 128 * MEGABYTE)
        self.instance.wait_for(lambda: self.sum_of("outrigger_delivery_circuit_open") == 32, 60, "all to see that the app is away")
        answer = threading.Event()
        self.app.answer = lambda call: 200 if answer.wait(60) else None
        self.addCleanup(answer.set)
        self.app.start()
        self.instance.wait_for(lambda: self.shares()["application"]["used"] > self.shares()["application"]["bytes"] / 2, 30,
                               "a silent app to leave its events in memory")
        self.check_memory(200_000_000)
        answer.set()
        before = self.sum_of("outrigger_consumer_events_total")
        self.instance.wait_for(lambda: self.sum_of("outrigger_consumer_events_total") > before + 32 * 50, 30, "all to go on")
        self.check_memory(200_000_000)

    def test_publishing_without_kafka_and_a_backlog_fit_into_a_tiny_container(self):
        self.contain(64 * MEGABYTE, self.subscriptions(1))
        self.instance.wait_for(lambda: self.sum_of("outrigger_delivery_circuit_open") == 1, 30, "it to see that the app is away")
        for topic in ("left.events", "right.events"):
            self.kafka.create_topic(topic)
            self.assertEqual(self.instance.post(f"/v1/events/{topic.split('.')[0]}.made", {}).status, 200)
        self.kafka.stop(kill=True)
        taken, refused = set(), []

        def publish(number):
            connection = self.instance.connect()
            for n in range(2000):
                event = f"{number}-{n}"
                answer = self.instance.post(f"/v1/events/{('left', 'right')[n % 2]}.made?ack=memory&id={event}&key={number}",
                                            {"text": "y" * 1000}, connection=connection)
                if answer.status == 503:
                    refused.append(answer.json)
                    break
                self.assertEqual(answer.status, 202, answer.body)
                taken.add(event)
            connection.close()

        threads = [threading.Thread(target=publish, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(refused), 64, "there is no room for any")
        self.assertEqual({(problem["limit"], problem["outcome"]) for problem in refused}, {("memory.budget", "none")})
        self.assertGreater(len(taken), 500)
        self.check_memory(64 * MEGABYTE)
        self.kafka.start()
        self.instance.wait_for(lambda: self.sum_of("outrigger_producer_waiting_events") == 0, 60, "all to reach Kafka")
        self.assertEqual(self.instance.post("/v1/events/left.made", {}).status, 200)
        self.app.start()
        self.instance.wait_for(lambda: len(self.app.calls) > 1000, 60, "the backlog to be delivered")
        self.check_memory(64 * MEGABYTE)
        stored = {record.headers.get("ce_id") for topic in ("left.events", "right.events")
                  for record in read_topic(self.kafka.bootstrap, topic)}
        print(f"{len(taken)} taken,", end=" ")
        self.assertEqual(taken - stored, set(), "what was taken is in Kafka")


if __name__ == "__main__":
    unittest.main()
