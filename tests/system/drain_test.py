"""SIGTERM under load: clients are told before their connection closes, and what was received is answered.

OUTRIGGER_SIGTERMS is how many there are with a spool: 5, or 50 in `./dev test soak`.
"""
import http.client
import os
import shutil
import signal
import tempfile
import threading
import unittest

from case import HEAD, Sidecar, free_ports

CLIENTS = 16
ROUNDS = 5
SIGTERMS = int(os.environ.get("OUTRIGGER_SIGTERMS", "5"))


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
        instance = self.instance(env={"KAFKA_ENABLED": "false"})
        for _ in range(ROUNDS):
            answered = self.stop_under_load(instance.start())
        print(f"{answered} answered in the last round", end=" ")

    def test_none_stays_without_an_answer_while_events_are_spooled_and_what_was_answered_is_there(self):
        folder = tempfile.mkdtemp(prefix="outrigger-spool-")
        self.addCleanup(shutil.rmtree, folder)
        instance = self.instance(f"spool: {{path: {folder}}}\n", env={"KAFKA_BROKERS": f"127.0.0.1:{free_ports(1)[0]}"})
        answered = 0
        for _ in range(SIGTERMS):
            self.assertEqual(instance.start().metrics()["outrigger_spool_records"], answered)
            answered += self.stop_under_load(instance)
        self.assertEqual(instance.start().metrics()["outrigger_spool_records"], answered)
        print(f"{SIGTERMS} SIGTERMs, {answered} answered", end=" ")

    def instance(self, text="", **options):
        instance = Sidecar(text=HEAD + "shutdown: {budget: 4s}\n" + text, **options)
        self.addCleanup(instance.close)
        return instance

    def stop_under_load(self, instance):
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
        return sum(client.answered for client in clients)


if __name__ == "__main__":
    unittest.main()
