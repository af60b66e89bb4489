"""check, explain, schema and version on the command line; hostile config files and schemas."""
import json
import os
import random
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from case import HEAD, ROOT, Sidecar, outrigger

LMS = ROOT / "manifests/lms/outrigger.yaml"


class WrongCalls(unittest.TestCase):
    def test_an_unknown_command_or_option_is_named_with_the_nearest_that_is_known(self):
        for call, words in ((("chek", "file"), ("`chek`", "`check`")), (("run", "--confg", "file"), ("`run`", "`--confg`", "`--config`")),
                            (("xyzzy",), ("`xyzzy`",)), (("check", "one", "two"), ("`check`", "`two`"))):
            run = outrigger(*call)
            self.assertEqual((run.returncode, run.stdout), (2, ""), call)
            for word in words:
                self.assertIn(word, run.stderr)

    def test_one_id_is_not_for_many_events(self):
        run = outrigger("publish", "a.b", "--id", "x", stdin="{}\n{}\n")
        self.assertEqual(run.returncode, 2)
        self.assertIn("--id names one event", run.stderr)


class LaterCommands(unittest.TestCase):
    def test_a_command_of_a_later_version_says_what_does_its_work_until_then(self):
        for call, instead in ((("tail", "--topic", "t"), "kcat"), (("dead-letters", "list"), "kcat"), (("replay", "--from", "x"), "startFrom"),
                              (("bench",), "./dev bench"), (("tail", "--help"), "kcat")):
            run = outrigger(*call)
            self.assertEqual((run.returncode, run.stdout), (2, ""), call)
            self.assertIn(f"outrigger {call[0]} is not in this version", run.stderr)
            self.assertIn(instead, run.stderr)

    def test_no_help_lists_them(self):
        self.assertNotIn("dead-letters", outrigger("--help").stdout)


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "outrigger.yaml"

    def check(self, text):
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return outrigger("check", self.file)

    def refused(self, text, *words):
        run = self.check(text)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        said = run.stdout + run.stderr
        for word in words:
            self.assertIn(word, said)
        return said

    def test_all_problems_at_once_each_with_its_place(self):
        said = self.refused(HEAD + "kafka:\n  broker: [a]\nroutes:\n  - match: {typ: x}\n    topic: t\n    keyRequred: true\n"
                            "http: {maxBody: 1 parsec, ackTimeout: soon}\nspool: {maxBytes: 1MiB}\n",
                            "outrigger.yaml:4:3", "kafka.broker", "brokers", "routes[0].match.typ", "keyRequired", "http.maxBody",
                            "http.ackTimeout", "spool.maxBytes")
        self.assertGreaterEqual(said.count("outrigger.yaml:"), 6)

    def test_an_unknown_placeholder_in_the_instance_id_is_an_error(self):
        subscription = 'subscriptions: [{name: a, topics: [t], deliver: {url: "http://127.0.0.1:1/"}}]\n'
        for name, code in (("{hostnam}", 1), ("{hostname}", 0)):
            run = self.check(HEAD + f'kafka: {{consumer: {{properties: {{group.instance.id: "shop-{name}"}}}}}}\n' + subscription)
            self.assertEqual(run.returncode, code, run.stdout + run.stderr)
            self.assertEqual("{hostname} is the one that there is" in run.stdout + run.stderr, code == 1)

    def test_hostile_yaml_is_a_clear_error(self):
        bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9))
        for text in (bomb, "a: &a [*a]\n", "a: &a {b: *a}\n", "[" * 5000, "a: b: c", 'a: "x', HEAD + "kind: Sidecar\n", HEAD + "<<: {a: 1}\n",
                     HEAD + "---\na: 1\n", b"a: \xff\xfe", b"\x00", "? [a]\n: b\n", "a\n" * 100_000, "- " * 20_000):
            began = time.monotonic()
            run = self.check(text)
            self.assertEqual(run.returncode, 1, repr(text[:60]))
            self.assertIn("outrigger.yaml", run.stdout + run.stderr)
            self.assertLess(time.monotonic() - began, 5)

    def test_ten_thousand_routes_load_in_200_ms(self):
        self.file.write_text(HEAD + "routes:\n" + "".join(
            f"  - {{match: {{type: kind.n{n}.done}}, topic: topic-{n % 100}, key: data.id}}\n" for n in range(10_000)))
        best = 9.0
        for _ in range(20):
            began = time.monotonic()
            run = outrigger("check", self.file)
            best = min(best, time.monotonic() - began)
            self.assertEqual(run.returncode, 0, run.stderr)
        print(f"10,000 routes: {best * 1000:.0f} ms", end=" ")
        self.assertLess(best, 0.2)

    def test_fifty_mutations_of_a_good_file_never_crash_the_check(self):
        good = LMS.read_bytes().replace(b"schemas: schemas", f"schemas: {LMS.parent}/schemas".encode())
        self.assertEqual(self.check(good).returncode, 0)
        dice = random.Random(3)
        for n in range(50):
            text = bytearray(good)
            for _ in range(dice.randint(1, 4)):
                at = dice.randrange(len(text))
                kind = dice.randrange(4)
                if kind == 0:
                    text[at] = dice.randrange(256)
                elif kind == 1:
                    del text[at:at + dice.randint(1, 40)]
                elif kind == 2:
                    text[at:at] = bytes(dice.choice([b"{", b"[", b": ", b"\n  - ", b"&a ", b"*a", b'"', b"\t", b"\xc3", b"!!int "]))
                else:
                    text[at:at] = text[at:at + dice.randint(1, 60)]
            run = self.check(bytes(text))
            self.assertIn(run.returncode, (0, 1), f"mutation {n}: {run.stderr}")
            if run.returncode == 1:
                self.assertRegex(run.stdout + run.stderr, r"outrigger\.yaml|schemas/")

    def test_schemas_that_could_break_validation_are_refused_by_name(self):
        for name, schema, word in (("regex", {"properties": {"a": {"pattern": "^(a+)+$"}}}, "^(a+)+$"),
                                   ("circle", {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"$ref": "#/properties/a"}}}, "$ref"),
                                   ("self", {"$ref": "#"}, "$ref"),
                                   ("remote", {"$ref": "https://example.com/s.json"}, "$ref"),
                                   ("later", {"unevaluatedProperties": False}, "unevaluatedProperties"),
                                   ("draft", {"$schema": "https://json-schema.org/draft/2099-01/schema"}, "2099-01"),
                                   ("type", {"type": "strnig"}, "strnig"),
                                   ("broken", '{"type":', "1.0.json")):
            with self.subTest(name):
                folder = self.folder / name / "my.type"
                folder.mkdir(parents=True)
                (folder / "1.0.json").write_text(schema if isinstance(schema, str) else json.dumps(schema))
                self.refused(HEAD + f"routes:\n  - {{match: {{type: my.*}}, topic: t, schemas: {name}}}\n", "my.type/1.0.json", word)

    def test_a_file_that_is_not_there_is_an_error(self):
        for command in ("check", "run"):
            run = outrigger(command, *(["/nowhere.yaml"] if command == "check" else ["--config", "/nowhere.yaml"]))
            self.assertEqual(run.returncode, 1)
            self.assertIn("/nowhere.yaml", run.stderr + run.stdout)

    def test_a_secret_in_the_file_is_warned_of(self):
        run = self.check(HEAD + "kafka:\n  security: {protocol: SASL_SSL, mechanism: PLAIN, username: u, password: hunter2}\n")
        self.assertEqual(run.returncode, 0)
        self.assertIn("password", run.stdout + run.stderr)
        self.assertNotIn("hunter2", run.stdout + run.stderr)

    def test_reserved_properties_are_refused(self):
        self.refused(HEAD + "kafka:\n  producer:\n    properties: {acks: 1, enable.idempotence: false}\n", "acks", "enable.idempotence")

    def test_every_kind_of_problem_is_reported_at_once(self):
        said = self.refused(HEAD + "kafka:\n  properties: {topic.acks: 0, foo.bar: 1}\nroutes:\n  - topic: '{{type}}'\n  - topic: a b{type}\n  - topic: '{typ}'\n"
                            "http:\n  listen: 127.0.0.1:8801\nsubscriptions:\n  - {name: s, topics: [t], deliver: {url: 'http://127.0.0.1:1/{tpye}'}}\nkafak: {}\n",
                            "outrigger.yaml:4:16: kafka.properties.topic.acks", "outrigger.yaml:4:31: kafka.properties.foo.bar", "outrigger.yaml:6:5: routes[0].topic",
                            "outrigger.yaml:7:5: routes[1].topic", 'routes[2].topic: the place "{typ}"', "outrigger.yaml:10:3: http.listen", "{tpye}", ":13:1: kafak")
        self.assertIn("8 errors", said)

    def test_names_from_the_environment_are_checked_like_those_of_the_file(self):
        self.file.write_text(HEAD)
        for name in ("KAFKA_CLIENT_ID", "KAFKA_GROUP_ID"):
            for value in ("a\x01b", b"a\xff"):
                run = outrigger("check", self.file, env=dict(os.environ, **{name: value if isinstance(value, str) else os.fsdecode(value)}))
                self.assertEqual(run.returncode, 1, run.stdout)
                self.assertIn(f"environment variable {name}", run.stdout)
        self.refused(HEAD + 'kafka: {clientId: "a\\x01b"}\n', "kafka.clientId", "control character")

    def test_what_run_would_refuse_check_refuses_too(self):
        said = self.refused(HEAD + "kafka:\n  properties: {foo.bar: 2}\n  producer: {properties: {compression.type: zip}}\n",
                            "outrigger.yaml:4:16: kafka.properties.foo.bar: No such configuration property",
                            "outrigger.yaml:5:27: kafka.producer.properties.compression.type: Invalid value")
        self.assertIn("2 errors", said)
        subscription = "subscriptions: [{name: s, topics: [t], deliver: {url: 'http://127.0.0.1:1/%s'}}]\n"
        self.refused(HEAD + "kafka: {properties: {session.timeout.ms: 400000}}\n" + subscription % "", "max.poll.interval.ms")
        self.refused(HEAD + subscription % "{data.", 'outrigger.yaml:3:50: subscriptions[0].deliver.url: the place "{data."')
        self.refused(HEAD + "kafka: {security: {protocol: SSL, caFile: outrigger.yaml}}\n", "kafka", "ssl.ca.location")
        empty = self.folder / "token"
        empty.write_text("\n")
        self.refused(HEAD + "http: {tokenFile: token}\n", f"the file {empty} is empty")

    def test_a_check_asks_no_broker_and_says_nothing_but_its_findings(self):
        with socket.create_server(("127.0.0.1", 0)) as broker:
            broker.settimeout(0)
            run = self.check(HEAD + f"kafka: {{brokers: ['127.0.0.1:{broker.getsockname()[1]}']}}\n"
                             "subscriptions: [{name: s, topics: [t], deliver: {url: 'http://127.0.0.1:1/'}}]\n")
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertRaises(BlockingIOError, broker.accept)


