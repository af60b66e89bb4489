"""CloudEvents SDKs of five languages exchange events with Outrigger, in both directions."""
import base64
import concurrent.futures
import datetime
import itertools
import json
import os
import re
import subprocess
import tempfile
import unittest
import urllib.parse

from case import HEAD, KafkaCase, Sidecar, read_topic  # first: it says where the support modules are
from app import App
from sdk import LANGUAGES, Event, Message, Refused, Sdk, Unsupported

JSON = {"datacontenttype": "application/json"}
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
AS_IT_IS = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # beside letters and digits, in a header
# What an event is made of, one thing at a time, so that what an SDK gets wrong shows by its name.
EVENTS = {
    "no data": Event({}),
    "every attribute": Event({"subject": "orders/1", "time": "2026-01-02T03:04:05.678Z", "dataschema": "https://example.com/order", **JSON}, b'{"n":1}'),
    "a time with an offset": Event({"time": "2026-01-02T03:04:05+02:00", **JSON}, b'{"n":1}'),
    "a time to the microsecond": Event({"time": "2026-01-02T03:04:05.678901Z", **JSON}, b'{"n":1}'),
    "strings": Event({"tenant": "blue", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", **JSON}, b'{"n":1}'),
    "integers": Event({"zero": 0, "low": -2147483648, "high": 2147483647, **JSON}, b'{"n":1}'),
    "booleans": Event({"yes": True, "no": False, **JSON}, b'{"n":1}'),
    "a key": Event({"partitionkey": "customer-1", **JSON}, b'{"n":1}'),
    "beyond ASCII": Event({"subject": "Gr\u00fc\u00dfe, \u4e16\u754c \U0001f389", "tenant": "caf\u00e9", **JSON}, b'{"n":1}'),
    "spaces": Event({"subject": "one two", **JSON}, b'{"n":1}'),
    "quotes": Event({"subject": 'say "one"', **JSON}, b'{"n":1}'),
    "percent signs": Event({"subject": "100%41", **JSON}, b'{"n":1}'),
    "a JSON object": Event(JSON, '{"name":"Gr\u00fc\u00dfe \U0001f389","list":[1,2.5,-3,null,true],"empty":{},"text":"a\\"b\\\\c\\n"}'.encode()),
    "a JSON array": Event(JSON, b'[1,"two",null]'),
    "a JSON string": Event(JSON, b'"text"'),
    "a JSON number": Event(JSON, b"42"),
    "a JSON boolean": Event(JSON, b"true"),
    "a number that no double holds": Event(JSON, b'{"n":9007199254740993}'),
    "JSON of no content type": Event({}, b'{"n":1}'),
    "JSON with a charset": Event({"datacontenttype": "application/json; charset=utf-8"}, b'{"n":1}'),
    "JSON of a vendor": Event({"datacontenttype": "application/vnd.shop+json"}, b'{"n":1}'),
    "text": Event({"datacontenttype": "text/plain"}, "Gr\u00fc\u00dfe\n\"two\"".encode()),
    "text of no bytes": Event({"datacontenttype": "text/plain"}, b""),
    "XML": Event({"datacontenttype": "application/xml"}, '<a b="c">\u00e9</a>'.encode()),
    "bytes": Event({"datacontenttype": "application/octet-stream"}, bytes(range(256))),
}
# What SDKs have no function for. Rust's binding of Kafka would build librdkafka.
UNSUPPORTED = {
    "javascript": {"encode http batch"},
    "python": {"encode http batch"},
    "java": {"encode http batch"},
    "rust": {"encode http batch", "encode kafka binary", "encode kafka structured", "decode kafka binary", "decode kafka structured"},
}
# What SDKs get wrong. An SDK that is mended, or that gets more wrong, fails the test.
PERCENT = {"percent signs": "a percent sign goes into a header as it is, and the receiver decodes what follows"}
HEADERS = dict.fromkeys(("beyond ASCII", "spaces", "quotes", "percent signs"), "what is percent-encoded in a header is not decoded")
VENDOR = {"JSON of a vendor": "JSON of this content type is taken for text"}
JAVASCRIPT = {"a number that no double holds": "numbers are doubles", "a time to the microsecond": "times have milliseconds"}
PYTHON = {
    "booleans": "True for true",
    "a JSON array": "as Python writes it, not as JSON",
    "a JSON boolean": "as Python writes it, not as JSON",
    "a JSON string": "without its quotes",
}
SDK_FAULTS = {
    ("javascript", "encode http binary"): {**JAVASCRIPT, **PERCENT, "no data": "has the content type of JSON", "a JSON string": "without its quotes"},
    ("javascript", "encode http structured"): JAVASCRIPT,
    ("javascript", "encode kafka structured"): JAVASCRIPT,
    ("javascript", "decode http binary"): {**JAVASCRIPT, **HEADERS, "a JSON number": "a string", "a JSON boolean": "a string"},
    ("javascript", "decode http structured"): {**JAVASCRIPT, "text of no bytes": "no data"},
    ("javascript", "decode kafka binary"): {**JAVASCRIPT, "no data": "a record without a value is refused"},
    ("javascript", "decode kafka structured"): JAVASCRIPT,
    ("python", "encode http binary"): PYTHON,
    ("python", "encode kafka binary"): PYTHON,
    ("go", "encode http binary"): PERCENT,
    ("go", "encode http structured"): VENDOR,
    ("go", "encode http batch"): VENDOR,
    ("go", "encode kafka structured"): VENDOR,
    ("go", "decode http binary"): HEADERS,
    ("go", "decode http structured"): VENDOR,
    ("go", "decode kafka structured"): VENDOR,
    ("java", "encode http binary"): PERCENT,
    ("java", "decode http binary"): HEADERS,
    ("java", "decode http structured"): VENDOR,
    ("java", "decode kafka structured"): VENDOR,
    ("rust", "encode http binary"): PERCENT,
    ("rust", "decode http binary"): HEADERS,
}
# Events of the type binary.NAME become records in binary mode, in the topic of that name; structured.NAME likewise.
ROUTES = """
kafka: {clientId: sdk}
routes:
  - {match: {type: "binary.*"}, topic: "{type}", tombstones: true}
  - {match: {type: "structured.*"}, topic: "{type}", mode: structured}
"""
SUBSCRIPTIONS = """
kafka: {{groupId: sdk}}
subscriptions:
  - {{name: binary, topics: [binary.read, structured.read, foreign], deliver: {{url: "{url}"}}}}
  - {{name: structured, topics: [binary.read, structured.read, foreign], deliver: {{url: "{url}", mode: structured}}}}
"""


def events_for(topic, prefix):
    """{name: the event of that name for that topic}"""
    return {name: Event({"id": f"{topic}-{prefix}-{number}", "source": "/sdk", "type": topic, **attributes}, data)
            for number, (name, (attributes, data)) in enumerate(EVENTS.items())}


def is_json(kind):
    return re.fullmatch(r"[^;]*[/+]json *(;.*)?", kind or "application/json") is not None


def text_of(value):
    """An attribute as it is in headers."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def difference(expected, got, typed):
    """What of an event was not got, or None. `typed`: it was JSON all the way, which keeps types and tells no data from empty data."""
    wanted, found = dict(expected.attributes), {name: value for name, value in got.attributes.items() if value is not None}
    for name in ("specversion", "time", "version"):  # made where they are missing
        if name not in wanted:
            found.pop(name, None)
    if got.data and "datacontenttype" not in wanted and is_json(found.get("datacontenttype")):
        found.pop("datacontenttype", None)  # the JSON format says that there is no difference
    for attributes in (wanted, found):
        if "time" in attributes:
            attributes["time"] = datetime.datetime.fromisoformat(attributes["time"]).timestamp()
        if not typed:
            attributes.update({name: text_of(value) for name, value in attributes.items()})
    if exact(wanted) != exact(found):
        return f"attributes {found} for {wanted}"
    wanted, found = (event.data if typed else event.data or None for event in (expected, got))
    if wanted and found and is_json(expected.attributes.get("datacontenttype")):
        try:
            wanted, found = exact(json.loads(wanted)), exact(json.loads(found))
        except ValueError:
            pass
    return None if wanted == found else f"data {found} for {wanted}"


def exact(value):
    """What tells 1, 1.0 and True apart, which are equal in Python."""
    return json.dumps(value, sort_keys=True)


def http_of(mode, events):
    """What an SDK without faults sends."""
    if mode == "binary":
        attributes, data = events[0]
        headers = {f"ce-{name}": urllib.parse.quote(text_of(value), safe=AS_IT_IS) for name, value in attributes.items() if name != "datacontenttype"}
        if "datacontenttype" in attributes:
            headers["content-type"] = attributes["datacontenttype"]
        return Message({"ce-specversion": "1.0", **headers}, data or b"")
    texts = []
    for attributes, data in events:
        fields = [f'"specversion":"1.0",{json.dumps(attributes)[1:-1]}']
        if data is not None and is_json(attributes.get("datacontenttype")):
            fields.append(f'"data":{data.decode()}')
        elif data is not None and attributes["datacontenttype"] == "application/octet-stream":
            fields.append(f'"data_base64":"{base64.b64encode(data).decode()}"')
        elif data is not None:
            fields.append(f'"data":{json.dumps(data.decode())}')
        texts.append("{" + ",".join(fields) + "}")
    if mode == "structured":
        return Message({"content-type": STRUCTURED}, texts[0].encode())
    return Message({"content-type": BATCH}, f"[{','.join(texts)}]".encode())


def message_of(record):
    value = None if record.value is None else record.value.encode(errors="surrogateescape")
    return Message(record.headers, value, record.key)


def event_of(record):
    """The event that a record is by the specification."""
    headers, value, _ = message_of(record)
    if headers.get("content-type", "").startswith(STRUCTURED):
        attributes = json.loads(value)
        data, encoded = attributes.pop("data", None), attributes.pop("data_base64", None)
        if encoded is not None:
            return Event(attributes, base64.b64decode(encoded))
        if data is None:
            return Event(attributes)
        return Event(attributes, (json.dumps(data) if is_json(attributes.get("datacontenttype")) else data).encode())
    attributes = {name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")}
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    return Event(attributes, value)


def read_by(sdk, binding, message, event, typed):
    """What the SDK reads otherwise than the event is, or None."""
    try:
        got = sdk.decode(binding, message)
    except Refused as why:
        return str(why)
    return difference(event, got[0], typed) if len(got) == 1 else f"{len(got)} events"


class Exchange(KafkaCase):
    @classmethod
    def setUpClass(cls):
        if not os.environ.get("OUTRIGGER_SDK"):
            raise unittest.SkipTest("OUTRIGGER_SDK names no folder with the programs of the SDKs: ./dev test builds them")
        super().setUpClass()
        cls.sdks = {language: Sdk(language) for language in LANGUAGES}
        for sdk in cls.sdks.values():
            cls.addClassCleanup(sdk.close)
        cls.publisher = Sidecar(text=HEAD + ROUTES, env={"KAFKA_BROKERS": cls.kafka.bootstrap}).start()
        cls.addClassCleanup(cls.publisher.close)
        cls.connection = cls.publisher.connect()
        cls.addClassCleanup(cls.connection.close)

    def post(self, message):
        """Where each of the request's events is now; a text where it was refused."""
        # Some SDKs leave characters beyond ASCII in a header as they are; an HTTP client that lets them pass sends UTF-8.
        headers = {name: value.encode() for name, value in message.headers.items()}
        answer = self.publisher.request("POST", "/v1/events", message.body, headers, self.connection)
        results = answer.json.get("results", [answer.json])
        return [(result["topic"], result["partition"], result["offset"]) if "offset" in result else str(result) for result in results]

    def records(self, topic):
        return {(topic, record.partition, record.offset): record for record in read_topic(self.kafka.bootstrap, topic)}

    def check(self, step, outcomes):
        """outcomes: {language: {event's name: what is wrong or None}}, or None for an SDK that has no function for the step."""
        for language, outcome in outcomes.items():
            with self.subTest(f"{language} {step}"):
                self.assertEqual(outcome is None, step in UNSUPPORTED.get(language, ()), "see UNSUPPORTED")
                wrong = {name: what for name, what in (outcome or {}).items() if what}
                known = {name for name in SDK_FAULTS.get((language, step), ()) if name in outcome}
                self.assertEqual(set(wrong), known, f"see SDK_FAULTS; wrong are {wrong}")

    def places(self, mode, events, encode):
        """{event's name: its place, or why there is none}"""
        if mode == "batch":
            return dict(zip(events, self.post(encode(mode, list(events.values())))))
        out = {}
        for name, event in events.items():
            try:
                out[name] = self.post(encode(mode, [event]))[0]
            except Refused as why:
                out[name] = str(why)
        return out

    def test_a_request_by_the_specification_is_the_record_that_it_means(self):
        """The measure for what SDKs send."""
        for mode, record in itertools.product(("binary", "structured", "batch"), ("binary", "structured")):
            events = events_for(f"{record}.measured", f"{mode}-{record}")
            places = self.places(mode, events, http_of)
            records = self.records(f"{record}.measured")
            for name, event in events.items():
                with self.subTest(f"{mode} to {record}: {name}"):
                    self.assertIsInstance(places[name], tuple)
                    stored = records[places[name]]
                    self.assertIsNone(difference(event, event_of(stored), mode != "binary" and record == "structured"))
                    self.assertEqual(stored.key, event.attributes.get("partitionkey"))
                    if record == "binary":
                        self.assertEqual(message_of(stored).body or b"", event.data or b"", "data is copied, not written again")

    def test_what_sdks_publish_is_the_record_that_they_mean_and_they_read_it_again(self):
        for mode, record in itertools.product(("binary", "structured", "batch"), ("binary", "structured")):
            typed = mode != "binary" and record == "structured"
            outcomes, sent = {}, {}
            for language, sdk in self.sdks.items():
                events = events_for(f"{record}.sent", f"{language}-{mode}-{record}")
                try:
                    sent[language] = events, self.places(mode, events, lambda *what: sdk.encode("http", *what))
                except Unsupported:
                    outcomes[language] = None
            records = self.records(f"{record}.sent")
            read = {}
            for language, (events, places) in sent.items():
                outcomes[language] = {
                    name: difference(event, event_of(records[places[name]]), typed) if isinstance(places[name], tuple) else places[name]
                    for name, event in events.items()}
                if f"decode kafka {record}" not in UNSUPPORTED.get(language, ()):
                    # An empty body is no data, so text of no bytes may have become a record without a value here.
                    read[language] = {name: read_by(self.sdks[language], "kafka", message_of(records[places[name]]), event, typed)
                                      for name, event in events.items() if not outcomes[language][name] and records[places[name]].value is not None}
            self.check(f"encode http {mode}", outcomes)
            self.check(f"decode kafka {record}", read)

    def test_sdks_read_the_records_of_outrigger(self):
        for record in ("binary", "structured"):
            events = events_for(f"{record}.stored", record)
            places = self.places("batch", events, http_of)
            records = self.records(f"{record}.stored")
            outcomes = {}
            for language, sdk in self.sdks.items():
                try:
                    outcomes[language] = {name: read_by(sdk, "kafka", message_of(records[places[name]]), event, record == "structured")
                                          for name, event in events.items()}
                except Unsupported:
                    outcomes[language] = None
            self.check(f"decode kafka {record}", outcomes)

    def test_sdks_read_what_is_delivered(self):
        """Events that were published, and for each SDK the records that it would write into Kafka itself."""
        events = {}  # {where it is: (its name, the event, the SDK that wrote it or None, whether it is JSON)}
        for record in ("binary", "structured"):
            published = events_for(f"{record}.read", record)
            for name, place in self.places("batch", published, http_of).items():
                events[place] = name, published[name], None, record == "structured"
        events.update(self.written_by_sdks())
        app = App().start()
        self.addCleanup(app.stop)
        sidecar = self.sidecar(SUBSCRIPTIONS.format(url=app.url))
        sidecar.wait_for(lambda: app.count() == 2 * len(events), 60, f"{2 * len(events)} deliveries")
        calls = {}
        for call in app.calls:
            place = call.headers["outrigger-topic"], int(call.headers["outrigger-partition"]), int(call.headers["outrigger-offset"])
            calls[call.headers["outrigger-subscription"], place] = call
        for mode in ("binary", "structured"):
            outcomes = {language: {} for language in LANGUAGES}
            for place, (name, event, writer, typed) in events.items():
                if event is None:
                    continue
                message = Message(calls[mode, place].headers, calls[mode, place].body)
                if mode == "binary" and not writer:
                    self.assertEqual(message.body, event.data or b"", f"{name}: data is copied, not written again")
                for language in [writer] if writer else LANGUAGES:
                    what = read_by(self.sdks[language], "http", message, event, typed and mode == "structured")
                    outcomes[language][name] = outcomes[language].get(name) or what
            self.check(f"decode http {mode}", outcomes)

    def written_by_sdks(self):
        """Writes the events as each SDK's Kafka binding makes them. As `events` above; the event is None where the record is wrong."""
        out, sent = {}, {}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for mode, (language, sdk) in itertools.product(("binary", "structured"), self.sdks.items()):
                sent[mode, language] = events = events_for("foreign", f"{language}-{mode}")
                try:
                    list(pool.map(self.write, [sdk.encode("kafka", mode, [event]) for event in events.values()]))
                except Unsupported:
                    sent[mode, language] = None
        records = {event_of(record).attributes["id"]: (place, record) for place, record in self.records("foreign").items()}
        for mode in ("binary", "structured"):
            outcomes = dict.fromkeys(LANGUAGES)
            for language in LANGUAGES:
                if sent[mode, language] is None:
                    continue
                outcomes[language] = {}
                for name, event in sent[mode, language].items():
                    place, record = records[event.attributes["id"]]
                    what = outcomes[language][name] = difference(event, event_of(record), mode == "structured")
                    out[place] = name, event if what is None else None, language, mode == "structured"
            self.check(f"encode kafka {mode}", outcomes)
        return out

    def write(self, message):
        """A record by kcat, as any other producer would write it."""
        command = ["kcat", "-b", self.kafka.bootstrap, "-P", "-t", "foreign"]
        command += [word for name, value in message.headers.items() for word in ("-H", f"{name}={value}")]
        if not message.body:  # kcat writes no record for an empty file
            command += ["-K", "\x02", "-D", "\x01", *(["-Z"] if message.body is None else [])]
            run = subprocess.run(command, input=f"{message.key or ''}\x02\x01".encode(), capture_output=True, timeout=20)
        else:
            with tempfile.NamedTemporaryFile() as file:  # a file is one record, whatever is in it
                file.write(message.body)
                file.flush()
                command += ["-k", message.key] if message.key else []
                run = subprocess.run([*command, file.name], capture_output=True, timeout=20)
        self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
