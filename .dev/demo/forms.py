"""Every form in which an app may ask, good and bad, one line each: what was sent, and what was answered."""
import json

from screen import paint, short

USER = {"userId": "u-1", "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "role": "student"}
PAYMENT = '{"paymentId":"p-1","userId":"u-1","amount":49.90,"currency":"EUR"}'
JSON = {"content-type": "application/json"}


def ce(identity):
    return {"ce-specversion": "1.0", "ce-id": identity, "ce-source": "/demo", "ce-type": "payment.received", **JSON}


def batch(*identities):
    return json.dumps([{"specversion": "1.0", "id": i, "source": "/demo", "type": "payment.received", "data": json.loads(PAYMENT)} for i in identities])


LINES = "".join(json.dumps({"type": "analytics.tracked", "data": {"event": "page_viewed", "userId": f"u-{n % 7}", "metadata": {}}}) + "\n"
                for n in range(1000))
REGISTERED = {"type": "user.registered", "id": "form-1", "data": USER}

GOOD = [
    ("an event", "/v1/events", JSON, REGISTERED, 200),
    ("the same again: the first answer", "/v1/events", JSON, REGISTERED, 200),
    ("the data alone, version 2.0", "/v1/events/user.registered?version=2.0", JSON, {**USER, "locale": "en-GB"}, 200),
    ("a CloudEvent, structured", "/v1/events", {"content-type": "application/cloudevents+json"},
     '{"specversion":"1.0","id":"form-2","source":"/demo","type":"payment.received","data":' + PAYMENT + "}", 200),
    ("a CloudEvent, binary", "/v1/events", ce("form-3"), PAYMENT, 200),
    ("a CloudEvents batch", "/v1/events", {"content-type": "application/cloudevents-batch+json"}, batch("form-4", "form-5"), 200),
    ("1,000 lines in one request", "/v1/events", {"content-type": "application/x-ndjson"}, LINES, 200),
    ("a raw record", "/v1/topics/audit.log?key=u-1", {"content-type": "text/plain", "kafka-level": "info"}, "ann logged in", 200),
]
BAD = [
    ("no rule takes it", "/v1/events", JSON, {"type": "course.created", "data": {}}, 404),
    ("broken JSON inside data", "/v1/events", JSON, '{"type":"user.updated","data":{"userId":"u-1","n":01}}', 400),
    ("a name twice where a rule reads", "/v1/events", JSON, '{"type":"user.updated","type":"user.deleted","data":{}}', 400),
    ("against its schema", "/v1/events/user.registered", JSON, {"userId": "u-3", "email": "nobody", "role": "king"}, 422),
    ("a version without a schema", "/v1/events/user.registered?version=9.0", JSON, {"userId": "u-3"}, 422),
    ("no key where the rule asks for one", "/v1/events/user.deleted", JSON, {"reason": "gdpr"}, 422),
    ("a known id with another body", "/v1/events", JSON, {**REGISTERED, "data": {**USER, "lastName": "Li"}}, 409),
    ("invalid, kept as a dead-letter record", "/v1/events/analytics.tracked", JSON, {"event": "", "metadata": {}}, 422),
    ("a topic that is not allowed", "/v1/topics/user.events", {"content-type": "text/plain"}, "x", 404),
    ("a content type that is no event", "/v1/events", {"content-type": "application/xml"}, "<event/>", 415),
    ("larger than http.maxBody", "/v1/events/user.updated", JSON, {"userId": "u-1", "changes": {"note": "x" * 1_100_000}}, 413),
]


def show(screen, sidecar):
    screen.title("Every form of asking", "POST to port " + str(sidecar.port) + "; the answer's code, and what it says")
    connection = sidecar.connect()
    for what, path, headers, body, expected in GOOD + BAD:
        answer = sidecar.request("POST", path, body if isinstance(body, str) else json.dumps(body), headers, connection)
        good = answer.status == expected or (answer.status, expected) == (202, 200)  # spooled: Kafka took its time
        told = answer.json
        said = short(told.get("detail") or answer.body.decode(), 100)
        print(f"  {what:36}{paint('32' if good else '31', answer.status)}  {said}")
        if not good:
            screen.expect(False, f"{what}: {expected}, not {answer.status}")
    connection.close()
    screen.expect(True, f"{len(GOOD)} forms that are accepted and {len(BAD)} that are refused were tried")
