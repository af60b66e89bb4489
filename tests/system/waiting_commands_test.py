"""Commands that wait for somebody: publish for lines and for the sidecar, others for a pipe or a Kafka; and Ctrl-C."""
import json
import os
import signal
import subprocess
import tempfile
import unittest

from case import KafkaCase, Sidecar, outrigger, read_topic


class Signals(unittest.TestCase):
    """Ctrl-C and SIGTERM end a command that only waits, and a start that has nothing to drain yet."""

    def command(self, *arguments):
        process = subprocess.Popen([Sidecar(text="").binary, *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_publish_that_waits_for_lines_ends_by_ctrl_c(self):
        process = self.command("publish", "a.b")
        process.stdin.write(b" " * 200_000)  # more than a pipe holds: some of it has been read
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(5), -signal.SIGINT)

    def test_check_and_run_that_wait_for_a_pipe_end_by_ctrl_c_and_sigterm(self):
        with tempfile.TemporaryDirectory() as folder:
            for command, how in ((["check"], signal.SIGINT), (["check"], signal.SIGTERM),
                                 (["run", "--config"], signal.SIGINT), (["run", "--config"], signal.SIGTERM)):
                with self.subTest(command=command, how=how):
                    fifo = f"{folder}/{command[0]}{how}"
                    os.mkfifo(fifo)
                    process = self.command(*command, fifo)
                    writer = os.open(fifo, os.O_WRONLY)  # returns when the command reads
                    process.send_signal(how)
                    self.assertIn(process.wait(5), (-how, 128 + how))
                    os.close(writer)

    def test_sigterm_ends_a_start_that_waits_for_kafka(self):
        sidecar = Sidecar(env={"KAFKA_BROKERS": "127.0.0.1:1", "REQUIRE_KAFKA": "true"})
        self.addCleanup(sidecar.close)
        sidecar.start(wait=False)
        sidecar.wait_for(lambda: "Kafka can't be reached" in sidecar.log, what="the wait for Kafka")
        self.assertEqual(sidecar.stop(timeout=2), 0, sidecar.log)
        self.assertNotIn("kafka.required", sidecar.log)


class Publish(KafkaCase):
    def test_publish_one_event_and_a_stream_of_lines(self):
        sidecar = self.sidecar()
        url = f"http://127.0.0.1:{sidecar.port}"
        run = outrigger("publish", "user.made", '{"userId":"u"}', "--key", "k", "--url", url)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("acked", run.stdout)
        run = outrigger("publish", "line.made", "-", "--url", url, stdin="".join(f'{{"n":{n}}}\n' for n in range(1000)))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("1000", run.stdout + run.stderr)
        self.assertEqual(len(read_topic(self.kafka.bootstrap, "line.events")), 1000)
        self.assertEqual(read_topic(self.kafka.bootstrap, "user.events")[0].key, "k")
        self.assertEqual(outrigger("publish", "user.made", '{"userId":', "--url", url).returncode, 1)

    def test_a_line_that_is_not_one_json_value_is_named_and_the_others_go_on(self):
        url = f"http://127.0.0.1:{self.sidecar().port}"
        lines = '{"n":1}\n1,"key":"zz"\n\n{"n":2}\n{"n":\n'
        run = outrigger("publish", "odd.made", "--key", "k", "--url", url, stdin=lines)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(json.loads(run.stdout), {"accepted": 2, "failed": 2, "line": 5})
        self.assertRegex(run.stderr, r"(?s)line 2: .*line 5: ")
        records = read_topic(self.kafka.bootstrap, "odd.events")
        self.assertEqual([(r.key, json.loads(r.value)) for r in records], [("k", {"n": 1}), ("k", {"n": 2})])
        run = outrigger("publish", "odd.made", "-o", "json", "--url", url, stdin=lines)
        self.assertEqual([failure["line"] for failure in json.loads(run.stdout)["failures"]], [2, 5])

    def test_lines_go_as_they_come_and_a_terminal_shows_how_many(self):
        sidecar = self.sidecar()
        terminal, theirs = os.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen([sidecar.binary, "publish", "slow.made", "--url", f"http://127.0.0.1:{sidecar.port}"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, bufsize=0)
        os.close(theirs)
        self.addCleanup(process.kill)
        acked = 'outrigger_producer_events_total{outcome="acked",topic="{type.first}.events"}'
        for n in (1, 2):
            process.stdin.write(b'{"n":1}\n')
            sidecar.wait_for(lambda: sidecar.metrics().get(acked) == n, what=f"line {n} while more may come")
        shown = b""
        while b"2 accepted, 0 failed" not in shown:
            shown += os.read(terminal, 4096)
        out, _ = process.communicate(timeout=10)
        self.assertEqual((process.returncode, json.loads(out)), (0, {"accepted": 2, "failed": 0, "line": 2}))

    def test_a_type_is_no_way_into_the_url(self):
        sidecar = self.sidecar()
        run = outrigger("publish", "sly.made?key=z", "{}", "--url", f"http://127.0.0.1:{sidecar.port}")
        self.assertEqual(run.returncode, 0, run.stderr)
        record = read_topic(self.kafka.bootstrap, "sly.events")[0]
        self.assertEqual((record.key, dict(record.headers)["ce_type"]), (None, "sly.made?key=z"))

    def test_publish_without_a_sidecar_says_so(self):
        run = outrigger("publish", "a.b", "{}", "--url", "http://127.0.0.1:1")
        self.assertEqual(run.returncode, 1)
        self.assertIn("127.0.0.1:1", run.stderr + run.stdout)


if __name__ == "__main__":
    unittest.main()
