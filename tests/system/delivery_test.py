"""Events on a real Kafka reach a scripted app: order, retries, circuits, dead-letter records, offsets."""
import json
import os
import signal
import subprocess
import threading
import time
import unittest


from case import KafkaCase, read_topic  # first: it says where the support modules are
from app import App

OUTAGE = float(os.environ.get("OUTRIGGER_OUTAGE", "3"))  # seconds
KILLS = int(os.environ.get("OUTRIGGER_KILLS", "4"))
# A group notices a killed member after two seconds.
SHORT_SESSION = ", consumer: {properties: {session.timeout.ms: 2000, heartbeat.interval.ms: 500}}"
SUBSCRIPTION = """
subscriptions:
  - name: test
    topics: [{topic}]
    deliver: {{url: "{url}", timeout: {timeout}, concurrency: {concurrency}{deliver}}}
    retry: {{attempts: {attempts}, backoff: {{initial: 20ms, max: 200ms}}}}
{dead_letters}"""


class DeliveryCase(KafkaCase):
    def setUp(self):
        self.topic = self.id().rsplit(".", 1)[-1].replace("test_", "")[:60]
        self.app = App()
        self.addCleanup(self.app.stop)

    def deliver(self, answer=None, more="", timeout="1s", attempts=3, concurrency=64, group=None, kafka="", deliver="", dead_letters=True, **options):
        """A sidecar that publishes everything to this test's topic and delivers it to the app."""
        if answer:
            self.app.answer = answer
        if not self.app.port:
            self.app.start()
        text = (f"kafka: {{groupId: {group or self.topic}{kafka}}}\nroutes:\n  - {{topic: {self.topic}}}\n"
                + SUBSCRIPTION.format(topic=self.topic, url=self.app.url, timeout=timeout, attempts=attempts, concurrency=concurrency,
                                      deliver=deliver, dead_letters=f"    deadLetter: {self.topic}.dead_letters\n" if dead_letters else "") + more)
        return self.sidecar(text, **options)

    def publish(self, sidecar, identity, key=None, data=None):
        answer = sidecar.post(f"/v1/events/test.event?id={identity}" + (f"&key={key}" if key else ""), data or {"id": identity})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def dead_letters(self):
        return read_topic(self.kafka.bootstrap, f"{self.topic}.dead_letters")

    def owned(self, sidecar):
        """How many partitions the sidecar has."""
        return sum(name.startswith("outrigger_consumer_lag{") for name in sidecar.metrics())

    def outcome(self, sidecar, name):
        return sidecar.metrics().get(f'outrigger_consumer_events_total{{outcome="{name}",subscription="test",topic="{self.topic}"}}', 0)

    def publish_many(self, sidecar, count, keys, prefix="e"):
        lines = "".join(json.dumps({"type": "test.event", "id": f"{prefix}{n}", "key": f"k{n % keys}", "data": {"n": n}}) + "\n" for n in range(count))
        answer = sidecar.post("/v1/events", lines, {"content-type": "application/x-ndjson"})
        self.assertEqual((answer.status, answer.json["accepted"]), (200, count), answer.body[:500])


class Order(DeliveryCase):
    def test_a_key_keeps_its_order_under_retries_while_others_go_on(self):
        sidecar = self.deliver(lambda call: 500 if call.key == "k3" and call.attempt < 3 else 200, attempts=10)
        self.publish_many(sidecar, 2000, 20)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 2000, 60)
        done = {}
        for call in sorted((c for c in self.app.calls if c.done == 200), key=lambda c: c.at):
            done.setdefault(call.key, []).append(call.json["n"])
        for key, numbers in done.items():
            self.assertEqual(numbers, sorted(numbers), key)
        self.assertEqual(self.app.overlaps, 0)
        self.assertEqual(sum(map(len, done.values())), 2000)

    def test_a_hanging_handler_holds_up_its_key_alone(self):
        hang = threading.Event()
        self.addCleanup(hang.set)
        sidecar = self.deliver(lambda call: 200 if call.key != "k0" else hang.wait(30) and 200, timeout="20s")
        self.publish_many(sidecar, 500, 50)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 490, 30)
        hang.set()
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 500, 30)


