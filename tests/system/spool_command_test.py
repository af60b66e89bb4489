"""`outrigger spool` on a running sidecar and on the file of a stopped one."""
import base64
import json
import signal
import unittest

from case import outrigger
from spool_case import SpoolCase


class Command(SpoolCase):
    # What is larger is taken while Kafka is away, and rejected by it for good.
    properties = {"message.max.bytes": "2000"}

    def call(self, *arguments, code=0):
        run = outrigger("spool", *arguments)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def asked(self, *arguments, code=0):
        return json.loads(self.call(*arguments, "-o", "json", code=code).stdout)

    def url(self, sidecar):
        return f"http://127.0.0.1:{sidecar.port}"

    def ids(self, *arguments):
        return [record["id"] for record in self.asked("list", *arguments)["records"]]

    def places(self, sidecar):
        """How a command finds the spool while the sidecar runs, and when it is stopped."""
        url = self.url(sidecar)
        for place in (("--url", url), ("--config", sidecar.config), ("--path", self.folder, "--url", url)):
            yield place
        sidecar.stop(signal.SIGKILL)
        for place in (("--config", sidecar.config), ("--path", self.folder)):
            yield place

    def quarantined(self, sidecar, kind, numbers):
        """Events that Kafka rejects for good when it is back."""
        with self.kafka_away():
            for number in numbers:
                answer = sidecar.post(f"/v1/events/{kind}?key=k&id={kind}-{number}", f"{number} " + "x" * 5000, {"content-type": "text/plain"})
                self.assertEqual(answer.status, 202, answer.body)
        self.drained(sidecar)
        self.assertEqual(len(self.ids("--url", self.url(sidecar), "--quarantine")), len(numbers))


class Waiting(Command):
    def test_what_waits_is_listed_shown_and_exported_from_a_running_sidecar_and_from_its_file(self):
        sidecar = self.spooling()
        with self.kafka_away():
            self.spool(sidecar, "seen.event", range(3))
            binary = sidecar.post("/v1/events/other.event?key=k%FF&id=odd", b"\xff\x00", {"content-type": "application/octet-stream"})
            self.assertEqual(binary.status, 202, binary.body)
            for place in self.places(sidecar):
                with self.subTest(place=place):
                    lines = self.call("list", *place).stdout.splitlines()
                    self.assertEqual(len(lines), 5)
                    self.assertRegex(lines[0], r"^ID +TOPIC +PARTITION +KEY +BYTES +AGE +EVENT$")
                    self.assertRegex(lines[1], r"^\d+ +seen\.events +- +k +\d+ +\d+[smh] +seen\.event-0$")
                    self.assertIn("there are more: --after", self.call("list", "--limit", "2", *place).stdout)
                    first = self.asked("list", "--limit", "1", *place)
                    self.assertEqual((len(first["records"]), first["next"]), (1, first["records"][0]["id"]))
                    self.assertEqual(len(self.ids("--after", first["next"], *place)), 3)
                    self.assertEqual(len(self.ids("--topic", "other.events", *place)), 1)
                    self.assertIn("nothing is in the quarantine", self.call("list", "--quarantine", *place).stdout)
                    for identity in ("seen.event-1", self.ids(*place)[1]):
                        shown = self.call("show", identity, *place).stdout
                        for word in ("seen.event-1", "seen.events", "header          ce_type: seen.event", "\n1 \n"):
                            self.assertIn(word, shown)
                    run = self.call("show", "nobody", *place, code=1)
                    self.assertIn("neither the spool nor its quarantine has nobody", run.stderr)
                    exported = self.call("export", *place)
                    records = [json.loads(line) for line in exported.stdout.splitlines()]
                    self.assertIn("4 records exported", exported.stderr)
                    self.assertEqual([record["value"] for record in records[:3]], ["0 ", "1 ", "2 "])
                    self.assertEqual(records[0]["headers"][0]["name"][:3], "ce_")
                    self.assertEqual([base64.b64decode(records[3][name]) for name in ("valueBase64", "keyBase64")], [b"\xff\x00", b"k\xff"])

    def test_export_to_a_file_tells_how_many_and_a_file_that_cannot_be_written_is_an_error(self):
        sidecar = self.spooling()
        with self.kafka_away():
            self.spool(sidecar, "file.event", range(2))
            file = f"{self.folder}/out.ndjson"
            self.assertEqual(self.asked("export", "--file", file, "--url", self.url(sidecar)), {"exported": 2})
            with open(file) as lines:
                self.assertEqual([json.loads(line)["eventId"] for line in lines], ["file.event-0", "file.event-1"])
            run = self.call("export", "--file", "/nowhere/out", "--url", self.url(sidecar), code=1)
            self.assertIn("/nowhere/out can't be written", run.stderr)

    def test_what_waits_can_be_dropped_but_not_what_the_kafka_client_has(self):
        sidecar = self.spooling()
        with self.kafka_away():
            self.spool(sidecar, "drop.event", range(6))
            url = ("--url", self.url(sidecar))
            ids = self.ids(*url)
            run = self.call("drop", ids[0], *url, code=1)
            self.assertIn("it is not in the quarantine", run.stderr)
            run = self.call("drop", "--spool", ids[0], ids[1], *url, code=1)
            self.assertIn("the Kafka client has it", run.stderr)
            self.assertIn("1 record dropped, 1 refused", run.stdout)
            self.assertEqual(sidecar.metrics()['outrigger_spool_left_total{outcome="dropped"}'], 1)
            self.assertEqual(sidecar.request("GET", "/v1/events/drop.event-1").status, 404)
            sidecar.stop(signal.SIGKILL)
            self.assertEqual(self.call("drop", "--spool", ids[3], "--path", self.folder).stdout, "1 record dropped\n")
            sidecar.start()
            self.assertEqual(self.held(sidecar), 4)
            answer = self.asked("drop", "--spool", "--all", "--yes", "--topic", "nobodys", *url)
            self.assertEqual(answer, {"dropped": 0, "refused": 0, "results": []})
        self.drained(sidecar)
        self.assertEqual(self.numbers("drop.events"), [0, 2, 4, 5])


