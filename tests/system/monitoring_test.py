"""The dashboard and the alerts of charts/outrigger: whole, about metrics that exist, and true on a live Prometheus."""
import itertools
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from case import HEAD, ROOT, Sidecar, free_ports  # first: it says where the support modules are
from app import App
from prometheus import Prometheus

RULES = ROOT / "charts/outrigger/rules/outrigger.yaml"
RULES_TEST = ROOT / "tests/system/rules_test.yaml"
DASHBOARD = json.loads((ROOT / "charts/outrigger/dashboards/outrigger.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
QUERIES += [(mark["name"], mark["expr"]) for mark in DASHBOARD["annotations"]["list"]]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
METRICS = set(re.findall(r"# TYPE (\w+)", (ROOT / "tests/golden/metrics.txt").read_text()))
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text())
# Grafana's own variables, and what a browser with an hour on the screen would put there; scaled to a test's seconds.
GRAFANA = {"__rate_interval": "10s", "__range": "1m"}

# Zero in a sidecar that is well, and nothing from outside can make them another number: each is a bug or a fatal error of Kafka.
ALWAYS_ZERO = ("What should not happen", "What should not happen in the spool")
# What the sidecars of Live provoke.
PROVOKED = {"OutriggerTargetDown", "OutriggerKafkaDisconnected", "OutriggerConfigRefused", "OutriggerConnectionsRefused",
            "OutriggerPublishFailing", "OutriggerEventsRefused", "OutriggerUnkeyedEvents", "OutriggerCircuitOpen",
            "OutriggerDeliveryFailing", "OutriggerDeadLetters"}


def names_in(text):
    """The metrics that a query names, a histogram's parts by its own name."""
    found = re.findall(r"\b(outrigger_\w+|process_\w+)", text)
    return {re.sub(r"_(bucket|sum|count)$", "", name) if "seconds" in name else name for name in found}


def fill_in(text, values):
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values[match.group(1)], text)


class Dashboard(unittest.TestCase):
    def test_every_metric_of_ours_is_shown_and_none_that_does_not_exist(self):
        shown = set().union(*(names_in(expr) for _, expr in QUERIES))
        self.assertEqual({name for name in shown if name.startswith("outrigger_")}, METRICS)

    def test_every_panel_says_what_it_is_in_which_unit_and_what_to_do(self):
        for panel in PANELS:
            with self.subTest(panel["title"]):
                self.assertGreater(len(panel["description"]), 40)
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                self.assertEqual({json.dumps(target["datasource"]) for target in panel["targets"]} | {json.dumps(panel["datasource"])},
                                 {'{"type": "prometheus", "uid": "${datasource}"}'})

    def test_panels_fill_the_grid_and_none_lies_on_another(self):
        cells = set()
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            own = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
            self.assertFalse(cells & own, panel["title"])
            cells |= own
        width, height = (max(cell[n] for cell in cells) + 1 for n in (0, 1))
        self.assertEqual((width, len(cells)), (24, 24 * height))
        self.assertEqual(len({panel["id"] for panel in DASHBOARD["panels"]}), len(DASHBOARD["panels"]))

    def test_every_query_is_about_the_sidecars_chosen(self):
        for title, expr in QUERIES:
            with self.subTest(title):
                for selector in re.findall(r"(?:outrigger|process)_\w+\{([^}]*)\}", expr):
                    self.assertTrue(selector.startswith('namespace=~"$namespace",pod=~"$pod"'), selector)
                self.assertLessEqual(set(re.findall(r"\$(\w+)", expr)), set(VARIABLES) | set(GRAFANA))


class Rules(unittest.TestCase):
    def promtool(self, *arguments):
        run = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_the_file_is_clean(self):
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)

    def test_each_alert_fires_when_it_should_and_only_then(self):
        self.promtool("test", "rules", RULES_TEST)
        fired = set(re.findall(r'alertname="(\w+)"', RULES_TEST.read_text()))
        self.assertEqual(fired, set(ALERTS))

    def test_alerts_are_about_metrics_that_exist(self):
        named = {name for name in names_in(RULES.read_text()) if name.startswith("outrigger_")}
        self.assertEqual(named - METRICS, set())


