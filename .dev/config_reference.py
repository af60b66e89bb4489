"""Writes the table of all configuration fields into src/config/README.md, from what `outrigger schema` prints.

python3 .dev/config_reference.py [--check] BINARY
"""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import generated  # noqa: E402

FILE = Path(__file__).resolve().parents[1] / "src/config/README.md"
BEGIN = "<!-- written by ./dev reference -->\n"
END = "<!-- end of what ./dev reference writes -->\n"
DURATION = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
SIZE = "^[0-9]+(B|KB|MB|GB|KiB|MiB|GiB)?$"


def kind(schema):
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("pattern") == DURATION:
        return "duration"
    if schema.get("pattern") == SIZE:
        return "size"
    types = schema.get("type", "JSON value")
    types = [types] if isinstance(types, str) else types
    if "array" in types:
        return "list"
    if types[0] == "integer":
        return f"{schema['minimum']} to {schema['maximum']}"
    return types[0]


def default(schema, required):
    if required:
        return "required"
    if "default" not in schema:
        return "–"
    value = schema["default"]
    return f"`{json.dumps(value)}`" if isinstance(value, (list, bool)) else f"`{value}`"


def rows(schema, path=""):
    """(path, kind, default, description) of every leaf, in the order of the file."""
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        required = name in schema.get("required", [])
        inner = field.get("items", field)
        if "properties" in inner or "patternProperties" in inner:
            yield where, "list" if "items" in field else "mapping", "required" if required else "–", field["description"]
            yield from rows(inner, where + ("[]" if "items" in field else ""))
        else:
            yield where, kind(field), default(field, required), field["description"]
    for pattern, field in schema.get("patternProperties", {}).items():
        name = "<name>" if pattern == "^.+$" else pattern.strip("^$+").replace("\\..", ".<name>")
        if pattern != "^.+$":  # the mapping's own line says what its names are
            yield f"{path}.{name}", kind(field), "–", field["description"]


def table(schema):
    lines = ["| field | values | default | meaning |", "| --- | --- | --- | --- |"]
    lines += ["| " + " | ".join([f"`{row[0]}`", *row[1:]]).replace("\n", " ") + " |" for row in rows(schema)]
    return "\n".join(lines) + "\n"


def with_table(text, schema):
    before, rest = text.split(BEGIN)
    return before + BEGIN + table(schema) + END + rest.split(END)[1]


if __name__ == "__main__":
    generated.write(FILE, with_table, "describes other fields than this Outrigger: run ./dev reference")
