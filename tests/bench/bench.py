"""`./dev bench`: the release binary on a real Kafka, beside raw librdkafka in the same run, on this machine.

Kafka, the load and the sidecar share the cores, so figures are worth comparing within one run only. CPU is user + sys of
the sidecar's process for each acked event, beside kafkajs of app and sidecar together. Prints a table; --json FILE keeps the figures.
"""
import argparse
import json
import operator
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import against  # noqa: E402
import app_cost  # noqa: E402
import delivery  # noqa: E402
import spooling  # noqa: E402
from kafka import Kafka  # noqa: E402
from sidecar import Sidecar  # noqa: E402

BUILD = ROOT / "build/release"
PARTITIONS = (1, 4, 12)
ROUTES = "apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n" + "".join(
    f"  - {{match: {{type: bench{n}}}, topic: bench{n}, key: data.userId}}\n" for n in PARTITIONS)


def program(name, *arguments):
    run = subprocess.run([str(BUILD / "tests/bench" / name), *map(str, arguments)], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"{name} {' '.join(map(str, arguments))}: {run.stderr}")
    return json.loads(run.stdout)


def show(name, figures):
    cells = [f"{name:44}"]
    cells.append(f"{figures['events_per_second']:>10,.0f}/s" if "events_per_second" in figures else " " * 12)
    cpu = figures.get("server_cpu_us_per_event", figures.get("cpu_us_per_event"))
    cells.append(f"{cpu:>7.1f} us" if cpu is not None else " " * 10)
    cells.append(f"p50 {figures['p50_us']:>8.0f} us  p99 {figures['p99_us']:>8.0f} us" if "p50_us" in figures else "")
    if "app_cpu_us_per_event" in figures:
        cells.append(f"app {figures['app_cpu_us_per_event']:.1f} us + sidecar {figures['sidecar_cpu_us_per_event']:.1f} us")
    if figures.get("other_codes"):
        cells.append(f"  not 200: {figures['other_codes']} {figures['first_problem']}")
    print("  ".join(cells), flush=True)
    return figures


class Bench:
    def __init__(self, kafka, sidecar, seconds):
        self.kafka, self.sidecar, self.seconds = kafka, sidecar, seconds
        self.results = {}

    def row(self, name, figures):
        self.results[name] = show(name, figures)

    def raw(self, mode, partitions=4):
        return program("bench_raw", mode, "--brokers", self.kafka.bootstrap, "--topic", f"bench{partitions}",
                       "--seconds", self.seconds)

    def load(self, mode, partitions=4, connections=1, unix=False, **options):
        where = ["--unix", self.sidecar.folder / "app.sock"] if unix else ["--port", self.sidecar.port]
        more = [word for name, value in options.items() for word in (f"--{name}", value)]
        return program("bench_load", mode, *where, "--topic-type", f"bench{partitions}", "--connections", connections,
                       "--pid", self.sidecar.process.pid, "--seconds", self.seconds, *more)

    def latency(self, partitions=4):
        """p50 of one connection, of raw librdkafka and of the kernel alone, in turns, so that all see the same machine."""
        ways = {f"raw librdkafka, one at a time, {partitions}p": lambda: self.raw("sync", partitions),
                "the kernel alone, a request and its answer": self.echo,
                f"1 connection, {partitions}p": lambda: self.load("acked", partitions)}
        turns = [{name: way() for name, way in ways.items()} for _ in range(3)]
        for name in ways:
            self.row(name, min((turn[name] for turn in turns), key=operator.itemgetter("p50_us")))

    def echo(self):
        with delivery.App(BUILD / "tests/bench/bench_echo") as echo:
            return self.ask(echo)

    def ask(self, app, connections=1):
        """The load's requests to a program that is not the sidecar."""
        return program("bench_load", "acked", "--port", app.port, "--connections", connections, "--seconds", self.seconds,
                       "--pid", app.process.pid)

    def run(self, quick):
        self.latency()
        if not quick:
            self.latency(1)
        for partitions in ((4,) if quick else PARTITIONS):
            for connections in ((64,) if quick else (16, 64, 256)):
                self.row(f"{connections} connections, {partitions}p", self.load("acked", partitions, connections))
        if not quick:
            self.row("1 connection, Unix socket, 4p", self.load("acked", 4, 1, unix=True))
            self.row("64 connections, Unix socket, 4p", self.load("acked", 4, 64, unix=True))
            self.row("batches of 100, 16 connections, 4p", self.load("batch", 4, 16, size=100))
        for _ in range(1 if quick else 2):
            self.row("raw librdkafka, streamed, 4p", self.raw("stream"))
            self.row("NDJSON, 1 stream, 4p", self.load("ndjson", 4, 1))
            self.row("NDJSON, 4 streams, 4p", self.load("ndjson", 4, 4))

    def deliveries(self, quick):
        def row(name, topic, events, **options):
            return self.row(name, delivery.deliver(self.kafka, BUILD / "tests/bench/bench_app", topic, events, **options))

        more = 1 if quick else 3
        for partitions in (4,) if quick else (1, 4):
            row(f"delivered, instant handler, {partitions}p", f"instant-{partitions}", 100_000 * more)
            row(f"delivered, 5 ms handler, {partitions}p", f"slow-{partitions}", 30_000 * more, delay_us=5000)
        with delivery.App(BUILD / "tests/bench/bench_app", "--delay-us", 5000) as app:
            self.row("the 5 ms handler itself, 64 connections", self.ask(app, 64))
        row("delivered beside a hot key, 5 ms, 4p", "hot-4", 30_000 * more, delay_us=5000, hot=1500 * more)


