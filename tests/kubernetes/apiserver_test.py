"""Chart and manifests on a real API server and its controllers, in a namespace that enforces the restricted Pod Security
standard; no node, so no container runs here."""
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from cluster import Cluster  # noqa: E402
from kubernetes import CHART, HOME, LMS, of_kind, pod_of, template  # noqa: E402


class ApiServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster()).start()
        for name in ("monitoring.coreos.com_podmonitors", "monitoring.coreos.com_prometheusrules"):
            cls.cluster.kubectl("apply", "--server-side", "--filename", HOME / f"crds/{name}.yaml")
        cls.cluster.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all")

    def setUp(self):
        self.namespace = self.cluster.namespace()

    def apply(self, text, *arguments, check=True):
        return self.cluster.kubectl("--namespace", self.namespace, "apply", "--server-side", "--filename=-", *arguments, stdin=text, check=check)

    def pods(self, name):
        """The pods that the controllers made for a Deployment; that they may is what the namespace rules on."""
        return self.cluster.wait_for(lambda: self.cluster.get("--namespace", self.namespace, "pods", f"--selector={name}")["items"],
                                     what="the controllers to create pods")

    def test_the_server_takes_what_the_chart_makes_in_every_mode(self):
        for values in sorted((CHART / "ci").glob("*-values.yaml")):
            with self.subTest(values.name):
                self.apply(template("--values", values, "--no-hooks", namespace=self.namespace), "--dry-run=server")

    def test_pods_of_the_chart_are_restricted(self):
        for values in [*(CHART / "ci").glob("*-values.yaml"), LMS / "values.yaml"]:
            with self.subTest(values.name):
                # A priority class has to exist for a pod to name it.
                text = template("--values", values, "--set", "priorityClassName=", "--set", "serviceAccount.create=false",
                                "--set", "serviceAccount.name=default", namespace=self.namespace)
                self.apply(json.dumps(pod_of(text)), "--dry-run=server")
                self.apply(json.dumps(of_kind("Pod", text)), "--dry-run=server")

    def test_pods_that_are_less_restricted_are_refused(self):
        text = template("--values", CHART / "ci/least-values.yaml", "--set", "outrigger.securityContext.allowPrivilegeEscalation=true",
                        "--set", "serviceAccount.create=false", "--set", "serviceAccount.name=default", namespace=self.namespace)
        done = self.apply(json.dumps(pod_of(text)), "--dry-run=server", check=False)
        self.assertIn("violates PodSecurity", done.stderr)
        self.assertIn("outrigger", done.stderr)

    def test_a_field_that_kubernetes_does_not_know_is_refused(self):
        text = template("--values", CHART / "ci/config-values.yaml", namespace=self.namespace).replace("honorLabels", "honourLabels")
        done = self.apply(text, "--dry-run=server", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("honourLabels: field not declared in schema", done.stderr)

    def test_the_manifests_are_applied_and_their_pods_created(self):
        for arguments in (["--dry-run=server"], []):
            self.cluster.kubectl("--namespace", self.namespace, "apply", "--server-side", "--kustomize", LMS, *arguments)
        [pod] = self.pods("app.kubernetes.io/name=lms")
        self.assertEqual([(c["name"], c["restartPolicy"]) for c in pod["spec"]["initContainers"]], [("outrigger", "Always")])

    def test_the_chart_is_installed_with_the_values_of_the_platform_upgraded_and_removed(self):
        self.cluster.kubectl("--namespace", self.namespace, "apply", "--kustomize", LMS, "--selector", "app.kubernetes.io/component=rules")
        release = ["--namespace", self.namespace, "lms", CHART, "--values", LMS / "values.yaml"]
        self.cluster.helm("install", *release, "--dry-run=server")
        notes = self.cluster.helm("install", *release).stdout
        self.assertIn("lms runs with Outrigger", notes)
        [pod] = self.pods("app.kubernetes.io/instance=lms")
        self.assertEqual(pod["spec"]["initContainers"][0]["restartPolicy"], "Always")
        wrong = self.cluster.helm("upgrade", *release[:2], *release[2:], "--set", "outrigger.config.routes[0].topc=a", check=False)
        self.assertIn("additional properties 'topc' not allowed", wrong.stderr)
        self.cluster.helm("upgrade", *release, "--set", "monitoring.podMonitor.enabled=true")
        self.assertEqual(len(self.cluster.get("--namespace", self.namespace, "podmonitors")["items"]), 1)
        self.cluster.helm("uninstall", "--namespace", self.namespace, "lms")
        left = self.cluster.get("--namespace", self.namespace, "deployments,services,podmonitors")["items"]
        self.assertEqual(left, [])

    def test_chart_and_manifests_give_the_sidecar_the_same_files(self):
        manifests = of_kind("Deployment", self.cluster.kubectl("kustomize", LMS).stdout)
        chart = of_kind("Deployment", template("--values", LMS / "values.yaml"))

        def files(deployment):
            for volume in deployment["spec"]["template"]["spec"]["volumes"]:
                for source in volume.get("projected", {}).get("sources", [volume]):
                    if source.get("configMap", {}).get("name") == "lms-rules":
                        return source["configMap"]["items"]

        self.assertEqual(files(chart), files(manifests))
        self.assertTrue(files(chart))


if __name__ == "__main__":
    unittest.main()
