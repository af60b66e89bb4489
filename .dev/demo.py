"""`./dev demo`: a running Outrigger with the rules of manifests/lms, real events through it, and what became of them.

Every step says what it expects; with --once the program ends by itself, 0 when all was as expected, else 1.
"""
import argparse
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
from kafka import Kafka  # noqa: E402
from ports import free_ports  # noqa: E402
from records import read_topic  # noqa: E402
from sidecar import Sidecar  # noqa: E402

COLOURS = sys.stdout.isatty() or os.environ.get("FORCE_COLOR")
CLOUDEVENT = {"specversion": "1.0", "source": "/shop", "type": "payment.received"}
FORM = {"content-type": "application/json"}


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def short(text, size=300):
    return text if len(text) <= size else text[:size] + f"… ({len(text)} bytes)"


class Demo:
    def __init__(self, sidecar, bootstrap):
        self.sidecar = sidecar
        self.bootstrap = bootstrap
        self.wrong = []
        self.connection = sidecar.connect()

    def title(self, text):
        print("\n" + paint("1", text))

    def expect(self, truth, what):
        if not truth:
            self.wrong.append(what)
            print(paint("31", f"    not as expected: {what}"))

    def send(self, what, path, body, expected, headers=None):
        """One request, its answer, and whether that was the one to expect."""
        headers = FORM if headers is None else headers
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        print(f"{paint('36', what)}\n  POST {path}  " +
              "  ".join(f"{k}: {v}" for k, v in headers.items()))
        for line in short(body if isinstance(body, str) else body.decode(errors="replace")).splitlines()[:4]:
            print(f"  {line}")
        began = time.perf_counter()
        answer = self.sidecar.request("POST", path, body, headers, self.connection)
        took = (time.perf_counter() - began) * 1000
        good = answer.status == expected
        print(paint("32" if good else "31", f"  → {answer.status}") + f" in {took:.1f} ms  " + short(answer.body.decode(), 700))
        self.expect(good, f"{what}: {expected}, not {answer.status}")
        return answer


