"""The README is true: every config field and every metric stands in it, and its tour works as written."""
import json
import re
import subprocess
import unittest

from case import HEAD, ROOT, Sidecar

README = (ROOT / "README.md").read_text()


def fields(schema, path=""):
    """The paths of all leaves of the config's schema."""
    properties = schema.get("properties", {})
    if not properties:
        return [path]
    out = []
    for name, below in properties.items():
        where = f"{path}.{name}" if path else name
        if "items" in below and "properties" in below["items"]:
            out += fields(below["items"], where + "[]")
        else:
            out += fields(below, where)
    return out


class Readme(unittest.TestCase):
    def test_every_field_of_this_version_is_in_the_reference(self):
        schema = json.loads(subprocess.run([Sidecar(text="").binary, "schema"], capture_output=True, text=True, check=True).stdout)
        reference = README.split("## Config reference")[1].split("\n## ")[0]
        later = ("topics", "spool", "subscriptions", "rebalance")
        for field in fields(schema):
            if field.split(".")[0].split("[")[0] in later or field in ("apiVersion", "kind"):
                continue
            if field.startswith("routes[].match."):
                continue
            self.assertRegex(reference, rf"`({re.escape(field)}|\.{re.escape(field.rsplit('.', 1)[-1])})`", field)

    def test_every_metric_is_in_the_list(self):
        delivering = "subscriptions:\n  - {name: a, topics: [a.events], deliver: {url: 'http://127.0.0.1:1/'}}\n"
        with Sidecar(text=HEAD + delivering, env={"KAFKA_BROKERS": "embedded"}) as sidecar:
            sidecar.start()
            sidecar.post("/v1/events/a.b", {})
            sidecar.wait_for(lambda: "outrigger_consumer_lag{" in sidecar.ops("/metrics").body.decode(), what="partitions")
            names = set(re.findall(r"# TYPE (outrigger_\w+)", sidecar.ops("/metrics").body.decode()))
        listed = set(re.findall(r"`(outrigger_\w+)`", README.split("## Metrics")[1].split("\n## ")[0]))
        self.assertEqual(names, listed)

    def test_the_rules_shown_are_a_good_file_but_for_their_schemas(self):
        text = re.search(r"```yaml\n(.*?)```", README, re.S).group(1)
        sidecar = Sidecar(text="")
        (sidecar.folder / "schemas/user").mkdir(parents=True)
        (sidecar.folder / "shown.yaml").write_text(text)
        run = subprocess.run([sidecar.binary, "check", str(sidecar.folder / "shown.yaml")], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
