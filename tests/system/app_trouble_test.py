"""An app that hangs, is slow, rejects everything, or fails for some keys: who is to blame, and what comes again after a kill -9."""
import json
import signal
import statistics
import threading
import time
import unittest

from delivery_test import SHORT_SESSION, DeliveryCase  # first: it says where the support modules are
from app import App


class Workers(App):
    """An app of a few threads, each of which serves one kept connection until it ends; the others wait to be accepted."""

    def __init__(self, count, answer):
        super().__init__(answer)
        self.count_of_workers = count

    def _accept(self, listener):
        def work():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                self._serve(connection)

        for _ in range(self.count_of_workers):
            threading.Thread(target=work, daemon=True).start()


class TroubleCase(DeliveryCase):
    def circuit_open(self, sidecar):
        return sidecar.metrics()['outrigger_delivery_circuit_open{subscription="test"}'] == 1

    def all_delivered(self, sidecar, count, seconds):
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") + self.outcome(sidecar, "dead_lettered") >= count, seconds, f"{count} events")
        self.assertEqual((self.outcome(sidecar, "delivered"), self.outcome(sidecar, "dead_lettered")), (count, 0))


class AHangingApp(TroubleCase):
    def hangs_for(self, keys, seconds=8):
        gate, ill = threading.Event(), True
        self.addCleanup(gate.set)
        sidecar = self.deliver(lambda call: gate.wait(30) and 200 if ill else 200)
        self.publish_many(sidecar, 30, keys)
        end = time.monotonic() + seconds
        sidecar.wait_for(lambda: time.monotonic() > end, seconds + 5, "the outage")
        ill = False
        gate.set()
        return sidecar

    def test_that_has_two_keys_costs_no_event(self):
        self.all_delivered(self.hangs_for(2), 30, 60)

    def test_that_has_three_keys_costs_no_event(self):
        self.all_delivered(self.hangs_for(3), 30, 60)

    def test_that_has_one_key_costs_the_first_event_at_most(self):
        sidecar = self.hangs_for(1)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") >= 29, 60, "all but one")
        self.assertLessEqual(self.outcome(sidecar, "dead_lettered"), 1)

    def test_an_event_that_hangs_alone_is_dead_lettered_after_its_attempts(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        sidecar = self.deliver(lambda call: gate.wait(30) and 200, timeout="300ms")
        self.publish(sidecar, "alone", key="alone")
        sidecar.wait_for(lambda: self.outcome(sidecar, "dead_lettered") == 1, 20, "its dead-letter record")
        dead_letter = self.dead_letters()[0]
        self.assertEqual((dead_letter.headers["outrigger-error-reason"], dead_letter.headers["outrigger-error-attempts"]), ("timeout", "3"))


class ASlowApp(TroubleCase):
    def work(self, _):
        time.sleep(0.01)
        return 200

    def test_of_one_thread_that_keeps_its_connection_takes_every_event(self):
        self.app = Workers(1, self.work)
        self.addCleanup(self.app.stop)
        sidecar = self.deliver()
        self.publish_many(sidecar, 150, 75)
        self.all_delivered(sidecar, 150, 60)
        self.assertEqual({call.attempt for call in self.app.calls}, {1}, "a call that was not read is no attempt")

    def test_of_four_workers_takes_every_event(self):
        self.app = Workers(4, self.work)
        self.addCleanup(self.app.stop)
        sidecar = self.deliver()
        self.publish_many(sidecar, 300, 150)
        self.all_delivered(sidecar, 300, 60)

    def test_of_one_thread_that_closes_each_connection_takes_every_event(self):
        self.app = Workers(1, lambda call: time.sleep(0.05) or (200, "", {"Connection": "close"}))
        self.addCleanup(self.app.stop)
        sidecar = self.deliver()
        self.publish_many(sidecar, 150, 75)
        self.all_delivered(sidecar, 150, 90)

    def test_that_reads_all_and_answers_one_after_the_other_takes_every_event(self):
        turn = threading.Lock()

        def answer(_):
            with turn:
                time.sleep(0.05)
            return 200

        sidecar = self.deliver(answer)
        self.publish_many(sidecar, 150, 75)
        self.all_delivered(sidecar, 150, 90)


class Poison(TroubleCase):
    def settles_beside_healthy_events(self, status):
        sidecar = self.deliver(lambda call: status if call.key.startswith("poison") else 200, attempts=5)
        for n in range(6):
            self.publish(sidecar, f"poison-{n}", key=f"poison-{n}")
        waits = []
        while self.outcome(sidecar, "dead_lettered") < 6:
            self.assertLess(len(waits), 12, f"waits of healthy events: {waits}")
            identity, began = f"fine-{len(waits)}", time.monotonic()
            self.publish(sidecar, identity, key=identity)
            sidecar.wait_for(lambda: self.app.of(identity), 30, identity)
            waits.append(time.monotonic() - began)
            end = time.monotonic() + 6
            sidecar.wait_for(lambda: self.outcome(sidecar, "dead_lettered") == 6 or time.monotonic() > end, 10, "a quiet while")
        print(f"{len(waits)} healthy events, p50 {statistics.median(waits):.2f} s, longest {max(waits):.2f} s", end=" ")
        self.assertLess(statistics.median(waits), 1.5)
        self.assertEqual({dead_letter.key for dead_letter in self.dead_letters()}, {f"poison-{n}" for n in range(6)})

    def test_of_six_keys_that_fail_on_a_quiet_subscription_has_a_bound_and_healthy_events_do_not_wait(self):
        self.settles_beside_healthy_events(500)

    def test_of_six_keys_that_are_rejected_on_a_quiet_subscription_has_a_bound_and_healthy_events_do_not_wait(self):
        self.settles_beside_healthy_events(422)


class Rejections(TroubleCase):
    def test_of_one_event_on_a_quiet_topic_is_a_dead_letter_at_once(self):
        sidecar = self.deliver(lambda call: 422 if call.id == "bad" else 200)
        began = time.monotonic()
        self.publish(sidecar, "bad", key="bad")
        sidecar.wait_for(lambda: self.outcome(sidecar, "dead_lettered") == 1, 10, "the dead-letter record")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(len(self.app.of("bad")), 1)

    def test_of_everything_for_a_while_cost_no_event(self):
        ill = False
        sidecar = self.deliver(lambda call: 401 if ill else 200)
        for turn in range(3):
            for n in range(20):
                self.publish(sidecar, f"fine-{turn}-{n}", key=f"k{n}")
            sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == turn * 60 + 20, 30, "the healthy ones")
            ill = True
            for n in range(40):
                self.publish(sidecar, f"ill-{turn}-{n}", key=f"k{n}")
            sidecar.wait_for(lambda: self.circuit_open(sidecar), 40, "the circuit")
            ill = False
            sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == turn * 60 + 60, 60, "all of them")
        self.assertEqual(self.outcome(sidecar, "dead_lettered"), 0)