class Quarantine(Command):
    def test_the_quarantine_is_listed_requeued_and_dropped_while_the_sidecar_runs(self):
        sidecar = self.spooling()
        self.quarantined(sidecar, "large.event", range(3))
        url = ("--url", self.url(sidecar))
        self.assertIn("too_large", self.call("list", "--quarantine", *url).stdout)
        ids = self.ids("--quarantine", *url)
        self.assertIn("reason          too_large", self.call("show", "large.event-1", *url).stdout)
        answer = self.asked("requeue", ids[0], "99", *url, code=1)
        self.assertEqual((answer["requeued"], answer["refused"]), (1, 1))
        now = answer["results"][0]["now"]
        self.assertGreater(now, ids[2])
        sidecar.wait_for(lambda: self.ids("--quarantine", *url) == [ids[1], ids[2], now], what="Kafka to reject it again")
        self.assertEqual(self.call("drop", ids[1], *url).stdout, "1 record dropped\n")
        self.assertEqual(self.asked("drop", "--all", "--yes", *url)["dropped"], 2)
        self.assertEqual(self.ids("--quarantine", *url), [])
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_spool_quarantined_records"] == 0, what="the metric")
        self.assertEqual(sidecar.metrics()["outrigger_spool_records"], 0)

    def test_of_a_stopped_sidecar_all_are_requeued_and_it_sends_them_when_it_runs_again(self):
        sidecar = self.spooling()
        self.quarantined(sidecar, "again.event", range(2))
        sidecar.stop(signal.SIGKILL)
        self.assertEqual(self.call("requeue", "--all", "--config", sidecar.config).stdout, "2 records requeued\n")
        self.assertEqual(len(self.ids("--path", self.folder)), 2)
        self.kafka.stop()
        with open(self.kafka.folder / "server.properties") as file:
            text = file.read()
        self.addCleanup((self.kafka.folder / "server.properties").write_text, text)
        (self.kafka.folder / "server.properties").write_text(text + "message.max.bytes=1000000\n")
        self.kafka.start()
        sidecar.start()
        self.drained(sidecar)
        self.assertEqual(self.numbers("again.events"), [0, 1])
        self.assertEqual(sidecar.metrics()["outrigger_spool_quarantined_records"], 0)


class WrongCalls(Command):
    def test_a_wrong_call_is_a_usage_error_and_says_what_is_right(self):
        for call, word in (((), "list, show, export, requeue or drop"), (("lst",), "`list`"), (("list", "--limt", "1"), "`--limit`"),
                           (("show",), "id"), (("drop",), "--all"), (("drop", "1", "--all", "--yes"), "--all"), (("drop", "--all"), "--yes"),
                           (("requeue", "x"), "a whole number from 1, not `x`"), (("requeue", "1", "--topic", "t"), "--topic"),
                           (("list", "--limit", "0"), "from 1")):
            with self.subTest(call):
                self.assertIn(word, self.call(*call, code=2).stderr)
                self.assertEqual(self.asked(*call, code=2).keys(), {"error", "hint"})

    def test_help_teaches_by_example(self):
        for action in ("", "list", "show", "export", "requeue", "drop"):
            text = self.call(*action.split(), "--help").stdout
            for word in ("Usage: outrigger spool", "Example", f"outrigger spool {action}".strip(), "xit code"):
                self.assertIn(word, text)
        self.assertIn("spool", outrigger("--help").stdout)

    def test_a_spool_that_cannot_be_had_is_named_with_the_process_that_has_it(self):
        self.assertIn(f"there is no spool in {self.folder}", self.call("list", "--path", self.folder, code=1).stderr)
        sidecar, without = self.spooling(), self.sidecar()
        owner = str(sidecar.process.pid)
        for url, words in (("http://127.0.0.1:1", (owner, "127.0.0.1:1")), (self.url(without), (owner, "has no spool"))):
            run = self.call("list", "--path", self.folder, "--url", url, code=1)
            for word in words:
                self.assertIn(word, run.stderr)
        self.assertIn("spool.path", self.call("list", "--config", without.config, code=1).stderr)
        self.assertIn("spool.path is not set", self.call("list", "--url", self.url(without), code=1).stderr)
        token = f"{self.folder}/token"
        with open(token, "w") as file:
            file.write("secret\n")
        closed = self.spooling_elsewhere(f"http: {{tokenFile: {token}}}\n")
        self.assertIn("--token-file", self.call("list", "--url", self.url(closed), code=1).stderr)
        self.call("list", "--url", self.url(closed), "--token-file", token)
        run = self.call("list", "--path", self.folder, "--url", self.url(closed), "--token-file", token, code=1)
        self.assertIn(f"is {closed.process.pid}", run.stderr)

    def spooling_elsewhere(self, text):
        return self.sidecar(f"spool: {{path: {self.folder}/other}}\n{text.replace('http: {', 'http:' + chr(10) + '  ').replace('}', '')}")


if __name__ == "__main__":
    unittest.main()
