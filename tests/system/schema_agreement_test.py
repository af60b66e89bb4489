"""An editor with `outrigger schema` and `outrigger check` agree on generated configs, but for what JSON Schema can't say."""
import concurrent.futures
import json
import os
import random
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from case import ROOT, outrigger

ROUTE = {"topic": "t"}
SUBSCRIPTION = {"name": "s", "topics": ["t"], "deliver": {"url": "http://127.0.0.1:3000/h/{type}"}}
SASL = {"protocol": "SASL_SSL", "mechanism": "PLAIN", "username": "u", "password": "p"}
HEALTH = {"path": "/healthz"}
# Values of every kind, for every field. Written as JSON, which YAML reads.
PROBES = [None, True, "true", 5, "5", -1, 0, 1.5, "", "x", "a b", "__x", "..", "ce_x", "5s", "1h30m", "5m3m", "16KiB", "1 KB", "127.0.0.1:9000", "localhost", "[::1]:0",
          "/h", "http://127.0.0.1:1/", "https://127.0.0.1:1/", "unix:/run/app.sock:/h", "http://a b/", "2026-11-23T20:15:30Z", "{type}", "{{type}}", "a\u0001b", "$nwo", [], ["t"], ["t", "t"],
          ["^a.*"], ["^a{2}"], [""], [None], [1], ["embedded", "b:1"], ["http://a"], ["__x"], {}, {"x": 1}, {"ce_x": "1"}, {"content-type": "x"}, {"acks": 0}, {"topic.acks": 0},
          {"data.a": 1}, {"data.a": "$nwo"}]
# What only `check` can know. Each a reason; (path, value) → it holds.
UNSAYABLE = {
    "a file that has to be there": lambda path, value: path.endswith(("File", ".schemas")),
    "the range of a duration or a size": lambda path, value: isinstance(value, (str, int)) and bool(re.fullmatch(r"[0-9hmsKiB]+", str(value))),
    "whether librdkafka knows a property": lambda path, value: path.endswith(".properties") and isinstance(value, dict) and not set(value) & {"acks", "topic.acks"},
    "a stamp in the middle of a default": lambda path, value: path.endswith(".defaults"),
    "the grammar of a glob, a key or a template": lambda path, value: isinstance(value, str) and ("{" in value or path.endswith(".key")),
    "the grammar of a template": lambda path, value: path.endswith(".headers"),
}


def fields(schema, path=""):
    """Every field of the schema, as a path: `routes[].topic`."""
    for name, below in schema.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        yield at
        yield from fields(below, at)
        yield from fields(below.get("items", {}), at + "[]")


def config_with(path, value):
    """A good config but for one field."""
    config = {"apiVersion": "outrigger/v1", "kind": "Sidecar"}
    at, *below = path.split(".")
    here = config
    parents = {"routes[]": ROUTE, "subscriptions[]": SUBSCRIPTION, "security": SASL, "health": HEALTH, "rate": {"events": 5}}
    for name in [at, *below][:-1]:
        parent = json.loads(json.dumps(parents.get(name, {})))
        if name.endswith("[]"):
            here[name[:-2]] = [parent]
            here = parent
        else:
            here = here.setdefault(name, parent)
    here[path.split(".")[-1]] = value
    return config


class AgreementTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.environ.get("OUTRIGGER_AJV"):
            raise unittest.SkipTest("OUTRIGGER_AJV names no folder with ajv: ./dev test installs it")
        cls.schema = json.loads(outrigger("schema").stdout)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def editor(self, texts):
        run = subprocess.run(["node", ROOT / "tests/support/ajv/check.js"], input=json.dumps({"schema": self.schema, "files": texts}), capture_output=True, text=True, timeout=120)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return json.loads(run.stdout)

    def check(self, texts):
        def one(numbered):
            number, text = numbered
            file = self.folder / f"{number}.yaml"
            file.write_text(text)
            run = outrigger("check", file)
            return None if run.returncode == 0 else run.stdout
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, enumerate(texts)))

    def test_every_field_with_values_of_every_kind(self):
        cases = [(path, value) for path in fields(self.schema) for value in random.Random(path).sample(PROBES, 16)]
        texts = [json.dumps(config_with(path, value)) for path, value in cases]
        sayable, disagree = 0, []
        good = 0
        for (path, value), editor, check in zip(cases, self.editor(texts), self.check(texts)):
            if (editor is None) == (check is None):
                sayable += 1
                good += check is None
                continue
            # An editor may never refuse what is right.
            if editor is None and any(holds(path, value) for holds in UNSAYABLE.values()):
                continue
            disagree.append(f"{path}: {json.dumps(value)}: editor: {editor}; check: {check}")
        self.assertEqual(disagree, [], "\n".join(disagree))
        print(f"{len(cases)} configs, agreed on {sayable}, {good} of them good", end=" ")
        self.assertGreater(good, 120)

    def test_what_several_fields_decide_together_and_how_yaml_is_written(self):
        def sasl(**changes):
            return {"kafka": {"security": {name: value for name, value in {**SASL, **changes}.items() if value is not None}}}

        good = [{}, sasl(), sasl(protocol="SASL_PLAINTEXT"), {"kafka": {"brokers": ["embedded"]}}, {"routes": [{"topic": "t", "onInvalid": "deadLetter", "deadLetter": "d"}]},
                {"kafka": {"properties": {"topic.metadata.refresh.interval.ms": 1000}}}, {"subscriptions": [SUBSCRIPTION, {**SUBSCRIPTION, "name": "other"}]},
                {"routes": [{"topic": "t", "ack": "disk"}], "spool": {"path": "/x"}}, {"routes": [{"topic": "t", "ack": "memory"}], "spool": None}]
        bad = [sasl(mechanism=None), sasl(username=None), sasl(password=None), sasl(protocol="PLAINTEXT"), sasl(protocol="SSL"), sasl(usernameFile="f"),
               {"kafka": {"security": {"caFile": "f"}}}, {"kafka": {"security": {"protocol": "SSL", "certFile": "f"}}}, {"kafka": {"security": {"protocol": "SSL", "keyPasswordFile": "f"}}},
               {"kafka": {"brokers": []}}, {"kafka": {"brokers": ["a", "embedded"]}}, {"routes": [{"topic": "t", "onInvalid": "deadLetter"}]}, {"routes": [{}]}, {"routes": [None]},
               {"subscriptions": [{"name": "s", "topics": ["t"]}]}, {"subscriptions": [{**SUBSCRIPTION, "topics": []}]}, {"subscriptions": [{**SUBSCRIPTION, "retry": {"delays": ["1m"]}}]},
               {"spool": {"path": ""}}, {"topics": [{"name": "t"}]}, {"subscriptions": [{**SUBSCRIPTION, "dedupe": {}}]}, {"subscriptions": [{**SUBSCRIPTION, "replies": "publish"}]},
               {"routes": [{"topic": "t", "ack": "disk"}]}, {"routes": [{"topic": "s"}, {"topic": "t", "ack": "disk"}], "spool": {"after": "1s"}}, {"kafka": {"security": {**SASL, "mechanism": "OAUTHBEARER"}}}, {"http": {"listen": 8800}}]
        head = {"apiVersion": "outrigger/v1", "kind": "Sidecar"}
        texts = [json.dumps({**head, **config}) for config in good + bad]
        written = "apiVersion: outrigger/v1\nkind: Sidecar\n"
        yaml_good = ["http:\n", "routes:\n", "kafka:\n  security:\n  producer:\n", "subscriptions:\n", "log:\n  # level: debug\n", "http: {maxConnections: 5, maxBody: 512}\n", "routes: [{topic: 123, version: 1.0}]\n"]
        yaml_bad = ['http: {maxConnections: "5"}\n', 'kafka: {enabled: "true"}\n', "http: {listen: 8800}\n", "kafka: {brokers: }\n", "routes: [{topic: }]\n", "http: {ackTimeout: 5}\n"]
        texts += [written + text for text in yaml_good + yaml_bad]
        expected = [True] * len(good) + [False] * len(bad) + [True] * len(yaml_good) + [False] * len(yaml_bad)
        for text, well, editor, check in zip(texts, expected, self.editor(texts), self.check(texts)):
            with self.subTest(text):
                self.assertEqual((editor is None, check is None), (well, well), f"{editor}; {check}")


if __name__ == "__main__":
    unittest.main()
