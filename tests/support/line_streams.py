"""Publishers that send NDJSON at a steady rate, each on a stream of its own that doesn't end before they are stopped."""
import json
import socket
import threading
import time

TICK = 0.1


class LineStreams:
    """`rate` events a second of about 200 bytes over so many streams; each stream has `keys` keys of its own, numbered in order."""

    def __init__(self, sidecar, kind, rate, streams=16, keys=50):
        self.sidecar, self.kind, self.keys = sidecar, kind, keys
        self.lines = int(rate * TICK / streams)  # of a stream in a tick
        self.sent = [0] * streams
        self.answers = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(stream,), daemon=True) for stream in range(streams)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self, timeout=60):
        """The streams' answers: status and body."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)
        if len(self.answers) < len(self._threads):
            raise TimeoutError("a stream has no answer")
        return self.answers

    def _run(self, stream):
        with socket.create_connection(("127.0.0.1", self.sidecar.port), timeout=60) as connection:
            connection.sendall(b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
            due = time.monotonic()
            while not self._stop.wait(max(0, due - time.monotonic())):
                first = self.sent[stream]
                chunk = "".join(self._line(stream, number) for number in range(first, first + self.lines)).encode()
                connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                self.sent[stream] += self.lines
                # A stream that was paused doesn't catch up.
                due = max(due + TICK, time.monotonic() - TICK)
            connection.sendall(b"0\r\n\r\n")
            answer = b""
            while part := connection.recv(65536):
                answer += part
                head, end, body = answer.partition(b"\r\n\r\n")
                if end and body.rstrip().endswith(b"}"):
                    break
        self.answers.append((int(head.split()[1]), json.loads(body)))

    def _line(self, stream, number):
        return (f'{{"type":"{self.kind}","id":"{stream}-{number}","key":"{stream}-{number % self.keys}",'
                f'"data":{{"n":{number},"text":"{"x" * 100}"}}}}\n')
