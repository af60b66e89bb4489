"""A file of the tree with a part that is written from what `outrigger schema` prints."""
import json
import subprocess
import sys


def write(file, with_schema, stale):
    """The main of a program `[--check] BINARY`: `with_schema(text, schema)` is the file's text as it should be, `stale` what
    --check says when it is not."""
    schema = json.loads(subprocess.run([sys.argv[-1], "schema"], capture_output=True, check=True).stdout)
    before = file.read_text()
    after = with_schema(before, schema)
    if "--check" not in sys.argv:
        file.write_text(after)
    elif after != before:
        sys.exit(f"{file} {stale}")