def good_events(demo):
    demo.title("Events in every form")
    demo.send("an event; time and source are filled in, registeredAt is stamped by the rule", "/v1/events", {
        "type": "user.registered", "id": "reg-1",
        "data": {"userId": "u-1", "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "role": "student"},
    }, 200)
    demo.send("the same again, as after a lost answer: the first answer, no second record", "/v1/events", {
        "type": "user.registered", "id": "reg-1",
        "data": {"userId": "u-1", "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "role": "student"},
    }, 200)
    demo.send("the data alone, its type in the path, version 2.0 of its schema", "/v1/events/user.registered?version=2.0", {
        "userId": "u-2", "email": "bo@example.com", "firstName": "Bo", "lastName": "Kim", "role": "teacher", "locale": "en-GB",
    }, 200)
    demo.send("a CloudEvent, structured; the number 49.90 stays 49.90", "/v1/events",
              '{"specversion":"1.0","id":"pay-1","source":"/shop","type":"payment.received",'
              '"data":{"paymentId":"p-1","userId":"u-1","amount":49.90,"currency":"EUR"}}',
              200, {"content-type": "application/cloudevents+json"})
    demo.send("a CloudEvent, binary", "/v1/events", {"to": "ann@example.com", "subject": "Welcome!", "template": "welcome",
                                                      "data": {"name": "Ann"}},
              200, {"ce-specversion": "1.0", "ce-id": "mail-1", "ce-source": "/lms", "ce-type": "notification.email", **FORM})
    batch = [dict(CLOUDEVENT, id=f"pay-{n}", data={"paymentId": f"p-{n}", "userId": "u-2", "amount": n, "currency": "EUR"})
             for n in (2, 3)]
    demo.send("a CloudEvents batch", "/v1/events", batch, 200, {"content-type": "application/cloudevents-batch+json"})
    lines = "".join(json.dumps({"type": "analytics.tracked",
                                "data": {"event": "page_viewed", "userId": f"u-{n % 7}", "metadata": {"page": n}}}) + "\n"
                    for n in range(1000))
    answer = demo.send("a stream of lines: 1,000 events in one request", "/v1/events", lines, 200,
                       {"content-type": "application/x-ndjson"})
    demo.expect(answer.json.get("accepted") == 1000, "1,000 lines accepted")
    demo.send("a raw record", "/v1/topics/audit.log?key=u-1", "ann logged in", 200,
              {"content-type": "text/plain", "kafka-level": "info"})


def bad_events(demo):
    demo.title("One bad event of each kind: what was wrong, and where")
    demo.send("no rule takes it", "/v1/events", {"type": "course.created", "data": {}}, 404)
    demo.send("broken JSON inside data", "/v1/events", '{"type":"user.updated","data":{"userId":"u-1","n":01}}', 400)
    demo.send("a name twice where a rule reads", "/v1/events", '{"type":"user.updated","type":"user.deleted","data":{}}', 400)
    demo.send("against its schema", "/v1/events/user.registered", {"userId": "u-3", "email": "nobody", "role": "king"}, 422)
    demo.send("a version without a schema", "/v1/events/user.registered?version=9.0", {"userId": "u-3"}, 422)
    demo.send("no key where the rule asks for one", "/v1/events", {"type": "user.deleted", "data": {"reason": "gdpr"}}, 422)
    demo.send("a known id with another body", "/v1/events", {"type": "user.updated", "id": "reg-1",
                                                             "data": {"userId": "u-1", "changes": {"a": 1}}}, 409)
    demo.send("invalid, and kept in the dead letter topic as the rule says", "/v1/events/analytics.tracked",
              {"event": "", "metadata": {}}, 422)
    demo.send("a topic that http.rawTopics does not allow", "/v1/topics/user.events", "x", 404, {"content-type": "text/plain"})
    demo.send("a content type that is no event", "/v1/events", "<event/>", 415, {"content-type": "application/xml"})
    demo.send("larger than http.maxBody", "/v1/events/user.updated",
              json.dumps({"userId": "u-1", "changes": {"note": "x" * 1_100_000}}), 413)
    demo.connection.close()


def in_kafka(demo):
    demo.title(f"What stands in Kafka (kcat -b {demo.bootstrap} -C -t TOPIC -e)")
    expected = {"user.events": 2, "payment.events": 3, "notification.events": 1, "analytics.events": 1000, "audit.log": 1,
                "dlq.topic": 1}
    for topic, count in expected.items():
        records = read_topic(demo.bootstrap, topic)
        print(f"{paint('36', topic)}: {len(records)} records")
        for r in records[:2]:
            print(f"  partition {r.partition} offset {r.offset} key {r.key}")
            print("    " + short("  ".join(f"{k}={v}" for k, v in r.headers.items()), 260))
            print("    " + short(r.value, 200))
        demo.expect(len(records) == count, f"{topic} holds {count} records, not {len(records)}")
        if topic == "user.events":
            demo.expect(all("registeredAt" in json.loads(r.value) for r in records), "registeredAt was stamped")
        if topic == "payment.events":
            demo.expect(any('"amount":49.90,' in r.value for r in records), "49.90 is 49.90 in Kafka")
        if topic == "dlq.topic":
            demo.expect(records and records[0].headers.get("outrigger-error-reason") == "schema", "the letter tells why")


def metrics(demo, before):
    demo.title(f"Metrics that moved (http://127.0.0.1:{demo.sidecar.ops_port}/metrics)")
    after = demo.sidecar.metrics()
    for name in sorted(after):
        moved = after[name] - before.get(name, 0)
        if moved and name.startswith("outrigger_") and "_bucket" not in name:
            print(f"  {name} +{moved:g}")
    acked = sum(value for name, value in after.items() if name.startswith("outrigger_producer_events_total{outcome=\"acked\""))
    demo.expect(acked == 1007, f"1,007 acked events are counted, not {acked:g}")


def usual_ports():
    """8800 and 8801, or free ones where those are taken."""
    try:
        for port in (8800, 8801):
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        return [8800, 8801]
    except OSError:
        return free_ports(2)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo")
    parser.add_argument("--kafka", action="store_true", help="a real Kafka instead of the embedded broker")
    parser.add_argument("--once", action="store_true", help="end by itself: 0 when all was as expected, else 1")
    parser.add_argument("--binary", default=str(ROOT / "build/release/outrigger"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    kafka = None
    if arguments.kafka:
        print("starting a real Kafka …", flush=True)
        kafka = Kafka().format().start()
    brokers = kafka.bootstrap if kafka else "embedded"
    sidecar = Sidecar(config=ROOT / "manifests/lms/outrigger.yaml", binary=arguments.binary,
                      env={"KAFKA_BROKERS": brokers}, ports=usual_ports())
    try:
        sidecar.start()
        print(f"Outrigger listens on http://127.0.0.1:{sidecar.port} after {(time.monotonic() - sidecar.started) * 1000:.0f} ms, "
              f"with the rules of manifests/lms/outrigger.yaml, on " + ("a real Kafka" if kafka else "its embedded broker"))
        sidecar.wait_for(lambda: sidecar.ops("/health/kafka").json["kafka"]["connected"], what="Kafka")
        demo = Demo(sidecar, kafka.bootstrap if kafka else sidecar.bootstrap)
        before = sidecar.metrics()
        good_events(demo)
        bad_events(demo)
        in_kafka(demo)
        metrics(demo, before)
        if demo.wrong:
            print("\n" + paint("31", f"{len(demo.wrong)} things were not as expected; the log is {sidecar.log_path}"))
        else:
            print("\n" + paint("32", "All was as expected."))
        if not arguments.once:
            print(f"\nStill running. Try:\n  curl -i http://127.0.0.1:{sidecar.port}/v1/events -H 'Content-Type: application/json' \\\n"
                  "    -d '{\"type\":\"user.deleted\",\"data\":{\"userId\":\"u-1\"}}'\n"
                  f"  kcat -b {demo.bootstrap} -C -t user.events -e\n"
                  f"  curl http://127.0.0.1:{sidecar.ops_port}/status\nCtrl-C ends all of it.", flush=True)
            signal.pause()
        return 1 if demo.wrong else 0
    except KeyboardInterrupt:
        print("\nending")
        return 0
    finally:
        sidecar.close()
        if kafka:
            kafka.close()


if __name__ == "__main__":
    sys.exit(main())
