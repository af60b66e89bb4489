"""What a person and Prometheus see: metrics that promtool likes, status, health, logs."""
import json
import signal
import socket
import subprocess
import unittest

from case import ROOT, KafkaCase, Sidecar


class Observability(KafkaCase):
    def test_metrics_are_clean_and_their_labels_come_from_the_config(self):
        sidecar = self.sidecar("routes:\n  - {match: {type: \"t.*\"}, topic: \"{data.tenant}.events\", maxTopics: 3}\n"
                               "  - {match: {type: \"a.*\"}, topic: plain}\n"
                               "subscriptions:\n  - {name: unheard, topics: [plain], deliver: {url: 'http://127.0.0.1:1/'}}\n")
        for n in range(10):
            sidecar.post("/v1/events/t.x", {"tenant": f"t{n}"})
            sidecar.post(f"/v1/events/a.x{n}", {})
            sidecar.post(f"/v1/nothing/{n}", {})
            sidecar.post(f"/v1/events/unknown{n}", {})
        json_type, batch = {"content-type": "application/json"}, {"content-type": "application/cloudevents-batch+json"}
        self.assertEqual(sidecar.post("/v1/events", "{bad", json_type).status, 400)
        self.assertEqual(sidecar.post("/v1/events", '{"type":1}\nx\n', {"content-type": "application/x-ndjson"}).json["failed"], 2)
        self.assertNotIn("id", sidecar.post("/v1/events", "[{}]", batch).json["results"][0])
        sidecar.wait_for(lambda: sidecar.metrics().get('outrigger_delivery_circuit_open{subscription="unheard"}') == 1, what="the circuit")
        check = subprocess.run(["promtool", "check", "metrics"], input=sidecar.ops("/metrics").body, capture_output=True)
        self.assertEqual((check.returncode, check.stdout + check.stderr), (0, b""))
        metrics = sidecar.metrics()
        self.assertEqual(metrics['outrigger_producer_events_total{outcome="acked",topic="{data.tenant}.events"}'], 3)
        self.assertEqual(metrics['outrigger_producer_events_total{outcome="acked",topic="plain"}'], 10)
        self.assertEqual(metrics['outrigger_producer_failures_total{reason="no_route",topic="none"}'], 10)
        self.assertEqual(metrics['outrigger_producer_failures_total{reason="invalid",topic="none"}'], 4, "what can't be read is counted")
        self.assertEqual(metrics['outrigger_http_requests_total{code="404",endpoint="none"}'], 10)
        self.assertEqual(metrics['outrigger_producer_latency_seconds_count{topic="plain"}'], 10)
        self.assertLessEqual({"outrigger_consumer_events_total", "outrigger_consumer_lag", "outrigger_delivery_in_flight"},
                             {name.split("{")[0] for name in metrics})
        for name in metrics:
            self.assertNotRegex(name, r"t\d|a\.x\d|unknown\d|nothing")

    def test_the_ops_port_takes_ipv6_and_ipv4_and_ipv4_alone_where_there_is_no_ipv6(self):
        no_ipv6 = ("python3", ROOT / "tests/support/no_ipv6.py")
        for under, hosts in (((), ["127.0.0.1", "::1"]), (no_ipv6, ["127.0.0.1"])):
            with self.subTest(under=under), Sidecar(env={"KAFKA_ENABLED": "false"}) as sidecar:
                text = sidecar.config.read_text()
                sidecar.config.write_text(text.replace(f"127.0.0.1:{sidecar.ops_port}", f"[::]:{sidecar.ops_port}"))
                sidecar.start(under=under)
                for host in hosts:
                    socket.create_connection((host, sidecar.ops_port), 5).close()

    def test_ops_port_is_read_only_and_answers_what_kubernetes_asks(self):
        sidecar = self.sidecar()
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_kafka_connected"] == 1, what="Kafka")
        self.assertEqual(sidecar.ops("/healthz").status, 200)
        self.assertEqual(sidecar.ops("/readyz").status, 200)
        self.assertEqual(sidecar.ops("/health/kafka").body, b'{"kafka":{"enabled":true,"connected":true}}')
        self.assertEqual(sidecar.request("GET", "/health/kafka").body, b'{"kafka":{"enabled":true,"connected":true}}')
        self.assertEqual(sidecar.ops("/").status, 200)
        status = sidecar.ops("/status").json
        self.assertRegex(status["observedGeneration"], "^[0-9a-f]+$")
        for condition in status["conditions"]:
            self.assertEqual(set(condition), {"type", "status", "reason", "message", "lastTransitionTime"})
        self.assertLessEqual({"Ready", "KafkaConnected", "ConfigApplied"}, {c["type"] for c in status["conditions"]})
        port, sidecar.port = sidecar.port, sidecar.ops_port
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 405)
        self.assertEqual(sidecar.request("DELETE", "/metrics").status, 405)
        sidecar.port = port

    def test_readiness_ends_with_sigterm_while_the_last_events_are_still_taken(self):
        sidecar = self.sidecar()
        sidecar.process.send_signal(signal.SIGTERM)
        sidecar.wait_for(lambda: sidecar.ops("/readyz").status == 503, what="503")
        self.assertEqual(sidecar.condition("Ready")["status"], "False")
        self.assertIn(b"ShuttingDown: events in flight", sidecar.ops("/readyz").body)
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 200)
        self.assertEqual(sidecar.process.wait(30), 0)

    def test_logs_are_json_and_never_a_line_an_event(self):
        sidecar = self.sidecar()
        connection = sidecar.connect()
        for n in range(500):
            sidecar.post("/v1/events/a.b", {"n": n}, connection=connection)
            sidecar.post("/v1/events", "{broken", connection=connection)
        connection.close()
        lines = sidecar.log.splitlines()
        for line in lines:
            self.assertLessEqual({"time", "level", "message"}, set(json.loads(line)))
        self.assertLess(len(lines), 20)

    def test_debug_lines_of_librdkafka_all_come_when_they_were_asked_for(self):
        sidecar = self.sidecar("log: {level: debug}\nkafka: {properties: {debug: 'broker,protocol'}}\n")
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).status, 200)

        def requests():
            lines = [json.loads(line) for line in sidecar.log.splitlines()]
            return [line for line in lines if line.get("librdkafka") == "SEND"]
        sidecar.wait_for(lambda: len(requests()) > 3, what="more than one line in ten seconds")
        self.assertTrue(all(line["level"] == "debug" and line["held_back"] == "0" for line in requests()))


if __name__ == "__main__":
    unittest.main()
