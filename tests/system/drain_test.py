"""SIGTERM under load: clients are told before their connection closes, and what was received is answered."""
import http.client
import signal
import threading
import unittest

from case import HEAD, Sidecar

CLIENTS = 16
ROUNDS = 5


class Client(threading.Thread):
    """Publishes on a kept connection until the port is closed; a request that gets no answer there is `lost`."""

    def __init__(self, instance):
        super().__init__()
        self.instance = instance
        self.answered, self.announced, self.lost = 0, 0, []

    def run(self):
        connection, served = self.instance.connect(), 0
        while True:
            try:
                connection.request("POST", "/v1/events/a.b", b"{}", {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                # A connection that was opened while the port closed was never accepted.
                if served:
                    self.lost.append(repr(error))
                return
            self.answered += answer.status == 202
            served += 1
            if answer.getheader("connection") == "close":
                self.announced += 1
                connection.close()
                served = 0


class Drain(unittest.TestCase):
    def test_no_request_on_a_kept_connection_stays_without_an_answer(self):
        for _ in range(ROUNDS):
            instance = Sidecar(text=HEAD + "shutdown: {budget: 4s}\n", env={"KAFKA_ENABLED": "false"}).start()
            self.addCleanup(instance.close)
            clients = [Client(instance) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            instance.wait_for(lambda: sum(client.answered for client in clients) > 500)
            instance.process.send_signal(signal.SIGTERM)
            self.assertEqual(instance.process.wait(20), 0)
            for client in clients:
                client.join()
            self.assertEqual([lost for client in clients for lost in client.lost], [])
            self.assertTrue(all(client.announced for client in clients))
        print(f"{sum(client.answered for client in clients)} answered in the last round", end=" ")


if __name__ == "__main__":
    unittest.main()
