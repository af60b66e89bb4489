"""`./dev bench --against BINARY`: another build's figures beside this one's, measured in turns within one run, as ratios.

The order of the two changes from turn to turn, and the middle of the turns' ratios counts: what else the machine does hits
both, and one bad turn decides nothing.
"""
import os
import statistics

import delivery
from sidecar import Sidecar

DELIVERED = 200_000
ROWS = {  # name: (field, whether less is better)
    "p50, 1 connection": ("p50_us", True),
    "CPU an acked event, 64 connections": ("server_cpu_us_per_event", True),
    "acked events/s, 64 connections": ("events_per_second", False),
    "CPU a delivered event": ("server_cpu_us_per_event", True),
    "delivered events/s": ("events_per_second", False),
}


def measure(kafka, binary, turn, routes, load, app):
    """The figures of every row, with `binary` as the sidecar."""
    with Sidecar(text=routes, binary=binary, env={"KAFKA_BROKERS": kafka.bootstrap}) as sidecar:
        sidecar.start()
        load(sidecar, 64)  # warm
        one, many = load(sidecar, 1), load(sidecar, 64)
    os.environ["OUTRIGGER_BINARY"] = str(binary)
    delivered = delivery.deliver(kafka, app, f"turn{turn}-4", DELIVERED)
    return dict(zip(ROWS, (one, many, many, delivered, delivered)))


def compare(kafka, binaries, turns, routes, load, app):
    """(row, the first's figure, the second's, the ratio of second to first), the middle of `turns` each."""
    figures = {binary: [] for binary in binaries}
    for turn in range(turns):
        for number, binary in enumerate(binaries if turn % 2 else reversed(binaries)):
            figures[binary].append(measure(kafka, binary, 2 * turn + number, routes, load, app))
    for row, (field, _) in ROWS.items():
        first, second = ([turn[row][field] for turn in figures[binary]] for binary in binaries)
        yield row, statistics.median(first), statistics.median(second), statistics.median(b / a for a, b in zip(first, second))


def show(lines, within=0.03):
    """Prints the table; whether every row is no more than `within` worse."""
    held = True
    print(f"\n{'':36} {'against':>12} {'this':>12} {'ratio':>8}")
    for row, first, second, ratio in lines:
        worse = ratio - 1 if ROWS[row][1] else 1 - ratio
        held &= worse <= within
        print(f"{row:36} {first:>12,.1f} {second:>12,.1f} {ratio:>8.3f}  {'held' if worse <= within else 'WORSE'}")
    return held
