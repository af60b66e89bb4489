"""`./dev demo`: the e-learning platform of manifests/lms on a running Outrigger, and the way of each of its events.

Every step says what it expects; with --once the program ends by itself, 0 when all was as expected, else 1.
"""
import argparse
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / ".dev/demo"), str(ROOT / "tests/support")]
from kafka import Kafka  # noqa: E402
from scenes import Scenes  # noqa: E402
from school import School  # noqa: E402
from screen import Screen, paint  # noqa: E402


def stay(school, bootstrap):
    print(f"""
Still running; every event is shown on its way. Try:
  curl -i http://127.0.0.1:{school.app.port}/register -d '{{"email":"zoe@example.com","firstName":"Zoe","lastName":"Lee"}}'
  curl -i http://127.0.0.1:{school.app.port}/login -d '{{"email":"zoe@example.com"}}'
  curl http://127.0.0.1:{school.app.port}/analytics
  curl -i http://127.0.0.1:{school.sidecar.port}/v1/events -H 'Content-Type: application/json' \\
    -d '{{"type":"user.deleted","data":{{"userId":"u-1"}}}}'
  curl http://127.0.0.1:{school.sidecar.ops_port}/status
  kcat -b {bootstrap} -C -t user.events -e
The app's files (audit log, invoices, copies) are in {school.app.folder}. Ctrl-C ends all of it.""", flush=True)
    signal.pause()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo")
    parser.add_argument("--kafka", action="store_true", help="a real Kafka instead of the embedded broker")
    parser.add_argument("--once", action="store_true", help="end by itself: 0 when all was as expected, else 1")
    parser.add_argument("--binary", default=str(ROOT / "build/release/outrigger"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    screen, kafka, school = Screen(), None, None
    try:
        if arguments.kafka:
            print("starting a real Kafka …", flush=True)
            kafka = Kafka().format().start()
        school = School(screen, kafka.bootstrap if kafka else "embedded", arguments.binary)
        school.start()
        print(f"Outrigger listens on http://127.0.0.1:{school.sidecar.port} with the rules of manifests/lms, on "
              + ("a real Kafka" if kafka else "its embedded broker (which takes half a second for each step of delivery)")
              + f"; the app on http://127.0.0.1:{school.app.port}")
        began = time.monotonic()
        scenes = Scenes(screen, school, kafka)
        scenes.run()
        if screen.wrong:
            print("\n" + paint("31", f"{len(screen.wrong)} things were not as expected:"), *screen.wrong, sep="\n  ")
            print(f"The logs are {school.sidecar.log_path} and {school.app.log_path}")
        else:
            print("\n" + paint("32", "All was as expected.") + f" {screen.right} checks in {time.monotonic() - began:.0f} s.")
        if not arguments.once:
            stay(school, scenes.bootstrap)
        return 1 if screen.wrong else 0
    except KeyboardInterrupt:
        print("\nending")
        return 0
    finally:
        screen.muted = True
        if school:
            school.close()
        if kafka:
            kafka.close()


if __name__ == "__main__":
    sys.exit(main())
