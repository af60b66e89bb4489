"""The process is stopped and goes on (SIGSTOP, a frozen node): what has come meanwhile is read before anybody is late."""
import json
import signal
import socket
import threading
import time
import unittest

from case import KafkaCase
from app import App

PAUSE = 6  # seconds, longer than every time-out here
CONFIG = """
kafka: {{groupId: {group}, consumer: {{properties: {{session.timeout.ms: 20000}}}}}}
routes: [{{topic: pause}}]
subscriptions:
  - name: test
    topics: [pause]
    deliver: {{url: "{url}", timeout: 3s, concurrency: 200}}
    retry: {{attempts: 2, backoff: {{initial: 20ms, max: 200ms}}}}
http:
  headTimeout: 3s
  bodyTimeout: 3s
"""
HEAD = b"POST /v1/events/a.b HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"


class Pause(KafkaCase):
    def setUp(self):
        self.hold = threading.Event()
        self.hold.set()
        self.app = App(lambda call: self.hold.wait(30) and 200).start()
        self.addCleanup(self.app.stop)
        self.instance = self.sidecar(CONFIG.format(url=self.app.url, group=self.id().rsplit(".", 1)[-1]))
        self.instance.wait_for(lambda: self.instance.post("/v1/events/a.b?id=warm-up", {}).status == 200)
        self.instance.wait_for(lambda: self.app.of("warm-up"))

    def pause(self, meanwhile):
        self.instance.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            meanwhile()
            self.instance.wait_for(lambda: time.monotonic() - began > PAUSE)
        finally:
            self.instance.process.send_signal(signal.SIGCONT)

    def test_no_attempt_is_used_up_for_an_answer_that_was_there(self):
        self.hold.clear()
        lines = "".join(json.dumps({"type": "a.b", "id": f"e{n}", "key": f"k{n}", "data": 1}) + "\n" for n in range(200))
        answer = self.instance.post("/v1/events", lines, {"content-type": "application/x-ndjson"})
        self.assertEqual(answer.json["accepted"], 200, answer.body[:500])
        # Answered within the time-out, which the sidecar does not see.
        self.instance.wait_for(lambda: self.app.count() >= 100)
        self.pause(self.hold.set)
        self.instance.wait_for(lambda: len(self.app.ids()) == 201)
        delivered = 'outrigger_consumer_events_total{outcome="%s",subscription="test",topic="pause"}'
        self.instance.wait_for(lambda: self.instance.metrics().get(delivered % "delivered") == 201)
        self.assertEqual(self.instance.metrics().get(delivered % "retried", 0), 0)
        self.assertEqual({call.attempt for call in self.app.calls}, {1})
        self.assertEqual(self.app.count(), 201)

    def test_no_request_is_late_whose_bytes_were_there_and_no_ack_is_unknown_that_came(self):
        connections = []
        for n in range(200):
            connection = socket.create_connection(("127.0.0.1", self.instance.port), 20)
            self.addCleanup(connection.close)
            connection.sendall(HEAD if n % 2 else HEAD + b"Content-Length: 4\r\n\r\n12")
            connections.append(connection)
        # Accepted after all of those.
        self.assertEqual(self.instance.post("/v1/events/a.b", {}).status, 200)

        def send_the_rest():
            for n, connection in enumerate(connections):
                connection.sendall(b"Content-Length: 4\r\n\r\n1234" if n % 2 else b"34")
        self.pause(send_the_rest)
        codes = []
        for connection in connections:
            codes.append(int(connection.recv(65536).split()[1]))
        self.assertEqual(set(codes), {200})

    def test_under_load_a_pause_fails_no_request(self):
        codes, stop = [], threading.Event()

        def load():
            connection = self.instance.connect()
            while not stop.is_set():
                codes.append(self.instance.post("/v1/events/a.b", {"n": 1}, connection=connection).status)
            connection.close()
        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        self.instance.wait_for(lambda: len(codes) > 200)
        for _ in range(2):
            self.pause(lambda: None)
            at = len(codes)
            self.instance.wait_for(lambda: len(codes) > at + 200)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(set(codes), {200})
        self.instance.wait_for(lambda: len(self.app.ids()) > len(codes))
        self.assertEqual({call.attempt for call in self.app.calls}, {1})


if __name__ == "__main__":
    unittest.main()
