"""Puts the config file's JSON Schema, as `outrigger schema` prints it, into the chart's values.schema.json, so that
`helm install` refuses what the sidecar would refuse.

python3 .dev/chart_schema.py [--check] BINARY
"""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import generated  # noqa: E402

FILE = Path(__file__).resolve().parents[1] / "charts/outrigger/values.schema.json"
LINE = '    "config": '


def with_config(text, schema):
    # The chart fills in apiVersion, kind and spool.path.
    for name in ("$schema", "title", "required", "if", "then"):
        del schema[name]
    return "".join(LINE + json.dumps(schema, separators=(", ", ": ")) + "\n" if line.startswith(LINE) else line
                   for line in text.splitlines(keepends=True))


if __name__ == "__main__":
    generated.write(FILE, with_config, "knows another config file than this Outrigger: run ./dev chart")
