"""The records in Kafka, read by kcat: a second client, that shares no code with ours."""
import json
import subprocess
import tempfile


class Record:
    def __init__(self, fields):
        self.topic = fields["topic"]
        self.partition = fields["partition"]
        self.offset = fields["offset"]
        self.key = fields["key"]
        self.value = fields["payload"]
        self.timestamp = fields.get("ts")
        names = fields.get("headers", [])
        self.header_pairs = list(zip(names[::2], names[1::2]))
        self.headers = dict(self.header_pairs)


def read_topic(bootstrap, topic, timeout=30):
    """All records of a topic, in order of partition and offset; none of a topic that is not there. Keys and values are text; see read_bytes."""
    run = subprocess.run(["kcat", "-b", bootstrap, "-C", "-t", topic, "-e", "-q", "-J", "-o", "beginning",
                          "-X", "log_level=0", "-X", "fetch.wait.max.ms=10"], capture_output=True, timeout=timeout)
    if b"Unknown topic or partition" in run.stderr:
        return []
    if run.returncode != 0:
        raise RuntimeError(f"kcat: {run.stderr.decode()}")
    # kcat writes values as they are; bytes that are no UTF-8 come as surrogates.
    text = run.stdout.decode(errors="surrogateescape")
    records = [Record(json.loads(line, strict=False)) for line in text.split("\n") if line]
    return sorted(records, key=lambda r: (r.partition, r.offset))


def read_bytes(bootstrap, topic, partition, offset):
    """The exact bytes of one record's value."""
    run = subprocess.run(["kcat", "-b", bootstrap, "-C", "-t", topic, "-p", str(partition), "-o", str(offset),
                          "-c", "1", "-q", "-D", "", "-f", "%s", "-X", "log_level=0"], capture_output=True, timeout=20)
    return run.stdout


def write_record(bootstrap, topic, record, headers=None):
    """Writes a record again, as a person with kcat would: its bytes, key and partition; `headers` instead of its own."""
    command = ["kcat", "-b", bootstrap, "-P", "-t", topic, "-k", record.key, "-p", str(record.partition)]
    for name, value in (record.headers if headers is None else headers).items():
        command += ["-H", f"{name}={value}"]
    with tempfile.NamedTemporaryFile() as file:  # a file is one record, whatever is in it
        file.write(record.value.encode(errors="surrogateescape"))
        file.flush()
        subprocess.run([*command, file.name], check=True, timeout=20, stderr=subprocess.DEVNULL)
