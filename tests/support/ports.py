"""Free loopback ports, below those that the kernel gives to outgoing connections: a server that is stopped finds its port free
when it starts again, whatever else runs. No port is given twice by one process.
"""
import random
import socket
from pathlib import Path

LOWEST = 10_000
given = set()


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = [port for port in range(LOWEST, first_outgoing) if port not in given]
    random.SystemRandom().shuffle(candidates)
    found = [port for port in candidates[:count + 200] if is_free(port)][:count]
    given.update(found)
    return found
