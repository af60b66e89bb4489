"""Why not kafkajs? One Node program publishes through kafkajs and through Outrigger: what an acked event costs app and sidecar."""
import json
import os
import re
import subprocess
from pathlib import Path

from sidecar import ROOT, Sidecar

LMS = ROOT / "manifests/lms"
TOPIC = "user.events"  # where the rules of manifests/lms send a login
PARALLEL = 64
IDEMPOTENT = "app with kafkajs, acks=-1, idempotent"
PLAIN = "app with kafkajs, acks=-1"
BY_HAND = "the same, batches written by hand"
OURS = "app and Outrigger, manifests/lms"


def publish(**options):
    command = ["node", str(Path(__file__).parent / "kafkajs/publish.js"), json.dumps(dict(options, topic=TOPIC, parallel=PARALLEL))]
    env = dict(os.environ, NODE_PATH=os.environ["OUTRIGGER_KAFKAJS"], KAFKAJS_NO_PARTITIONER_WARNING="1")
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"publish.js: {run.stderr}")
    return json.loads(run.stdout)


def compare(kafka, seconds, rounds):
    """(row, figures) of each way: the cheapest of its rounds, which take turns so that all see the same machine."""
    kafka.create_topic(TOPIC, 4)
    with Sidecar(config=LMS / "outrigger.yaml", env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
        # The rules alone: what is delivered costs extra on either way.
        sidecar.config.write_text(re.sub(r"(?m)^subscriptions:\n(?:[ #].*\n|\n)*", "", sidecar.config.read_text()))
        sidecar.start()
        kafkajs = {"way": "kafkajs", "brokers": [kafka.bootstrap]}
        ways = {
            IDEMPOTENT: dict(kafkajs, idempotent=True),
            PLAIN: kafkajs,
            BY_HAND: dict(kafkajs, byHand=True),
            OURS: {"way": "outrigger", "url": f"http://127.0.0.1:{sidecar.port}", "sidecar": sidecar.process.pid,
                   "events": str(LMS / "app/events.js")},
        }
        publish(seconds=seconds, **ways[PLAIN])  # a cold JVM measures its own compiler
        turns = [{row: publish(seconds=seconds, **options) for row, options in ways.items()} for _ in range(rounds)]
    return [(row, min((turn[row] for turn in turns), key=lambda figures: figures["cpu_us_per_event"])) for row in ways]


def verdicts(results):
    cost = {row: results[row]["cpu_us_per_event"] for row in (IDEMPOTENT, PLAIN, OURS)}
    rate = {row: results[row]["events_per_second"] for row in (IDEMPOTENT, PLAIN, OURS)}
    yield "CPU beside kafkajs, idempotent", 100 * cost[OURS] / cost[IDEMPOTENT], "≤", 50, "%"
    yield "CPU beside kafkajs", 100 * cost[OURS] / cost[PLAIN], "<", 100, "%"
    yield "events/s beside the faster kafkajs", 100 * rate[OURS] / max(rate[IDEMPOTENT], rate[PLAIN]), ">", 100, "%"
