"""Where a group begins, and where it goes on when Kafka no longer has what was next."""
import json
import signal
import threading
import time
import unittest

from case import KafkaCase, Sidecar  # first: it says where the support modules are
from app import App

SUBSCRIPTION = """
kafka:
  groupId: {group}
  consumer: {{properties: {{topic.metadata.refresh.interval.ms: 500, session.timeout.ms: 3000, heartbeat.interval.ms: 500{properties}}}}}
subscriptions:
  - name: test
    topics: ['{topics}']
    startFrom: {start}
    deliver: {{url: "{url}", timeout: 60s, concurrency: {concurrency}}}
    retry: {{attempts: 50, backoff: {{initial: 20ms, max: 100ms}}}}
"""


class PositionsCase(KafkaCase):
    def setUp(self):
        self.topic = self.id().rsplit(".", 1)[-1].replace("test_", "")[:60]
        self.group = f"{self.topic}.test"
        self.app = App()
        self.addCleanup(self.app.stop)

    def subscribe(self, topics=None, start="earliest", concurrency=64, properties=None, assigned=True, **options):
        if not self.app.port:
            self.app.start()
        more = "".join(f", {name}: '{value}'" for name, value in (properties or {}).items())
        sidecar = self.sidecar(SUBSCRIPTION.format(group=self.topic, topics=topics or self.topic, start=start, url=self.app.url,
                                                   concurrency=concurrency, properties=more), **options)
        if assigned:
            sidecar.wait_for(lambda: self.reason(sidecar) == "Delivering", 20, "the assignment")
        return sidecar

    def reason(self, sidecar):
        return sidecar.condition("Delivering/test")["reason"]

    def connected(self, sidecar):
        return "Connecting: " not in sidecar.condition("Delivering/test")["message"]

    def write(self, numbers, topic=None, partition=0):
        self.kafka.write(topic or self.topic, [json.dumps({"n": n}) for n in numbers], partition)

    def delivered(self, topic=None):
        """The numbers that were answered, in order, of one topic or of all."""
        return [call.json["n"] for call in list(self.app.calls)
                if call.done and call.done < 300 and topic in (None, call.headers["outrigger-topic"])]

    def wait_for_numbers(self, sidecar, numbers, timeout=30, topic=None):
        wanted = set(numbers)
        try:
            sidecar.wait_for(lambda: wanted <= set(self.delivered(topic)), timeout)
        except TimeoutError:
            missing = sorted(wanted - set(self.delivered(topic)))
            self.fail(f"{len(missing)} of {len(wanted)} were not delivered, among them {missing[:10]}\n{sidecar.log[-3000:]}")

    def total(self, sidecar, name, **labels):
        return sum(value for series, value in sidecar.metrics().items()
                   if series.startswith(name + "{") and all(f'{k}="{v}"' in series for k, v in labels.items()))

    def lost(self, sidecar, **labels):
        return self.total(sidecar, "outrigger_consumer_records_lost_total", subscription="test", **labels)