def start_up(kafka):
    """exec to the first 2xx of a publish, the middle one of five, and the memory of an idle sidecar. Kafka is warm."""
    first = sorted(first_2xx(kafka) for _ in range(5))[2]
    with Sidecar(text=ROUTES, env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
        sidecar.start()
        sidecar.wait_for(lambda: sidecar.ops("/health/kafka").json["kafka"]["connected"])
        rss, anonymous = sidecar.memory()
        sidecar.stop()
    return {"first_2xx_ms": first * 1000, "idle_rss_mb": rss / 1e6, "idle_rss_anon_mb": anonymous / 1e6,
            "binary_mb": os.path.getsize(BUILD / "outrigger") / 1e6}


def first_2xx(kafka):
    with Sidecar(text=ROUTES, env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
        began = time.monotonic()
        sidecar.start(wait=False)
        while True:
            try:
                answer = sidecar.post("/v1/events", {"type": "bench4", "data": {"userId": "u"}})
                if answer.status == 200:
                    break
            except OSError:
                time.sleep(0.0005)
        first = time.monotonic() - began
        sidecar.stop(signal.SIGKILL)
        return first


def spool(kafka, seconds, quick):
    """The spool: (figures, what its targets are met by)."""
    make_topics(kafka)
    results = {}

    def load(sidecar, mode, connections, **options):
        return Bench(kafka, sidecar, seconds).load(mode, 4, connections, **options)

    def row(name, figures):
        results[name] = show(name, figures)

    sync = spooling.fsync_ms()
    healthy = spooling.healthy(kafka, ROUTES, load, 3 if quick else 9)
    figures = {**healthy, "fsync_ms": sync, **spooling.outage(kafka, ROUTES, load, row, 200_000 if quick else 1_000_000)}
    print("\n" + "  ".join(f"{name} {value:,.2f}" for name, value in figures.items()))
    return results, figures


def spool_verdicts(results, figures):
    best = max(results["202: batches of 100, 64 connections"], results["202: NDJSON, 64 streams"], key=lambda row: row["events_per_second"])
    yield "CPU an acked event, spool by none", figures["server_cpu_us_per_event_ratio"], "≤", 1.05, ""
    yield "202 events/s, 64 connections", best["events_per_second"], "≥", 30_000, "/s"
    yield "202 p99, single events, in fsyncs", results["202: single events, 64 connections"]["p99_us"] / 1000 / figures["fsync_ms"], "≤", 3, ""
    yield "drained/s while new ones come", figures["drained_per_second"], "≥", 50_000, "/s"
    yield "RSS growth of an outage", figures["grown_mb"], "≤", 16, "MB"
    yield "ready with the spool full", figures["ready_s"], "≤", 2, "s"


def verdicts(results, start):
    """The targets, each a ratio or a bound, and what this run gave."""
    raw, one = results["raw librdkafka, one at a time, 4p"], results["1 connection, 4p"]
    many, stream = results["64 connections, 4p"], results["raw librdkafka, streamed, 4p"]
    lines = max(results[f"NDJSON, {n} stream{'s' * (n > 1)}, 4p"]["events_per_second"] for n in (1, 4))
    yield "p50 beyond raw librdkafka's", one["p50_us"] - raw["p50_us"], "≤", 60, "us"
    yield "CPU an acked event, 64 connections", many["server_cpu_us_per_event"], "≤", 20, "us"
    yield "acked events/s, 64 connections", many["events_per_second"], "≥", 28_000, "/s"
    yield "NDJSON of raw librdkafka's rate", 100 * lines / stream["events_per_second"], "≥", 30, "%"
    instant, slow = results["delivered, instant handler, 4p"], results["delivered, 5 ms handler, 4p"]
    hot = results["delivered beside a hot key, 5 ms, 4p"]
    yield "delivered/s, instant handler", instant["events_per_second"], "≥", 25_000, "/s"
    yield "CPU a delivered event, instant", instant["server_cpu_us_per_event"], "≤", 30, "us"
    yield "delivered/s, 5 ms, 4p, concurrency 64", slow["events_per_second"], "≥", 11_000, "/s"
    yield "what a hot key costs the others", 100 * (1 - hot["events_per_second"] / slow["events_per_second"]), "≤", 5, "%"
    yield "idle RSS", start["idle_rss_mb"], "≤", 20, "MB"
    yield "idle RssAnon", start["idle_rss_anon_mb"], "≤", 6, "MB"
    yield "exec to the first 2xx", start["first_2xx_ms"], "≤", 100, "ms"


def judge(lines):
    compare = {"≤": operator.le, "<": operator.lt, "≥": operator.ge, ">": operator.gt}
    print()
    for name, value, relation, bound, unit in lines:
        met = compare[relation](value, bound)
        print(f"{'met  ' if met else 'SHORT'}  {name:36} {value:>10,.1f} {unit:3} (target {relation} {bound:,})")


def make_topics(kafka):
    program("bench_raw", "topics", "--brokers", kafka.bootstrap, "--topics", ",".join(f"bench{n}:{n}" for n in PARTITIONS))


def everything(kafka, seconds, quick):
    """The sidecar by itself: (results, start)."""
    make_topics(kafka)
    sidecar = Sidecar(env={"KAFKA_BROKERS": kafka.bootstrap})
    sidecar.write_config(ROUTES + f"http:\n  unixSocket: {sidecar.folder}/app.sock\n")
    with sidecar:
        sidecar.start()
        bench = Bench(kafka, sidecar, seconds)
        # A cold JVM measures its own compiler.
        bench.load("acked", 4, 64)
        bench.raw("stream")
        bench.run(quick)
        bench.deliveries(quick)
        rss, anonymous = sidecar.memory()
        start = start_up(kafka)
        print(f"\nafter the load: RSS {rss / 1e6:.1f} MB, RssAnon {anonymous / 1e6:.1f} MB; binary {start['binary_mb']:.1f} MB\n")
    return bench.results, start


def beside(kafka, other, turns, seconds):
    """The exit code: 0 when this build is nowhere worse than the other."""
    make_topics(kafka)

    def load(sidecar, connections):
        return Bench(kafka, sidecar, seconds).load("acked", 4, connections)

    lines = against.compare(kafka, [other, str(BUILD / "outrigger")], turns, ROUTES, load, BUILD / "tests/bench/bench_app")
    return 0 if against.show(lines) else 1


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--quick", action="store_true", help="the targets only, a second each")
    parser.add_argument("--kafkajs", action="store_true", help="only a Node app with kafkajs beside the same with Outrigger")
    parser.add_argument("--spool", action="store_true", help="only the spool: with Kafka, without it, and when it comes back")
    parser.add_argument("--against", metavar="BINARY", help="only this build beside another one, in turns, as ratios")
    parser.add_argument("--turns", type=int, default=5, help="of --against")
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--json", help="write the figures there")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (1 if arguments.quick else 3)
    with Kafka(heap="1g") as kafka:
        kafka.format().start()
        if arguments.against:
            return beside(kafka, arguments.against, arguments.turns, seconds)
        if arguments.spool:
            return judge(spool_verdicts(*spool(kafka, seconds, arguments.quick)))
        results, start = ({}, {}) if arguments.kafkajs else everything(kafka, seconds, arguments.quick)
        for name, figures in app_cost.compare(kafka, seconds, 1 if arguments.quick else 2):
            results[name] = show(name, figures)
    judge([*(verdicts(results, start) if start else ()), *app_cost.verdicts(results)])
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"results": results, "start": start}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
