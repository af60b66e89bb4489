"""The container image, built from the Dockerfile, and run as strictly as a container can be."""
import json
import sys
import tarfile
import tempfile
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from containers import IMAGE, RESTRICTED, Container, first_answer, podman  # noqa: E402
from sidecar import Sidecar  # noqa: E402

MEGABYTE = 1_000_000


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = json.loads(podman("image", "inspect", IMAGE).stdout)[0]
        with tempfile.TemporaryDirectory() as folder:
            name = f"outrigger-files-{Path(folder).name}"
            podman("create", "--name", name, IMAGE)
            podman("export", "--output", f"{folder}/files.tar", name)
            podman("rm", name)
            with tarfile.open(f"{folder}/files.tar") as tar:
                cls.files = {member.name.lstrip("./"): member.size for member in tar if member.isfile()}

    def test_it_is_35_megabytes_at_most(self):
        self.assertLessEqual(self.image["Size"], 35 * MEGABYTE)

    def test_it_holds_the_binary_its_libraries_and_certificates_and_nothing_else(self):
        others = [name for name, size in self.files.items() if size and not name.startswith(("lib/", "lib64/", "usr/lib/"))]
        self.assertEqual(sorted(others), ["etc/nsswitch.conf", "etc/ssl/certs/ca-certificates.crt", "usr/local/bin/outrigger"])
        self.assertEqual([name for name in self.files if not name.startswith(("etc/", "usr/local/")) and ".so" not in name], [])
        self.assertGreater(self.files["etc/ssl/certs/ca-certificates.crt"], 100_000)

    def test_it_runs_as_a_user_that_a_node_does_not_have(self):
        self.assertEqual(self.image["Config"]["User"], "65532:65532")

    def test_it_says_what_it_is(self):
        labels = self.image["Config"]["Labels"]
        self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")
        said = podman("run", "--rm", *RESTRICTED, IMAGE, "version").stdout
        self.assertIn(labels["org.opencontainers.image.version"], said)
        self.assertIn(labels["org.opencontainers.image.revision"], said)

    def test_it_is_ready_within_300_ms_and_ends_well(self):
        stop = threading.Event()
        with ThreadPoolExecutor() as threads:
            ready = threads.submit(first_answer, "http://127.0.0.1:8801/readyz", stop)
            try:
                with Container("ready", IMAGE, options=["--env=KAFKA_BROKERS=embedded"]) as container:
                    took = ready.result(10) - container.started()
                    self.assertEqual(container.stop(), 0)
            finally:
                stop.set()
        print(f"ready {took * 1000:.0f} ms after the start of its process; the image has {self.image['Size'] / MEGABYTE:.1f} MB")
        self.assertLess(took, 0.3)

    def test_it_reads_rules_and_schemas_from_etc_outrigger(self):
        rules = Path(__file__).resolve().parents[2] / "manifests/lms"
        options = [f"--volume={rules}/outrigger.yaml:/etc/outrigger/outrigger.yaml:ro", f"--volume={rules}/schemas:/etc/outrigger/schemas:ro",
                   "--tmpfs=/var/lib/outrigger:rw,mode=1777", "--env=KAFKA_BROKERS=embedded"]
        with Container("rules", IMAGE, options=options) as container:
            Sidecar.wait_for(lambda: '"listening"' in container.log, what="the sidecar")
            self.assertIn('"config":"/etc/outrigger/outrigger.yaml"', container.log)


if __name__ == "__main__":
    unittest.main()
