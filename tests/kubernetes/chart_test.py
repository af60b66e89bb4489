"""The chart without a cluster: what it makes, for every way of using it, from the oldest Kubernetes to the newest."""
import json
import re
import shlex
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from kubernetes import CHART, HOME, LMS, NEWEST, OLDEST, ROOT, crd_schemas, documents, of_kind, run, template  # noqa: E402
from sidecar import Sidecar  # noqa: E402

MODES = sorted([*(CHART / "ci").glob("*-values.yaml"), *LMS.glob("values.yaml")])


class ChartTest(unittest.TestCase):
    def each_mode(self):
        self.assertGreaterEqual(len(MODES), 5)
        for values in MODES:
            with self.subTest(values.name):
                yield values

    def test_it_lints_without_a_warning(self):
        for values in self.each_mode():
            run("helm", "lint", "--strict", CHART, "--values", values, "--kube-version", OLDEST)

    def test_its_unit_tests_pass(self):
        run("helm-unittest", CHART)

    def test_what_it_makes_is_valid_on_the_oldest_and_the_newest_kubernetes(self):
        for values in self.each_mode():
            for version in (OLDEST, NEWEST):
                text = template("--values", values, version=version)
                said = self.kubeconform(version, text).stdout
                self.assertIn(f"{len(documents(text))} resources found", said)
                self.assertIn(f"Valid: {len(documents(text))}, Invalid: 0, Errors: 0, Skipped: 0", said)

    def test_the_manifests_are_valid_on_the_oldest_and_the_newest_kubernetes(self):
        text = run("kubectl", "kustomize", LMS).stdout
        for version in (OLDEST, NEWEST):
            self.assertIn("Invalid: 0, Errors: 0, Skipped: 0", self.kubeconform(version, text).stdout)

    def test_the_commands_of_the_readmes_are_good(self):
        for file in (ROOT / "README.md", CHART / "README.md", LMS / "values.yaml"):
            with self.subTest(file.name):
                text = re.sub(r"(?m)^#", "", file.read_text()).replace("\\\n", "")
                [command] = re.findall(r"(?m)^ *(helm install .*)", text)
                command = command.replace("helm install", "helm template", 1).replace("=outrigger.yaml", f"={LMS}/outrigger.yaml")
                run(*shlex.split(command), cwd=ROOT)

    def test_a_wrong_field_would_be_found(self):
        text = template("--values", CHART / "ci/config-values.yaml").replace("honorLabels", "honourLabels")
        self.assertIn("honourLabels", self.kubeconform(NEWEST, text, check=False).stdout)

    def kubeconform(self, version, text, check=True):
        with tempfile.TemporaryDirectory() as folder:
            crds = crd_schemas(Path(folder))
            return run("kubeconform", "-strict", "-summary", "-kubernetes-version", version,
                       "-schema-location", f"{HOME}/schemas/v{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
                       "-schema-location", f"{crds}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
                       stdin=text, check=check)

    def test_it_refuses_a_kubernetes_without_native_sidecars(self):
        done = run("helm", "template", "shop", CHART, "--values", MODES[0], "--kube-version", "1.28.9", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("requires kubeVersion: >=1.29", done.stderr)

    def test_its_alerts_are_good_rules(self):
        rule = of_kind("PrometheusRule", template("--values", CHART / "ci/config-values.yaml"))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(rule["spec"], file)
            file.flush()
            self.assertIn("SUCCESS", run("promtool", "check", "rules", "--lint=all", file.name).stdout)

    def test_it_knows_the_config_file_of_this_outrigger(self):
        run("python3", ROOT / ".dev/chart_schema.py", "--check", Sidecar().binary)

    def test_what_it_makes_of_a_config_the_sidecar_takes(self):
        for name in ("least", "config", "text", "claim"):
            config = of_kind("ConfigMap", template("--values", CHART / f"ci/{name}-values.yaml"))["data"]
            with tempfile.TemporaryDirectory() as folder:
                for key, text in config.items():
                    path = Path(folder) / key.replace("__", "/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text.replace("/etc/outrigger-secrets", folder))
                for secret in ("username", "password"):
                    (Path(folder) / secret).write_text("x")
                # The Kafka client, that check asks too, takes nothing but a certificate for one.
                run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ca",
                    "-keyout", Path(folder) / "ca.key", "-out", Path(folder) / "ca.crt")
                run(Sidecar().binary, "check", Path(folder) / "outrigger.yaml")


if __name__ == "__main__":
    unittest.main()
