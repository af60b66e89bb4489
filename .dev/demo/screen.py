"""What the demo prints: titles, the way of each event with its time, and whether each thing was as expected."""
import os
import re
import sys
import threading
import time

COLOURS = sys.stdout.isatty() or os.environ.get("FORCE_COLOR")
KINDS = {"request": "36", "published": "34", "refused": "31", "delivered": "35", "not taken": "33", "effect": "32"}


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def name(kind, identity):
    """An event by its type and the end of its id."""
    return f"{kind} " + paint("2", re.sub(r"\b[0-9a-f-]{28}([0-9a-f]{8})\b", r"\1", identity))


def short(text, size=160):
    return text if len(text) <= size else text[:size] + "…"


class Screen:
    """Lines come from several threads; each is printed whole, with the time since the scene's begin."""

    def __init__(self):
        self.wrong = []
        self.right = 0
        self.muted = False  # lines are left out, expectations are not
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def title(self, text, *explained):
        with self._lock:
            print("\n" + paint("1", text))
            for line in explained:
                print(paint("2", f"  {line}"))
            self._began = time.monotonic()

    def line(self, kind, text):
        with self._lock:
            if self.muted:
                return
            since = time.monotonic() - self._began
            print(f"  {since:7.3f} s  {paint(KINDS[kind], f'{kind:9}')}  {text}", flush=True)

    def note(self, text):
        with self._lock:
            print(f"             {text}", flush=True)

    def expect(self, truth, what):
        with self._lock:
            if truth:
                self.right += 1
                print(f"  {paint('32', '✓')} {what}", flush=True)
            else:
                self.wrong.append(what)
                print(f"  {paint('31', '✗ not as expected: ' + what)}", flush=True)