class Others(unittest.TestCase):
    def test_diff_says_what_a_reload_would_do_and_refuses_what_that_would(self):
        with tempfile.TemporaryDirectory() as folder:
            old, new, bad = (Path(folder, name) for name in ("old.yaml", "new.yaml", "bad.yaml"))
            old.write_text(HEAD)
            new.write_text(HEAD + "http: {maxBody: 2MiB, listen: '127.0.0.1:9999'}\n")
            bad.write_text(HEAD + "bogus: 1\n")
            done = outrigger("diff", old, new)
            self.assertEqual((done.returncode, done.stdout),
                             (0, 'http.listen: "127.0.0.1:8800" -> "127.0.0.1:9999"\n    at the next start\n'
                                 'http.maxBody: "1MiB" -> "2MiB"\n    at once\n'))
            self.assertEqual(json.loads(outrigger("diff", "-o", "json", new, old).stdout)[1],
                             {"path": "http.maxBody", "before": "2MiB", "after": "1MiB", "effect": "at once", "atNextStart": False})
            self.assertEqual(outrigger("diff", "-", old, stdin=HEAD).stdout, "no difference\n")
            self.assertEqual(outrigger("diff", "-", "-").returncode, 2)
            refused = outrigger("diff", old, bad)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("bogus", refused.stderr)

    def test_explain_names_route_topic_key_and_schema_and_why_not_the_others(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as event:
            event.write('{"type":"user.deleted","data":{"userId":"u-9"}}')
            event.flush()
            run = outrigger("explain", event.name, "--config", LMS)
            self.assertEqual(run.returncode, 0, run.stderr)
            for word in ("routes[2]", "user.events", "u-9", "user.deleted/1.0.json", "routes[0]"):
                self.assertIn(word, run.stdout)
            event.seek(0)
            event.write('{"type":"nobodys.event","data":{"userId":"u-9"}} ')
            event.flush()
            run = outrigger("explain", event.name, "--config", LMS)
            self.assertEqual(run.returncode, 1)

    def test_schema_is_json_and_help_teaches_by_example(self):
        self.assertIn("routes", json.loads(outrigger("schema").stdout)["properties"])
        for command in ("", "run", "check", "diff", "explain", "schema", "publish", "status", "version"):
            with self.subTest(command):
                run = outrigger(*command.split(), "--help")
                self.assertEqual(run.returncode, 0)
                for word in ("Usage: outrigger", "Example", f"outrigger {command}", "xit code"):
                    self.assertIn(word, run.stdout)
        for command in ("run", "explain"):
            self.assertIn("--config", outrigger(command, "--help").stdout)
        self.assertEqual(outrigger("fly").returncode, 2)
        self.assertRegex(outrigger("version").stdout, r"\d+\.\d+\.\d+")

    def test_with_o_json_every_answer_is_json_also_the_failures(self):
        with tempfile.TemporaryDirectory() as folder:
            bad, event = Path(folder, "bad.yaml"), Path(folder, "event.json")
            bad.write_text(HEAD + "kafak: {}\n")
            event.write_text('{"type":"user.deleted","data":{"userId":"u-9"}}')

            def answer(*arguments):
                run = outrigger(*arguments, "-o", "json")
                return run.returncode, json.loads(run.stdout)

            self.assertEqual(answer("version")[1].keys(), {"version", "commit"})
            self.assertIn("properties", answer("schema")[1])
            self.assertEqual(answer("check", bad)[1][0]["path"], "kafak")
            self.assertEqual(answer("explain", event, "--config", LMS)[0], 0)
            code, said = answer("explain", event, "--config", bad)
            self.assertEqual((code, said["error"], said["problems"]), (1, f"{bad}: 1 error, 0 warnings", answer("check", bad)[1]))
            for code, *call in ((1, "explain", bad, "--config", LMS), (2, "check"), (2, "check", "--verbse"), (2, "explain"), (2, "chek"), (2, "tail"), (2, "publish"),
                                (2, "explain", "-", "--config", "-")):
                with self.subTest(call):
                    self.assertEqual((answer(*call)[0], answer(*call)[1].keys()), (code, {"error", "hint"}))
            code, said = answer("explain", "/nowhere.json")
            self.assertEqual((code, said["error"]), (2, "/nowhere.json can't be read: No such file or directory"))
            code, said = answer("publish", "a.b", "{}", "--url", "http://127.0.0.1:1")
            self.assertEqual(code, 1)
            self.assertIn("127.0.0.1:1", said["error"])

    def test_a_dash_is_standard_input_for_every_file_that_is_read_once(self):
        event = '{"type":"user.deleted","data":{"userId":"u-9"}}'
        run = outrigger("check", "-", stdin=HEAD + "routes: [{topic: t, schemas: schemas}]\nkafak: {}\n")
        self.assertEqual(run.returncode, 1)
        for word in ("<standard input>:4:1: kafak", "<standard input>: 2 errors"):
            self.assertIn(word, run.stdout)
        self.assertEqual(outrigger("check", "-", stdin=HEAD).stdout, "<standard input>: ok, 1 route\n")
        self.assertIn("user.deleted/1.0.json", outrigger("explain", "-", "--config", LMS, stdin=event).stdout)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(event)
            file.flush()
            self.assertIn("only.topic", outrigger("explain", file.name, "--config", "-", stdin=HEAD + "routes: [{topic: only.topic}]\n").stdout)
        run = outrigger("run", "--config", "-", stdin=HEAD)
        self.assertEqual(run.returncode, 2)
        self.assertIn("standard input", run.stderr)

    def test_the_config_is_found_by_option_before_or_after_the_command_and_by_environment(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as event:
            event.write('{"type":"user.deleted","data":{"userId":"u-9"}}')
            event.flush()
            environment = dict(os.environ, OUTRIGGER_CONFIG=str(LMS))
            for arguments, env in ((["explain", event.name, "-c", LMS], None), (["--config", LMS, "explain", event.name], None),
                                   (["explain", event.name], environment)):
                self.assertIn("user.deleted/1.0.json", outrigger(*arguments, env=env).stdout)


    def test_without_a_word_run_takes_the_file_in_etc_where_it_is_there(self):
        # A mount namespace has an /etc of its own.
        own_etc = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /etc && eval "$1"', "sh"]
        if subprocess.run([*own_etc, "true"], capture_output=True).returncode != 0:
            self.skipTest("no user namespace can be made here")
        binary = Sidecar(text="").binary
        env = {name: value for name, value in os.environ.items() if name != "OUTRIGGER_CONFIG"}

        def within(script):
            return subprocess.run([*own_etc, script], capture_output=True, text=True, timeout=30, env=env)

        run = within(f"mkdir /etc/outrigger && echo 'kafak: 1' > /etc/outrigger/outrigger.yaml && {binary}")
        self.assertEqual(run.returncode, 1)
        self.assertIn("/etc/outrigger/outrigger.yaml:1:1: kafak", run.stderr)
        run = within(f"""echo '{{"type":"a.b","data":1}}' | {binary} explain -""")
        self.assertEqual(run.returncode, 0, "without it the defaults are at work")
        self.assertIn("a.events", run.stdout)


if __name__ == "__main__":
    unittest.main()
