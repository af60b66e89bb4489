"""./dev demo --once shows what it promises, and succeeds, on both kinds of broker."""
import subprocess
import sys
import unittest

from case import ROOT, Sidecar


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Both at once: each mostly waits.
        cls.demos = {arguments: cls.start(*arguments) for arguments in ((), ("--kafka",))}

    @classmethod
    def start(cls, *arguments):
        demo = subprocess.Popen([sys.executable, str(ROOT / ".dev/demo.py"), "--once", "--binary", Sidecar(text="").binary, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(demo.terminate)
        return demo

    def ends_well(self, *arguments):
        out, errors = self.demos[arguments].communicate(timeout=180)
        self.assertEqual(self.demos[arguments].returncode, 0, out[-3000:] + errors)
        self.assertIn("All was as expected.", out)

    def test_on_the_embedded_broker(self):
        self.ends_well()

    def test_on_a_real_kafka(self):
        self.ends_well("--kafka")


if __name__ == "__main__":
    unittest.main()
