"""The e-learning platform with a tap on each side of Outrigger: what the app publishes and what it is delivered is shown on its way.

    app ──▶ tap ──▶ Outrigger ──▶ Kafka ──▶ Outrigger ──▶ tap ──▶ app's handlers ──▶ mail, copy, invoice, audit log, counters
"""
import http.client
import json
import socket

from app import App
from lms import NodeApp, rules
from ports import free_ports
from screen import name, short
from sidecar import Sidecar
from smtp_sink import SmtpSink

PER_CONNECTION = ("host", "connection", "content-length", "transfer-encoding", "keep-alive")


def ports_or_free(*wanted):
    """These ports, or free ones where one of them is taken."""
    try:
        for port in wanted:
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        return list(wanted)
    except OSError:
        return free_ports(len(wanted))


def pass_on(call, port):
    """The call to the real one on `port` → (status, body, headers), or None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(call.method, call.path, call.body, {n: v for n, v in call.headers.items() if n not in PER_CONNECTION})
        answer = connection.getresponse()
        return answer.status, answer.read(), {n.lower(): v for n, v in answer.getheaders() if n.lower() not in PER_CONNECTION}
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Mailbox(SmtpSink):
    def __init__(self, screen):
        super().__init__()
        self.screen = screen

    def keep(self, sender, recipients, data):
        super().keep(sender, recipients, data)
        self.screen.line("effect", f"mail to {', '.join(recipients)}: \"{self.messages[-1]['Subject']}\"")


class School:
    def __init__(self, screen, brokers, binary):
        self.screen = screen
        self.mailbox = Mailbox(screen)
        self.publishing = App(self.publish).start()
        self.delivering = App(self.deliver).start()
        [port] = ports_or_free(3000)
        self.app = NodeApp(self.publishing.port, self.mailbox.port, port=port)
        self.sidecar = Sidecar(text=rules(self.delivering.port), binary=binary, env={"KAFKA_BROKERS": brokers}, ports=ports_or_free(8800, 8801))

    def start(self):
        self.sidecar.start()
        self.app.start()
        self.sidecar.wait_for(lambda: self.sidecar.ops("/health/kafka").json["kafka"]["connected"], what="Kafka")
        return self

    def close(self):
        for part in (self.app, self.sidecar, self.mailbox):
            part.close()
        self.publishing.stop()
        self.delivering.stop()

    def stop_app(self):
        self.app.stop()
        self.delivering.stop()  # the port refuses, as the app's own would

    def start_app(self):
        self.app.start()
        self.delivering.start()

    def publish(self, call):
        answer = pass_on(call, self.sidecar.port)
        if answer is None:
            return None
        events, told = json.loads(call.body), json.loads(answer[1])
        events = events if isinstance(events, list) else [events]
        results = told.get("results", [told])
        for event, result in zip(events, results):
            kind = name(event.get("type", call.path), result.get("id", ""))
            problem = result if isinstance(result.get("status"), int) else result.get("problem")
            if problem:
                places = "; ".join(f"{e['pointer']} {e['message']}" for e in problem.get("errors", []))
                self.screen.line("refused", f"{kind}: {problem['status']} {short(places or problem['detail'], 110)}")
            else:
                where = f"{result['topic']}/{result['partition']}@{result['offset']}" if "offset" in result else "–"
                self.screen.line("published", f"{kind} → {where}  {result['status']}")
        return answer

    def deliver(self, call):
        answer = pass_on(call, self.app.handlers_port)
        status = answer[0] if answer else None
        text = f"{name(call.headers['ce-type'], call.id)} → {call.headers['outrigger-subscription']}, attempt {call.attempt}"
        if status == 204:
            self.screen.line("delivered", text)
        else:
            self.screen.line("not taken", f"{text}: {status or 'no answer'} {short(answer[1].decode(), 80) if answer else ''}")
        return answer
