"""A crash at each named place of the spool's and the producer's code: nothing that was acknowledged is lost or out of order.

The places are in src/base/fail_point.h; only a Debug build has them (OUTRIGGER_DEBUG_BINARY).
"""
import http.client
import os
import random
import re
import signal
import time
import unittest

from case import ROOT, HEAD, Sidecar
from publishers import Publishers, check_stored  # after case, which says where the support modules are
from spool_case import SpoolCase

POINTS = re.findall(r'"([a-z-]+)"', (ROOT / "src/base/fail_point.h").read_text().split("kFailPoints{")[1])
# They are reached once in a run, or seldom.
FIRST = ("store-opened", "quarantine", "quarantined", "dead-letter", "dead-lettered", "row-rejected", "row-refused", "shrink", "checkpoint",
         "checkpointed")
BINARY = os.environ.get("OUTRIGGER_DEBUG_BINARY", str(ROOT / "build/dev/outrigger"))
ROUTES = "  - {match: {type: 'kept.*'}, topic: small, deadLetter: dead}\n  - {match: {type: 'bare.*'}, topic: small}\n" \
         "  - {match: {type: 'typo.*'}, topic: missing}\n  - {topic: load.events}\n"


class EveryFailPoint(SpoolCase):
    properties = {"auto.create.topics.enable": "false"}

    def test_loses_nothing_and_keeps_every_key_in_order(self):
        if not os.path.exists(BINARY):
            self.skipTest(f"{BINARY} is not there")
        self.assertGreaterEqual(len(POINTS), 30)
        self.kafka.create_topic("load.events", partitions=3)
        self.kafka.create_topic("dead", partitions=1)
        self.kafka.create_topic("small", partitions=1, max_message_bytes=1000)
        sidecar = Sidecar(text=f"{HEAD}spool: {{path: {self.folder}}}\nroutes:\n{ROUTES}", binary=BINARY,
                          env={"KAFKA_BROKERS": self.kafka.bootstrap})
        self.addCleanup(sidecar.close)
        load = Publishers(sidecar, threads=4, keys=32).start()
        self.addCleanup(load.stop)
        self.rejected = {"kept": set(), "bare": set(), "typo": set()}  # answered 202, and Kafka takes none of them
        for point in POINTS:
            with self.subTest(point):
                self.die_at(sidecar, point, 1 if point in FIRST else random.randint(1, 3))
        sidecar.env.pop("OUTRIGGER_FAIL_POINT")
        sidecar.start()
        sidecar.wait_for(lambda: load.count() > 100, 60, "events to be acknowledged")
        load.stop()
        self.kafka.create_topic("missing", partitions=1)
        self.drained(sidecar)
        duplicates = check_stored(self, load, self.records("load.events"))
        dead = {record.headers["ce_id"] for record in self.records("dead")}
        self.assertEqual(self.rejected["kept"] - dead, set())
        self.assertGreaterEqual(sidecar.metrics()["outrigger_spool_quarantined_records"], len(self.rejected["bare"]))
        self.assertEqual(self.rejected["typo"] - {record.headers["ce_id"] for record in self.records("missing")}, set())
        print(f"{len(POINTS)} places, {len(load.acked)} acked, {len(load.spooled)} spooled, {duplicates} duplicates", end=" ")

    def die_at(self, sidecar, point, time_of):
        sidecar.env["OUTRIGGER_FAIL_POINT"] = f"{point}:{time_of}"
        end = time.monotonic() + 40
        with self.kafka_paused():
            sidecar.start(wait=False)
            self.until_dead(sidecar, 10, lambda: sidecar.process.poll() is None and self.listening(sidecar))
            self.reject(sidecar, point)
        while sidecar.process.poll() is None:
            self.assertLess(time.monotonic(), end, f"{point} is never reached")
            self.until_dead(sidecar, 6 if point == "row-refused" else 1.5)
            with self.kafka_paused():
                self.until_dead(sidecar, 0.5)
        self.assertEqual(sidecar.process.returncode, -signal.SIGKILL, sidecar.log[-2000:])
        sidecar.stop(signal.SIGKILL)

    def reject(self, sidecar, point):
        """Events that Kafka will reject for good, or for a while, once it answers; their topics are not known yet."""
        for kind in ["kept", "bare"] + (["typo"] if point == "row-refused" else []):
            identity = f"{kind}-{point}"
            try:
                answer = sidecar.post(f"/v1/events/{kind}.event?key=k&id={identity}", "0 " + "x" * 3000, {"content-type": "text/plain"})
            except (OSError, http.client.HTTPException):
                return  # it is dead
            if answer.status == 202:
                self.rejected[kind].add(identity)

    @staticmethod
    def listening(sidecar):
        try:
            return sidecar.ops("/healthz").status == 200
        except OSError:
            return False

    @staticmethod
    def until_dead(sidecar, at_most, or_else=lambda: False):
        """Until the sidecar has ended, for that many seconds, or until something else holds."""
        try:
            sidecar.wait_for(lambda: sidecar.process.poll() is not None or or_else(), at_most)
        except TimeoutError:
            pass


if __name__ == "__main__":
    unittest.main()
