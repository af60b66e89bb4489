"""The e-learning platform as two containers side by side, as a pod has them, and a real Kafka: from a registration to the
welcome mail."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from containers import IMAGE, LMS, Container, ask, lms_image, podman  # noqa: E402
from kafka import Kafka  # noqa: E402
from records import read_topic  # noqa: E402
from sidecar import Sidecar  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

RULES = [f"--volume={LMS}/outrigger.yaml:/etc/outrigger/outrigger.yaml:ro", f"--volume={LMS}/schemas:/etc/outrigger/schemas:ro"]
SPOOL = "--tmpfs=/var/lib/outrigger:rw,mode=1777"


def answers(path, port):
    try:
        return ask("127.0.0.1", port, "GET", path).status == 200
    except OSError:
        return False


class ContainersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = lms_image()
        cls.kafka = cls.enterClassContext(Kafka().format().start())
        cls.mails = SmtpSink()
        cls.addClassCleanup(cls.mails.close)
        cls.sidecar = cls.enterClassContext(Container(
            "outrigger", IMAGE, options=[*RULES, SPOOL, f"--env=KAFKA_BROKERS={cls.kafka.bootstrap}", "--memory=256m"]))
        Sidecar.wait_for(lambda: answers("/readyz", 8801), what="the sidecar's container")
        cls.app = cls.enterClassContext(Container("lms", cls.image, options=[
            "--env=SMTP_HOST=127.0.0.1", f"--env=SMTP_PORT={cls.mails.port}", "--env=DATA_DIR=/data",
            "--tmpfs=/data:rw,mode=1777", "--memory=256m"]))
        Sidecar.wait_for(lambda: answers("/healthz", 3000), what="the app's container")

    def test_a_registration_ends_in_a_welcome_mail(self):
        answer = ask("127.0.0.1", 3000, "POST", "/register", {"email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace"})
        self.assertEqual(answer.status, 201, answer.body)
        [mail] = Sidecar.wait_for(lambda: self.mails.to("ada@example.com"), 60, "the welcome mail")
        self.assertEqual(mail["subject"], "Welcome!")
        self.assertIn("Hello Ada", mail.get_content())
        [registered] = [r for r in read_topic(self.kafka.bootstrap, "user.events") if r.key == answer.json["userId"]]
        self.assertEqual(registered.headers["ce_type"], "user.registered")

    def test_the_schemas_of_the_volume_are_in_force(self):
        answer = ask("127.0.0.1", 8800, "POST", "/v1/events", {"type": "user.registered", "key": "u", "data": {"userId": "u"}})
        self.assertEqual(answer.status, 422, answer.body)
        self.assertTrue(answer.json["errors"])

    def test_both_containers_have_a_read_only_root_no_capability_and_nobody_as_user(self):
        for container in (self.sidecar, self.app):
            seen = container.inspect()
            self.assertTrue(seen["HostConfig"]["ReadonlyRootfs"])
            status = Path(f"/proc/{seen['State']['Pid']}/status").read_text()
            self.assertIn("CapEff:\t0000000000000000", status)
            self.assertIn("CapBnd:\t0000000000000000", status)
            self.assertIn("NoNewPrivs:\t1", status)
            self.assertIn("Uid:\t65532\t65532", status)
        self.assertNotEqual(podman("exec", self.sidecar.name, "/bin/sh", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()
