"""Several subscriptions share one consumer group on a real Kafka: one consumer, each record fetched once, nothing lost."""
import signal
import subprocess
import unittest
from pathlib import Path

from case import HEAD, KafkaCase, outrigger  # first: it says where the support modules are
from app import App

SUBSCRIPTIONS = 16
SHORT_SESSION = ", consumer: {properties: {session.timeout.ms: 2000, heartbeat.interval.ms: 500}}"
MEGABYTE = 1 << 20


class GroupsTest(KafkaCase):
    def setUp(self):
        self.topic = self.id().rsplit(".", 1)[-1].replace("test_", "")[:60]
        self.app = App().start()
        self.addCleanup(self.app.stop)
        self.kafka.create_topic(self.topic, partitions=4)

    def text(self, count, topic=None):
        """`count` subscriptions in the group of this test."""
        lines = [f"kafka: {{groupId: unused{SHORT_SESSION}}}\nsubscriptions:\n"]
        for n in range(count):
            lines.append(f"  - name: s{n}\n    topics: [{topic or self.topic}]\n    group: {self.topic}\n"
                         f"    deliver: {{url: \"{self.app.url}\", concurrency: 16}}\n"
                         f"    retry: {{attempts: 5, backoff: {{initial: 20ms, max: 200ms}}}}\n    deadLetter: {self.topic}.dead\n")
        return "".join(lines)

    def publish(self, first, count):
        lines = "".join(f'k{n % 50}:{{"type": "test.event", "n": {n}}}\n' for n in range(first, first + count))
        subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-P", "-t", self.topic, "-K:"], input=lines, text=True, check=True)

    def outcome(self, sidecar, name):
        """By subscription."""
        metrics = sidecar.metrics()
        return [metrics.get(f'outrigger_consumer_events_total{{outcome="{name}",subscription="s{n}",topic="{self.topic}"}}', 0)
                for n in range(SUBSCRIPTIONS)]

    def lag(self, sidecar):
        return sum(value for name, value in sidecar.metrics().items() if name.startswith(f'outrigger_consumer_lag{{group="{self.topic}"'))

    def assigned(self, sidecar, partitions):
        sidecar.wait_for(lambda: f"{partitions} partitions" in (sidecar.condition("Delivering/s0") or {}).get("message", ""), 30, "partitions")

    def numbers(self):
        """{subscription: the events' numbers whose calls were answered 2xx}"""
        got = {}
        for call in list(self.app.calls):
            if call.done == 200:
                got.setdefault(call.headers["outrigger-subscription"], []).append(call.json["n"])
        return got

    def measure(self, count):
        """Threads, sockets, and RSS of a sidecar with so many subscriptions that have nothing to do."""
        sidecar = self.sidecar(self.text(count))
        self.assigned(sidecar, 4)
        process = Path(f"/proc/{sidecar.process.pid}")
        threads = len(list((process / "task").iterdir()))
        sockets = sum(1 for each in (process / "fd").iterdir() if each.is_symlink() and str(each.readlink()).startswith("socket:"))
        members = [line for line in self.kafka.members(self.topic).splitlines() if self.topic in line]
        memory = sidecar.memory()[0]
        self.assertEqual(sidecar.stop(), 0)
        return threads, sockets, memory, len(members)

    def test_sixteen_cost_what_one_does(self):
        threads, sockets, memory, members = self.measure(1)
        of_all = self.measure(SUBSCRIPTIONS)
        print(f"of 1: {threads} threads, {sockets} sockets, {memory / MEGABYTE:.1f} MiB; of {SUBSCRIPTIONS}: {of_all[0]}, {of_all[1]}, "
              f"{of_all[2] / MEGABYTE:.1f} MiB", end=" ")
        self.assertEqual(of_all[0], threads)
        self.assertLessEqual(abs(of_all[1] - sockets), 1, "a connection of the scrape more or less")
        self.assertLess(abs(of_all[2] - memory), 2 * MEGABYTE)
        self.assertEqual((members, of_all[3]), (1, 1))

    def test_each_record_is_fetched_once_and_given_to_each(self):
        def received(sidecar):
            """Bytes of all TCP connections to the broker."""
            lines = subprocess.run(["ss", "-tinpH", f"dport = :{self.kafka.port}"], capture_output=True, text=True, check=True).stdout.splitlines()
            total = 0
            for head, details in zip(lines[::2], lines[1::2]):
                if f"pid={sidecar.process.pid}," in head:
                    total += sum(int(field.split(":")[1]) for field in details.split() if field.startswith("bytes_received:"))
            return total

        sidecar = self.sidecar(self.text(SUBSCRIPTIONS))
        self.assigned(sidecar, 4)
        before = received(sidecar)
        value = "x" * 10_000
        lines = "".join(f'k{n % 50}:{{"type": "test.event", "n": {n}, "value": "{value}"}}\n' for n in range(400))
        subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-P", "-t", self.topic, "-K:"], input=lines, text=True, check=True)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == [400] * SUBSCRIPTIONS, 60, "400 events for each")
        sidecar.wait_for(lambda: self.lag(sidecar) == 0, 20, "the offsets")
        fetched = received(sidecar) - before
        print(f"{fetched / 1e6:.1f} MB came for {SUBSCRIPTIONS} x 4.0 MB", end=" ")
        self.assertGreater(fetched, 4_000_000)
        self.assertLess(fetched, 6_000_000)
        for name, numbers in self.numbers().items():
            self.assertEqual(sorted(numbers), list(range(400)), name)
        self.assertEqual(sum(self.kafka.committed(self.topic).values()), 400)

    def test_kill_9_loses_nothing_and_repeats_little(self):
        slow = {"s3", "s11"}
        sidecar = self.sidecar(self.text(SUBSCRIPTIONS))

        def answer(call):
            return 500 if call.headers["outrigger-subscription"] in slow and call.attempt < 3 and call.json["n"] % 10 == 0 else 200

        self.app.answer = answer
        self.assigned(sidecar, 4)
        for kill in range(3):
            self.publish(kill * 200, 200)
            seen = self.app.count()
            sidecar.wait_for(lambda: self.app.count() > seen + 500, 60, "progress")
            sidecar.stop(signal.SIGKILL)
            sidecar.start()
        everything = set(range(600))
        sidecar.wait_for(lambda: len(self.numbers()) == SUBSCRIPTIONS and all(set(each) == everything for each in self.numbers().values()),
                         120, "all events, for each")
        sidecar.wait_for(lambda: self.lag(sidecar) == 0, 20, "the offsets")
        self.assertEqual(sum(self.outcome(sidecar, "dead_lettered")), 0)
        again = sum(len(each) for each in self.numbers().values()) - 600 * SUBSCRIPTIONS
        print(f"3 kills, {again} of {600 * SUBSCRIPTIONS} delivered again", end=" ")
        # What was in flight, and what settled within a commit's interval and its way on a busy machine.
        self.assertLess(again, 3 * SUBSCRIPTIONS * 200)

    def test_two_starting_points_in_one_group_are_refused_by_name(self):
        text = HEAD + self.text(2).replace("  - name: s1\n", "  - name: s1\n    startFrom: latest\n")
        run = outrigger("check", "-", stdin=text)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("`s1` says latest and `s0` (subscriptions[0] on line 5, column 5) earliest", run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
