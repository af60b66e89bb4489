"""Puts the config file's JSON Schema, as `outrigger schema` prints it, into the chart's values.schema.json, so that
`helm install` refuses what the sidecar would refuse.

python3 .dev/chart_schema.py [--check] BINARY
"""
import json
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "charts/outrigger/values.schema.json"
LINE = '    "config": '


def with_config(text, binary):
    schema = json.loads(subprocess.run([binary, "schema"], capture_output=True, check=True).stdout)
    # The chart fills in apiVersion and kind.
    for name in ("$schema", "title", "required"):
        del schema[name]
    return "".join(LINE + json.dumps(schema, separators=(", ", ": ")) + "\n" if line.startswith(LINE) else line
                   for line in text.splitlines(keepends=True))


def main():
    before = FILE.read_text()
    after = with_config(before, sys.argv[-1])
    if "--check" not in sys.argv:
        FILE.write_text(after)
    elif after != before:
        sys.exit(f"{FILE} knows another config file than this Outrigger: run ./dev chart")


if __name__ == "__main__":
    main()
