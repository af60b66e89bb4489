"""The files of manifests/lms agree with each other, and with what its README shows of them."""
import re
import unittest

import case  # noqa: F401  first: it says where the support modules are
from lms import MANIFESTS


class Manifests(unittest.TestCase):
    def test_what_the_readme_shows_is_in_the_example(self):
        section = (MANIFESTS / "README.md").read_text().split("## From kafkajs")[1].split("\n## ")[0]
        code, yaml = (re.findall(rf"```{kind}\n(.*?)```", section, re.S)[-1] for kind in ("js", "yaml"))
        sources = "\n".join(file.read_text() for file in (MANIFESTS / "app").glob("*.js"))
        for text, whole in ((code, sources), (yaml, (MANIFESTS / "outrigger.yaml").read_text())):
            for line in text.splitlines():
                if line.strip() and not line.startswith(("//", "#")):
                    self.assertIn(line.strip(), whole)

    def test_every_file_of_the_app_and_every_schema_is_in_the_pod(self):
        kustomization, deployment = ((MANIFESTS / name).read_text() for name in ("kustomization.yaml", "deployment.yaml"))
        for file in (MANIFESTS / "app").glob("*.js"):
            self.assertIn(f"- app/{file.name}\n", kustomization)
        for file in (MANIFESTS / "schemas").glob("*/*/*.json"):
            path, key = file.relative_to(MANIFESTS), f"{file.parent.name}-{file.name}"
            self.assertIn(f"- {key}={path}\n", kustomization)
            self.assertIn(f"{{key: {key}, path: {path}}}\n", deployment)

    def test_the_spool_is_on_a_volume_of_its_own(self):
        path = re.search(r"(?m)^spool: \{path: (\S+)\}$", (MANIFESTS / "outrigger.yaml").read_text())[1]
        deployment = (MANIFESTS / "deployment.yaml").read_text()
        volume = re.search(rf"name: (\w+), mountPath: {path}\}}", deployment)[1]
        self.assertRegex(deployment, rf"- name: {volume}\n +emptyDir: ")


if __name__ == "__main__":
    unittest.main()
