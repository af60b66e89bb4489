"""./dev demo --once shows what it promises, and ends well, on both kinds of broker."""
import subprocess
import sys
import unittest

from case import ROOT, KafkaCase, Sidecar


class Demo(KafkaCase):
    def run_demo(self, *arguments):
        run = subprocess.run([sys.executable, str(ROOT / ".dev/demo.py"), "--once", "--binary", Sidecar(text="").binary, *arguments],
                             capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout[-3000:] + run.stderr)
        self.assertIn("All was as expected.", run.stdout)

    def test_on_the_embedded_broker(self):
        self.run_demo()

    def test_on_a_real_kafka(self):
        self.run_demo("--kafka")


if __name__ == "__main__":
    unittest.main()
