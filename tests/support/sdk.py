"""The CloudEvents SDKs as programs; see tests/sdk/README.md. OUTRIGGER_SDK names the folder where they are built."""
import base64
import json
import os
import subprocess
from typing import NamedTuple, Optional

LANGUAGES = ("javascript", "python", "go", "java", "rust")


class Event(NamedTuple):
    attributes: dict
    data: Optional[bytes] = None

    @staticmethod
    def of(fields):
        return Event(fields["attributes"], base64.b64decode(fields["data"]) if "data" in fields else None)

    @property
    def fields(self):
        data = {} if self.data is None else {"data": base64.b64encode(self.data).decode()}
        return {"attributes": self.attributes, **data}


class Message(NamedTuple):
    """An HTTP request or a Kafka record; only a record's body may be None."""
    headers: dict
    body: Optional[bytes]
    key: Optional[str] = None


class Unsupported(Exception):
    """The SDK has no function for it."""


class Refused(Exception):
    """The SDK's own error."""


class Sdk:
    """The running program of one SDK."""

    def __init__(self, language):
        self.language = language
        self.process = subprocess.Popen([f"{os.environ['OUTRIGGER_SDK']}/{language}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def encode(self, binding, mode, events):
        answer = self._ask(op="encode", binding=binding, mode=mode, events=[event.fields for event in events])
        body = answer.get("body")
        return Message(answer["headers"], None if body is None else base64.b64decode(body), answer.get("key"))

    def decode(self, binding, message):
        body = None if message.body is None else base64.b64encode(message.body).decode()
        answer = self._ask(op="decode", binding=binding, headers=message.headers, body=body, key=message.key)
        return [Event.of(fields) for fields in answer["events"]]

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program of the {self.language} SDK ended at {request}")
        answer = json.loads(line)
        if "unsupported" in answer:
            raise Unsupported(answer["unsupported"])
        if "error" in answer:
            raise Refused(answer["error"])
        return answer
