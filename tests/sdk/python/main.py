"""The Python SDK as a line filter; see ../README.md."""
import base64
import json
import re
import sys

from cloudevents.core.bindings import http, kafka
from cloudevents.core.v1.event import CloudEvent
from dateutil.parser import isoparse


def is_json(kind):
    return kind is None or re.match(r"[^;]*[/+]json *(;|$)", kind)


def is_text(kind):
    return re.match(r"text/|[^;]*[/+]xml *(;|$)", kind)


def event_of(attributes, data=None):
    attributes = dict(attributes)
    if "time" in attributes:
        attributes["time"] = isoparse(attributes["time"])
    kind = attributes.get("datacontenttype")
    if data is not None:
        data = base64.b64decode(data)
        data = json.loads(data) if is_json(kind) else data.decode() if is_text(kind) else data
    return CloudEvent(attributes, data)


def encode(binding, mode, events):
    if mode == "batch":
        return {"unsupported": "it has no function that writes a batch"}
    module = {"http": http, "kafka": kafka}[binding]
    message = getattr(module, f"to_{mode}_event")(event_of(**events[0]))
    if binding == "http":
        return {"headers": message.headers, "body": base64.b64encode(message.body).decode()}
    return {"headers": {name: value.decode() for name, value in message.headers.items()}, "key": message.key,
            "body": base64.b64encode(message.value).decode()}


def decode(binding, headers, body, key):
    body = None if body is None else base64.b64decode(body)
    if binding == "http":
        event = http.from_http_event(http.HTTPMessage(headers, body))
    else:
        event = kafka.from_kafka_event(kafka.KafkaMessage({name: value.encode() for name, value in headers.items()}, key, body))
    attributes, data = event.get_attributes(), event.get_data()
    if "time" in attributes:
        attributes["time"] = attributes["time"].isoformat()
    if data is None:
        return {"events": [{"attributes": attributes}]}
    if not isinstance(data, bytes):
        data = (json.dumps(data) if is_json(event.get_datacontenttype()) else data).encode()
    return {"events": [{"attributes": attributes, "data": base64.b64encode(data).decode()}]}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"encode": encode, "decode": decode}[request.pop("op")](**request)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
