"""What the app answers and what becomes of the event: the verdict table, row by row, all rows on one sidecar."""
import email.utils
import gzip
import itertools
import json
import time
import unittest
from collections import Counter

from delivery_test import DeliveryCase

ATTEMPTS = 3
LARGE = 5 << 20  # far beyond what is kept of an answer


class Row:
    """`answers` come one after the other, the last one again and again; `then`: what becomes of the event."""

    def __init__(self, *answers, then="delivered", calls=None, dead_letter=None, body=None, waits=None):
        self.answers, self.then, self.dead_letter, self.body, self.waits = answers, then, dead_letter, body, waits
        self.calls = calls or len(answers)


def status(word, **more):
    return 200, json.dumps(dict({"status": word}, **more))


def raw(line, head="", body=""):
    """As an older or sloppier server writes it, and closes."""
    return f"{line}\r\n{head}\r\n{body}".encode()


def in_two_seconds(_):
    return 503, "", {"Retry-After": email.utils.formatdate(time.time() + 3, usegmt=True)}  # whole seconds, so 2 at least


def too_late(_):
    time.sleep(1.5)
    return 200


JSON = {"Content-Type": "application/json"}
DEAD_LETTERED = {"then": "dead_lettered"}
GIVEN_UP = dict(DEAD_LETTERED, calls=ATTEMPTS)
ROWS = {
    "2xx": Row(200),
    "204": Row(204),
    "any body without a status": Row((200, "thanks <html>")),
    "JSON without a status": Row((200, '{"data":{"status":"DROP"}}')),
    "SUCCESS": Row(status("SUCCESS")),
    "DROP": Row(status("DROP", reason="not mine"), then="dropped"),
    "DEAD_LETTER": Row(status("DEAD_LETTER", reason="broken order"), dead_letter="dead_letter", **DEAD_LETTERED),
    "RETRY": Row(status("RETRY"), status("RETRY"), 200),
    "RETRY always": Row(status("RETRY"), dead_letter="status", **GIVEN_UP),
    "RETRY with a delay": Row(status("RETRY", delay="1s"), 200, waits=1),
    "RETRY with a delay in seconds": Row(status("RETRY", delay=1), 200, waits=1),
    "a status nobody knows": Row(status("ok")),
    "a status that is no text": Row((200, '{"status":true}', JSON)),
    "RETRY in another case behind a byte order mark": Row((200, '\ufeff{"status":"Retry"}', JSON), 200),
    "JSON cut short": Row((200, '{"status":"RE', JSON), 200),
    "JSON cut short always": Row((200, '{"status":"RE', JSON), dead_letter="status", body='{"status":"RE', **GIVEN_UP),
    "JSON encoded although nobody asked": Row((200, gzip.compress(b'{"status":"DROP"}'), dict(JSON, **{"Content-Encoding": "gzip"})), 200),
    "JSON too large for a word": Row((200, '{"items":"' + "x" * LARGE + '"}', JSON), 200),
    "a JSON list too large for a word": Row((200, '["' + "x" * LARGE + '"]', JSON)),
    "500, then fine": Row(500, 500, 200),
    "500 always": Row((500, "boom"), dead_letter="status", body="boom", **GIVEN_UP),
    "404 and 429 pass": Row(404, 429, 200),
    "405, 408 and 409 pass, up to the attempts": Row(405, 408, 409, dead_letter="status", **DEAD_LETTERED),
    "425": Row(425, 200),
    "422": Row((422, "no such field"), dead_letter="status", body="no such field", **DEAD_LETTERED),
    "410": Row(410, dead_letter="status", **DEAD_LETTERED),
    "a redirect is not followed": Row((302, "", {"Location": "/elsewhere"}), dead_letter="status", **GIVEN_UP),
    "Retry-After in seconds": Row((503, "", {"Retry-After": "1"}), 200, waits=1),
    "Retry-After as a date": Row(in_two_seconds, 200, waits=1.9),
    "time-out": Row(too_late, 200),
    "time-out always": Row(too_late, dead_letter="timeout", **GIVEN_UP),
    "cut": Row(None, None, 200),
    "cut always": Row(None, dead_letter="refused", **GIVEN_UP),
    "HTTP/1.0": Row(raw("HTTP/1.0 200 OK")),
    "HTTP/1.0 with a body": Row(raw("HTTP/1.0 200 OK", body=status("DROP")[1]), then="dropped"),
    "connection: close": Row((200, "", {"Connection": "close"})),
    "a body until the end": Row(raw("HTTP/1.1 200 OK", "Connection: close\r\n", status("DROP")[1]), then="dropped"),
    "2xx with a large body": Row((200, "x" * LARGE)),
    "2xx with a large body that begins like a verdict": Row((200, '{"status":"DROP","page":"' + "x" * LARGE + '"}')),
    "2xx with a large body until the end": Row(raw("HTTP/1.1 200 OK", "Connection: close\r\n", "x" * LARGE)),
    "2xx with a large chunked body": Row(raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", f"{LARGE:x}\r\n{'x' * LARGE}\r\n0\r\n\r\n")),
    "422 with a large body": Row((422, "no" + "x" * LARGE), dead_letter="status", body="no" + "x" * 1022, **DEAD_LETTERED),
    "500 with a large body, then fine": Row((500, "x" * LARGE), 200),
    "no HTTP": Row(b"SSH-2.0-OpenSSH_9.2\r\n", dead_letter="status", **GIVEN_UP),
}


class Verdicts(DeliveryCase):
    def test_done_with_everything_the_app_is_told(self):
        sidecar = self.deliver()
        where = self.publish(sidecar, "one", key="k%201", data={"a": 1.50})
        sidecar.wait_for(lambda: self.app.count() == 1)
        call = self.app.calls[0]
        self.assertEqual((call.method, call.path, call.body), ("POST", "/h/test.event", b'{"a": 1.5}'))
        for name, value in {"ce-id": "one", "ce-type": "test.event", "ce-specversion": "1.0", "content-type": "application/json",
                            "outrigger-topic": self.topic, "outrigger-partition": str(where["partition"]),
                            "outrigger-offset": str(where["offset"]), "outrigger-key": "k%201", "outrigger-attempt": "1",
                            "outrigger-subscription": "test", "accept-encoding": "identity"}.items():
            self.assertEqual(call.headers.get(name), value, name)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 1)

    def answer(self, call):
        row = ROWS.get(call.key.replace("%20", " "))
        answer = row.answers[min(call.attempt, len(row.answers)) - 1] if row else 200
        return answer(call) if callable(answer) else answer

    def test_the_table_row_by_row(self):
        sidecar = self.deliver(self.answer, attempts=ATTEMPTS)
        fine = (f"fine-{n}" for n in itertools.count())
        for number, name in enumerate(ROWS):
            # Other keys are well, so that what fails is the event's own fault.
            self.publish(sidecar, next(fine), key="fine")
            self.publish(sidecar, f"row-{number}", key=name.replace(" ", "%20"))
            self.publish(sidecar, next(fine), key="fine")
        expected = Counter(row.then for row in ROWS.values())

        def settled():
            self.publish(sidecar, next(fine), key="fine")
            return all(self.outcome(sidecar, name) == count for name, count in expected.items() if name != "delivered") and \
                self.outcome(sidecar, "delivered") > expected["delivered"] + 2 * len(ROWS)

        sidecar.wait_for(settled, 40, f"{expected}")
        dead_letters = {dead_letter.key: dead_letter for dead_letter in self.dead_letters()}
        for number, (name, row) in enumerate(ROWS.items()):
            with self.subTest(name):
                self.check(row, self.app.of(f"row-{number}"), dead_letters.pop(name, None), number)
        self.assertEqual(dead_letters, {})

    def check(self, row, calls, dead_letter, number):
        attempts = [call.attempt for call in calls]
        # A kept connection that ends is replaced once, unseen; a time-out is no attempt where the app was too busy to come to it.
        if None in row.answers or too_late in row.answers:
            attempts = [attempt for attempt, _ in itertools.groupby(attempts)]
        self.assertEqual(attempts, list(range(1, row.calls + 1)))
        if row.waits:
            self.assertGreaterEqual(calls[1].at - calls[0].at, row.waits - 0.05)
        self.assertEqual(dead_letter is not None, row.then == "dead_lettered")
        if dead_letter is None:
            return
        headers = dead_letter.headers
        self.assertEqual(headers["outrigger-error-reason"], row.dead_letter)
        self.assertEqual(headers["outrigger-error-attempts"], str(row.calls))
        self.assertEqual((headers["outrigger-error-topic"], headers["outrigger-error-subscription"]), (self.topic, "test"))
        self.assertEqual(json.loads(dead_letter.value), {"id": f"row-{number}"})
        if row.body:
            self.assertEqual(headers["outrigger-error-body"], row.body)

    def test_undecodable(self):
        sidecar = self.deliver(more="http:\n  rawTopics: [\"*\"]\n")
        answer = sidecar.request("POST", f"/v1/topics/{self.topic}?key=k", b"{not json", {"kafka-x": "1", "content-type": "application/cloudevents+json"})
        self.assertEqual(answer.status, 200, answer.body)
        sidecar.wait_for(lambda: self.outcome(sidecar, "dead_lettered") == 1)
        dead_letter = self.dead_letters()[0]
        self.assertEqual((dead_letter.headers["outrigger-error-reason"], dead_letter.value), ("undecodable", "{not json"))
        self.assertEqual(self.app.count(), 0)


if __name__ == "__main__":
    unittest.main()
