"""A TCP gate before a port: passes bytes on, late when `delay` says so (seconds, each way back), or none while it is shut."""
import socket
import threading


class Gate:
    def __init__(self, target):
        self.target = target
        self.delay = 0
        self.open = threading.Event()
        self.open.set()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                if self._closed.is_set():
                    return
                near.close()
                continue
            threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source, sink, late):
        try:
            while (data := source.recv(65536)):
                while not self.open.wait(0.1) and not self._closed.is_set():
                    pass
                if late and self.delay:
                    self._closed.wait(self.delay)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._closed.set()
        self._listener.close()
