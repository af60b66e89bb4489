"""The spool under faults: kills at random moments, a full disk, topics that take nothing. What was answered 200 or 202 is in Kafka, in order.

OUTRIGGER_KILLS is how many kills the loops have, and OUTRIGGER_EVENTS multiplies the events between two: `./dev test soak` raises both.
"""
import contextlib
import errno
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from case import read_topic
from publishers import Publishers, check_stored  # after case, which says where the support modules are
from spool_case import SpoolCase

KILLS = int(os.environ.get("OUTRIGGER_KILLS", "5"))
EVENTS = int(os.environ.get("OUTRIGGER_EVENTS", "1"))  # so many times the events between two kills


class Kills(SpoolCase):
    def test_kills_at_random_moments_lose_nothing_and_keep_every_key_in_order(self):
        sidecar = self.spooling()
        load = Publishers(sidecar, threads=8, keys=64).start()
        self.addCleanup(load.stop)
        slowest = 0
        for kill in range(KILLS):
            with contextlib.ExitStack() as pause:
                # Killed while Kafka answers, while it is paused, and while the spool drains.
                if kill % 3:
                    pause.enter_context(self.kafka_paused())
                    self.goes_on(sidecar, lambda: len(load.spooled), EVENTS * random.randint(1, 60))
                if kill % 3 == 2:
                    pause.close()
                self.goes_on(sidecar, load.count, EVENTS * random.randint(1, 60 if kill % 3 == 1 else 600))
                sidecar.stop(signal.SIGKILL)
                began = time.monotonic()
                sidecar.start()
                slowest = max(slowest, time.monotonic() - began)
        self.goes_on(sidecar, lambda: len(load.acked), 500)
        load.stop()
        self.drained(sidecar)
        duplicates = check_stored(self, load, self.records("load.events"))
        print(f"{KILLS} kills, {len(load.acked)} acked, {len(load.spooled)} spooled, {load.answers}, {duplicates} duplicates,",
              f"ready {slowest:.1f} s after a kill at most", end=" ")

    @staticmethod
    def goes_on(sidecar, count, by):
        until = count() + by
        sidecar.wait_for(lambda: count() >= until, 60, "events to be acknowledged")


    def test_sigterm_under_load_exits_0_and_loses_nothing(self):
        sidecar = self.spooling("shutdown: {budget: 5s}\n")
        load = Publishers(sidecar, threads=8, keys=64, path="/v1/events/term.event").start()
        self.addCleanup(load.stop)
        for turn in range(KILLS // 4 + 1):
            with contextlib.ExitStack() as pause:
                self.goes_on(sidecar, load.count, random.randint(1, 600))
                if turn % 2:
                    pause.enter_context(self.kafka_paused())
                    self.goes_on(sidecar, lambda: len(load.spooled), random.randint(1, 60))
                process = sidecar.process
                sidecar.stop()
                self.assertEqual(process.returncode, 0)
                sidecar.start()
        self.goes_on(sidecar, lambda: len(load.acked), 500)
        load.stop()
        self.drained(sidecar)
        print(f"{len(load.acked)} acked, {len(load.spooled)} spooled,", check_stored(self, load, self.records("term.events")), "duplicates", end=" ")


class Disk(SpoolCase):
    """On a file system of 50 MB."""

    def setUp(self):
        super().setUp()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", self.folder], capture_output=True, text=True)
        if mount.returncode != 0:
            self.skipTest(f"no file system can be mounted here: {mount.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.folder], check=True)
        self.filler = Path(self.folder) / "filler"

    def fill(self):
        with open(self.filler, "ab", buffering=0) as file, self.assertRaises(OSError) as full:
            while True:
                file.write(b"x" * 4096)
        self.assertEqual(full.exception.errno, errno.ENOSPC)

    def until_refused(self, sidecar, kind, numbers):
        """Publishes until there is no room for more; returns how many were taken."""
        for number in numbers:
            answer = self.publish(sidecar, kind, number)
            if answer.status != 202:
                self.assertEqual((answer.status, answer.json["outcome"]), (503, "none"), answer.body)
                self.assertIn("retry-after", answer.headers)
                return number
        self.fail("a full disk takes events")

    def test_a_full_disk_refuses_at_once_and_takes_events_again_when_there_is_room(self):
        sidecar = self.spooling()
        self.warm_up(sidecar, "disk.event")
        with self.kafka_away():
            self.spool(sidecar, "disk.event", range(50))
            self.fill()
            taken = self.until_refused(sidecar, "disk.event", range(50, 5000))
            began = time.monotonic()
            self.assertEqual(self.publish(sidecar, "disk.event", taken).status, 503)
            self.assertLess(time.monotonic() - began, 1)
            self.assertEqual(sidecar.ops("/healthz").status, 200)
            self.filler.unlink()
            sidecar.wait_for(lambda: self.publish(sidecar, "disk.event", taken).status == 202, 2, "an event to be taken")
            self.fill()
            last = self.until_refused(sidecar, "disk.event", range(taken + 1, taken + 5000))
        # It drains although it cannot note what Kafka has.
        sidecar.wait_for(lambda: len(set(self.numbers("disk.events"))) >= last, 60, "all of it in Kafka")
        sidecar.wait_for(lambda: sidecar.post("/v1/events/disk.event?key=warm", {}).status == 200, 30, "Kafka to be asked again")
        self.filler.unlink()
        self.drained(sidecar)
        self.assertEqual(list(dict.fromkeys(self.numbers("disk.events"))), list(range(last)))

    def test_no_disk_is_touched_while_kafka_acknowledges(self):
        if not shutil.which("strace"):
            self.skipTest("no strace here")
        sidecar = self.spooling(spool=", after: 2s")
        # Kafka may have made the topic too slowly for the first event, which leaves the disk a moment later.
        self.calm(sidecar)
        with self.kafka_paused():
            self.spool(sidecar, "calm.event", range(3))
        self.calm(sidecar)

    def calm(self, sidecar):
        self.warm_up(sidecar, "calm.event")
        self.drained(sidecar)
        sidecar.wait_for(lambda: self.syncs_of(sidecar, 1000) == 0, 30, "the disk to be left alone")

    def syncs_of(self, sidecar, events):
        """How often it waits for the disk while that many events are acked."""
        output = sidecar.folder / "strace"
        trace = subprocess.Popen(["strace", "-f", "-e", "trace=fsync,fdatasync,msync,sync_file_range", "-o", str(output),
                                  "-p", str(sidecar.process.pid)], stderr=subprocess.PIPE, text=True)
        with trace:
            first = trace.stderr.readline()
            if "attached" not in first:
                self.skipTest(f"strace can't be used here: {first.strip()}")
            connection = sidecar.connect()
            codes = [sidecar.post("/v1/events/calm.event?key=k", {}, connection=connection).status for _ in range(events)]
            connection.close()
            trace.send_signal(signal.SIGINT)
        self.assertEqual(codes, [200] * events)
        return len(re.findall(r"sync(?:_file_range)?\(", output.read_text()))


class NoSuchTopic(SpoolCase):
    properties = {"auto.create.topics.enable": "false"}

    def test_a_mistyped_topic_keeps_its_own_events_until_it_is_created(self):
        self.kafka.create_topic("right", partitions=1)
        sidecar = self.spooling("routes:\n  - {match: {type: 'typo.*'}, topic: wrong}\n  - {topic: right}\n")
        self.warm_up(sidecar, "good.event")
        for number in range(30):
            self.spool(sidecar, "typo.event", [number])
            self.assertEqual(self.publish(sidecar, "good.event", number).status, 200)
        self.assertEqual(self.held(sidecar), 30)
        self.run_again(sidecar)
        self.warm_up(sidecar, "good.event")
        self.spool(sidecar, "typo.event", [30])
        self.kafka.create_topic("wrong", partitions=1)
        self.drained(sidecar)
        self.assertEqual(self.numbers("wrong"), list(range(31)))
        self.warm_up(sidecar, "typo.event")

    def test_a_topic_that_is_deleted_keeps_its_own_events_until_it_is_there_again(self):
        for topic in ("deleted", "kept"):
            self.kafka.create_topic(topic, partitions=1)
        sidecar = self.spooling("routes:\n  - {match: {type: 'gone.*'}, topic: deleted}\n  - {topic: kept}\n")
        self.warm_up(sidecar, "gone.event", "good.event")
        self.kafka.delete_topic("deleted")
        number = 0
        while self.publish(sidecar, "gone.event", number).status == 200:
            number += 1  # the broker lets go of it a little later
        first = number
        self.assertEqual(self.publish(sidecar, "gone.event", first).status, 202)
        for number in range(first + 1, first + 20):
            self.spool(sidecar, "gone.event", [number])
            self.assertEqual(self.publish(sidecar, "good.event", number).status, 200)
        self.kafka.create_topic("deleted", partitions=1)
        self.drained(sidecar)
        self.assertEqual(self.numbers("deleted"), list(range(first, first + 20)))


class TooLarge(SpoolCase):
    def test_what_only_the_broker_refuses_leaves_the_spool_and_what_follows_goes_on(self):
        self.kafka.create_topic("dead", max_message_bytes=1_000_000)
        sidecar = self.spooling("routes:\n  - {match: {type: 'kept.*'}, topic: work, deadLetter: dead}\n  - {topic: other}\n")
        self.warm_up(sidecar, "kept.event", "bare.event")
        with self.kafka_away():
            for kind in ("kept.event", "bare.event"):
                self.spool(sidecar, kind, [0])
                answer = sidecar.post(f"/v1/events/{kind}?key=k&id={kind}-1", "1 " + "x" * 5000, {"content-type": "text/plain"})
                self.assertEqual(answer.status, 202, answer.body)
                self.spool(sidecar, kind, [2, 3])
            with open(self.kafka.folder / "server.properties", "a") as file:
                file.write("message.max.bytes=2000\n")
        self.drained(sidecar)
        for topic in ("work", "other"):
            self.assertEqual(self.numbers(topic), [0, 2, 3])
        for kind, outcome in (("kept.event", "dead_lettered"), ("bare.event", "quarantined")):
            self.assertEqual(sidecar.metrics()[f'outrigger_spool_left_total{{outcome="{outcome}"}}'], 1)
            self.assertEqual(self.status_of(sidecar, f"{kind}-1")["status"].replace("-", "_"), outcome)
        dead = read_topic(self.kafka.bootstrap, "dead")
        self.assertEqual([(r.headers["ce_id"], r.key, r.headers["outrigger-error-reason"]) for r in dead], [("kept.event-1", "k", "too_large")])
        self.assertEqual(dead[0].value, "1 " + "x" * 5000)
        for kind in ("kept.event", "bare.event"):
            answer = self.publish(sidecar, kind, 4)
            self.assertIn(answer.status, (200, 202), answer.body)


if __name__ == "__main__":
    unittest.main()