class WhereAGroupBegins(PositionsCase):
    def test_latest_is_committed_before_the_first_record_and_lasts_over_a_kill(self):
        self.kafka.create_topic(self.topic, 2)
        for partition in (0, 1):
            self.write(range(50), partition=partition)
        sidecar = self.subscribe(start="latest")
        self.assertEqual(self.kafka.committed(self.group), {(self.topic, 0): 50, (self.topic, 1): 50})
        sidecar.stop(signal.SIGKILL)
        self.write(range(100, 120))
        sidecar.start()
        self.wait_for_numbers(sidecar, range(100, 120))
        self.assertEqual(min(self.delivered()), 100)

    def test_added_partitions_are_read_from_their_beginning(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(50))
        sidecar = self.subscribe(start="latest")
        self.kafka.grow_topic(self.topic, 4)
        for partition in range(1, 4):
            self.write(range(1000 * partition, 1000 * partition + 100), partition=partition)
        self.wait_for_numbers(sidecar, [n for p in range(1, 4) for n in range(1000 * p, 1000 * p + 100)])
        self.assertEqual(min(self.delivered()), 1000)

    def test_partitions_that_were_added_while_it_was_stopped_are_too(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(50))
        sidecar = self.subscribe(start="latest")
        self.assertEqual(sidecar.stop(), 0)
        self.kafka.grow_topic(self.topic, 2)
        self.write(range(1000, 1100), partition=1)
        sidecar.start()
        self.wait_for_numbers(sidecar, range(1000, 1100))
        self.assertEqual(min(self.delivered()), 1000)

    def test_a_topic_of_a_regex_that_is_created_later_is_read_from_its_beginning(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(50))
        sidecar = self.subscribe(f"^{self.topic}", start="latest")
        self.kafka.create_topic(self.topic + ".b", 2)
        for partition in (0, 1):
            self.write(range(1000 * partition, 1000 * partition + 100), self.topic + ".b", partition)
        self.wait_for_numbers(sidecar, [*range(100), *range(1000, 1100)], topic=self.topic + ".b")
        self.assertEqual(self.delivered(self.topic), [])

    def test_the_first_topic_that_is_created_after_the_start_is_read_from_its_beginning(self):
        sidecar = self.subscribe(f"^{self.topic}", start="latest", assigned=False)
        sidecar.wait_for(lambda: sidecar.condition("KafkaConnected")["status"] == "True")
        # Its consumer, too, has looked round.
        sidecar.wait_for(lambda: self.reason(sidecar) != "Connecting")
        self.kafka.create_topic(self.topic, 1)
        self.write(range(100))
        self.wait_for_numbers(sidecar, range(100))

    def test_two_members_that_start_together_skip_what_was_there_and_nothing_else(self):
        self.kafka.create_topic(self.topic, 6)
        for partition in range(6):
            self.write(range(50), partition=partition)
        first = self.subscribe(start="latest", assigned=False)
        second = self.subscribe(start="latest", assigned=False)
        for sidecar in (first, second):
            sidecar.wait_for(lambda: self.reason(sidecar) == "Delivering", 30)
        self.assertEqual(set(self.kafka.committed(self.group).values()), {50})
        for partition in range(6):
            self.write(range(1000 * (partition + 1), 1000 * (partition + 1) + 20), partition=partition)
        self.wait_for_numbers(first, [n for p in range(1, 7) for n in range(1000 * p, 1000 * p + 20)])
        self.assertEqual(min(self.delivered()), 1000)

    def test_a_time_is_where_a_new_group_begins_and_an_added_partition_from_its_beginning(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(50))
        sidecar = self.subscribe(start="2100-01-01T00:00:00Z")
        self.kafka.grow_topic(self.topic, 2)
        self.write(range(1000, 1100), partition=1)
        self.wait_for_numbers(sidecar, range(1000, 1100))
        self.assertEqual(min(self.delivered()), 1000)

    def test_a_misspelt_topic_is_never_created(self):
        sidecar = self.subscribe(f"{self.topic}-misspelt", assigned=False)
        sidecar.wait_for(lambda: self.reason(sidecar) == "TopicMissing", 20)
        self.kafka.stop()  # it looks for brokers, and asks more
        sidecar.wait_for(lambda: not self.connected(sidecar), 20)
        self.kafka.start()
        sidecar.wait_for(lambda: self.connected(sidecar), 60)
        end = time.monotonic() + 5
        sidecar.wait_for(lambda: self.reason(sidecar) != "TopicMissing" or time.monotonic() > end)
        self.assertEqual(self.reason(sidecar), "TopicMissing")
        self.assertNotIn("misspelt", self.kafka.topics())


