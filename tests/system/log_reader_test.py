"""The log's reader stops, as a stuck log shipper does: events go on, memory does not grow, and what was dropped is counted."""
import os
import signal
import subprocess
import threading
import time
import unittest
from pathlib import Path

from case import HEAD, Sidecar
from app import App
from publishers import Publishers

SECONDS = float(os.environ.get("OUTRIGGER_LOG_STOPPED", "5"))  # 60 in the long run


class LogReader(unittest.TestCase):
    def test_a_reader_that_stops_holds_nothing_up_and_what_it_misses_is_counted(self):
        app = App().start()
        self.addCleanup(app.stop)
        sidecar = Sidecar(env={"KAFKA_BROKERS": "embedded"}, text=HEAD + "subscriptions:\n"
                          f"  - {{name: s, topics: [load.events], deliver: {{url: '{app.url}'}}}}\n")
        self.addCleanup(sidecar.close)
        pipe, read = sidecar.folder / "pipe", Path(sidecar.folder, "read")
        os.mkfifo(pipe)
        with open(read, "wb") as out:
            reader = subprocess.Popen(["cat", pipe], stdout=out)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        sidecar.start(under=("sh", "-c", f'exec "$@" 2>{pipe}', "sh"))
        load = Publishers(sidecar, threads=4, keys=50).start()
        self.addCleanup(load.stop)
        sidecar.wait_for(lambda: app.count() > 500, 30, "the first deliveries")
        stop = threading.Event()

        def reload():
            while not stop.wait(0.005):
                sidecar.process.send_signal(signal.SIGHUP)  # a line each
        reloading = threading.Thread(target=reload)
        reloading.start()
        self.addCleanup(reloading.join)
        self.addCleanup(stop.set)
        reader.send_signal(signal.SIGSTOP)
        sidecar.wait_for(lambda: sidecar.metrics()["outrigger_log_lines_dropped_total"] > 0, 60, "lines to be dropped")
        published, delivered, memory = load.count(), app.count(), sidecar.memory()[0]
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            before = load.count(), app.count()
            sidecar.wait_for(lambda: load.count() > before[0] + 50 and app.count() > before[1] + 50, 5, "events to go on")
        grown = sidecar.memory()[0] - memory
        stop.set()
        reader.send_signal(signal.SIGCONT)
        sidecar.wait_for(lambda: read.read_text().count("the new config is applied") > 300, 20, "what waited to be read")
        load.stop()
        self.assertEqual(set(load.answers), {200})
        print(f"{load.count() - published} published, {app.count() - delivered} delivered, {grown / 1e6:+.1f} MB", end=" ")
        self.assertLess(grown, 8 << 20)
        self.assertEqual(sidecar.stop(), 0)


if __name__ == "__main__":
    unittest.main()
