"""`outrigger status`: what a running sidecar does, and the cause of what is wrong in one line."""
import json
import re
import subprocess
import unittest

from case import HEAD, Sidecar, free_ports, outrigger
from app import App


class Status(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = App(lambda call: 422 if call.json.get("refuse") else 200).start()
        cls.addClassCleanup(cls.app.stop)
        cls.nobody = free_ports(1)[0]
        cls.sidecar = Sidecar(env={"KAFKA_BROKERS": "embedded"}, text=HEAD + f"""
spool: {{path: spool}}
subscriptions:
  - {{name: mail, topics: [user.events], deliver: {{url: '{cls.app.url}'}}, deadLetter: dead.letters}}
  - {{name: unheard, topics: [user.events], deliver: {{url: 'http://127.0.0.1:{cls.nobody}/'}}}}
""")
        cls.addClassCleanup(cls.sidecar.close)
        cls.sidecar.start()
        cls.url = f"http://127.0.0.1:{cls.sidecar.ops_port}"
        for number in range(30):
            cls.sidecar.post("/v1/events/user.moved", {"refuse": number == 7})
        cls.sidecar.wait_for(lambda: cls.app.count() >= 30, 30, "the deliveries")

    def status(self, *more):
        return outrigger("status", "--url", self.url, *more)

    def test_it_shows_what_is_published_delivered_and_wrong_within_100_columns(self):
        behind = r"\noutrigger\.unheard +4 +30 "
        shown = self.sidecar.wait_for(lambda: (s := self.status().stdout) and "AppDown" in s and re.search(behind, s) and s, 30, "the cause")
        for line in shown.splitlines():
            self.assertLessEqual(len(line), 100, line)
        self.assertRegex(shown, rf"Delivering/unheard +False +AppDown.*\n +.*127.0.0.1:{self.nobody} can't be reached")
        self.assertRegex(shown, r"\{type\.first\}\.events +30 +0 +0")
        self.assertRegex(shown, r"\nmail +29 ")
        self.assertRegex(shown, r"SPOOL +records .*\n +0 ")

    def test_as_json_it_is_for_machines_and_the_environment_names_the_sidecar(self):
        run = outrigger("status", "-o", "json", env={"OUTRIGGER_OPS_URL": self.url})
        status = json.loads(run.stdout)
        self.assertEqual(status["generation"], self.sidecar.ops("/status").json["observedGeneration"])
        self.assertEqual({each["subscription"] for each in status["subscriptions"]}, {"mail", "unheard"})
        self.assertFalse(status["perSecond"])

    def test_watching_it_shows_rates(self):
        with subprocess.Popen([self.sidecar.binary, "status", "--url", self.url, "--watch", "-o", "json"], stdout=subprocess.PIPE, text=True) as watching:
            looks = [json.loads(watching.stdout.readline()) for _ in range(2)]
            watching.terminate()
        self.assertEqual([look["perSecond"] for look in looks], [False, True])

    def test_what_is_no_ops_port_is_named(self):
        wrong = outrigger("status", "--url", f"http://127.0.0.1:{self.sidecar.port}")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("ops.listen", wrong.stderr)
        self.assertEqual(outrigger("status", "--url", f"http://127.0.0.1:{self.nobody}").returncode, 1)


if __name__ == "__main__":
    unittest.main()
