"""Builds the preloaded library that lets one allocation fail; see failing_malloc.c."""
import subprocess
from pathlib import Path


def build_shim(folder):
    shim = Path(folder) / "failing_malloc.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", shim, Path(__file__).with_suffix(".c")], check=True)
    return shim
