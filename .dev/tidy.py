"""clang-tidy over the sources of a build folder, on all cores; what passed once is not looked at again.

python3 .dev/tidy.py BUILD CACHE: a file is known by clang-tidy's version, .clang-tidy and the preprocessed source.
"""
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
build, cache = Path(sys.argv[1]), Path(sys.argv[2])
version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout


def fingerprint(unit):
    """None where it can't be preprocessed: clang-tidy will say why."""
    command = shlex.split(unit["command"])
    if command[0].endswith("ccache"):
        command.pop(0)
    at = command.index("-o")
    command = command[:at] + command[at + 2:] + ["-E", "-P"]
    run = subprocess.run(command, cwd=unit["directory"], capture_output=True)
    if run.returncode != 0:
        return None
    return hashlib.sha256(version + (ROOT / ".clang-tidy").read_bytes() + Path(unit["file"]).read_bytes() + run.stdout).hexdigest()


def check(unit):
    mark = fingerprint(unit)
    if mark and (cache / mark).exists():
        return ""
    run = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", "--warnings-as-errors=*", unit["file"]],
                         capture_output=True, text=True)
    if run.returncode == 0 and mark:
        (cache / mark).touch()
    return run.stdout + run.stderr if run.returncode else ""


cache.mkdir(parents=True, exist_ok=True)
units = [unit for unit in json.loads((build / "compile_commands.json").read_text())
         if Path(unit["file"]).is_relative_to(ROOT / "src")]
failed = 0
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for complaint in pool.map(check, units):
        failed += bool(complaint)
        sys.stdout.write(complaint)
sys.exit(f"clang-tidy: {failed} of {len(units)} files" if failed else 0)
