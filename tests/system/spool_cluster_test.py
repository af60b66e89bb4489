"""The spool on a Kafka of three nodes whose leaders are killed, and on one that has lost its data.

OUTRIGGER_LEADER_KILLS is how many leaders are killed: 3, or 20 in `./dev test soak`. OUTRIGGER_TOO_FEW_REPLICAS is for how many
seconds there are too few: 3, or 30.
"""
import json
import os
import shutil
import subprocess
import time
import unittest

from spool_case import SpoolCase  # first: it says where the support modules are
from publishers import Publishers, check_stored

KILLS = int(os.environ.get("OUTRIGGER_LEADER_KILLS", "3"))
TOO_FEW_REPLICAS = int(os.environ.get("OUTRIGGER_TOO_FEW_REPLICAS", "3"))


class ThreeNodes(SpoolCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nodes = [cls.kafka]
        for node in (2, 3):
            cls.nodes.append(cls.kafka.beside(node, heap="256m"))
            cls.addClassCleanup(cls.nodes[-1].close)

    def setUp(self):
        super().setUp()
        self.topic = f"load.{self._testMethodName}"
        self.kafka.create_topic(self.topic, on="1:2:3,2:3:1,3:1:2", min_insync_replicas=2)
        brokers = ",".join(node.bootstrap for node in self.nodes)
        self.running = self.spooling(f"routes:\n  - {{topic: {self.topic}}}\n", env={"KAFKA_BROKERS": brokers})
        self.load = Publishers(self.running, threads=8, keys=64).start()
        self.addCleanup(self.load.stop)

    def goes_on(self, by=300):
        until = self.load.count() + by
        self.running.wait_for(lambda: self.load.count() >= until, 60, "events to be acknowledged")

    def in_sync(self):
        """Whether every partition has all of its replicas."""
        listed = subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-L", "-J", "-t", self.topic], capture_output=True, text=True)
        return listed.returncode == 0 and all(len(partition["isrs"]) == 3 for topic in json.loads(listed.stdout)["topics"]
                                              for partition in topic["partitions"])

    def check(self):
        self.load.stop()
        self.drained(self.running)
        duplicates = check_stored(self, self.load, self.records(self.topic))
        print(f"{len(self.load.acked)} acked, {len(self.load.spooled)} spooled, {duplicates} duplicates", end=" ")

    def test_leaders_that_are_killed_lose_nothing_and_keep_every_key_in_order(self):
        self.goes_on()
        for kill in range(KILLS):
            leader = self.nodes[1 + kill % 2]
            leader.stop(kill=True)
            self.goes_on()
            leader.start()
            self.goes_on()
            self.running.wait_for(self.in_sync, 60, "the replicas to be in sync")
        self.check()

    def test_without_enough_replicas_events_wait_in_the_spool(self):
        self.goes_on()
        for node in self.nodes[1:]:
            node.stop(kill=True)
        before = len(self.load.spooled)
        self.running.wait_for(lambda: len(self.load.spooled) > before + 1000, 60, "events to be spooled")
        until, acked = time.monotonic() + TOO_FEW_REPLICAS, len(self.load.acked)
        self.running.wait_for(lambda: time.monotonic() >= until, TOO_FEW_REPLICAS + 10, "some time to pass under load")
        self.assertEqual(len(self.load.acked), acked, "Kafka acknowledges nothing")
        for node in self.nodes[1:]:
            node.start()
        self.goes_on()
        self.check()


class AllDataLost(SpoolCase):
    def test_a_kafka_that_comes_back_empty_gets_what_was_spooled_and_what_follows(self):
        sidecar = self.spooling("routes:\n  - {topic: wiped}\n")
        self.warm_up(sidecar, "a.event")
        self.assertEqual(self.publish(sidecar, "a.event", 999).status, 200)
        with self.kafka_away():
            self.spool(sidecar, "a.event", range(100))
            # The same cluster, as a broker on a new disk.
            for folder in (path for path in self.kafka.folder.iterdir() if path.is_dir()):
                shutil.rmtree(folder)
            self.kafka.format()
        self.drained(sidecar)
        self.assertEqual(self.numbers("wiped"), list(range(100)))
        self.warm_up(sidecar, "a.event")
        told = [line for line in sidecar.log_lines() if line["level"] == "error" and "has lost its data" in line["message"]]
        self.assertEqual({line["topic"] for line in told}, {"wiped"}, sidecar.log[-3000:])


if __name__ == "__main__":
    unittest.main()
