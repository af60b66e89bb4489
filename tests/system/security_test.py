"""A real Kafka with TLS and SCRAM: secrets from files, wrong ones named, the right ones work."""
import subprocess
import time
import unittest
from pathlib import Path

from case import HEAD, Kafka, KafkaUnavailable, Sidecar, free_ports, read_topic
from app import App
from publishers import Publishers

PASSWORD = "changeit"


def run(*command):
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


def make_certificates(folder):
    """A CA, the broker's key store and a client's key, as PEM and PKCS12."""
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test-ca",
        "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    for name in ("broker", "client"):
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        run("openssl", "x509", "-req", "-days", "2", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-extfile", folder / "san", "-out", folder / f"{name}.pem")
    run("openssl", "pkcs12", "-export", "-in", folder / "broker.pem", "-inkey", folder / "broker.key", "-name", "broker",
        "-passout", f"pass:{PASSWORD}", "-out", folder / "broker.p12")
    run("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", folder / "ca.pem", "-keystore", folder / "trust.p12",
        "-storetype", "PKCS12", "-storepass", PASSWORD)


class SaslSsl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tls_port = free_ports(1)[0]
        try:
            cls.kafka = Kafka(sasl_port=cls.tls_port)
        except KafkaUnavailable as why:
            raise unittest.SkipTest(f"no real Kafka here: {why}")
        cls.addClassCleanup(cls.kafka.close)
        cls.folder = Path(cls.kafka.folder)
        make_certificates(cls.folder)
        with open(cls.folder / "server.properties", "a") as out:
            for name, value in {
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "ssl.keystore.location": cls.folder / "broker.p12", "ssl.keystore.type": "PKCS12", "ssl.keystore.password": PASSWORD,
                "ssl.truststore.location": cls.folder / "trust.p12", "ssl.truststore.type": "PKCS12", "ssl.truststore.password": PASSWORD,
                "listener.name.sasl_ssl.ssl.client.auth": "requested", "listener.name.sasl_ssl.connections.max.reauth.ms": 3000,
            }.items():
                out.write(f"{name}={value}\n")
        cls.kafka.format(scram_users=[("app", "s3cret")]).start()

    def start(self, password="s3cret", ca="ca.pem", more=""):
        sidecar = Sidecar(env={"KAFKA_BROKERS": f"127.0.0.1:{self.tls_port}"})
        self.addCleanup(sidecar.close)
        (sidecar.folder / "password").write_text(password + "\n")
        sidecar.write_config(HEAD + "kafka:\n  security:\n    protocol: SASL_SSL\n    mechanism: SCRAM-SHA-512\n    username: app\n"
                             f"    passwordFile: {sidecar.folder}/password\n    caFile: {self.folder}/{ca}\n{more}")
        return sidecar.start()

    def test_scram_over_tls_publishes(self):
        sidecar = self.start()
        sidecar.wait_for(lambda: sidecar.post("/v1/events/safe.event?key=k", {}).status == 200, what="a publish over TLS")
        self.assertEqual(read_topic(self.kafka.bootstrap, "safe.events")[0].key, "k")
        self.assertNotIn("s3cret", sidecar.log)
        self.assertNotIn("s3cret", sidecar.ops("/status").body.decode())

    def test_a_client_certificate_too(self):
        sidecar = self.start(more=f"    certFile: {self.folder}/client.pem\n    keyFile: {self.folder}/client.key\n")
        sidecar.wait_for(lambda: sidecar.post("/v1/events/mutual.event", {}).status == 200, what="a publish over mTLS")

    def test_a_wrong_password_is_named_as_such(self):
        sidecar = self.start(password="wrong")
        condition = sidecar.wait_for(lambda: (c := sidecar.condition("KafkaConnected"))["status"] == "False" and c, what="the condition")
        self.assertEqual(condition["reason"], "AuthenticationFailed")
        answer = sidecar.post("/v1/events/a.b", {})
        self.assertEqual((answer.status, answer.json["outcome"]), (503, "none"))
        self.assertIn("uthentication", answer.json["detail"])

    def test_a_wrong_ca_is_named_as_such(self):
        sidecar = self.start(ca="client.pem")
        condition = sidecar.wait_for(lambda: (c := sidecar.condition("KafkaConnected"))["status"] == "False" and c, what="the condition")
        self.assertIn("certificate", condition["message"])

    def test_a_missing_secret_ends_the_start_by_name(self):
        sidecar = Sidecar(env={"KAFKA_BROKERS": f"127.0.0.1:{self.tls_port}"})
        sidecar.write_config(HEAD + "kafka:\n  security: {protocol: SASL_SSL, mechanism: PLAIN, username: u, passwordFile: /nowhere/password}\n")
        sidecar.start(wait=False)
        self.assertEqual(sidecar.process.wait(10), 1)
        self.assertIn("/nowhere/password", sidecar.log)

    def test_password_and_certificate_rotate_under_load_without_a_restart(self):
        app = App().start()
        self.addCleanup(app.stop)
        key, cert = self.folder / "own.key", self.folder / "own.pem"
        self.renew(key, cert)
        self.kafka.scram("rotating", "first")
        sidecar = Sidecar(env={"KAFKA_BROKERS": f"127.0.0.1:{self.tls_port}"})
        self.addCleanup(sidecar.close)
        (sidecar.folder / "password").write_text("first")
        sidecar.write_config(
            HEAD + "kafka:\n  security: {protocol: SASL_SSL, mechanism: SCRAM-SHA-512, username: rotating, "
            f"passwordFile: password, caFile: {self.folder}/ca.pem, certFile: {cert}, keyFile: {key}}}\n"
            f"routes: [{{topic: rotated}}]\nsubscriptions: [{{name: s, topics: [rotated], deliver: {{url: '{app.url}'}}}}]\n")
        self.kafka.create_topic("rotated")
        sidecar.start()
        publishers = Publishers(sidecar, threads=4, keys=40).start()
        self.addCleanup(publishers.stop)

        def goes_on(step):
            acked, delivered = publishers.count(), len(app.calls)
            sidecar.wait_for(lambda: publishers.count() > acked + 200 and len(app.calls) > delivered + 200, 60, step)

        goes_on("the first events")
        # The broker lets nobody in with the old one from here on, and asks everybody again after 3 s.
        self.kafka.scram("rotating", "second")
        (sidecar.folder / "password").write_text("second")
        self.rebuilt(sidecar, 2)
        asked_again = time.monotonic() + 4
        while time.monotonic() < asked_again:
            goes_on("events after the password")
        self.renew(key, cert)
        self.rebuilt(sidecar, 4)
        goes_on("events after the certificate")
        publishers.stop()
        acked = {f"{name}-{number}" for name, number in publishers.acked}
        self.assertLessEqual(acked, {dict(r.headers)["ce_id"] for r in read_topic(self.kafka.bootstrap, "rotated")})
        sidecar.wait_for(lambda: acked <= {call.headers["ce-id"] for call in app.calls}, 60, "all of them to be delivered")

    def renew(self, key, cert):
        """Another key and its certificate, as cert-manager would put them there."""
        for made in (key, cert):
            made.unlink(missing_ok=True)
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=client", "-keyout", key, "-out", self.folder / "own.csr")
        run("openssl", "x509", "-req", "-days", "2", "-in", self.folder / "own.csr", "-CA", self.folder / "ca.pem",
            "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-out", cert)

    @staticmethod
    def rebuilt(sidecar, times):
        """The producers of both flows have new clients."""
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_producer_rebuilds_total"] >= times, 30, "new clients")


if __name__ == "__main__":
    unittest.main()
