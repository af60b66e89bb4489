"""Subscriptions, topics and brokers change under load: each by the smallest step, with nothing lost and nothing failed."""
import collections
import os
import time
import unittest

from case import HEAD, Kafka, KafkaCase
from app import App
from publishers import Publishers

RELOADS = int(os.environ.get("OUTRIGGER_RELOADS", "40"))  # one every 0.3 s; 200 in the long run


class ReloadSubscriptions(KafkaCase):
    def setUp(self):
        self.app = App().start()
        self.addCleanup(self.app.stop)

    def text(self, *subscriptions, more=""):
        """`subscriptions`: (name, more of it)."""
        each = "".join(f"  - {{name: {name}, topics: [{fields.pop('topics', 'load.events')}], "
                       f"deliver: {{url: 'http://127.0.0.1:{self.app.port}/{fields.pop('path', name)}'"
                       + "".join(f", {k}: {v}" for k, v in fields.items()) + "}}\n" for name, fields in subscriptions)
        return HEAD + f"subscriptions:\n{each}{more}"

    def reload(self, sidecar, text):
        before = sidecar.metrics()['outrigger_config_reloads_total{outcome="applied"}']
        sidecar.write_config(text)
        sidecar.wait_for(lambda: sidecar.metrics()['outrigger_config_reloads_total{outcome="applied"}'] > before, what="the reload")

    def paths(self):
        """{path: {id: how often}}"""
        seen = collections.defaultdict(collections.Counter)
        for call in list(self.app.calls):
            seen[call.path][call.id] += 1
        return seen

    def test_many_reloads_under_load_fail_no_request_lose_no_event_and_leave_the_others_alone(self):
        self.kafka.create_topic("load.events")
        sidecar = self.sidecar(self.text(("same", {}), ("changing", {"path": "p0"}))[len(HEAD):])
        load = Publishers(sidecar, threads=8, keys=200).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: len(self.paths()["/same"]) > 100, 30, "the first events")
        member = self.kafka.members("outrigger.same")
        refused = 0
        for number in range(1, RELOADS + 1):
            began = time.monotonic()
            if number % 10 == 0:
                sidecar.write_config(self.text(("same", {})) + "nonsense: 1\n")
                refused += 1
                sidecar.wait_for(lambda: sidecar.metrics()['outrigger_config_reloads_total{outcome="refused"}'] >= refused, what="the refusal")
                self.assertIn("nonsense", sidecar.condition("ConfigApplied")["message"])
                continue
            subscriptions = [("same", {}), ("changing", {"path": f"p{number}", "concurrency": 8 + number})]
            if number % 3 == 0:
                subscriptions.append(("passing", {}))
            routes = "".join(f"  - {{match: {{type: x{n}}}, topic: t}}\n" for n in range(number))
            more = f"http:\n  maxConnections: {1000 + number}\nroutes:\n{routes}  - {{topic: load.events, match: {{type: load.event}}}}\n"
            self.reload(sidecar, self.text(*subscriptions, more=more))
            sidecar.wait_for(lambda: time.monotonic() > began + 0.3, what="the next one's time")
        load.stop()
        self.assertEqual(set(load.answers), {200})
        published = {f"{key}-{number}" for key, number in load.acked}
        sidecar.wait_for(lambda: published <= set(self.paths()["/same"]), 60, "the unchanged subscription to have all")

        def of_changing():
            return sum((calls for path, calls in self.paths().items() if path.startswith("/p") and path != "/passing"), collections.Counter())
        sidecar.wait_for(lambda: published <= set(of_changing()), 60, "the changed one to have all")
        self.assertEqual(set(self.paths()["/same"].values()), {1}, "the unchanged one got none twice")
        twice = sum(count - 1 for count in of_changing().values())
        print(f"{RELOADS} reloads, {len(published)} events, {twice} delivered again", end=" ")
        self.assertEqual(twice, 0)
        self.assertEqual(self.kafka.members("outrigger.same"), member)

    def test_a_subscription_is_added_to_a_sidecar_without_one_and_taken_away_again(self):
        sidecar = self.sidecar("routes: [{topic: late.events}]\n")
        sidecar.post("/v1/events/late.event?id=first", {})
        self.reload(sidecar, self.text(("late", {"topics": "late.events"})))
        sidecar.wait_for(lambda: self.app.of("first"), 30, "the event")
        sidecar.wait_for(lambda: sidecar.condition("Delivering/late")["status"] == "True", what="the condition")
        self.assertEqual(sidecar.ops("/healthz").status, 200)
        self.reload(sidecar, HEAD)
        sidecar.wait_for(lambda: sidecar.condition("Delivering/late") is None, 20, "the condition to go")
        self.assertFalse([name for name in sidecar.metrics() if 'subscription="late"' in name])
        self.reload(sidecar, self.text(("late", {"topics": "late.events"})))
        sidecar.post("/v1/events/late.event?id=second", {})
        sidecar.wait_for(lambda: self.app.of("second"), 30, "the next event")
        self.assertEqual(len(self.app.of("first")), 1)

    def test_other_brokers_get_what_is_published_and_their_topics_are_delivered(self):
        with Kafka() as other:
            other.format().start()
            text = self.text(("moved", {"topics": "moving.events"}), more="routes: [{topic: moving.events}]\n")
            sidecar = self.sidecar(text[len(HEAD):], env={"KAFKA_BROKERS": ""})
            del sidecar.env["KAFKA_BROKERS"]
            sidecar.stop()
            sidecar.write_config(text + f"kafka: {{brokers: ['{self.kafka.bootstrap}']}}\n")
            sidecar.start()
            load = Publishers(sidecar, threads=4, keys=40, path="/v1/events/moving.event").start()
            self.addCleanup(load.stop)
            sidecar.wait_for(lambda: len(self.app.calls) > 100, 30, "the first events")
            other.create_topic("moving.events", partitions=8)
            self.reload(sidecar, text + f"kafka: {{brokers: ['{other.bootstrap}']}}\n")
            sidecar.wait_for(lambda: sidecar.metrics()["outrigger_producer_rebuilds_total"] >= 1, 20, "a new client")
            before, delivered = load.count(), len(self.app.calls)
            sidecar.wait_for(lambda: load.count() > before + 100 and len(self.app.calls) > delivered + 100, 60, "events by the other one")
            self.kafka.stop()
            before = load.count()
            sidecar.wait_for(lambda: load.count() > before + 100, 30, "events without the first one")
            load.stop()
            self.assertEqual(set(load.answers), {200})
            self.kafka.start()


if __name__ == "__main__":
    unittest.main()
