"""How fast events go from Kafka to an app: an instant handler, one of 5 ms, one hot key among a thousand."""
import json
import subprocess

from sidecar import Sidecar

KEYS = 1000
HEAD = "apiVersion: outrigger/v1\nkind: Sidecar\n"
SUBSCRIPTION = """kafka: {{groupId: bench-{topic}}}
subscriptions:
  - name: bench
    topics: [{topic}]
    startFrom: earliest
    deliver: {{url: "http://127.0.0.1:{port}/events", concurrency: {concurrency}}}
"""


class App:
    """A program that prints its port and runs until it is left; bench_app has a line for its first event, and its figures for the last."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([str(program), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("bench_app ended early")
        return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


def fill(kafka, topic, events, hot=0):
    """`events` events of 1,000 keys, and `hot` more of one key spread among them."""
    with Sidecar(text=HEAD + f"routes:\n  - {{topic: {topic}}}\n", env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
        sidecar.start()
        lines, every = [], events // hot if hot else 0
        for n in range(events):
            lines.append(f'{{"type":"bench","id":"{n}","key":"k{n % KEYS}","data":{{"n":{n}}}}}\n')
            if every and n % every == 0:
                lines.append(f'{{"type":"bench","id":"hot{n}","key":"hot","data":{{"n":{n}}}}}\n')
        answer = sidecar.post("/v1/events", "".join(lines), {"content-type": "application/x-ndjson"})
        if answer.json.get("accepted") != len(lines):
            raise RuntimeError(f"{topic} was not filled: {answer.body[:500]}")


def deliver(kafka, program, topic, events, concurrency=64, delay_us=0, hot=0):
    """The rate and cost of delivering what fill() has put there; a hot key's own events don't count."""
    kafka.create_topic(topic, int(topic.split("-")[1]))
    fill(kafka, topic, events, hot)
    with App(program, "--events", events, "--delay-us", delay_us, *(["--hot", "hot"] if hot else [])) as app:
        text = HEAD + SUBSCRIPTION.format(topic=topic, port=app.port, concurrency=concurrency)
        with Sidecar(text=text, env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
            sidecar.start()
            app.line()
            began = sidecar.cpu_seconds()
            figures = json.loads(app.line())
            figures["server_cpu_us_per_event"] = (sidecar.cpu_seconds() - began) * 1e6 / (events + figures["hot"])
            figures["rss_mb"] = sidecar.memory()[0] / 1e6
            return figures
