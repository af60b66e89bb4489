"""The tools and schemas that `./dev kubernetes` put into OUTRIGGER_KUBERNETES."""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/outrigger"
LMS = ROOT / "manifests/lms"
HOME = Path(os.environ.get("OUTRIGGER_KUBERNETES", ""))
BIN = HOME / "bin"
sys.path.insert(0, str(HOME / "python"))
VERSIONS = sorted(path.name[1:] for path in (HOME / "schemas").glob("v*"))
if not VERSIONS:
    raise SystemExit("OUTRIGGER_KUBERNETES names no folder of ./dev kubernetes; start these tests by ./dev test kubernetes")
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]

import yaml  # noqa: E402


def run(*command, stdin=None, env=None, check=True, cwd=None):
    """Output of a tool from BIN or the system; what it says on standard error is in the exception, too."""
    command = [str(word) for word in command]
    if (BIN / command[0]).exists():
        command[0] = str(BIN / command[0])
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=cwd,
                          env=dict(os.environ, **(env or {})))
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def template(*arguments, version=NEWEST, release="shop", namespace="shops"):
    """What the chart makes, as text."""
    return run("helm", "template", release, CHART, "--namespace", namespace, "--kube-version", version,
               "--include-crds", *arguments).stdout


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(kind, text):
    return next(document for document in documents(text) if document["kind"] == kind)


def pod_of(text):
    """A pod of the Deployment as a manifest of its own: Pod Security refuses pods; of Deployments it only warns."""
    pod = of_kind("Deployment", text)["spec"]["template"]
    return dict(pod, apiVersion="v1", kind="Pod", metadata=dict(pod["metadata"], name="pod"))


def crd_schemas(folder):
    """The custom resources' schemas as kubeconform finds them; unknown fields are errors, as the API server has it."""
    for path in (HOME / "crds").glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        for version in crd["spec"]["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            close(schema)
            schema["properties"]["metadata"] = {"type": "object"}
            name = f"{crd['spec']['names']['kind'].lower()}_{version['name']}.json"
            (folder / name).write_text(json.dumps(schema))
    return folder


def close(schema):
    if isinstance(schema, list):
        for item in schema:
            close(item)
    if not isinstance(schema, dict):
        return
    if schema.pop("x-kubernetes-int-or-string", False):
        schema.pop("type", None)
    if "properties" in schema and schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    for value in schema.values():
        close(value)