WELL = HEAD + """\
kafka: {{groupId: shop}}
spool: {{path: spool}}
http:
  maxConnections: 8
routes:
  - {{match: {{type: "user.*"}}, topic: user.events, key: data.userId, schemas: "{folder}/schemas", onInvalid: deadLetter, deadLetter: dead_letters}}
  - {{match: {{type: "order.*"}}, topic: "{{data.tenant}}.orders"}}
subscriptions:
  - name: welcome
    topics: [user.events]
    deliver: {{url: "{app}"}}
    retry: {{attempts: 2, backoff: {{initial: 20ms, max: 50ms}}}}
    deadLetter: dead_letters
  - name: unheard
    topics: [user.events]
    deliver: {{url: "http://127.0.0.1:{nobody}/"}}
"""
# Every threshold is met and nothing waits, so that these fire also for sidecars that are well.
LENIENT = re.sub(r"(?m)^ +for: .*\n", "", re.sub(r"(==|>|<) \d[\d.]*", ">= -Inf", re.sub(r"alert: ", "alert: Lenient", RULES.read_text())))


class Live(unittest.TestCase):
    """Four sidecars: `well` does everything, good and bad, `away` has no Kafka, `spools` neither but a spool, `stopped` is there no more."""

    @classmethod
    def setUpClass(cls):
        folder = Path(tempfile.mkdtemp(prefix="outrigger-rules-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        (folder / "lenient.yaml").write_text(LENIENT)
        cls.app = App(cls.answer).start()
        cls.addClassCleanup(cls.app.stop)
        dead, nobody = free_ports(2)
        nowhere = f"127.0.0.1:{dead}"
        cls.well, cls.away, cls.spools, cls.stopped = map(cls.sidecar, ("embedded", nowhere, nowhere, "embedded"))
        schema = cls.well.folder / "schemas/user.updated/1.0.json"
        schema.parent.mkdir(parents=True)
        schema.write_text('{"type": "object", "properties": {"userId": {"type": "string"}}}')
        cls.config = WELL.format(folder=cls.well.folder, app=cls.app.url, nobody=nobody)
        cls.well.write_config(cls.config)
        cls.spools.write_config(HEAD + "spool: {path: spool}\n")
        for sidecar in (cls.well, cls.away, cls.spools, cls.stopped):
            sidecar.start()
        # `away` has no namespace and no pod, and as with the Prometheus operator a label `endpoint` that is not ours.
        cls.prometheus = Prometheus(
            [(cls.well.ops_port, {"namespace": "shop", "pod": "well"}), (cls.away.ops_port, {"endpoint": "ops"}),
             (cls.spools.ops_port, {"namespace": "shop", "pod": "spools"}), (cls.stopped.ops_port, {"namespace": "shop", "pod": "stopped"})], [RULES, folder / "lenient.yaml"]).start()
        cls.addClassCleanup(cls.prometheus.close)
        Sidecar.wait_for(cls.prometheus.ready, what="Prometheus")
        Sidecar.wait_for(lambda: cls.prometheus.values('outrigger_build_info{pod="stopped"}'), what="a scrape")
        cls.stopped.stop()
        stop = threading.Event()
        traffic = threading.Thread(target=cls.traffic, args=(stop,), daemon=True)
        traffic.start()
        cls.addClassCleanup(traffic.join)
        cls.addClassCleanup(stop.set)

    @classmethod
    def sidecar(cls, brokers):
        sidecar = Sidecar(text=HEAD, env={"KAFKA_BROKERS": brokers})
        cls.addClassCleanup(sidecar.close)
        return sidecar

    @staticmethod
    def answer(call):
        mood = call.json.get("mood")
        if mood == "slow":
            threading.Event().wait(0.5)
        if mood == "fails once" and call.attempt == 1:
            return 500
        return {"refuses": 422, "drops": (200, '{"status":"DROP"}')}.get(mood, 200)

    @classmethod
    def traffic(cls, stop):
        """Some of everything, over and over, until the tests have seen it."""
        number = 0
        cls.away.write_config(HEAD + "nonsense: 1\n")
        while not stop.wait(0.2):
            number += 1
            for mood in ("likes", "slow", "fails once", "refuses", "drops"):
                cls.well.post("/v1/events/user.updated", {"userId": f"{mood}-{number}", "mood": mood})
            cls.well.post("/v1/events/user.updated", {"mood": "has no key"})
            cls.well.post("/v1/events/user.updated", {"userId": number})
            cls.well.post("/v1/events/order.placed", {"tenant": "acme"})
            cls.well.post("/v1/events/order.placed?ack=disk", {"tenant": "acme"})
            cls.spools.post("/v1/events/order.placed?ack=disk", {})
            cls.well.post("/v1/events/unknown", {})
            for sidecar in (cls.well, cls.away):
                # In the middle of a request, since a silent one gives way to the next.
                many = [socket.create_connection(("127.0.0.1", sidecar.port)) for _ in range(12)]
                for one in many:
                    one.sendall(b"POST /v1/events HTTP/1.1\r\n")
                late = [socket.create_connection(("127.0.0.1", sidecar.port)) for _ in range(12)]
                for one in many + late:
                    one.close()
            cls.away.post("/v1/events/user.updated", {})
            cls.away.post("/v1/events/user.updated?ack=memory", {})
            cls.well.write_config(cls.config + ("nonsense: 1\n" if number % 2 else f"# {number}\n"))

    def come(self, things, there):
        """Waits until `there(thing)` is true of all things; names those of which it stays false."""
        left = list(things)

        def none_left():
            left[:] = [thing for thing in left if not there(thing)]
            return not left
        try:
            Sidecar.wait_for(none_left, timeout=30)
        except TimeoutError:
            self.fail(f"after 30 s there is nothing of: {left}")

    def chosen(self):
        """What Grafana's drop-downs offer, each by its own query, as if all of it were ticked."""
        values = {}
        for name, variable in VARIABLES.items():
            if variable["type"] != "query":
                continue
            selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            offered = self.prometheus.label_values(label, fill_in(selector, values))
            values[name] = "(" + "|".join(re.escape(one).replace("\\", "\\\\") for one in offered) + ")"
        return values

    def test_every_query_of_the_dashboard_has_an_answer(self):
        everything = dict.fromkeys(VARIABLES, ".*")

        def has_data(query):
            title, expr = query
            # Alone as well: the worst of several is 0 as long as one of them has no Kafka.
            whose = (everything, self.chosen(), {**everything, "pod": "well"})
            *several, alone = (self.prometheus.values(fill_in(expr, {**GRAFANA, **values})) for values in whose)
            return all(several) and (title in ALWAYS_ZERO or any(map(any, [*several, alone])))
        self.come(QUERIES, has_data)

    def test_the_drop_downs_offer_what_there_is(self):
        self.come(["topics"], lambda _: "dead_letters" not in self.chosen()["topic"] and "orders" in self.chosen()["topic"])
        offered = {name: set(re.findall(r"[\w.{}-]+", text.replace("\\", ""))) for name, text in self.chosen().items()}
        self.assertEqual(offered, {"namespace": {"shop"}, "pod": {"well", "spools", "stopped"}, "subscription": {"welcome", "unheard"},
                                   "topic": {"none", "user.events", "{data.tenant}.orders", "{type.first}.events"}})

    def test_no_panel_names_a_metric_that_a_sidecar_does_not_have(self):
        have = set(re.findall(r"# TYPE (\w+)", self.well.ops("/metrics").body.decode()))
        self.assertEqual(set().union(*(names_in(expr) for _, expr in QUERIES)) - have, set())

    def active(self):
        return {rule["name"] for rule in self.prometheus.rules() if rule["state"] != "inactive"}

    def test_the_alerts_that_are_provoked_come_and_no_others(self):
        self.come(PROVOKED, lambda alert: alert in self.active())
        self.assertEqual({alert for alert in self.active() if not alert.startswith("Lenient")}, PROVOKED)

    def test_every_alert_finds_its_series_and_its_text_is_whole(self):
        # Without its threshold this one is silenced by what it leaves out; it is among the provoked.
        self.come(set(ALERTS) - {"OutriggerKafkaDisconnected"}, lambda alert: f"Lenient{alert}" in self.active())
        for rule in self.prometheus.rules():
            self.assertEqual((rule["health"], rule.get("lastError")), ("ok", None), rule["name"])
            for alert in rule["alerts"]:
                for text in (alert["annotations"]["summary"], alert["annotations"]["description"]):
                    self.assertNotRegex(text, "error expanding|<no value>|  ", rule["name"])


if __name__ == "__main__":
    unittest.main()
