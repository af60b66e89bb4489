"""Two sidecars share a group on a real Kafka; one comes and goes, by SIGTERM and by kill -9, while events flow."""
import os
import signal
import socket
import threading
import time
import unittest

from delivery_test import SHORT_SESSION, DeliveryCase

COMINGS = int(os.environ.get("OUTRIGGER_REBALANCES", "8")) // 2  # each coming and each going is a rebalance
COMMIT_INTERVAL = 0.1
CONCURRENCY = 64


class Rebalance(DeliveryCase):
    def member(self, answer=None):
        return self.deliver(answer, group="shared", concurrency=CONCURRENCY, kafka=SHORT_SESSION)

    def share(self, sidecar, partitions):
        sidecar.wait_for(lambda: (c := sidecar.condition("Delivering/test")) and f"{partitions} partitions" in c["message"],
                         30, f"{partitions} partitions")

    def both_deliver(self, *sidecars):
        """Each has delivered more than it can have had in flight: nothing is held up by the rebalance any more."""
        before = [self.outcome(each, "delivered") for each in sidecars]
        for each, count in zip(sidecars, before):
            each.wait_for(lambda: self.outcome(each, "delivered") > count + 2 * CONCURRENCY, 30, "deliveries by both")

    def load(self, sidecar):
        """Events without end; returns a function that ends them and says how many they were."""
        self.publish_many(sidecar, 500, 100, "warm")
        stop, sent = threading.Event(), []

        def run():
            while not stop.is_set():
                self.publish_many(sidecar, 40, 100, f"r{len(sent)}-")
                sent.append(40)
                stop.wait(0.03)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def end():
            stop.set()
            thread.join()
            return 500 + sum(sent)

        return end

    def again(self):
        """(first, later) of each event that was delivered more than once."""
        first, pairs = {}, []
        for call in list(self.app.calls):
            if call.id in first:
                pairs.append((first[call.id], call))
            first.setdefault(call.id, call)
        return pairs

    def test_one_comes_and_goes(self):
        first = self.member(lambda call: time.sleep(0.002) or 200)
        end = self.load(first)
        for _ in range(COMINGS):
            second = self.member()
            self.share(second, 2)
            self.both_deliver(first, second)
            self.assertEqual(second.stop(), 0)
            self.share(first, 4)
        total = end()
        first.wait_for(lambda: len(self.app.ids()) == total, 60, "all delivered")
        self.assertEqual(self.app.overlaps, 0)
        again = self.again()
        print(f"{total} events, {2 * COMINGS} rebalances, {len(again)} delivered again", end=" ")
        self.assertLessEqual(len(again), 2 * COMINGS * CONCURRENCY)
        self.assertEqual({call.attempt for call in self.app.calls}, {1})

    def test_one_comes_and_is_killed(self):
        first = self.member(lambda call: time.sleep(0.002) or 200)
        end = self.load(first)
        kills = []
        for _ in range(COMINGS):
            second = self.member()
            self.share(second, 2)
            self.both_deliver(first, second)
            kills.append(time.monotonic())
            second.stop(signal.SIGKILL)
            self.share(first, 4)
        total = end()
        first.wait_for(lambda: len(self.app.ids()) == total, 60, "all delivered")
        self.assertEqual(self.app.overlaps, 0)
        again = self.again()
        for call, later in again:
            kill = max(k for k in kills if k < later.at)
            # The commit interval, and a commit's way on a busy machine.
            self.assertGreater(call.at, kill - COMMIT_INTERVAL - 0.4, f"{call.id} had settled long before the kill")
            self.assertLessEqual(later.attempt, 1 + len(kills))
        print(f"{total} events, {COMINGS} kills, {len(again)} delivered again", end=" ")

    def test_a_static_member_that_was_killed_or_stopped_has_its_partitions_again_at_once(self):
        session = 20  # seconds; what another member would wait
        kafka = f", consumer: {{properties: {{group.instance.id: 'shop-{{hostname}}', session.timeout.ms: {session}000}}}}"
        sidecar = self.deliver(group="static", kafka=kafka)
        for turn, how in enumerate((signal.SIGKILL, signal.SIGTERM), 1):
            self.publish_many(sidecar, 50, 10, f"before-{turn}-")
            sidecar.wait_for(lambda: len(self.app.ids()) == 100 * turn - 50, 30, "delivered before")
            sidecar.stop(how)
            began = time.monotonic()
            sidecar.start()
            self.publish_many(sidecar, 50, 10, f"after-{turn}-")
            sidecar.wait_for(lambda: len(self.app.ids()) == 100 * turn, session, "delivered after")
            self.assertLess(time.monotonic() - began, session / 2)
        self.assertIn(f" shop-{socket.gethostname()}-", self.kafka.members("static.test"))


if __name__ == "__main__":
    unittest.main()
