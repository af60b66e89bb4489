"""The e-learning platform of manifests/lms, feature by feature, on both kinds of broker: what is published, delivered, and done.

The spool is in lms_degraded_test.py. Not yet to be had, and so not tested: `dedupe`, `outrigger status`, the redrive tool (here kcat redrives).
"""
import json
import re
import unittest

from case import KafkaCase, read_topic  # first: it says where the support modules are
from lms import MANIFESTS, Lms
from pdf_text import pdf_text
from records import write_record
from sidecar import Sidecar

wait_for = Sidecar.wait_for
VALID = {"userId": "u-1", "email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "role": "student"}


class Features:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The tests ask where in Kafka an event is, and Kafka may take longer than 250 ms to make a topic.
        cls.lms = Lms(cls.brokers(), replace=[("spool: {", "spool: {after: 4s, ")]).start()
        cls.addClassCleanup(cls.lms.close)
        cls.app, cls.sidecar, cls.sink = cls.lms.app, cls.lms.sidecar, cls.lms.sink
        wait_for(lambda: cls.sidecar.ops("/health/kafka").json["kafka"]["connected"], what="Kafka")

    def setUp(self):
        self.sink.refuse = lambda sender, recipient: None

    def stored(self, topic, **data):
        """The records of a topic whose data has these fields."""
        return [r for r in read_topic(self.bootstrap(), topic) if r.value and data.items() <= json.loads(r.value).items()]

    def count(self, subscription, outcome):
        return sum(value for name, value in self.sidecar.metrics().items()
                   if name.startswith(f'outrigger_consumer_events_total{{outcome="{outcome}",subscription="{subscription}"'))

    def audit(self, user):
        return [line["type"] for line in self.app.lines("audit.log") if line.get("user") == user]

    def deliver_again(self, topic, record, *subscriptions):
        """Writes the record once more, and waits until these subscriptions have had it."""
        before = {name: self.count(name, "delivered") for name in subscriptions}
        write_record(self.bootstrap(), topic, record)
        for name in subscriptions:
            wait_for(lambda: self.count(name, "delivered") > before[name], what=f"{name} to have it again")

    # Topics, keys, versions

    def test_user_events_are_keyed_by_user_and_in_order(self):
        user = self.lms.register("order")
        path = f"/users/{user['userId']}"
        self.assertEqual(self.app.request("POST", "/login", {"email": user["email"]}).status, 200)
        self.assertEqual(self.app.request("PATCH", path, {"firstName": "Olga"}).json["firstName"], "Olga")
        self.assertEqual(self.app.request("DELETE", path).status, 200)
        records = wait_for(lambda: (found := self.stored("user.events", userId=user["userId"])) and len(found) == 4 and found, what="all four")
        self.assertEqual([r.headers["ce_type"] for r in records], ["user.registered", "user.logged_in", "user.updated", "user.deleted"])
        self.assertEqual({r.key for r in records}, {user["userId"]})
        self.assertEqual({r.headers["ce_source"] for r in records}, {"ielts-lms-api"})

    def test_notifications_are_keyed_by_recipient_and_reach_their_queues(self):
        user = self.lms.register("nora", phone="+4917012345678")
        self.assertEqual(self.app.request("POST", f"/users/{user['userId']}/courses", {"courseId": "ielts-7", "price": 99.99}).status, 201)
        wait_for(lambda: any(line["to"] == user["phone"] for line in self.app.lines("sms.log")), what="the SMS")
        wait_for(lambda: any(line["to"] == user["userId"] for line in self.app.lines("push.log")), what="the push message")
        wait_for(lambda: self.sink.to(user["email"]), what="the mail")
        keys = {r.headers["ce_type"]: r.key for r in read_topic(self.bootstrap(), "notification.events")
                if json.loads(r.value)["to"] in (user["phone"], user["userId"], user["email"])}
        self.assertEqual(keys, {"notification.sms": user["phone"], "notification.push": user["userId"], "notification.email": user["email"]})

    def test_analytics_events_are_keyed_by_user_where_there_is_one(self):
        results, _ = self.lms.node("""
            const all = await Promise.all([{ event: 'page_viewed', userId: 'u-7', metadata: {} }, { event: 'page_viewed', metadata: {} }]
              .map((action) => events.publishAnalyticsTracked(action, { strict: true })));
            console.log(JSON.stringify(all));""")
        stored = {(r.partition, r.offset): r for r in read_topic(self.bootstrap(), "analytics.events")}
        self.assertEqual([stored[r["partition"], r["offset"]].key for r in results], ["u-7", None])

    def test_every_event_has_a_version_and_two_versions_live_side_by_side(self):
        plain, local = self.lms.register("one"), self.lms.register("two", locale="de-DE")
        for user, version in ((plain, "1.0"), (local, "2.0")):
            records = wait_for(lambda: self.stored("user.events", userId=user["userId"]), what=version)
            self.assertEqual(records[0].headers["ce_version"], version)
            wait_for(lambda: self.sink.to(user["email"]), what=f"the welcome of version {version}")
        broken = {**VALID, "registeredAt": "2026-01-01T00:00:00Z", "locale": "Deutsch"}
        self.assertEqual(self.sidecar.post("/v1/events/user.registered?version=1.0", broken).status, 200, "1.0 knows no locale")
        refused = self.sidecar.post("/v1/events/user.registered", {**broken, "version": "2.0"})
        self.assertEqual((refused.status, [e["pointer"] for e in refused.json["errors"]]), (422, ["/locale"]), "the data's own version")
        unknown = self.sidecar.post("/v1/events/user.registered?version=9.0", VALID)
        self.assertEqual((unknown.status, [e["pointer"] for e in unknown.json["errors"]]), (422, ["/version"]))

    # Schemas

    def test_what_breaks_its_schema_is_refused_with_pointers(self):
        cases = {
            "user.registered": ({**VALID, "email": "nobody", "role": "king"}, {"/email", "/role"}),
            "user.logged_in": ({"userId": "u-1", "email": "a@example.com", "role": "student", "ipAddress": "here"}, {"/ipAddress"}),
            "user.updated": ({"userId": "u-1", "changes": {}}, {"/changes"}),
            "user.deleted": ({"userId": "u-1", "deletedAt": "yesterday"}, {"/deletedAt"}),
            "notification.email": ({"to": "nobody", "subject": "x", "template": "welcome", "data": {}}, {"/to"}),
            "notification.sms": ({"to": "0170", "text": "x"}, {"/to"}),
            "notification.push": ({"to": "u-1", "title": ""}, {"/title"}),
            "analytics.tracked": ({"event": "", "metadata": {}}, {"/event"}),
            "payment.received": ({"paymentId": "p", "userId": "u-1", "amount": 0, "currency": "euro"}, {"/amount", "/currency"}),
        }
        self.assertEqual(set(cases), {file.parent.name for file in (MANIFESTS / "schemas").glob("*/*/*.json")})
        for kind, (data, pointers) in cases.items():
            answer = self.sidecar.post(f"/v1/events/{kind}", data)
            self.assertEqual((answer.status, {e["pointer"] for e in answer.json.get("errors", [])}), (422, pointers), kind)

    def test_times_are_stamped_where_they_are_absent_and_kept_where_they_are_not(self):
        cases = {
            "user.registered": (VALID, "registeredAt"),
            "user.logged_in": ({"userId": "u-1", "email": "a@example.com", "role": "student"}, "loginAt"),
            "user.updated": ({"userId": "u-1", "changes": {"a": 1}}, "updatedAt"),
            "user.deleted": ({"userId": "u-2"}, "deletedAt"),
            "analytics.tracked": ({"event": "x", "userId": "u-1", "metadata": {}}, "timestamp"),
            "payment.received": ({"paymentId": "p-stamp", "userId": "u-1", "amount": 1, "currency": "EUR"}, "receivedAt"),
        }
        for kind, (data, field) in cases.items():
            for given in (None, "2020-02-02T02:02:02Z"):
                answer = self.sidecar.post(f"/v1/events/{kind}", {**data, field: given} if given else data).json
                stored = next(r for r in read_topic(self.bootstrap(), answer["topic"])
                              if (r.partition, r.offset) == (answer["partition"], answer["offset"]))
                value = json.loads(stored.value)[field]
                self.assertRegex(value, given or r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", kind)

    # The app's side

    def test_each_helper_publishes_and_answers_with_the_place_in_kafka(self):
        results, _ = self.lms.node("""
            const user = { userId: 'u-h', email: 'h@example.com', firstName: 'H', lastName: 'L', role: 'teacher' };
            const strict = { strict: true };
            const all = await Promise.all([
              events.publishUserRegistered(user, strict), events.publishUserLoggedIn({ userId: 'u-h', email: 'h@example.com', role: 'teacher' }, strict),
              events.publishUserUpdated({ userId: 'u-h', changes: { role: 'admin' } }, strict), events.publishUserDeleted({ userId: 'u-h' }, strict),
              events.publishEmailNotification({ to: 'h@example.com', subject: 'Hi', template: 'welcome', data: { name: 'H' } }, strict),
              events.publishSmsNotification({ to: '+4917011111111', text: 'hi' }, strict), events.publishPushNotification({ to: 'u-h', title: 'hi' }, strict),
              events.publishAnalyticsTracked({ event: 'x', userId: 'u-h', metadata: {} }, strict),
              events.publishPaymentReceived({ paymentId: 'p-h', userId: 'u-h', amount: 5, currency: 'EUR' }, strict),
              events.publish('audit.manual', { by: 'hand' }, strict)]);
            console.log(JSON.stringify(all));""")
        self.assertEqual([r["topic"] for r in results], ["user.events"] * 4 + ["notification.events"] * 3 + ["analytics.events", "payment.events", "audit.manual"])
        self.assertEqual({r["status"] for r in results}, {"acked"})
        self.assertEqual(json.loads(read_topic(self.bootstrap(), "audit.manual")[0].value), {"by": "hand"})

    def test_a_refused_event_neither_throws_nor_spoils_its_batch_and_says_why(self):
        (bad, good), warnings = self.lms.node("""
            const user = { userId: 'u-b', email: 'b@example.com', firstName: 'B', lastName: 'L', role: 'king' };
            console.log(JSON.stringify(await Promise.all([events.publishUserRegistered(user), events.publishUserRegistered({ ...user, role: 'student' })])));""")
        self.assertEqual((bad["status"], bad["problem"]["errors"][0]["pointer"], good["status"]), ("failed", "/role", "acked"))
        self.assertRegex(warnings, r"user\.registered \S+ was not published: .*/role")

    def test_every_subscription_reaches_a_handler(self):
        user = self.lms.register("every", phone="+4917022222222")
        self.app.request("POST", "/login", {"email": user["email"]})
        self.app.request("POST", f"/users/{user['userId']}/courses", {"courseId": "c"})
        self.app.request("POST", f"/users/{user['userId']}/payments", {"amount": 1})
        names = re.findall(r"(?m)^  - name: (\w+)", (MANIFESTS / "outrigger.yaml").read_text())
        self.assertGreaterEqual(len(names), 9)
        for name in names:
            wait_for(lambda: self.count(name, "delivered") > 0, what=name)
            self.assertEqual(self.sidecar.condition(f"Delivering/{name}")["status"], "True")
        self.assertNotIn("nobody handles", self.app.log)

    # What happens after an event

    def test_a_registration_is_logged_and_welcomed_by_a_real_mail(self):
        user = self.lms.register("maria", firstName="Máría", lastName="Ø")
        message = wait_for(lambda: self.sink.to(user["email"]), what="the mail")[0]
        self.assertEqual((message["To"], message["Subject"]), (user["email"], "Welcome!"))
        self.assertIn("Hello Máría,", message.get_content())
        self.assertIn(f"welcome, {user['userId']}", self.app.log)

    def test_a_login_is_counted_and_one_from_a_new_address_is_suspicious(self):
        user = self.lms.register("lena")
        before = self.app.get("/analytics").json
        for address in ("192.0.2.1", "192.0.2.1", "203.0.113.9"):
            self.app.request("POST", "/login", {"email": user["email"]}, {"x-forwarded-for": address})
        wait_for(lambda: self.app.get("/analytics").json["logins"] == before["logins"] + 3, what="three logins")
        self.assertEqual(self.app.get("/analytics").json["suspiciousLogins"], before["suspiciousLogins"] + 1)
        alert = wait_for(lambda: [m for m in self.sink.to(user["email"]) if m["Subject"] == "A new sign-in"], what="the alert")[0]
        self.assertIn("203.0.113.9", alert.get_content())

    def test_what_a_user_does_is_counted(self):
        user = self.lms.register("carl")
        before = self.app.get("/analytics").json["actions"].get("course_enrolled", 0)
        self.app.request("POST", f"/users/{user['userId']}/courses", {"courseId": "ielts-9"})
        wait_for(lambda: self.app.get("/analytics").json["actions"].get("course_enrolled", 0) == before + 1, what="the count")

    def test_a_profile_is_kept_in_step_with_its_copy(self):
        user = self.lms.register("cora")
        path, copy = f"/users/{user['userId']}", f"/copies/{user['userId']}"
        wait_for(lambda: self.app.get(copy).status == 200, what="the copy")
        self.app.request("PATCH", path, {"lastName": "Smith"})
        wait_for(lambda: self.app.get(copy).json.get("lastName") == "Smith", what="the change")
        self.assertEqual(self.app.get(copy).json["email"], user["email"])
        self.app.request("DELETE", path)
        wait_for(lambda: self.app.get(copy).status == 404, what="the copy to be gone")

    def test_every_action_is_a_line_of_the_audit_log(self):
        user = self.lms.register("audrey")
        self.app.request("POST", f"/users/{user['userId']}/payments", {"amount": 7})
        self.app.request("POST", f"/users/{user['userId']}/courses", {"courseId": "c"})
        wait_for(lambda: len(self.audit(user["userId"])) >= 4, what="four lines")
        self.assertEqual(sorted(self.audit(user["userId"])), ["analytics.tracked", "notification.push", "payment.received", "user.registered"])
        wait_for(lambda: self.audit(user["email"]) == ["notification.email"], what="the mail's line")
        line = next(line for line in self.app.lines("audit.log") if line.get("user") == user["userId"])
        self.assertTrue({"id", "type", "time", "topic", "partition", "offset"} <= line.keys())

    def test_a_payment_becomes_an_invoice_that_is_a_real_pdf(self):
        user = self.lms.register("paul")
        items = [{"description": "IELTS (preparation)", "amount": 40}, {"description": "Übungsbuch", "amount": 9.9}]
        payment = self.app.request("POST", f"/users/{user['userId']}/payments", {"amount": 49.9, "currency": "EUR", "items": items}).json
        answer = wait_for(lambda: (got := self.app.get(f"/invoices/{payment['paymentId']}")).status == 200 and got, what="the invoice")
        self.assertEqual(answer.headers["content-type"], "application/pdf")
        text = "\n".join(pdf_text(answer.body)[0])
        for part in (payment["paymentId"], user["userId"], "IELTS (preparation)", "40.00 EUR", "Übungsbuch", "49.90 EUR"):
            self.assertIn(part, text)

    def test_a_handler_that_gets_an_event_again_does_nothing_twice(self):
        user = self.lms.register("ida")
        wait_for(lambda: self.sink.to(user["email"]) and len(self.audit(user["userId"])) == 1, what="the first time")
        registered = self.stored("user.events", userId=user["userId"])[0]
        dead_letter = self.stored("notification.events", to=user["email"])[0]
        self.app.request("DELETE", f"/users/{user['userId']}")
        wait_for(lambda: self.app.get(f"/copies/{user['userId']}").status == 404, what="the deletion")
        self.deliver_again("user.events", registered, "welcome", "sync", "audit")
        self.deliver_again("notification.events", dead_letter, "mail", "audit")
        self.assertEqual(len(self.sink.to(user["email"])), 1)
        self.assertEqual(self.app.get(f"/copies/{user['userId']}").status, 404, "what was deleted does not come back")
        self.assertEqual(self.audit(user["userId"]), ["user.registered", "user.deleted"])

    def test_a_handler_knows_after_a_restart_of_the_app_what_it_has_done(self):
        user = self.lms.register("rosa")
        wait_for(lambda: self.sink.to(user["email"]), what="the mail")
        dead_letter = self.stored("notification.events", to=user["email"])[0]
        counted = self.app.get("/analytics").json
        self.assertEqual(self.app.stop(), 0)
        self.app.start()
        self.deliver_again("notification.events", dead_letter, "mail")
        self.assertEqual(len(self.sink.to(user["email"])), 1)
        self.assertEqual(self.app.get("/analytics").json, counted)
        self.assertEqual(self.app.request("POST", "/register", user).status, 409, "the user is still known")

    def test_a_mail_server_that_says_later_is_asked_again(self):
        refusals = iter(["451 busy", "451 still busy"])
        self.sink.refuse = lambda sender, recipient: next(refusals, None) if recipient.startswith("later") else None
        before = self.count("mail", "retried")
        user = self.lms.register("later")
        wait_for(lambda: self.sink.to(user["email"]), what="the mail")
        self.assertEqual(self.count("mail", "retried"), before + 2)

    # Dead-letter records, metrics, health

    def test_a_dead_letter_record_says_why_and_is_redriven_by_hand(self):
        self.sink.refuse = lambda sender, recipient: "550 no such box" if recipient.startswith("dora") else None
        user = self.lms.register("dora")
        fine = self.lms.register("fine")
        wait_for(lambda: self.sink.to(fine["email"]), what="a mail that is fine, so that it is not the server")
        dead_letter = wait_for(lambda: self.stored("dlq.topic", to=user["email"]), what="the dead-letter record")[0]
        story = {name[len("outrigger-error-"):]: value for name, value in dead_letter.headers.items() if name.startswith("outrigger-error-")}
        self.assertEqual((story["reason"], story["status"], story["subscription"], story["topic"], story["attempts"]),
                         ("status", "422", "mail", "notification.events", "1"))
        self.assertIn("550 no such box", story["body"])
        original = self.stored("notification.events", to=user["email"])[0]
        self.assertEqual((dead_letter.key, dead_letter.value, dead_letter.headers["ce_id"]), (original.key, original.value, original.headers["ce_id"]))

        self.sink.refuse = lambda sender, recipient: None
        dead_letter.partition = int(story["partition"])
        write_record(self.bootstrap(), story["topic"], dead_letter, {n: v for n, v in dead_letter.headers.items() if not n.startswith("outrigger-")})
        wait_for(lambda: self.sink.to(user["email"]), what="the mail of the redriven record")

    def test_an_invalid_analytics_event_is_kept_for_later(self):
        answer = self.sidecar.post("/v1/events/analytics.tracked", {"event": "", "userId": "u-dead", "metadata": {}})
        self.assertEqual(answer.status, 422)
        dead_letter = wait_for(lambda: self.stored("dlq.topic", userId="u-dead"), what="the dead-letter record")[0]
        self.assertEqual(dead_letter.headers["outrigger-error-reason"], "schema")

    def test_the_metrics_that_the_system_lists_move(self):
        def metric(name, **labels):
            return sum(v for k, v in self.sidecar.metrics().items()
                       if k.split("{")[0] == name and all(f'{label}="{value}"' in k for label, value in labels.items()))

        published = metric("outrigger_producer_events_total", topic="user.events", outcome="acked")
        timed = metric("outrigger_producer_latency_seconds_count", topic="user.events")
        failures = metric("outrigger_producer_failures_total", topic="user.events", reason="invalid")
        consumed = self.count("welcome", "delivered")
        refused = metric("outrigger_consumer_failures_total", subscription="mail", reason="status_5xx")
        self.sink.refuse = lambda sender, recipient, once=iter(["451 later"]): next(once, None)
        user = self.lms.register("mia")
        self.sidecar.post("/v1/events/user.registered", {})
        wait_for(lambda: self.sink.to(user["email"]), what="the mail")
        self.assertEqual(metric("outrigger_producer_events_total", topic="user.events", outcome="acked"), published + 1)
        self.assertEqual(metric("outrigger_producer_latency_seconds_count", topic="user.events"), timed + 1)
        self.assertEqual(metric("outrigger_producer_failures_total", topic="user.events", reason="invalid"), failures + 1)
        wait_for(lambda: self.count("welcome", "delivered") == consumed + 1, what="the count of deliveries")
        self.assertEqual(metric("outrigger_consumer_failures_total", subscription="mail", reason="status_5xx"), refused + 1)
        groups = set(re.findall(r'outrigger_consumer_lag\{group="([^"]+)"', self.sidecar.ops("/metrics").body.decode()))
        self.assertIn("ielts-lms-group.welcome", groups)
        wait_for(lambda: metric("outrigger_consumer_lag") == 0, what="no lag")

    def test_health_of_kafka_is_told_on_both_ports(self):
        expected = {"kafka": {"enabled": True, "connected": True}}
        self.assertEqual((self.sidecar.request("GET", "/health/kafka").json, self.sidecar.ops("/health/kafka").json), (expected, expected))


class OnTheEmbeddedBroker(Features, unittest.TestCase):
    @staticmethod
    def brokers():
        return "embedded"

    def bootstrap(self):
        return self.sidecar.bootstrap


class OnARealKafka(Features, KafkaCase):
    @classmethod
    def brokers(cls):
        return cls.kafka.bootstrap

    def bootstrap(self):
        return self.kafka.bootstrap


if __name__ == "__main__":
    unittest.main()