class CreatedAgain(PositionsCase):
    def again(self, partitions=1):
        self.kafka.delete_topic(self.topic)
        Sidecar.wait_for(lambda: self.topic not in self.kafka.topics(), 20, "the topic to be gone")
        self.kafka.create_topic(self.topic, partitions)

    def test_refilled_beyond_where_we_were_nothing_of_it_is_skipped(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(60))
        sidecar = self.subscribe(start="latest")
        self.write(range(60, 140))
        self.wait_for_numbers(sidecar, range(60, 140))
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 0)
        self.again()
        self.write(range(1000, 1200))
        self.wait_for_numbers(sidecar, range(1000, 1200), 60)

    def test_recreated_while_it_was_stopped_it_is_read_from_its_beginning(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(100))
        sidecar = self.subscribe()
        self.wait_for_numbers(sidecar, range(100))
        self.assertEqual(sidecar.stop(), 0)
        self.again()
        self.write(range(1000, 1200))
        sidecar.start()
        self.wait_for_numbers(sidecar, range(1000, 1200), 60)

    def test_shorter_than_before_it_is_read_from_its_beginning(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(100))
        sidecar = self.subscribe(start="latest")
        self.write(range(100, 150))
        self.wait_for_numbers(sidecar, range(100, 150))
        self.again()
        self.write(range(1000, 1020))
        self.wait_for_numbers(sidecar, range(1000, 1020), 60)

    def test_made_again_at_once_what_is_in_memory_is_delivered_and_no_call_is_cut(self):
        self.memory_lasts(self.again)

    def test_gone_for_a_while_what_is_in_memory_is_delivered_and_no_call_is_cut(self):
        def again():
            self.kafka.delete_topic(self.topic)
            end = time.monotonic() + 7  # beyond rebalance.drain, too
            Sidecar.wait_for(lambda: time.monotonic() > end)
            self.kafka.create_topic(self.topic, 1)
        self.memory_lasts(again)

    def memory_lasts(self, again):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.kafka.create_topic(self.topic, 1)
        sidecar = self.subscribe(concurrency=4)
        self.app.answer = lambda call: gate.wait(60) and 200
        self.write(range(8))  # four of them wait in memory
        sidecar.wait_for(lambda: self.app.count() == 4)
        again()
        self.write(range(1000, 1010))
        sidecar.wait_for(lambda: "the topic was deleted" in sidecar.log, 60, "the line")
        end = time.monotonic() + 7  # beyond rebalance.drain
        sidecar.wait_for(lambda: time.monotonic() > end)
        gate.set()
        self.wait_for_numbers(sidecar, [*range(8), *range(1000, 1010)], 60)
        self.assertEqual(sorted(n for n in self.delivered() if n < 8), list(range(8)), "each once")


class DeletedBeforeItWasRead(PositionsCase):
    def test_what_is_in_memory_is_delivered_and_the_rest_is_counted(self):
        self.kafka.create_topic(self.topic, 1)
        gate = threading.Event()
        sidecar = self.subscribe()
        self.app.answer = lambda call: None if not gate.is_set() else 200
        self.write(range(50))
        sidecar.wait_for(lambda: self.app.count() > 0)
        self.app.stop()
        sidecar.wait_for(lambda: self.reason(sidecar) == "AppDown")
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 50)
        self.write(range(50, 350))
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 350)
        self.kafka.delete_records(self.topic, 250)
        gate.set()
        self.app.start()
        self.wait_for_numbers(sidecar, [*range(50), *range(250, 350)], 60)
        self.assertEqual(sorted(self.delivered()), [*range(50), *range(250, 350)], "each once")
        self.assertEqual(self.lost(sidecar, topic=self.topic, reason="deleted"), 200)
        condition = sidecar.condition("RecordsLost/test")
        self.assertEqual((condition["status"], condition["reason"]), ("True", "Deleted"))
        for part in (f"{self.topic}/0", " 50 to 249 "):
            self.assertIn(part, condition["message"])
        line = next(line for line in sidecar.log_lines() if line.get("lost") == "200")
        self.assertEqual((line["topic"], line["partition"], line["from"], line["to"]), (self.topic, "0", "50", "250"))
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 0)
        sidecar.wait_for(lambda: self.kafka.committed(self.group) == {(self.topic, 0): 350}, 20)

    def test_deleted_while_it_was_stopped_it_is_counted_from_the_commit_on(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(100))
        sidecar = self.subscribe()
        self.wait_for_numbers(sidecar, range(100))
        self.assertEqual(sidecar.stop(), 0)
        self.write(range(100, 300))
        self.kafka.delete_records(self.topic, 220)
        sidecar.start()
        self.wait_for_numbers(sidecar, range(220, 300), 60)
        self.assertEqual(self.lost(sidecar), 120)

    def test_all_that_there_was_deleted_leaves_no_lag(self):
        self.kafka.create_topic(self.topic, 1)
        self.write(range(100))
        sidecar = self.subscribe()
        self.wait_for_numbers(sidecar, range(100))
        self.assertEqual(sidecar.stop(), 0)
        self.write(range(100, 300))
        self.kafka.delete_records(self.topic, 300)
        sidecar.start()
        sidecar.wait_for(lambda: self.lost(sidecar) == 200, 30)
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 0)
        sidecar.wait_for(lambda: self.kafka.committed(self.group) == {(self.topic, 0): 300}, 20)


