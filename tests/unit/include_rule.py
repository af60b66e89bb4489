"""The include rule of src/README.md: a room includes what it declares and declares what it includes, third parties too.

Run by ctest: include_rule.py SOURCE_DIR BUILD_DIR. What rooms declare is in src/CMakeLists.txt; the build writes it to
include_rule.json, and takes its own flags from it, with which a wrong include does not compile.
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
RULE = json.loads((BUILD / "include_rule.json").read_text())
ROOMS, THIRDS = RULE["rooms"], RULE["thirds"]

# What must not compile: a file of the left room that includes a header of the right one.
FORBIDDEN = [
    ("http", "event/event.h"),
    ("kafka", "http/server.h"),
    ("event", "kafka/producer.h"),
    ("base", "config/config.h"),
    ("ops", "publish/publisher.h"),
    ("ops", "kafka/producer.h"),
    ("publish", "app/sidecar.h"),
    ("deliver", "publish/publisher.h"),
    ("app", "outbound/sidecar_client.h"),  # cli uses it, and its headers do not show it
]
SYSTEM = re.compile(r"[a-z_0-9]+(\.h)?$|(sys|netinet|arpa|linux)/[a-z_]+\.h$")


def includes(path):
    for line in path.read_text().splitlines():
        found = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if found:
            yield found.group(1)


def owner(name):
    """The room or third party whose header `name` is; None: the language's or the system's."""
    if name.split("/")[0] in ROOMS:
        return name.split("/")[0]
    for third, headers in THIRDS.items():
        if any(name.startswith(header) for header in headers):
            return third
    assert SYSTEM.match(name), f"{name} is of a third party that .cmake/packages.cmake does not list"
    return None


def used(room, suffix):
    """Which rooms and third parties the files of `room` with that suffix include."""
    owners = {owner(name) for path in (SOURCE / "src" / room).glob("*" + suffix) for name in includes(path)}
    return owners - {None, room}


def tables():
    """The rows of the tables in src/README.md, by the name in their first cell."""
    for line in (SOURCE / "src/README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found = re.match(r"\[?`([a-z0-9]+)`", cells[0])
        if line.startswith("|") and found:
            yield found.group(1), cells


def names(cell):
    return set(re.findall(r"[a-z0-9]+", cell))


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
    def test_every_folder_of_src_is_a_room(self):
        self.assertEqual({path.name for path in (SOURCE / "src").iterdir() if path.is_dir()}, set(ROOMS))

    def test_no_include_climbs_out_of_its_folder(self):
        for path in SOURCE.glob("src/*/*.[hc]*"):
            for name in includes(path):
                self.assertFalse(name.startswith("../"), f"{path} includes {name}")

    def test_a_room_declares_public_what_its_headers_include_and_no_more(self):
        for room, declared in ROOMS.items():
            self.assertEqual(set(declared["public"]), used(room, ".h"), room)

    def test_a_room_declares_private_what_only_its_sources_include_and_no_more(self):
        for room, declared in ROOMS.items():
            self.assertEqual(set(declared["private"]), used(room, ".cc") - used(room, ".h"), room)

    def test_no_room_uses_itself_by_way_of_others(self):
        def reached(room, way=()):
            self.assertNotIn(room, way)
            for other in ROOMS[room]["public"] + ROOMS[room]["private"]:
                if other in ROOMS:
                    reached(other, (*way, room))
        for room in ROOMS:
            reached(room)

    def test_the_readme_tells_what_each_room_may_use(self):
        told = {name: cells[2] for name, cells in tables() if name in ROOMS and len(cells) == 3}
        for room, declared in ROOMS.items():
            uses = {name for scope in declared.values() for name in scope if name in ROOMS}
            self.assertEqual(names(told[room]) - {"nothing", "of", "ours"}, uses, room)

    def test_the_readme_tells_the_homes_of_each_third_party(self):
        told = {name: cells[2] for name, cells in tables() if "third_" + name in THIRDS}
        for third in THIRDS:
            homes = {room for room, declared in ROOMS.items() if third in declared["public"] + declared["private"]}
            self.assertEqual(names(told[third.removeprefix("third_")]), homes, third)

    def test_a_room_compiles_with_its_own_headers(self):
        self.assertTrue(compiles("publish", "publish/publisher.h"))
        self.assertTrue(compiles("kafka", "event/event.h"))

    def test_a_wrong_include_does_not_compile(self):
        for room, header in FORBIDDEN:
            self.assertTrue((SOURCE / "src" / header).exists(), header)
            self.assertFalse(compiles(room, header), f"{room} can include {header}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
