"""The scenes of the demo: a day of the e-learning platform. Each does something, shows the events' way, and checks every effect."""
import json
import time

import forms
from records import read_topic

MOVED = ("outrigger_producer_events_total", "outrigger_producer_failures_total", "outrigger_consumer_events_total",
         "outrigger_consumer_failures_total", "outrigger_producer_rebuilds_total", "outrigger_spool_left_total")


class Scenes:
    def __init__(self, screen, school, kafka):
        self.screen, self.school, self.kafka = screen, school, kafka
        self.sidecar, self.app, self.mailbox = school.sidecar, school.app, school.mailbox
        self.bootstrap = kafka.bootstrap if kafka else school.sidecar.bootstrap

    def ask(self, method, path, body=None, headers=None):
        """A user's request to the app."""
        began = time.monotonic()
        answer = self.app.request(method, path, body, headers)
        took = (time.monotonic() - began) * 1000
        self.screen.line("request", f"{method} {path} → {answer.status} in {took:.1f} ms")
        return answer

    def register(self, name, **more):
        return self.ask("POST", "/register", {"email": f"{name}@example.com", "firstName": name.title(), "lastName": "Lee", **more}).json

    def expect(self, condition, what, timeout=30):
        """Waits for an effect."""
        try:
            self.sidecar.wait_for(condition, timeout, what)
            self.screen.expect(True, what)
        except TimeoutError:
            self.screen.expect(False, what)

    def mails(self, user, subject):
        return sum(message["Subject"] == subject for message in self.mailbox.to(user["email"]))

    def welcomed(self, *users):
        return all(self.mails(user, "Welcome!") == 1 for user in users)

    def audited(self, *names):
        return len([line for line in self.app.lines("audit.log") if line.get("user") in names])

    def run(self):
        before = self.sidecar.metrics()
        self.a_day()
        self.retried()
        self.poison()
        self.bad_schema()
        self.app_away()
        if self.kafka:
            self.kafka_away()
        self.forms()
        self.metrics(before)

    def a_day(self):
        self.screen.title("A user registers, signs in, moves, pays and enrols", "each request is answered at once; the rest is events")
        user = self.register("ann", phone="+4917012345678")
        path, copy = f"/users/{user['userId']}", f"/copies/{user['userId']}"
        self.expect(lambda: self.welcomed(user), "registered → the welcome mail is in the mail server's box")
        self.expect(lambda: self.app.get(copy).status == 200, "registered → the other system has a copy")
        for address in ("192.0.2.1", "203.0.113.9"):
            self.ask("POST", "/login", {"email": user["email"]}, {"x-forwarded-for": address})
        self.expect(lambda: self.app.get("/analytics").json["logins"] == 2, "signed in → counted")
        self.expect(lambda: self.mails(user, "A new sign-in") == 1, "signed in from a new address → a warning by mail")
        self.ask("PATCH", path, {"lastName": "Bird"})
        self.expect(lambda: self.app.get(copy).json["lastName"] == "Bird", "updated → the copy is in step")
        payment = self.ask("POST", f"{path}/payments", {"amount": 49.9, "items": [{"description": "IELTS preparation", "amount": 49.9}]}).json
        invoice = f"/invoices/{payment['paymentId']}"
        self.expect(lambda: self.app.get(invoice).body.startswith(b"%PDF"), f"paid → the invoice is a PDF: GET {invoice}")
        self.ask("POST", f"{path}/courses", {"courseId": "ielts-7", "price": 99.99})
        self.expect(lambda: self.app.get("/analytics").json["actions"].get("course_enrolled") == 1, "enrolled → counted")
        self.expect(lambda: self.app.lines("sms.log") and self.app.lines("push.log"), "enrolled → an SMS and a push message are handed over")
        # registered, signed in twice, updated, paid, enrolled, push; two mails; an SMS
        self.expect(lambda: self.audited(user["userId"], user["email"], user["phone"]) == 10, "every action → a line of the audit log, 10 in all")

    def retried(self):
        self.screen.title("A mail server with a weak moment", "it says 451; the event is delivered again until it is taken")
        refusals = iter(["451 come back later"] * 2)
        self.mailbox.refuse = lambda sender, recipient: next(refusals, None)
        user = self.register("bo")
        self.expect(lambda: self.welcomed(user), "the mail arrives with the third attempt")

    def poison(self):
        self.screen.title("A poison event", "the mail server will never know this box: the handler answers 422, and Outrigger sets the event aside")
        self.mailbox.refuse = lambda sender, recipient: "550 no such box" if recipient.startswith("nobody") else None
        user, fine = self.register("nobody"), self.register("cleo")
        self.expect(lambda: self.welcomed(fine), "the others' mail goes on")
        dead_letters = lambda: [r for r in read_topic(self.bootstrap, "dlq.topic") if r.key == user["email"]]  # noqa: E731
        self.expect(dead_letters, "the event is in dlq.topic, and its headers say why")
        for dead_letter in dead_letters()[:1]:
            why = {n.removeprefix("outrigger-error-"): v for n, v in dead_letter.headers.items() if n.startswith("outrigger-error-")}
            for name in ("reason", "status", "body", "attempts", "subscription", "topic", "partition", "offset"):
                self.screen.note(f"outrigger-error-{name}: {why.get(name)}")
            self.screen.expect(json.loads(dead_letter.value)["to"] == user["email"] and why["reason"] == "status", "bytes, key and reason are right")

    def bad_schema(self):
        self.screen.title("An event that breaks its schema", "the app has a bug: role \"king\". The user is answered, the event is refused by name")
        user = self.register("rex", role="king")
        self.expect(lambda: "/role" in self.app.log, "the app's log says which field: " + user["userId"])
        stored = [r for r in read_topic(self.bootstrap, "user.events") if r.key == user["userId"]]
        self.screen.expect(not stored, "nothing of it is in Kafka")

    def app_away(self):
        self.screen.title("The app stops and comes back", "what is published meanwhile waits in Kafka, and no attempt is used up")
        self.school.stop_app()
        data = {"userId": "u-away", "email": "away@example.com", "firstName": "Ada", "lastName": "Lee", "role": "teacher"}
        answers = [self.sidecar.post("/v1/events/user.registered", {**data, "userId": f"u-away-{n}"}) for n in range(3)]
        self.screen.expect({a.status for a in answers} <= {200, 202}, "three events by another program are accepted")
        self.expect(lambda: self.sidecar.condition("Delivering/welcome")["reason"] == "AppDown", "/status says AppDown; delivery waits")
        self.school.start_app()
        self.expect(lambda: len(self.mailbox.to("away@example.com")) == 3, "all three are delivered when it is back")
        attempts = {call.attempt for call in self.school.delivering.calls if call.key.startswith("u-away")}
        self.screen.expect(attempts == {1}, "each with its first attempt")

    def kafka_away(self):
        self.screen.title("Kafka stops and comes back", "users are answered all the same; events are kept in the spool, on the disk, until Kafka is back")
        self.kafka.stop()
        self.expect(lambda: not self.sidecar.ops("/health/kafka").json["kafka"]["connected"], "/health/kafka says so")
        answers = [self.sidecar.post("/v1/events/user.updated", {"userId": "u-kept", "changes": {"step": n}}) for n in range(5)]
        self.screen.note(f"{answers[0].status}  Location: {answers[0].headers.get('location')}  {answers[0].body.decode()}")
        self.screen.expect(all((a.status, a.json["status"], a.headers["location"]) == (202, "spooled", f"/v1/events/{a.json['id']}") for a in answers),
                           "five events by another program: 202, spooled, and Location says where to ask for each")
        user = self.register("eve")
        self.expect(lambda: self.spooled() >= 6, "the events of a registration are kept, too")
        self.screen.note(f"outrigger_spool_records {self.spooled():g}; SpoolDrained: {self.sidecar.condition('SpoolDrained')['message']}")
        self.screen.expect(self.sidecar.ops("/readyz").status == 200, "/readyz: the pod stays in its Service")
        self.kafka.start()
        self.expect(lambda: self.spooled() == 0, "Kafka is back, and the spool drains: outrigger_spool_records 0", 60)
        kept = [json.loads(r.value)["changes"]["step"] for r in read_topic(self.bootstrap, "user.events") if r.key == "u-kept"]
        became = [self.sidecar.request("GET", answer.headers["location"]).json for answer in answers]
        self.screen.note(f"GET {answers[0].headers['location']}: {json.dumps(became[0])}")
        self.screen.expect({event["status"] for event in became} == {"acked"}, "what Location leads to says: acked, and where")
        self.screen.expect(kept == [0, 1, 2, 3, 4], f"the five events are in Kafka once, in order: {kept}")
        self.expect(lambda: self.welcomed(user), "the registration without Kafka is welcomed", 60)

    def spooled(self):
        return self.sidecar.metrics()["outrigger_spool_records"]

    def forms(self):
        self.screen.muted = True  # a thousand deliveries would hide what there is to see
        forms.show(self.screen, self.sidecar)
        self.expect(lambda: self.app.get("/analytics").json["actions"].get("page_viewed") == 1000, "the thousand lines were delivered and counted", 60)
        self.expect(lambda: sum(line["type"] == "analytics.tracked" for line in self.app.lines("audit.log")) == 1001, "and audited", 60)
        self.screen.muted = False

    def metrics(self, before):
        self.screen.title("Metrics that moved", f"http://127.0.0.1:{self.sidecar.ops_port}/metrics")
        after = self.sidecar.metrics()
        moved = {name: value - before.get(name, 0) for name, value in after.items() if name.startswith(MOVED)}
        for name in sorted(name for name, value in moved.items() if value):
            print(f"  {name} +{moved[name]:g}")
        for what in ("outcome=\"acked\"", "outcome=\"delivered\"", "outcome=\"retried\"", "outcome=\"dead_lettered\""):
            self.screen.expect(sum(value for name, value in moved.items() if what in name) > 0, f"events with {what} are counted")
