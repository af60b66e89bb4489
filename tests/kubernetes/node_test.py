"""Pods that run: the e-learning platform on a Kubernetes of one real node, by its manifests and by the chart, with a real Kafka
beside the cluster."""
import json
import os
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from cluster import MACHINE, Cluster  # noqa: E402
from containers import IMAGE, NODE, ask, image_of, lms_image, podman  # noqa: E402
from kafka import Kafka  # noqa: E402
from kubernetes import CHART, LMS, ROOT, documents, of_kind, pod_of, template  # noqa: E402
from records import read_topic  # noqa: E402
from sidecar import Sidecar  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

REPOSITORY, _, TAG = IMAGE.rpartition(":")
OUR_IMAGE = ["--set", f"outrigger.image.repository={REPOSITORY}", "--set", f"outrigger.image.tag={TAG}"]
# Publishes one event after it was told to end, and ends when that is answered.
LAST_WORDS = """
process.on('SIGTERM', async () => {
  const answer = await fetch('http://127.0.0.1:8800/v1/events', {method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({type: 'shop.closed', key: 'k', data: {}})});
  console.log(answer.status);
  process.exit(0);
});
setInterval(() => {}, 1000);
"""


class NodeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster()).start()
        images = cls.enterClassContext(tempfile.TemporaryDirectory())
        pause = image_of("busybox", "localhost/pause:1", ["sleep", "infinity"])
        podman("save", "--multi-image-archive", "--output", f"{images}/all.tar", pause, lms_image(), NODE, IMAGE)
        cls.cluster.start_node(pause, [f"{images}/all.tar"])
        cls.kafka = cls.enterClassContext(Kafka(host=MACHINE).format().start())
        cls.mails = SmtpSink(host=MACHINE)
        cls.addClassCleanup(cls.mails.close)

    def setUp(self):
        self.namespace = self.cluster.namespace()
        self.addCleanup(self.kubectl, "delete", "deployments,pods", "--all", "--timeout=60s")

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, **options)

    def get(self, *arguments):
        return self.cluster.get("--namespace", self.namespace, *arguments)

    def pod(self, selector):
        [pod] = self.get("pods", f"--selector={selector}")["items"]
        return pod

    def registration_ends_in_a_mail(self, pod, name):
        answer = ask(pod["status"]["podIP"], 3000, "POST", "/register", {"email": f"{name}@example.com", "firstName": name, "lastName": "L"})
        self.assertEqual(answer.status, 201, answer.body)
        [mail] = Sidecar.wait_for(lambda: self.mails.to(f"{name}@example.com"), 60, "the welcome mail")
        self.assertIn(f"Hello {name}", mail.get_content())

    def apply_manifests(self):
        """By the overlay of the README, with the images and addresses of this test in it."""
        [overlay] = documents(re.search(r"<<'YAML'\n(.*?)YAML\n", (LMS / "README.md").read_text(), re.S).group(1))
        overlay["images"] = [{"name": "outrigger", "newName": REPOSITORY, "newTag": TAG},
                             {"name": "node", "newName": NODE.rpartition(":")[0], "newTag": NODE.rpartition(":")[2]}]
        overlay["configMapGenerator"][0]["literals"] = [
            f"KAFKA_BROKERS={self.kafka.bootstrap}", f"SMTP_HOST={MACHINE}", f"SMTP_PORT={self.mails.port}"]
        with tempfile.TemporaryDirectory() as folder:
            overlay["resources"] = [os.path.relpath(ROOT / "x" / resource, os.path.realpath(folder)) for resource in overlay["resources"]]
            Path(folder, "kustomization.yaml").write_text(json.dumps(overlay))
            self.kubectl("apply", "--kustomize", folder)
        self.kubectl("rollout", "status", "deployment/lms", "--timeout=90s")
        return self.pod("app.kubernetes.io/name=lms")

    def test_kubectl_apply_leads_to_the_welcome_mail_and_new_rules_to_no_restart(self):
        pod = self.apply_manifests()
        [sidecar], [app] = pod["status"]["initContainerStatuses"], pod["status"]["containerStatuses"]
        self.assertLessEqual(sidecar["state"]["running"]["startedAt"], app["state"]["running"]["startedAt"])
        self.registration_ends_in_a_mail(pod, "grace")

        def generation():
            return ask(pod["status"]["podIP"], 8801, "GET", "/status").json["observedGeneration"]

        before = generation()
        rules = self.get("configmap", "lms-rules")["data"]["outrigger.yaml"]
        changed = rules.replace("routes:\n", 'routes:\n  - {match: {type: "course.*"}, topic: course.events}\n')
        self.assertNotEqual(rules, changed)
        self.kubectl("patch", "configmap", "lms-rules", "--patch", json.dumps({"data": {"outrigger.yaml": changed}}))
        Sidecar.wait_for(lambda: generation() != before, 120, "the new rules")
        self.registration_ends_in_a_mail(pod, "linus")
        [sidecar] = self.pod("app.kubernetes.io/name=lms")["status"]["initContainerStatuses"]
        self.assertEqual(sidecar["restartCount"], 0)

    def test_helm_install_leads_to_the_welcome_mail_and_helm_test_passes(self):
        self.kubectl("apply", "--kustomize", LMS, "--selector", "app.kubernetes.io/component=rules")
        helm = ["--namespace", self.namespace]
        self.cluster.helm("install", *helm, "lms", CHART, "--values", LMS / "values.yaml", *OUR_IMAGE, "--wait", "--timeout=90s",
                          "--set", "app.image.repository=localhost/lms", "--set", f"outrigger.kafka.brokers={{{self.kafka.bootstrap}}}",
                          "--set", f"app.env[1].value={MACHINE}", "--set-string", f"app.env[2].value={self.mails.port}")
        self.registration_ends_in_a_mail(self.pod("app.kubernetes.io/instance=lms"), "barbara")
        self.assertIn("Phase:          Succeeded", self.cluster.helm("test", *helm, "lms").stdout)

    def test_helm_test_fails_when_the_config_is_broken_and_says_where(self):
        helm = ["--namespace", self.namespace]
        self.cluster.helm("install", *helm, "shop", CHART, *OUR_IMAGE, "--set", "replicaCount=0", "--set", "app.image.repository=localhost/lms",
                          "--set-string", "app.image.tag=1.0", "--set-json", 'outrigger.config={"routes": [{"topic": "{date.tenant}"}]}')
        done = self.cluster.helm("test", *helm, "shop", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("outrigger.yaml:", self.kubectl("logs", "shop-outrigger-check").stdout)

    def test_a_secret_of_ones_own_reaches_the_sidecar_and_guards_the_apps_port(self):
        self.kubectl("create", "secret", "generic", "shop-token", "--from-literal=token=open-sesame")
        self.cluster.helm("install", "--namespace", self.namespace, "shop", CHART, *OUR_IMAGE, "--wait", "--timeout=90s",
                          "--set", "replicaCount=1", "--set", "app.image.repository=localhost/lms", "--set-string", "app.image.tag=1.0",
                          "--set", "app.env[0].name=DATA_DIR", "--set", "app.env[0].value=/dev/shm",
                          "--set", f"outrigger.kafka.brokers={{{self.kafka.bootstrap}}}", "--set", "outrigger.existingSecrets[0].name=shop-token",
                          "--set", "outrigger.config.http.tokenFile=/etc/outrigger-secrets/token")
        with self.cluster.forwarded(self.namespace, "deployment/shop-outrigger", 8800) as port:
            event = ("127.0.0.1", port, "POST", "/v1/events/stock.counted?key=k", {"shelf": 1})
            self.assertEqual(ask(*event).status, 401)
            # 202 where Kafka takes long to make the topic.
            self.assertIn(ask(*event, authorization="Bearer open-sesame").status, (200, 202))

    def test_what_the_app_publishes_while_it_ends_is_in_kafka_and_the_sidecar_ends_after_it(self):
        text = template("--values", CHART / "ci/least-values.yaml", *OUR_IMAGE, "--set", "serviceAccount.create=false",
                        "--set", "serviceAccount.name=default", "--set", f"outrigger.kafka.brokers={{{self.kafka.bootstrap}}}",
                        namespace=self.namespace, release="last")
        pod = pod_of(text)
        [app] = pod["spec"]["containers"]
        app.update(image=NODE, command=["node", "-e", LAST_WORDS])
        pod["spec"]["securityContext"]["runAsUser"] = 65532
        # Keeps the pod's last status readable when it has ended.
        pod["metadata"].update(namespace=self.namespace, finalizers=["outrigger.test/keep"])
        for document in (of_kind("ConfigMap", text), pod):
            self.kubectl("apply", "--filename=-", stdin=json.dumps(document))
        self.addCleanup(self.kubectl, "patch", "pod", "pod", "--patch", '{"metadata": {"finalizers": null}}', check=False)
        self.kubectl("wait", "--for=condition=Ready", "pod/pod", "--timeout=60s")
        self.kubectl("delete", "pod", "pod", "--wait=false")

        def ended():
            status = self.get("pod", "pod")["status"]
            states = [container["state"].get("terminated") for kind in ("initContainerStatuses", "containerStatuses") for container in status[kind]]
            return all(states) and states

        sidecar, app = Sidecar.wait_for(ended, 60, "both containers to end")
        self.assertEqual((sidecar["exitCode"], app["exitCode"]), (0, 0))
        self.assertGreaterEqual(sidecar["finishedAt"], app["finishedAt"])
        [record] = read_topic(self.kafka.bootstrap, "shop.events")
        self.assertEqual(record.headers["ce_type"], "shop.closed")


if __name__ == "__main__":
    unittest.main()
