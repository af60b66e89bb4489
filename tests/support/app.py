"""A scriptable app: an HTTP server that answers as it is told and remembers every call."""
import json
import socket
import threading
import time


class Call:
    def __init__(self, method, path, headers, body, at):
        self.method, self.path, self.headers, self.body, self.at = method, path, headers, body, at
        self.id = headers.get("ce-id", "")
        self.key = headers.get("outrigger-key", "")
        self.attempt = int(headers.get("outrigger-attempt", 0))
        self.done = None

    @property
    def json(self):
        return json.loads(self.body)


class App:
    """`answer(call)` gives a status, (status, body), (status, body, headers), bytes sent as they are, or None: cut.

    It runs on threads of its own, one a connection. stop() and start() keep the port.
    """

    def __init__(self, answer=None, port=0):
        self.answer = answer or (lambda call: 200)
        self.calls = []
        self.in_flight = {}  # key → how many at once
        self.overlaps = 0    # of one key
        self._lock = threading.Lock()
        self.port = port
        self._listener = None
        self._connections = set()

    def start(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._listener.listen(512)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        """As if the process died: the port refuses, connections are reset."""
        listener, self._listener = self._listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/h/{{type}}"

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self._lock:
            self._connections.add(connection)
        try:
            with connection, connection.makefile("rb") as stream:
                while self._one(connection, stream):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _one(self, connection, stream):
        line = stream.readline()
        if not line:
            return False
        method, path, _ = line.decode().split(" ", 2)
        headers = {}
        while (line := stream.readline().strip()):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        call = Call(method, path, headers, body, time.monotonic())
        with self._lock:
            self.calls.append(call)
            now = self.in_flight.get(call.key, 0) + 1
            self.in_flight[call.key] = now
            if call.key and now > 1:
                self.overlaps += 1
        try:
            answer = self.answer(call)
        finally:
            with self._lock:
                self.in_flight[call.key] -= 1
        if answer is None:
            return False
        if isinstance(answer, bytes):
            connection.sendall(answer)
            return False
        status, text, extra = (answer if isinstance(answer, tuple) else (answer,)) + ("", {})[(len(answer) if isinstance(answer, tuple) else 1) - 1:]
        text = text.encode() if isinstance(text, str) else text
        head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in extra.items())
        connection.sendall(head.encode() + b"\r\n" + text)
        call.done = status
        return True

    def count(self):
        with self._lock:
            return len(self.calls)

    def of(self, identity):
        with self._lock:
            return [call for call in self.calls if call.id == identity]

    def ids(self):
        with self._lock:
            return {call.id for call in self.calls if call.done and call.done < 300}