class Transactions(PositionsCase):
    def settles(self, sidecar, end):
        sidecar.wait_for(lambda: self.total(sidecar, "outrigger_consumer_lag") == 0
                         and self.total(sidecar, "outrigger_consumer_lag_seconds") == 0, 15, "no lag")
        sidecar.wait_for(lambda: self.kafka.committed(self.group) == {(self.topic, 0): end}, 20, f"a commit of {end}")

    def test_markers_and_aborted_records_are_neither_lag_nor_left_behind(self):
        self.kafka.create_topic(self.topic, 1)
        sidecar = self.subscribe()
        # Records 3, marker 1; aborted 20, marker 1.
        for steps, end, numbers in (["commit:3"], 4, range(3)), (["abort:20"], 25, []), (["plain:2", "abort:5", "commit:1"], 35, [0, 1, 7]):
            before = len(self.delivered())
            self.kafka.write_transactions(self.topic, *steps)
            sidecar.wait_for(lambda: len(self.delivered()) == before + len(numbers))
            self.assertEqual(sorted(self.delivered()[before:]), sorted(numbers))
            self.settles(sidecar, end)
        self.assertEqual(sidecar.stop(), 0)
        count = self.app.count()
        sidecar.start()
        self.settles(sidecar, 35)
        self.assertEqual(self.app.count(), count, "nothing again")

    def test_a_topic_of_aborted_records_alone_is_read_to_its_end(self):
        self.kafka.create_topic(self.topic, 1)
        self.kafka.write_transactions(self.topic, "abort:10", "abort:12")
        sidecar = self.subscribe()
        self.settles(sidecar, 24)
        self.assertEqual(self.app.count(), 0)

    def test_records_of_an_open_transaction_are_no_lag_until_it_ends(self):
        self.kafka.create_topic(self.topic, 1)
        sidecar = self.subscribe()
        self.kafka.write_transactions(self.topic, "commit:2", "open:5")
        sidecar.wait_for(lambda: len(self.delivered()) == 2)
        self.settles(sidecar, 3)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            self.assertEqual(self.total(sidecar, "outrigger_consumer_lag"), 0)
        # The writer that comes next ends it: 5 records and a marker were aborted.
        self.kafka.write_transactions(self.topic, "commit:1")
        sidecar.wait_for(lambda: len(self.delivered()) == 3)
        self.settles(sidecar, 11)

    def test_an_event_that_is_not_settled_holds_the_commit_however_many_markers_follow(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.kafka.create_topic(self.topic, 1)
        sidecar = self.subscribe()
        self.app.answer = lambda call: (gate.wait(60) if call.json["n"] == 1 else True) and 200
        self.kafka.write_transactions(self.topic, "commit:3", "abort:4", "commit:1")
        sidecar.wait_for(lambda: len(self.delivered()) == 3)
        sidecar.wait_for(lambda: self.kafka.committed(self.group) == {(self.topic, 0): 1}, 20)
        sidecar.stop(signal.SIGKILL)
        gate.set()
        sidecar.start()
        sidecar.wait_for(lambda: 1 in self.delivered())
        self.settles(sidecar, 11)
        self.assertEqual(sorted(n for n in self.delivered() if n != 1), [0, 2, 7], "what settled above it came once")


class StaticClash(PositionsCase):
    def test_of_two_members_with_one_id_one_waits_and_says_so_until_the_other_is_gone(self):
        self.kafka.create_topic(self.topic, 2)
        clash = {"group.instance.id": "shop-1"}
        first = self.subscribe(properties=clash)
        second = self.subscribe(properties=clash)
        first.wait_for(lambda: self.reason(first) == "Fenced", 20, "the first to be fenced")
        condition = first.condition("Delivering/test")
        self.assertEqual(condition["status"], "False")
        self.assertIn('"shop-1"', condition["message"])
        end = time.monotonic() + 8
        numbers = 0
        while time.monotonic() < end:
            self.write(range(numbers, numbers + 2), partition=numbers // 2 % 2)
            numbers += 2
            self.assertEqual((self.reason(first), self.reason(second)), ("Fenced", "Delivering"))
        self.wait_for_numbers(second, range(numbers))
        self.assertEqual(sorted(self.delivered()), list(range(numbers)), "each once")
        second.stop(signal.SIGKILL)
        first.wait_for(lambda: self.reason(first) == "Delivering", 90, "the first to be back")
        self.write(range(5000, 5010))
        self.wait_for_numbers(first, range(5000, 5010))


if __name__ == "__main__":
    unittest.main()
