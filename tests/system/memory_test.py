"""Memory is bounded: in bodies that are being read, in events that wait for Kafka, in what a stream remembers."""
import http.client
import json
import select
import socket
import unittest

from case import HEAD, Sidecar, free_ports

MEGABYTE = 1 << 20
JSON = b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/%s\r\n"


class Memory(unittest.TestCase):
    """No Kafka is there, so that nothing leaves."""

    def setUp(self):
        self.instance = Sidecar(text=HEAD, env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}"}).start()
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

    def fill(self, topic, count):
        """How many small events a topic's queue took, each with an id and a key."""
        lines = "".join(json.dumps({"type": f"{topic}.made", "id": f"{topic}-{n:031}", "key": f"user-{n}", "data": {"n": n}}) + "\n"
                        for n in range(count))
        answer = self.instance.post("/v1/events?ack=memory", lines.encode(), {"content-type": "application/x-ndjson"}).json
        self.assertEqual(answer["accepted"] + answer["failed"], count)
        self.assertIn("is full", answer["failures"][0]["problem"]["detail"])
        return answer["accepted"]

    def test_small_events_that_wait_take_the_memory_that_they_are_counted_for(self):
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


if __name__ == "__main__":
    unittest.main()
