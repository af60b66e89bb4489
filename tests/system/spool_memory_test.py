"""A container of 64 MiB, in which events are spooled while Kafka is away and drained while new ones come, at 20,000 a second.

OUTRIGGER_SPOOLED is how many events the spool has when Kafka comes back: 60,000, or a million in `./dev test soak`.
"""
import os
import subprocess
import time
import unittest

from case import HEAD, Sidecar
from spool_case import SpoolCase  # after case, which says where the support modules are
from line_streams import LineStreams
from memory_cgroup import CgroupUnavailable, MemoryCgroup

SPOOLED = int(os.environ.get("OUTRIGGER_SPOOLED", "60000"))
RATE = 20_000
LIMIT = 64 << 20


class SmallContainer(SpoolCase):
    def contained(self, text):
        group, budget = None, ""
        try:
            group = MemoryCgroup(LIMIT)
            self.addCleanup(group.close)
        except CgroupUnavailable as why:
            print(f"(no cgroup: {why})", end=" ")
            budget = f"memory: {{budget: {LIMIT // 2}}}\n"  # as it has by default in such a container
        sidecar = Sidecar(text=f"{HEAD}{text}{budget}spool: {{path: {self.folder}, maxBytes: 8GiB}}\n",
                          env={"KAFKA_BROKERS": self.kafka.bootstrap})
        self.addCleanup(sidecar.close)
        return sidecar.start(under=group.under if group else ()), group

    def stored(self, topic):
        """{key: its numbers in the order of Kafka}"""
        read = ["kcat", "-b", self.kafka.bootstrap, "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-f", "%k %s\n"]
        numbers = {}
        with subprocess.Popen(read, stdout=subprocess.PIPE) as kcat:
            for line in kcat.stdout:
                key, value = line.split(b" ", 1)
                if key == b"warm":
                    continue
                numbers.setdefault(key.decode(), []).append(int(value[5:value.index(b",")]))
        self.assertEqual(kcat.returncode, 0)
        return numbers

    def test_a_publisher_fits_into_a_small_container(self):
        self.check("small.events", "")

    def test_a_publisher_whose_app_takes_nothing_fits_into_a_small_container(self):
        self.check("both.events", "subscriptions:\n  - {name: s, topics: [both.events], deliver: {url: \"http://127.0.0.1:9/\"}}\n")

    def check(self, topic, subscriptions):
        self.kafka.create_topic(topic, partitions=4)
        sidecar, group = self.contained(f"routes:\n  - {{topic: {topic}}}\n{subscriptions}")
        self.warm_up(sidecar, "small.event")
        load = LineStreams(sidecar, "small.event", RATE).start()
        with self.kafka_paused():
            began = time.monotonic()
            sidecar.wait_for(lambda: self.held(sidecar) >= SPOOLED, 60 + SPOOLED / RATE * 4, "events to be spooled")
            rate, spooled = self.held(sidecar) / (time.monotonic() - began), sidecar.most_memory()
        # While it drains, half as many come.
        sidecar.wait_for(lambda: sum(load.sent) >= SPOOLED * 3 // 2, 60 + SPOOLED / RATE * 4, "more events to be published")
        answers = load.stop()
        began, left = time.monotonic(), self.held(sidecar)
        self.drained(sidecar, 60 + SPOOLED / 2000)
        peak = sidecar.most_memory()
        print(f"{rate:,.0f}/s spooled in {spooled / 1e6:.0f} MB, then {left / (time.monotonic() - began):,.0f}/s drained,",
              f"RSS at most {peak / 1e6:.0f} MB", end=" ")
        if group:
            self.assertEqual(group.kills(), 0)
        self.assertLess(peak, LIMIT)
        self.assertEqual({status for status, _ in answers}, {202}, str(answers[0])[:500])
        numbers = self.stored(topic)
        for stream, sent in enumerate(load.sent):
            for key in range(load.keys):
                first_time = list(dict.fromkeys(numbers[f"{stream}-{key}"]))
                self.assertEqual(first_time, list(range(key, sent, load.keys)), f"stream {stream}, key {key}")


if __name__ == "__main__":
    unittest.main()
