"""Publishers in parallel that remember what was acknowledged, as an app would: retry on 503 with the same id, keep order per key."""
import http.client
import json
import threading


class Publishers:
    """`threads` threads over `keys` keys; each key belongs to one thread, which sends its numbers in order."""

    def __init__(self, sidecar, threads=8, keys=1000, path="/v1/events/load.event", body=None):
        self.sidecar, self.keys, self.path = sidecar, keys, path
        self.body = body or (lambda key, number: f"{number} ")
        self.acked = {}       # (key, number) → answer
        self.spooled = {}     # (key, number) → answer; acknowledged too, by 202
        self.refused = {}     # (key, number) → code, for what will never pass
        self.answers = {}     # code → count
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n, threads), daemon=True) for n in range(threads)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self, timeout=60):
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError("a publisher hangs")

    def count(self):
        with self._lock:
            return len(self.acked) + len(self.spooled)

    def numbers(self):
        """{key: the newest number that was acked}"""
        with self._lock:
            return {key: number for key, number in self.acked}  # in order of the acks

    def _run(self, index, threads):
        connections = []
        try:
            self._publish(index, threads, connections)
        finally:
            for connection in connections:
                connection.close()

    def _publish(self, index, threads, connections):
        number = 0
        while not self._stop.is_set():
            for key in range(index, self.keys, threads):
                name = f"key-{key}"
                headers = {"content-type": "text/plain", "ce-id": f"{name}-{number}"}
                while not self._stop.is_set():
                    try:
                        if not connections:
                            connections.append(http.client.HTTPConnection("127.0.0.1", self.sidecar.port, timeout=30))
                        connection = connections[0]
                        connection.request("POST", f"{self.path}?key={name}", self.body(key, number), headers)
                        answer = connection.getresponse()
                        body = answer.read()
                    except (OSError, http.client.HTTPException):
                        connections.pop().close()
                        self._stop.wait(0.05)
                        continue
                    with self._lock:
                        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
                        if answer.status == 200:
                            self.acked[name, number] = json.loads(body)
                        elif answer.status == 202:
                            self.spooled[name, number] = json.loads(body)
                        elif answer.status != 503:
                            self.refused[name, number] = answer.status
                    if answer.status != 503:
                        break
                    self._stop.wait(0.05)
                if self._stop.is_set():
                    return
            number += 1


def check_stored(test, publishers, records):
    """Every event answered 200 is in Kafka where its answer says, every one answered 202 is there too; per key the first occurrences
    are in order; nothing refused is there."""
    at = {(r.partition, r.offset): r for r in records}
    for (key, number), answer in publishers.acked.items():
        record = at.get((answer["partition"], answer["offset"]))
        test.assertIsNotNone(record, f"{key} {number}: {answer}")
        test.assertEqual((record.key, int(record.value.split()[0])), (key, number))
    stored = {(r.key, int(r.value.split()[0])) for r in records}
    test.assertEqual(set(publishers.spooled) - stored, set(), "answered 202 and lost")
    for record in records:
        test.assertNotIn((record.key, int(record.value.split()[0])), publishers.refused)
    return check_order(test, records)


def check_order(test, records):
    """Per key the first occurrences are in order; returns how many are not the first."""
    seen = {}
    duplicates = 0
    for record in records:
        number = int(record.value.split()[0])
        numbers = seen.setdefault(record.key, {})
        if number in numbers:
            duplicates += 1
            continue
        newest = next(reversed(numbers), -1)
        test.assertGreater(number, newest, record.key)
        numbers[number] = True
    return duplicates
