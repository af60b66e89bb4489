"""The spool: what it costs while Kafka acknowledges, what the disk takes without Kafka, and how fast it drains."""
import statistics
import tempfile
import time
from pathlib import Path

from sidecar import Sidecar


def fsync_ms():
    """What one fsync of a small write takes here, in the middle of a hundred."""
    import os
    times = []
    with tempfile.NamedTemporaryFile(dir=tempfile.gettempdir()) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            began = time.monotonic()
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - began)
    return statistics.median(times) * 1000


def spooling(kafka, routes, folder):
    return Sidecar(text=f"{routes}spool: {{path: {folder}, maxBytes: 8GiB}}\n", env={"KAFKA_BROKERS": kafka.bootstrap})


def healthy(kafka, routes, load, turns):
    """Rate and CPU with a spool by those without, while Kafka acknowledges, in turns."""
    with tempfile.TemporaryDirectory() as folder, spooling(kafka, routes, folder) as with_spool, \
            Sidecar(text=routes, env={"KAFKA_BROKERS": kafka.bootstrap}) as without:
        for sidecar in (with_spool, without):
            sidecar.start()
            load(sidecar, "acked", 64)
        pairs = [(load(with_spool, "acked", 64), load(without, "acked", 64)) for _ in range(turns)]
    return {f"{name}_ratio": statistics.median(one[name] / other[name] for one, other in pairs)
            for name in ("events_per_second", "server_cpu_us_per_event")}


def outage(kafka, routes, load, show, events):
    """Without Kafka: single events, batches and NDJSON; then so many events, which drain while new ones come."""
    with tempfile.TemporaryDirectory() as folder, spooling(kafka, routes, folder) as sidecar:
        sidecar.start()
        load(sidecar, "acked", 64)
        kafka.stop()
        sidecar.wait_for(lambda: sidecar.post("/v1/events", {"type": "bench4", "data": {"userId": "u"}}).status == 202, 20)
        rss = sidecar.memory()[0]
        show("202: single events, 64 connections", load(sidecar, "acked", 64))
        show("202: batches of 100, 64 connections", load(sidecar, "batch", 64, size=100))
        show("202: NDJSON, 64 streams", load(sidecar, "ndjson", 64))
        while (held := sidecar.metrics()["outrigger_spool_records"]) < events:
            load(sidecar, "ndjson", 8)
        grown = sidecar.memory()[0] - rss
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        sidecar.stop(9)
        began = time.monotonic()
        sidecar.start()
        ready = time.monotonic() - began
        kafka.start()
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_spool_records"] < held, 60, "the spool to drain")
        began, left = time.monotonic(), sidecar.metrics()["outrigger_spool_left_total{outcome=\"acked\"}"]
        meanwhile = load(sidecar, "acked", 16)
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_spool_records"] == 0, 300, "the spool to drain")
        took = time.monotonic() - began
        drained = sidecar.metrics()["outrigger_spool_left_total{outcome=\"acked\"}"] - left
        peak = sidecar.memory()[0]
    return {"held": held, "grown_mb": grown / 1e6, "file_mb": size / 1e6, "ready_s": ready, "drained_per_second": drained / took,
            "meanwhile_per_second": meanwhile["events_per_second"], "rss_after_mb": peak / 1e6}
