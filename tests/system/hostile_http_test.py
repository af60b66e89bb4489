"""Hostile and broken senders: the right refusal, flat memory, the next request served."""
import socket
import time
import unittest

from case import KafkaCase

OK = b"POST /v1/events/a.b HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
MEGABYTE = 1 << 20


class Hostile(KafkaCase):
    def setUp(self):
        self.instance = self.sidecar("http:\n  headTimeout: 2s\n")
        self.assertEqual(self.instance.post("/v1/events/a.b", {}).status, 200)

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.instance.port), 20)
        self.addCleanup(s.close)
        return s

    @staticmethod
    def code(s):
        """The status of the next answer; 0 when the connection ends without one."""
        data = b""
        while b"\r\n" not in data:
            try:
                piece = s.recv(65536)
            except ConnectionError:
                break
            if not piece:
                break
            data += piece
        return int(data.split()[1]) if data else 0

    def send(self, data):
        s = self.connect()
        try:
            s.sendall(data)
        except ConnectionError:
            pass
        return self.code(s)

    def assert_serves(self):
        self.assertEqual(self.instance.post("/v1/events/a.b", {}).status, 200)

    def test_a_low_limit_of_open_files_is_raised_to_what_the_node_allows(self):
        self.instance.stop()
        self.instance.start(under=("sh", "-c", 'ulimit -Sn 64 && exec "$@"', "sh"))
        held = [self.connect() for _ in range(200)]
        for each in held:
            each.sendall(OK)
        self.assertEqual({self.code(each) for each in held}, {200})

    def test_five_megabytes_of_body(self):
        before = self.instance.memory()[0]
        for head in (b"Content-Length: %d\r\n\r\n" % (5 * MEGABYTE), b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (5 * MEGABYTE)):
            self.assertEqual(self.send(HEAD + head + b"x" * (5 * MEGABYTE)), 413)
        self.assertLess(self.instance.memory()[0] - before, 8 * MEGABYTE)
        self.assert_serves()

    def test_a_megabyte_of_headers(self):
        before = self.instance.memory()[0]
        self.assertEqual(self.send(HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(1000)) + b"\r\n"), 431)
        self.assertEqual(self.send(HEAD + b"X: " + b"y" * MEGABYTE), 431)
        self.assertLess(self.instance.memory()[0] - before, 4 * MEGABYTE)
        self.assert_serves()

    def test_a_megabyte_of_trailers_and_of_chunk_extensions(self):
        before = self.instance.memory()[0]
        chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(self.send(chunked + b"2\r\n{}\r\n0\r\nX: " + b"y" * MEGABYTE + b"\r\n\r\n"), 431)
        self.assertEqual(self.send(chunked + b"2\r\n{}\r\n0\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyy\r\n" * 40_000 + b"\r\n"), 431)
        self.assertEqual(self.send(chunked + b"2;" + b"e" * MEGABYTE + b"\r\n{}\r\n0\r\n\r\n"), 431)
        self.assertEqual(self.send(chunked + b"1;eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\r\n{\r\n" * 20_000 + b"0\r\n\r\n"), 431)
        self.assertLess(self.instance.memory()[0] - before, 4 * MEGABYTE)
        self.assert_serves()

    def test_framing_that_a_proxy_could_read_otherwise(self):
        for lines, code in (
            (b"Content-Length: -1\r\n", 400),
            (b"Content-Length: 2\r\nContent-Length: 2\r\n", 400),
            (b"Content-Length: 2, 2\r\n", 400),
            (b"Content-Length: 0x2\r\n", 400),
            (b"Content-Length: 99999999999999999999\r\n", 400),
            (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400),
            (b"Transfer-Encoding: gzip, chunked\r\n", 501),
            (b'Transfer-Encoding: "chunked"\r\n', 501),
            (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
            (b"Host: again\r\nContent-Length: 2\r\n", 400),
            (b"X: a\r\n b\r\nContent-Length: 2\r\n", 400),
            (b"X: a\nContent-Length: 2\r\n", 400),
            (b"X : a\r\nContent-Length: 2\r\n", 400),
            (b"Expect: more\r\nContent-Length: 2\r\n", 417),
        ):
            with self.subTest(lines):
                # What follows could be read as a second request: there must be no second answer.
                s = self.connect()
                s.sendall(HEAD + lines + b"\r\n{}" + OK)
                data = b""
                while piece := s.recv(65536):
                    data += piece
                self.assertEqual(int(data.split()[1]), code, data)
                self.assertEqual(data.count(b"HTTP/1.1 "), 1)
        for request in (b"POST /v1/events HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b"POST /v1/e%00 HTTP/1.1\r\nHost: h\r\n\r\n",
                        b"POST /v1/e%zz HTTP/1.1\r\nHost: h\r\n\r\n", b"POST v1 HTTP/1.1\r\nHost: h\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n"):
            self.assertEqual(self.send(request), 400, request)
        self.assert_serves()

    def test_schemes_and_targets_in_any_case_and_headers_that_say_what_is_taken(self):
        secret = self.instance.folder / "token"
        secret.write_text("x y")
        guarded = self.sidecar(f"http:\n  tokenFile: {secret}\n")
        for given, code in (("Bearer x y", 200), ("BEARER x y", 200), ("bEaReR   x y", 200), ("Basic x y", 401), ("Bearerx y", 401), ("x y", 401)):
            answer = guarded.post("/v1/events/a.b", {}, {"authorization": given})
            self.assertEqual(answer.status, code, given)
            self.assertRegex(answer.headers["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertEqual(self.send(OK.replace(b"/v1", b"HTTP://h/v1")), 200)
        for twice in (b"Content-Type: application/json\r\n", b"Content-Type: text/plain\r\n"):
            self.assertEqual(self.send(OK.replace(b"Content-Length", twice + b"Content-Length")), 400, twice)
        self.assertEqual(self.send(OK.replace(b"Content-Length", b"Authorization: a\r\nAuthorization: b\r\nContent-Length")), 400)
        answer = self.instance.post("/v1/events", "x", {"content-type": "text/plain"})
        self.assertEqual(answer.status, 415)
        self.assertIn("application/cloudevents+json", answer.headers["accept"])
        answer = self.instance.post("/v1/events", "x", {"content-encoding": "gzip"})
        self.assertEqual((answer.status, answer.headers["accept-encoding"]), (415, "identity"))
        for method in ("HEAD", "OPTIONS", "GET", "DELETE"):
            answer = self.instance.request(method, "/v1/events")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST"), method)
        answer = self.instance.request("OPTIONS", "*")
        self.assertEqual((answer.status, answer.headers["allow"], answer.body), (200, "GET, HEAD, POST, OPTIONS", b""))

    def test_bad_chunks_are_refused_at_once(self):
        chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        began = time.monotonic()
        for chunk in (b"8000000000000000", b"ffffffffffffffff\r\n", b"2\n", b"2;a=b\n", b"2\r\n{}\n", b"7fffffff\r\n{"):
            self.assertIn(self.send(chunked + chunk), (400, 413), chunk)
        self.assertLess(time.monotonic() - began, 2)
        self.assert_serves()

    def test_pipelined_requests_are_answered_in_order(self):
        s = self.connect()
        s.sendall(OK + OK.replace(b"/v1/events/a.b", b"/v1/nothing...") + OK)
        data = b""
        while data.count(b"HTTP/1.1 ") < 3 or not data.endswith(b"}"):
            data += s.recv(65536)
        self.assertEqual([int(part.split()[0]) for part in data.split(b"HTTP/1.1 ")[1:]], [200, 404, 200])

    def test_100_continue_and_head(self):
        s = self.connect()
        s.sendall(HEAD.replace(b"/v1/events", b"/v1/events/a.b") + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(self.code(s), 100)
        s.sendall(b"{}")
        self.assertEqual(self.code(s), 200)
        answer = self.instance.request("HEAD", "/health/kafka")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_a_header_byte_a_second_from_300_connections(self):
        before = self.instance.memory()[0]
        slow = [self.connect() for _ in range(300)]
        began = time.monotonic()
        sent = 0
        codes = []
        text = b"POST /v1/events HTTP/1.1\r\nHost: h\r\n"
        while slow:
            # Each second a byte for each: the deadline is the head's, not the byte's.
            if time.monotonic() - began >= sent:
                for s in slow:
                    try:
                        s.sendall(text[sent:sent + 1])
                    except ConnectionError:
                        pass
                sent += 1
                self.assert_serves()
            for s in list(slow):
                s.settimeout(0.0005)
                try:
                    answer = s.recv(4096)
                except TimeoutError:
                    continue
                except ConnectionError:
                    answer = b""
                codes.append(answer[9:12])
                slow.remove(s)
            self.assertLess(time.monotonic() - began, 30, f"{len(slow)} are still held")
        self.assertEqual(set(codes), {b"408"})
        self.assertLess(self.instance.memory()[0] - before, 32 * MEGABYTE, "some 100 KB a connection")
        self.assert_serves()

    def test_more_connections_than_allowed_are_refused_where_none_is_idle(self):
        few = self.sidecar("http:\n  maxConnections: 10\n")
        held = [socket.create_connection(("127.0.0.1", few.port), 10) for _ in range(10)]
        for s in held:
            s.sendall(OK[:-2])  # its body is still to come
        few.wait_for(lambda: few.metrics()["outrigger_http_connections"] == 10)
        with socket.create_connection(("127.0.0.1", few.port), 10) as s:
            s.sendall(OK)
            self.assertEqual(self.code(s), 503)
        for s in held:
            s.sendall(b"{}")
            self.assertEqual(self.code(s), 200)
            s.close()
        few.wait_for(lambda: few.post("/v1/events/a.b", {}).status == 200)

    def test_silent_connections_keep_nobody_out_of_either_port(self):
        few = self.sidecar("http:\n  maxConnections: 20\n")
        for port, count in ((few.port, 100), (few.ops_port, 300)):
            for _ in range(count):
                self.addCleanup(socket.create_connection(("127.0.0.1", port), 10).close)
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(few.ops(path).status, 200)
        self.assertEqual(few.post("/v1/events/a.b", {}).status, 200)

    def test_few_open_files_leave_some_to_probes_and_kafka(self):
        self.instance.stop()
        self.instance.start(under=("sh", "-c", 'ulimit -n 64 && exec "$@"', "sh"))
        held = [self.connect() for _ in range(100)]
        for s in held:
            try:
                s.sendall(OK[:-2])
            except ConnectionError:
                pass  # it was idle, and gave way to a later one
        self.instance.wait_for(lambda: self.instance.metrics()["outrigger_http_connections"] > 0)
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(self.instance.ops(path).status, 200)
        self.instance.wait_for(lambda: self.send(OK) == 503, what="none to be idle any more")
        for s in held:
            try:
                s.sendall(b"{}")
            except ConnectionError:
                pass
        codes = [self.code(s) for s in held]
        self.assertIn(200, codes, "Kafka can be reached")
        self.assertLessEqual(set(codes), {200, 503, 0})
        for s in held:
            s.close()
        self.instance.wait_for(lambda: self.instance.post("/v1/events/c.d", {}).status == 200)

    def test_a_sender_that_goes_in_the_middle(self):
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", self.instance.port), 10) as s:
                s.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        self.assert_serves()


if __name__ == "__main__":
    unittest.main()
