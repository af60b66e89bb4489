"""An SMTP server that keeps every message and passes none on; `refuse(sender, recipient)` may give a reply instead, as "451 later"."""
import email
import email.policy
import socketserver
import threading


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.converse()
        except ConnectionError:
            pass  # the app ended in the middle

    def converse(self):
        sink = self.server.sink
        sender, recipients = None, []
        self.reply("220 sink")
        while (line := self.rfile.readline()):
            verb, _, rest = line.decode().rstrip("\r\n").partition(" ")
            verb = verb.upper()
            if verb in ("EHLO", "HELO"):
                self.reply("250-sink\r\n250 8BITMIME" if verb == "EHLO" else "250 sink")
            elif verb == "MAIL":
                sender, recipients = self.address(rest), []
                self.reply("250 ok")
            elif verb == "RCPT":
                refusal = sink.refuse(sender, self.address(rest))
                if not refusal:
                    recipients.append(self.address(rest))
                self.reply(refusal or "250 ok")
            elif verb == "DATA" and recipients:
                self.reply("354 go on")
                sink.keep(sender, recipients, self.data())
                self.reply("250 kept")
            elif verb == "QUIT":
                return self.reply("221 bye")
            else:
                self.reply("503 not now" if verb == "DATA" else "500 unknown")

    def reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def data(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    @staticmethod
    def address(text):
        return text.partition("<")[2].partition(">")[0]


class SmtpSink:
    def __init__(self, refuse=None, host="127.0.0.1"):
        self.refuse = refuse or (lambda sender, recipient: None)
        self.messages = []
        self._lock = threading.Lock()
        self._server = socketserver.ThreadingTCPServer((host, 0), Session)
        self._server.daemon_threads = True
        self._server.sink = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def keep(self, sender, recipients, data):
        message = email.message_from_bytes(data, policy=email.policy.default)
        message.envelope = (sender, recipients)
        with self._lock:
            self.messages.append(message)

    def to(self, address):
        """The messages that `address` got."""
        with self._lock:
            return [message for message in self.messages if address in message.envelope[1]]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