class ADegradedApp(TroubleCase):
    def test_is_left_alone_for_as_long_as_it_asks(self):
        ill = True
        sidecar = self.deliver(lambda call: (503, "", {"Retry-After": "4"}) if ill else 200)
        self.publish_many(sidecar, 60, 60)
        sidecar.wait_for(lambda: self.circuit_open(sidecar), 30, "the circuit")
        opened = time.monotonic()
        sidecar.wait_for(lambda: sum(call.at > opened + 0.5 for call in list(self.app.calls)) >= 3, 40, "three probes")
        at = [call.at for call in list(self.app.calls)]
        gaps = [after - before for before, after in zip(at, at[1:]) if after > opened + 0.5]
        self.assertGreater(min(gaps), 3.9, gaps)
        ill = False
        self.all_delivered(sidecar, 60, 60)


class FullMetadata(TroubleCase):
    def test_of_one_failing_key_in_seven_stops_the_others_and_a_kill_9_delivers_nothing_again(self):
        events, ill, gate = 40_000, True, threading.Event()
        self.addCleanup(gate.set)
        self.kafka.create_topic(self.topic, partitions=1)

        def answer(call):
            gate.wait(60)  # until as much as may be is queued
            if 16_000 < call.json["n"] < 18_000:  # and once more, when the metadata is nearly full
                time.sleep(0.15)
            return 500 if ill and call.json["n"] % 7 == 0 else 200

        sidecar = self.deliver(answer, attempts=1000, dead_letters=False, timeout="60s", kafka=SHORT_SESSION)
        for part in range(8):
            lines = "".join(json.dumps({"type": "test.event", "id": f"e{n}", "key": f"k{n % 70}", "data": {"n": n}}) + "\n"
                            for n in range(part * events // 8, (part + 1) * events // 8))
            self.assertEqual(sidecar.post("/v1/events", lines, {"content-type": "application/x-ndjson"}).status, 200)
        gate.set()
        last = [0, 0.0]

        def quiet():
            delivered = self.outcome(sidecar, "delivered")
            if delivered != last[0]:
                last[:] = delivered, time.monotonic()
            return delivered > 10_000 and time.monotonic() > last[1] + 2

        sidecar.wait_for(quiet, 120, "the others to wait")
        self.assertLess(last[0], events * 6 // 7)
        sidecar.stop(signal.SIGKILL)
        before = self.app.count()
        sidecar.start()
        failing = {f"k{n}" for n in range(0, 70, 7)}
        sidecar.wait_for(lambda: {call.key for call in self.app.calls[before:]} >= failing, 60, "the failing keys' next try")
        ill = False
        sidecar.wait_for(lambda: len({call.id for call in list(self.app.calls) if call.done == 200}) == events, 180, "all events")
        done = [call.id for call in self.app.calls if call.done == 200]
        print(f"{last[0]:.0f} delivered before the others waited, {len(done) - events} delivered again", end=" ")
        self.assertLess(len(done) - events, 100)
        self.assertEqual(self.outcome(sidecar, "dead_lettered"), 0)


if __name__ == "__main__":
    unittest.main()