class AppTrouble(DeliveryCase):
    def test_an_app_that_is_away_uses_no_attempt_and_delivery_is_back_within_two_seconds(self):
        sidecar = self.deliver(kafka=", consumer: {properties: {max.poll.interval.ms: 10000, session.timeout.ms: 9000}}")
        self.publish_many(sidecar, 50, 10, "before")
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 50, 30)
        self.app.stop()
        self.publish_many(sidecar, 200, 50, "away")
        sidecar.wait_for(lambda: sidecar.metrics()['outrigger_delivery_circuit_open{subscription="test"}'] == 1)
        self.assertEqual(sidecar.condition("Delivering/test")["reason"], "AppDown")
        back = time.monotonic() + OUTAGE
        sidecar.wait_for(lambda: self.assertEqual(self.owned(sidecar), 4) or time.monotonic() > back, OUTAGE + 5, "the outage's end")
        self.app.start()
        back = time.monotonic()
        sidecar.wait_for(lambda: self.app.count() > 50, 20, "the first delivery")
        self.assertLess(time.monotonic() - back, 2)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 250, 20)
        self.assertNotIn("was stopped for longer than max.poll.interval.ms", sidecar.log)
        self.assertEqual(self.outcome(sidecar, "dead_lettered"), 0)
        self.assertEqual({call.attempt for call in self.app.calls}, {1})
        sidecar.wait_for(lambda: sidecar.condition("Delivering/test")["status"] == "True", what="the condition")

    def test_500_to_everything_dead_letters_nothing(self):
        ill = True
        sidecar = self.deliver(lambda call: 500 if ill else 200)
        self.publish_many(sidecar, 100, 50)
        sidecar.wait_for(lambda: sidecar.metrics()['outrigger_delivery_circuit_open{subscription="test"}'] == 1, 30)
        self.assertEqual(sidecar.condition("Delivering/test")["reason"], "AppDegraded")
        before, end = self.app.count(), time.monotonic() + OUTAGE
        sidecar.wait_for(lambda: self.app.count() >= before + 3 and time.monotonic() > end, 30 + OUTAGE, "probes")
        ill = False
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 100, 60)
        self.assertEqual(self.outcome(sidecar, "dead_lettered"), 0)

    def test_a_busy_app_is_not_down_and_one_whose_health_check_fails_is(self):
        gate, ill = threading.Event(), False
        self.addCleanup(gate.set)

        def answer(call):
            if call.path == "/health":
                return 503 if ill else 200
            return gate.wait(60) and 200

        def health_checks():
            return sum(call.path == "/health" for call in list(self.app.calls))

        sidecar = self.deliver(answer, timeout="60s", concurrency=2,
                               deliver=", health: {path: /health, interval: 100ms, timeout: 200ms, failures: 3}")
        self.publish_many(sidecar, 6, 6)
        sidecar.wait_for(lambda: sidecar.metrics()['outrigger_delivery_in_flight{subscription="test"}'] == 2)
        # The topic was missing when the subscription began.
        sidecar.wait_for(lambda: sidecar.condition("Delivering/test")["reason"] != "TopicMissing", 30, "the topic to be seen")
        before = health_checks()
        sidecar.wait_for(lambda: health_checks() > before + 10, what="health checks beside the two that are in flight")
        self.assertEqual(sidecar.condition("Delivering/test")["reason"], "Delivering")
        ill = True
        sidecar.wait_for(lambda: sidecar.condition("Delivering/test")["reason"] == "AppDown")
        gate.set()
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 2, what="what was in flight")
        before = health_checks()
        sidecar.wait_for(lambda: health_checks() > before, what="a probe")
        self.assertEqual(self.outcome(sidecar, "delivered"), 2)
        ill = False
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 6)

    def test_stuck_is_said_for_as_long_as_an_event_can_not_be_given_up(self):
        ill = {"bad", "worse"}
        sidecar = self.deliver(lambda call: 500 if call.id in ill else 200, attempts=2, dead_letters=False)

        def reason():
            return sidecar.condition("Delivering/test")["reason"]

        self.publish(sidecar, "fine", "fine")
        self.publish(sidecar, "bad", "b")
        self.publish(sidecar, "worse", "w")
        sidecar.wait_for(lambda: "1 more" in sidecar.condition("Delivering/test")["message"], what="both")
        self.assertEqual(reason(), "Stuck")
        ill.remove("bad")
        sidecar.wait_for(lambda: "event worse" in sidecar.condition("Delivering/test")["message"], what="the one that is left")
        self.assertEqual(reason(), "Stuck")
        ill.remove("worse")
        sidecar.wait_for(lambda: reason() == "Delivering", what="nothing to be stuck")
        self.assertEqual(self.app.ids(), {"fine", "bad", "worse"})

    def test_an_event_that_crashes_the_app_is_the_only_one_dead_lettered(self):
        crashed = threading.Event()

        def answer(call):
            if call.json.get("n") == 33:
                self.app.stop()
                crashed.set()
                return None
            return 200

        sidecar = self.deliver(answer)
        stop = threading.Event()

        def restart():
            while not stop.is_set():
                if crashed.wait(0.1):
                    crashed.clear()
                    # Not before the sidecar has seen that nobody listens.
                    sidecar.wait_for(lambda: sidecar.metrics()['outrigger_delivery_circuit_open{subscription="test"}'] == 1)
                    self.app.start()

        thread = threading.Thread(target=restart, daemon=True)
        thread.start()
        self.addCleanup(lambda: (stop.set(), thread.join()))
        self.publish_many(sidecar, 100, 100)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 99 and self.outcome(sidecar, "dead_lettered") == 1, 60, "99 and 1")
        self.assertEqual([json.loads(dead_letter.value)["n"] for dead_letter in self.dead_letters()], [33])

    def test_hostile_answers_keep_their_deadline_and_memory_stays(self):
        def answer(call):
            kind = call.key
            if kind == "k0":
                return b"HTTP/1.1 200 x\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * (20 << 20)
            if kind == "k1":
                return b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * (1 << 20) + b"\r\n\r\n"
            if kind == "k2":
                return b"HTTP/1.1 garbage"
            if kind == "k3":
                return b"HTTP/1.1 200 x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"
            return 200

        sidecar = self.deliver(answer, attempts=2)
        before = sidecar.memory()[0]
        self.publish_many(sidecar, 200, 20)
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") + self.outcome(sidecar, "dead_lettered") == 200, 60)
        self.assertEqual(self.outcome(sidecar, "delivered"), 160)
        self.assertLess(sidecar.memory()[0] - before, 30 << 20)

    def test_what_waits_for_a_hanging_app_is_bounded_by_its_bytes_headers_included(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        subprocess.run(["kcat", "-b", self.kafka.bootstrap, "-P", "-t", self.topic, "-K", "|", "-H", "large=" + "x" * 60_000],
                       input="".join(f'k{n}|{{"n":{n}}}\n' for n in range(2500)).encode(), check=True)
        sidecar = self.deliver(lambda call: gate.wait(60) and 200, timeout="60s", concurrency=2)
        before, end = sidecar.memory()[1], time.monotonic() + 5
        most = 0

        def rises():
            nonlocal most
            most = max(most, sidecar.memory()[1] - before)
            return time.monotonic() > end

        sidecar.wait_for(lambda: self.app.count() == 2, 20, "the first two")
        sidecar.wait_for(rises, 10, "the records' end")
        print(f"150 MB wait; {most >> 20} MiB held at most", end=" ")
        # 32 MiB in the key queues, 1,000 records with the Kafka client, and what is on its way between them.
        self.assertLess(most, 128 << 20)


class Offsets(DeliveryCase):
    def test_a_restart_goes_on_where_it_stopped(self):
        sidecar = self.deliver()
        self.publish_many(sidecar, 300, 30, "a")
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 300, 30)
        self.assertEqual(sidecar.stop(), 0)
        sidecar.start()
        self.publish_many(sidecar, 100, 30, "b")
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 100, 30)
        self.assertEqual(self.app.count(), 400)

    def test_kill_9_skips_nothing_and_tries_nothing_too_often(self):
        events, kills, attempts = KILLS * 1000, KILLS, 5
        poison = {n for n in range(events) if n % 100 == 7}
        sidecar = self.deliver(lambda call: 500 if call.json["n"] in poison else 200, attempts=attempts, kafka=SHORT_SESSION)
        self.publish_many(sidecar, events, 1000)
        handled = events - len(poison)
        for _ in range(kills):
            before = self.app.count()
            sidecar.wait_for(lambda: self.app.count() > before + 500 or len(self.app.ids()) == handled, 60, "progress")
            sidecar.stop(signal.SIGKILL)
            sidecar.start()
        sidecar.wait_for(lambda: len(self.app.ids()) == handled, 120, "all that can be handled")
        sidecar.wait_for(lambda: {json.loads(r.value)["n"] for r in self.dead_letters()} == poison, 120, "the dead-letter records")
        most = max(len(self.app.of(f"e{n}")) for n in poison)
        self.assertLessEqual(most, attempts + kills)
        dead_letters = len(self.dead_letters())
        self.assertLessEqual(dead_letters, len(poison) + kills * 64)
        print(f"{handled} handled, {dead_letters} dead-letter records of {len(poison)} poison events, tried {most} times at most", end=" ")

    def test_sigterm_waits_for_a_handler_longer_than_a_rebalance_would_and_takes_what_it_publishes(self):
        gate, published = threading.Event(), []
        self.addCleanup(gate.set)

        def handler(call):
            gate.wait(60)
            published.append(sidecar.post("/v1/events/test.reply?id=reply", {}).status)
            return 200

        sidecar = self.deliver(lambda call: handler(call) if call.id == "slow" else 200, timeout="60s", more="rebalance: {drain: 200ms}\n")
        self.publish(sidecar, "slow", key="slow")
        sidecar.wait_for(lambda: self.app.of("slow"), what="the handler")
        sidecar.process.send_signal(signal.SIGTERM)
        sidecar.wait_for(lambda: sidecar.condition("Ready")["reason"] == "ShuttingDown", what="the end's beginning")
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            self.publish(sidecar, f"meanwhile-{end - time.monotonic()}")
        gate.set()
        self.assertEqual(sidecar.process.wait(25), 0)
        self.assertEqual(published, [200])
        before = len(self.app.of("slow"))
        sidecar.start()
        sidecar.wait_for(lambda: self.app.of("reply"), what="what was published at the end")
        self.assertEqual((before, len(self.app.of("slow"))), (1, 1), "handled and committed, so not delivered again")

    def total(self, sidecar, name):
        return sum(v for k, v in sidecar.metrics().items() if k.startswith(name + "{") and self.topic in k)

    def test_lag_grows_and_falls_back_to_nothing(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        sidecar = self.deliver(lambda call: gate.wait(60) and 200, timeout="60s")
        self.publish_many(sidecar, 500, 50)
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 500, 20, "the lag")
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag_seconds") > 1, 20, "the lag in seconds")
        gate.set()
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 0
                         and self.total(sidecar, "outrigger_consumer_lag_seconds") == 0, 30, "no lag")

    def test_lag_of_a_stopped_app_grows_with_what_comes(self):
        sidecar = self.deliver()
        self.publish_many(sidecar, 50, 10, "a")
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 50, 30)
        self.app.stop()
        self.publish_many(sidecar, 20, 10, "b")
        sidecar.wait_for(lambda: sidecar.condition("Delivering/test")["reason"] == "AppDown")
        for round, lag in enumerate((1020, 2020)):
            self.publish_many(sidecar, 1000, 10, f"c{round}")
            sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == lag, 10, f"a lag of {lag}")
        self.app.start()
        sidecar.wait_for(lambda: self.outcome(sidecar, "delivered") == 2070, 30)
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 0, 10, "no lag")


if __name__ == "__main__":
    unittest.main()
