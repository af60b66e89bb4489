"""The include rule of src/README.md: rooms use only the rooms they may, third parties have one home.

Run by ctest: include_rule.py SOURCE_DIR BUILD_DIR. The compile half takes the rooms' real flags from
compile_commands.json, so it breaks when the build stops enforcing the rule.
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2])

HOMES = {
    r"boost/beast": {"http"},
    r"boost/asio": {"base", "http"},
    r"librdkafka/": {"kafka"},
    r"yaml-cpp/": {"config"},
    r"prometheus/": {"telemetry"},
    r"spdlog/": {"telemetry"},
    r"simdjson": {"event"},
    r"re2/": {"event"},
    r"nlohmann/": {"config", "cli", "outbound"},
    r"cpprest/": {"outbound"},
    r"CLI/": {"cli"},
}

# What must not compile: a file of the left room that includes a header of the right one.
FORBIDDEN = [
    ("http", "event/event.h"),
    ("kafka", "http/server.h"),
    ("event", "kafka/producer.h"),
    ("base", "config/config.h"),
    ("ops", "publish/publisher.h"),
    ("publish", "app/sidecar.h"),
    ("deliver", "publish/publisher.h"),
]


def includes(path):
    for line in path.read_text().splitlines():
        found = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if found:
            yield found.group(1)


def room_command(room):
    """The compiler call of any source of `room`, without its input and output."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        if f"/src/{room}/" in entry["file"]:
            words = shlex.split(entry["command"])
            drop = {words.index("-o"), words.index("-o") + 1, words.index("-c"), words.index("-c") + 1}
            return [w for i, w in enumerate(words) if i not in drop]
    raise AssertionError(f"no source of room {room} in compile_commands.json")


def compiles(room, header):
    run = subprocess.run(room_command(room) + ["-fsyntax-only", "-x", "c++", "-"],
                         input=f'#include "{header}"\n', text=True, capture_output=True, cwd=BUILD)
    return run.returncode == 0


class IncludeRule(unittest.TestCase):
    def test_no_include_climbs_out_of_its_folder(self):
        for path in SOURCE.glob("src/*/*.[hc]*"):
            for name in includes(path):
                self.assertFalse(name.startswith("../"), f"{path} includes {name}")

    def test_every_third_party_stays_in_its_home(self):
        for path in SOURCE.glob("src/*/*.[hc]*"):
            for name in includes(path):
                for third, homes in HOMES.items():
                    if re.match(third, name):
                        self.assertIn(path.parent.name, homes, f"{path} includes {name}")

    def test_a_room_compiles_with_its_own_headers(self):
        self.assertTrue(compiles("publish", "publish/publisher.h"))
        self.assertTrue(compiles("kafka", "event/event.h"))

    def test_a_wrong_include_does_not_compile(self):
        for room, header in FORBIDDEN:
            self.assertTrue((SOURCE / "src" / header).exists(), header)
            self.assertFalse(compiles(room, header), f"{room} can include {header}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
