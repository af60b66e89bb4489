"""NDJSON of any length is a stream: flat memory, order kept, a sender that stops or goes in the middle."""
import http.client
import json
import socket
import unittest

from case import KafkaCase, order_of_keys, read_topic

MEGABYTE = 1 << 20


class Stream(KafkaCase):
    def chunks(self, connection, data):
        connection.sendall(b"%x\r\n" % len(data) + data + b"\r\n")

    def open(self, sidecar):
        connection = socket.create_connection(("127.0.0.1", sidecar.port), 60)
        self.addCleanup(connection.close)
        connection.sendall(b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        return connection

    @staticmethod
    def answer(connection):
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read())

    def test_a_hundred_megabytes_in_one_request_and_memory_stays(self):
        sidecar = self.sidecar()
        sidecar.post("/v1/events/bulk.line", {})
        line = json.dumps({"type": "bulk.line", "key": "k", "data": {"note": "x" * 900}}).encode() + b"\n"
        block = line * 200
        connection = self.open(sidecar)
        sent = peak = 0
        while sent < 100 * MEGABYTE:
            self.chunks(connection, block)
            sent += len(block)
            peak = max(peak, sidecar.memory()[0])
        connection.sendall(b"0\r\n\r\n")
        status, answer = self.answer(connection)
        self.assertEqual((status, answer["failed"]), (200, 0), answer)
        self.assertEqual(answer["accepted"], sent // len(block) * 200)
        print(f"{sent / 1e6:.0f} MB, {answer['accepted']} events, RSS at most {peak / 1e6:.0f} MB", end=" ")
        self.assertLess(peak, 100 * MEGABYTE)

    def test_lines_of_a_key_stand_in_the_order_sent_whatever_the_chunks(self):
        sidecar = self.sidecar("routes:\n  - {match: {type: \"*\"}, topic: ordered}\n")
        connection = self.open(sidecar)
        text = b"".join(b'{"type":"o.l","key":"key-%d","data":"%d "}\n' % (n % 20, n // 20) for n in range(4000))
        for at in range(0, len(text), 977):
            self.chunks(connection, text[at:at + 977])
        connection.sendall(b"0\r\n\r\n")
        self.assertEqual(self.answer(connection)[0], 200)
        records = read_topic(self.kafka.bootstrap, "ordered")
        for record in records:
            record.value = record.value.strip('"')
        for key, numbers in order_of_keys(records).items():
            self.assertEqual(numbers, list(range(200)), key)

    def test_a_line_too_long_is_one_failure_and_the_stream_goes_on(self):
        sidecar = self.sidecar("http:\n  maxBody: 10KiB\n")
        connection = self.open(sidecar)
        self.chunks(connection, b'{"type":"a.b","data":1}\n')
        for _ in range(30):
            self.chunks(connection, b"x" * 1000)
        self.chunks(connection, b'\n{"type":"a.b","data":2}\n')
        connection.sendall(b"0\r\n\r\n")
        status, answer = self.answer(connection)
        self.assertEqual((status, answer["accepted"], answer["failed"]), (413, 2, 1))
        self.assertEqual(answer["failures"][0]["line"], 2)

    def test_failures_are_counted_beyond_the_thousand_that_are_told(self):
        sidecar = self.sidecar()
        connection = self.open(sidecar)
        self.chunks(connection, b"no\n" * 2500)
        connection.sendall(b"0\r\n\r\n")
        _, answer = self.answer(connection)
        self.assertEqual((answer["failed"], len(answer["failures"])), (2500, 1000))

    def test_a_sender_that_goes_in_the_middle_leaves_the_lines_before(self):
        sidecar = self.sidecar("routes:\n  - {match: {type: \"*\"}, topic: cut}\n")
        connection = self.open(sidecar)
        self.chunks(connection, b'{"type":"a.b","data":1}\n{"type":"a.b","data":2}\n{"type":"a.')
        connection.close()
        sidecar.wait_for(lambda: len(read_topic(self.kafka.bootstrap, "cut")) == 2, what="two records")
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 200)


if __name__ == "__main__":
    unittest.main()
