"""The config file changes under load, as ConfigMaps do: a good one is applied without losing a request, a bad one refused whole."""
import json
import os
import signal
import subprocess
import threading
import unittest

from case import HEAD, KafkaCase, Sidecar, free_ports, outrigger, read_topic
from publishers import Publishers


class Reload(KafkaCase):
    def routes(self, topic):
        return HEAD + f"routes:\n  - {{match: {{type: \"*\"}}, topic: {topic}}}\n"

    def test_a_good_one_is_applied_and_no_request_is_lost(self):
        sidecar = self.sidecar(self.routes("before")[len(HEAD):])
        generation = sidecar.ops("/status").json["observedGeneration"]
        load = Publishers(sidecar, threads=4, keys=50).start()
        sidecar.wait_for(lambda: load.count() > 200)
        for n in range(10):
            sidecar.write_config(self.routes(f"after-{n}"))
            sidecar.wait_for(lambda: sidecar.post("/v1/events/probe.x", {}).json.get("topic") == f"after-{n}", what="the new rule")
        load.stop()
        self.assertEqual(set(load.answers), {200})
        self.assertNotEqual(sidecar.ops("/status").json["observedGeneration"], generation)
        metrics = sidecar.metrics()
        self.assertEqual(metrics['outrigger_config_reloads_total{outcome="applied"}'], 10)
        self.assertEqual(metrics["outrigger_config_last_reload_successful"], 1)

    def test_a_bad_one_is_refused_whole_and_says_why(self):
        sidecar = self.sidecar(self.routes("good")[len(HEAD):])
        sidecar.write_config(self.routes("worse") + "kafak: {}\n")
        condition = sidecar.wait_for(lambda: (c := sidecar.condition("ConfigApplied"))["status"] == "False" and c, what="the refusal")
        self.assertIn("kafak", condition["message"])
        self.assertIn("outrigger.yaml:5:1", condition["message"])
        metrics = sidecar.metrics()
        self.assertEqual(metrics['outrigger_config_reloads_total{outcome="refused"}'], 1)
        self.assertEqual(metrics["outrigger_config_last_reload_successful"], 0)
        self.assertEqual(sidecar.post("/v1/events/a.b", {}).json["topic"], "good")
        self.assertIn("kafak", sidecar.log)
        self.assertEqual(sidecar.ops("/readyz").status, 200)
        sidecar.write_config(self.routes("corrected"))
        sidecar.wait_for(lambda: sidecar.post("/v1/events/a.b", {}).json["topic"] == "corrected")
        self.assertEqual(sidecar.condition("ConfigApplied")["status"], "True")

    def test_a_configmap_swap_of_symlinks_and_a_schema_that_changes(self):
        sidecar = Sidecar(env={"KAFKA_BROKERS": self.kafka.bootstrap})
        self.addCleanup(sidecar.close)
        mount = sidecar.folder / "mount"
        mount.mkdir()

        def publish(version, required):
            data = mount / f"..{version}"
            (data / "schemas/thing.made").mkdir(parents=True)
            (data / "schemas/thing.made/1.0.json").write_text(json.dumps({"type": "object", "required": required}))
            sidecar.config = data / "outrigger.yaml"
            sidecar.write_config(HEAD + "routes:\n  - {match: {type: \"*\"}, topic: things, schemas: schemas}\n")
            os.symlink(data.name, mount / "..data_tmp")
            os.rename(mount / "..data_tmp", mount / "..data")

        publish("v1", ["a"])
        os.symlink("..data/outrigger.yaml", mount / "outrigger.yaml")
        os.symlink("..data/schemas", mount / "schemas")
        sidecar.config = mount / "outrigger.yaml"
        sidecar.start()
        self.assertEqual(sidecar.post("/v1/events/thing.made", {"a": 1}).status, 200)
        generation = sidecar.ops("/status").json["observedGeneration"]
        publish("v2", ["b"])
        sidecar.wait_for(lambda: sidecar.post("/v1/events/thing.made", {"a": 1}).status == 422, what="the new schema")
        sidecar.wait_for(lambda: sidecar.ops("/status").json["observedGeneration"] != generation, what="a generation for the new schema")
        self.assertEqual(sidecar.post("/v1/events/thing.made", {"b": 1}).status, 200)

    def test_what_is_read_at_the_start_only_says_so_field_by_field(self):
        def text(more=""):
            return HEAD + more + "\n"

        sidecar = Sidecar(text=text())
        self.addCleanup(sidecar.close)
        sidecar.start()
        usual = sidecar.port, sidecar.ops_port
        http, ops = free_ports(2)

        def message(reason, text, ports=usual):
            sidecar.port, sidecar.ops_port = ports
            sidecar.write_config(text)
            sidecar.port, sidecar.ops_port = usual
            return sidecar.wait_for(lambda: (c := sidecar.condition("ConfigApplied"))["reason"] == reason and c["message"], 5, reason)

        for fields, change in (("kafka.enabled", [text("kafka: {enabled: false}")]),
                               ("kafka.brokers", [text("kafka: {brokers: [embedded]}")]),
                               ("spool.path", [text("spool: {path: spool}")]),
                               ("http.listen", [text(), (http, usual[1])]),
                               ("http.unixSocket", [text("http:\n  unixSocket: s.sock")]),
                               ("ops.listen", [text(), (usual[0], ops)])):
            with self.subTest(fields=fields, change=change):
                self.assertEqual(message("NeedsRestart", *change), "in force after the next start: " + fields)
                message("Applied", text())

    def test_a_spool_that_the_next_start_could_not_use_is_refused(self):
        sidecar = self.sidecar(self.routes("spooled")[len(HEAD):])
        for path in ("outrigger.yaml", "outrigger.yaml/spool", "log/a/b"):
            sidecar.write_config(self.routes("spooled") + f"spool: {{path: {path}}}\n")
            sidecar.wait_for(lambda: f"{path} can't be used" in (c := sidecar.condition("ConfigApplied"))["message"]
                             and (c["status"], c["reason"]) == ("False", "Refused"), what="the refusal")
            checked = outrigger("check", sidecar.config)
            self.assertEqual(checked.returncode, 0, checked.stdout)
            self.assertRegex(checked.stdout, "warning: spool.path: .* is not a folder")

    def test_the_source_of_events_changes_with_the_client_id(self):
        sidecar = self.sidecar()
        before = sidecar.ops("/status").json["observedGeneration"]
        sidecar.write_config(HEAD + "kafka: {clientId: other}\n")
        sidecar.wait_for(lambda: sidecar.ops("/status").json["observedGeneration"] != before, what="the reload")
        sidecar.post("/v1/events/source.seen", {})
        self.assertEqual(dict(read_topic(self.kafka.bootstrap, "source.events")[0].headers)["ce_source"], "other")

    def test_a_reload_gives_no_new_burst_and_no_new_topics(self):
        limits = "http:\n  rate: {events: 0.001, burst: 3}\n"
        rules = "routes:\n  - {match: {type: \"*\"}, topic: \"{data.tenant}.t\", maxTopics: 1, version: \"%s\"}\n"
        sidecar = Sidecar(text=HEAD + limits + rules % "1", env={"KAFKA_BROKERS": "embedded"})
        self.addCleanup(sidecar.close)
        sidecar.start()

        def status(tenant):
            return sidecar.post("/v1/events/a.b", {"tenant": tenant}).status

        def reload(version, limits=limits):
            before = sidecar.ops("/status").json["observedGeneration"]
            sidecar.write_config(HEAD + limits + rules % version)
            sidecar.wait_for(lambda: sidecar.ops("/status").json["observedGeneration"] != before, what="the reload")

        self.assertEqual(status("one"), 200)
        reload("2")
        self.assertEqual(status("two"), 422, "maxTopics still counts the first topic")
        self.assertEqual(status("one"), 200)
        self.assertEqual(status("one"), 429)
        reload("3")
        self.assertEqual(status("one"), 429)
        reload("3", limits.replace("3}", "4}"))
        self.assertEqual(status("one"), 200, "another rate begins with its burst")

    def test_a_change_during_a_reload_is_seen_too(self):
        many = "".join(f"  - {{match: {{type: kind.n{n}}}, topic: t{n}}}\n" for n in range(10_000))
        sidecar = self.sidecar("routes:\n" + many)
        for n in range(5):
            spent = sidecar.cpu_seconds()
            sidecar.write_config(HEAD + "routes:\n  - {match: {type: probe.x}, topic: first}\n" + many)
            sidecar.wait_for(lambda: sidecar.cpu_seconds() > spent + 0.02, what="the sidecar to be reading")
            sidecar.write_config(HEAD + f"routes:\n  - {{match: {{type: probe.x}}, topic: second-{n}}}\n" + many)
            sidecar.wait_for(lambda: sidecar.post("/v1/events/probe.x", {}).json.get("topic") == f"second-{n}", what="the second change")

    def test_a_change_while_the_start_waits_for_kafka_is_seen_too(self):
        broker = Sidecar(env={"KAFKA_BROKERS": "embedded"})
        self.addCleanup(broker.close)
        broker.start()
        os.kill(broker.process.pid, signal.SIGSTOP)
        sidecar = Sidecar(text=self.routes("first"), env={"KAFKA_BROKERS": broker.bootstrap, "REQUIRE_KAFKA": "true"})
        self.addCleanup(sidecar.close)
        sidecar.start(wait=False)
        sidecar.wait_for(lambda: "Kafka can't be reached" in sidecar.log, what="the wait for Kafka")
        sidecar.write_config(self.routes("second"))
        os.kill(broker.process.pid, signal.SIGCONT)
        sidecar.wait_for(sidecar.listens)
        sidecar.wait_for(lambda: sidecar.post("/v1/events/probe.x", {}).json.get("topic") == "second", what="the second config")

    def test_a_refused_schema_is_seen_once_it_is_mended(self):
        sidecar = self.sidecar(self.routes("before")[len(HEAD):])
        schema = sidecar.folder / "far/schemas/thing.made/1.0.json"
        sidecar.write_config(HEAD + "routes:\n  - {match: {type: thing.made}, topic: things, schemas: far/schemas}\n")
        refusal = sidecar.wait_for(lambda: (c := sidecar.condition("ConfigApplied"))["status"] == "False" and c, what="the refusal")
        self.assertIn("far/schemas", refusal["message"])
        schema.parent.mkdir(parents=True)
        schema.write_text('{"type": "strnig"}')
        sidecar.wait_for(lambda: "strnig" in sidecar.condition("ConfigApplied")["message"], what="the folder to be seen")
        schema.write_text('{"type": "object"}')
        sidecar.wait_for(lambda: sidecar.condition("ConfigApplied")["status"] == "True", what="the corrected schema")
        self.assertEqual(sidecar.post("/v1/events/thing.made", []).status, 422)

    def test_files_with_secrets_are_seen_when_they_come_and_when_they_change(self):
        sidecar = self.sidecar()
        token, password = sidecar.folder / "mount/token", sidecar.folder / "secret/password"
        sidecar.write_config(HEAD + "kafka: {security: {protocol: SASL_SSL, mechanism: PLAIN, username: u, passwordFile: secret/password}}\n"
                             "http:\n  tokenFile: mount/token\n")
        sidecar.wait_for(lambda: "secret/password" in sidecar.condition("ConfigApplied")["message"], what="the refusal")
        token.parent.mkdir()
        token.write_text("first")
        password.parent.mkdir()
        password.write_text("p")
        sidecar.wait_for(lambda: sidecar.condition("ConfigApplied")["reason"] == "Applied", what="the secrets to be seen")

        def status(token):
            # Kafka is out of reach by those secrets.
            return sidecar.post("/v1/events/a.b", b"no JSON", {"authorization": f"Bearer {token}"}).status

        self.assertEqual((status("first"), status("second")), (400, 401))
        token.write_text("second")
        sidecar.wait_for(lambda: status("second") == 400, what="the new token")
        self.assertEqual(status("first"), 401)

    def test_busy_files_beside_it_neither_count_nor_hold_up_a_change(self):
        sidecar = self.sidecar(self.routes("before")[len(HEAD):])
        busy, stop = sidecar.folder / "busy", threading.Event()

        def touch():
            while not stop.wait(0.02):
                busy.write_text("x")
                sidecar.config.touch()

        thread = threading.Thread(target=touch)
        thread.start()
        try:
            for n in range(3):
                sidecar.write_config(self.routes(f"after-{n}"))
                sidecar.wait_for(lambda: sidecar.post("/v1/events/probe.x", {}).json.get("topic") == f"after-{n}", 5, "the new rule")
        finally:
            stop.set()
            thread.join()
        self.assertEqual(sidecar.metrics()['outrigger_config_reloads_total{outcome="applied"}'], 3)

    def test_without_inotify_it_says_so_and_looks_every_few_seconds(self):
        sidecar = Sidecar(text=self.routes("first"), env={"KAFKA_BROKERS": self.kafka.bootstrap})
        self.addCleanup(sidecar.close)
        # A user namespace has limits of its own; nobody else's inotify is touched.
        limited = ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"', "sh"]
        if subprocess.run([*limited, "true"], capture_output=True).returncode != 0:
            self.skipTest("no user namespace can be made here")
        sidecar.start(under=limited)
        applied = sidecar.wait_for(lambda: (c := sidecar.condition("ConfigApplied")) and "inotify" in c["message"] and c, what="the condition")
        self.assertEqual(applied["status"], "True")
        self.assertRegex(applied["message"], "outrigger.yaml; the config is polled every 5 s, since inotify is not available: .*max_user_instances")
        sidecar.wait_for(lambda: "inotify is not available" in sidecar.log, what="the log line")
        sidecar.write_config(self.routes("second"))
        sidecar.wait_for(lambda: sidecar.post("/v1/events/probe.x", {}).json.get("topic") == "second", what="the second config")
        self.assertIn("inotify", sidecar.condition("ConfigApplied")["message"])


if __name__ == "__main__":
    unittest.main()
