"""A real Apache Kafka of one KRaft node on loopback, from the jars in OUTRIGGER_KAFKA_LIBS.

As a program (`./dev kafka start|stop|status`) it keeps one running for a person.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from ports import free_ports  # noqa: E402

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://{host}:{port},CONTROLLER://127.0.0.1:{controller}{more_listeners}
advertised.listeners=PLAINTEXT://{host}:{port}{more_listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
log.dirs={folder}/data
num.partitions=4
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=true
log.flush.interval.messages=9223372036854775807
"""
QUIET_LOG = """\
log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %m (%c)%n
"""


class KafkaUnavailable(Exception):
    """Kafka's jars can't be had."""


# Properties of a broker whose listener at sasl_port knows the user `app` with the password `s3cret`. It is without TLS, so it needs
# no certificates; its name is the one that Kafka gives it.
SASL_PLAIN = {
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_PLAINTEXT",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required user_app=\"s3cret\";",
}
# Properties of a broker with ACLs; a client without a password is the administrator.
ACLS = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users": "User:ANONYMOUS"}


class Kafka:
    """One broker in a folder. stop() and start() keep its data and port; close() removes what it made."""

    def __init__(self, folder=None, port=None, properties=None, sasl_port=None, heap="512m", host="127.0.0.1"):
        libs = os.environ.get("OUTRIGGER_KAFKA_LIBS", "")
        if not Path(libs).is_dir() or not libs:
            raise KafkaUnavailable("OUTRIGGER_KAFKA_LIBS names no folder with Kafka's jars")
        self._own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="outrigger-kafka-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        free = free_ports(2)
        self.host, self.port, self.controller = host, port or free[0], free[1]
        self.cluster = None
        self._classpath = f"{libs}/*"
        self._heap = heap
        self.process = None
        more = f",SASL_SSL://127.0.0.1:{sasl_port}" if sasl_port else ""
        text = PROPERTIES.format(host=self.host, port=self.port, controller=self.controller, folder=self.folder, more_listeners=more)
        text += "".join(f"{name}={value}\n" for name, value in (properties or {}).items())
        (self.folder / "server.properties").write_text(text)
        (self.folder / "log4j.properties").write_text(QUIET_LOG)

    @property
    def bootstrap(self):
        return f"{self.host}:{self.port}"

    def java(self, main, *arguments, **options):
        return [
            "java", f"-Xmx{self._heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4", "-Xshare:auto",
            f"-Dlog4j.configuration=file:{self.folder}/log4j.properties", "-cp", self._classpath, main, *arguments,
        ]

    def beside(self, node=2, **options):
        """Another broker of this one's cluster, running."""
        port = free_ports(1)[0]
        properties = {"process.roles": "broker", "node.id": node, "controller.quorum.voters": f"1@127.0.0.1:{self.controller}",
                      "listeners": f"PLAINTEXT://{self.host}:{port}"}
        other = Kafka(port=port, properties=dict(properties, **options.pop("properties", {})), **options)
        other.cluster = self.cluster
        return other.format().start()

    def format(self, scram_users=()):
        """Prepares the data folder; scram_users: (name, password) pairs for SCRAM-SHA-512."""
        self.cluster = self.cluster or subprocess.run(self.java("kafka.tools.StorageTool", "random-uuid"),
                                                      capture_output=True, text=True, check=True).stdout.split()[-1]
        command = self.java("kafka.tools.StorageTool", "format", "-t", self.cluster, "-c", str(self.folder / "server.properties"))
        for name, password in scram_users:
            command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        subprocess.run(command, capture_output=True, text=True, check=True)
        return self

    def start(self, detached=False, timeout=60):
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(self.java("kafka.Kafka", str(self.folder / "server.properties")),
                                            stdout=log, stderr=subprocess.STDOUT, start_new_session=detached)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError("Kafka ended at its start:\n" + (self.folder / "server.log").read_text()[-3000:])
            if self.answers():
                return self
            time.sleep(0.1)
        raise RuntimeError("Kafka did not come up")

    def answers(self):
        return subprocess.run(["kcat", "-b", self.bootstrap, "-L", "-m", "2", "-X", "log_level=0"],
                              capture_output=True).returncode == 0

    def stop(self, kill=False):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(60)
        self.process = None

    def close(self):
        self.stop(kill=True)
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def create_topic(self, name, partitions=4, on=None, **config):
        """config: max_message_bytes=… for max.message.bytes=…; on: the node of its only partition"""
        options = ["--replica-assignment", str(on)] if on else ["--partitions", str(partitions)]
        for key, value in config.items():
            options += ["--config", f"{key.replace('_', '.')}={value}"]
        self._topic("--create", name, *options)

    def delete_topic(self, name):
        self._topic("--delete", name)

    def grow_topic(self, name, partitions):
        self._topic("--alter", name, "--partitions", str(partitions))

    def configure_topic(self, name, **config):
        """As create_topic's config, of a topic that is there."""
        pairs = ",".join(f"{key.replace('_', '.')}={value}" for key, value in config.items())
        self._ask("kafka.admin.ConfigCommand", "--alter", "--entity-type", "topics", "--entity-name", name, "--add-config", pairs)

    def scram(self, user, password):
        """Gives the user this password."""
        self._ask("kafka.admin.ConfigCommand", "--alter", "--entity-type", "users", "--entity-name", user,
                  "--add-config", f"SCRAM-SHA-512=[password={password}]")

    def acl(self, what, *resource, operations=("WRITE",), user="app"):
        """what: --add or --remove; resource: --topic NAME, --group NAME or --cluster."""
        options = [option for operation in operations for option in ("--operation", operation)]
        self._ask("kafka.admin.AclCommand", what, "--allow-principal", f"User:{user}", *resource, *options,
                  *(["--force"] if what == "--remove" else []))

    def topics(self):
        """Their names, by kcat; asking for all creates none."""
        run = subprocess.run(["kcat", "-b", self.bootstrap, "-L", "-J", "-X", "log_level=0"], capture_output=True, text=True, timeout=20)
        return {topic["topic"] for topic in json.loads(run.stdout)["topics"]}

    def delete_records(self, topic, before, partition=0):
        """As retention would: the records below the offset `before`."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "partitions": [{"topic": topic, "partition": partition, "offset": before}]}, file)
            file.flush()
            self._ask("DeleteRecordsCommand", "--offset-json-file", file.name)

    def write_transactions(self, topic, *steps):
        """To partition 0; see Transactions.java."""
        source = str(Path(__file__).with_name("Transactions.java"))
        subprocess.run(self.java(source, self.bootstrap, topic, *steps), check=True, capture_output=True, text=True, timeout=60)

    def write(self, topic, values, partition=None, key=None):
        """Plain records by kcat, one a line."""
        command = ["kcat", "-b", self.bootstrap, "-P", "-t", topic]
        command += ["-p", str(partition)] if partition is not None else []
        command += ["-k", key] if key else []
        subprocess.run(command, input="".join(f"{value}\n" for value in values), text=True, check=True, timeout=30,
                       stderr=subprocess.DEVNULL)

    def members(self, group):
        """The group's members as Kafka's own tool lists them."""
        return self._ask("consumer.group.ConsumerGroupCommand", "--describe", "--members", "--group", group)

    def committed(self, group):
        """{(topic, partition): offset} of what the group has committed."""
        lines = (line.split() for line in self._ask("consumer.group.ConsumerGroupCommand", "--describe", "--offsets", "--group", group).splitlines())
        return {(line[1], int(line[2])): int(line[3]) for line in lines if len(line) > 3 and line[0] == group and line[3].isdigit()}

    def _topic(self, what, name, *options):
        self._ask("TopicCommand", what, "--topic", name, *options)

    def _ask(self, tool, *options):
        tool = tool if tool.startswith("kafka.") else f"org.apache.kafka.tools.{tool}"
        command = self.java(tool, "--bootstrap-server", self.bootstrap, *options)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(prog="./dev kafka")
    parser.add_argument("action", choices=["start", "stop", "status"])
    parser.add_argument("--dir", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=9092)
    arguments = parser.parse_args()
    folder = Path(arguments.dir)
    pid_file = folder / "pid"
    pid = int(pid_file.read_text()) if pid_file.exists() else 0
    running = pid > 0 and Path(f"/proc/{pid}").exists()
    if arguments.action == "status":
        print(f"running, pid {pid}" if running else "not running")
    elif arguments.action == "start" and running:
        print(f"already running, pid {pid}")
    elif arguments.action == "start":
        shutil.rmtree(folder, ignore_errors=True)
        kafka = Kafka(folder, port=arguments.port).format().start(detached=True)
        pid_file.write_text(str(kafka.process.pid))
        print(f"Kafka listens on {kafka.bootstrap}; its data and log are in {folder}")
    elif running:
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
            time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
        print("stopped")
    else:
        print("not running")


if __name__ == "__main__":
    main()
