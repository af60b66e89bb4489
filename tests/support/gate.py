"""A TCP gate before a port. `delay` holds back each piece of an answer so many seconds; shut() refuses, as if nobody listened."""
import socket
import threading


class Gate:
    def __init__(self, target):
        self.target = target
        self.delay = 0
        self.port = 0
        self._listener = None
        self._pairs = []
        self._ended = threading.Event()
        self.open()

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self):
        """What is connected is cut, too."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in self._pairs:
            self._cut(pair)
        self._pairs = []

    def close(self):
        self._ended.set()
        self.shut()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            self._pairs.append((near, far))
            for source, sink, late in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pass, args=(source, sink, late), daemon=True).start()

    def _pass(self, source, sink, late):
        try:
            while (data := source.recv(65536)):
                if late and self.delay:
                    self._ended.wait(self.delay)
                sink.sendall(data)
        except OSError:
            pass
        self._cut((source, sink))

    @staticmethod
    def _cut(pair):
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
