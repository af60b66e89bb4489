"""A memory limit as a container has it: a cgroup made by hand, version 1 or 2."""
import os
import tempfile
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class CgroupUnavailable(Exception):
    """No cgroup can be made here: it takes root, and a folder that can be written."""


class MemoryCgroup:
    """`under` is the command that puts a program into it; close() removes it when its processes have ended."""

    def __init__(self, limit):
        self._v2 = (ROOT / "cgroup.controllers").exists()
        try:
            if self._v2:
                (ROOT / "cgroup.subtree_control").write_text("+memory")
            self.folder = Path(tempfile.mkdtemp(prefix="outrigger-", dir=ROOT if self._v2 else ROOT / "memory"))
            self._set("memory.max" if self._v2 else "memory.limit_in_bytes", limit)
        except OSError as why:
            raise CgroupUnavailable(str(why)) from why
        for name in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
            if (self.folder / name).exists():
                self._set(name, 0 if self._v2 else limit)

    def _set(self, name, value):
        (self.folder / name).write_text(str(value))

    @property
    def under(self):
        return ("sh", "-c", f'echo $$ >{self.folder}/cgroup.procs && exec "$@"', "sh")

    def kills(self):
        """How many processes the kernel killed for want of memory."""
        text = (self.folder / ("memory.events" if self._v2 else "memory.oom_control")).read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("oom_kill ")))

    def close(self):
        os.rmdir(self.folder)
