"""Images and containers by podman, on the network this process has."""
import contextlib
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path

from sidecar import Answer

os.environ["CONTAINERS_CONF"] = str(Path(__file__).resolve().parents[2] / ".dev/containers.conf")
LMS = Path(__file__).resolve().parents[2] / "manifests/lms"
NODE = "localhost/node:20-bookworm-slim"
IMAGE = os.environ.get("OUTRIGGER_IMAGE", "localhost/outrigger:dev")
# As Kubernetes runs a container under the restricted standard, and with nothing to write to.
RESTRICTED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges", "--user=65532:65532"]


def podman(*arguments, check=True, **options):
    done = subprocess.run(["podman", *map(str, arguments)], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"podman {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def image_of(program, name, entrypoint):
    """An image of one program of this machine and its libraries, for want of a registry to fetch one from."""
    forget(name)
    program = shutil.which(program)
    libraries = re.findall(r"(/\S+) \(", subprocess.run(["ldd", program], capture_output=True, text=True).stdout)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file in [program, *libraries]:
            # A name may be a link, also in one of its folders.
            tar.add(os.path.realpath(file), arcname=file.lstrip("/"))
    done = subprocess.run(["podman", "import", "--quiet", "--change", f"ENTRYPOINT {json.dumps([program, *entrypoint])}",
                           "--change", f"ENV PATH={os.path.dirname(program)}", "-", name],
                          input=archive.getvalue(), capture_output=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return name


def forget(image):
    """A name that is given again would leave the old image behind without one."""
    podman("rmi", "--force", "--ignore", image)


class Container:
    """Runs detached on this process's network from start to close."""

    def __init__(self, name, image, *arguments, options=()):
        self.name, self.image, self.arguments, self.options = f"{name}-{os.getpid()}", image, arguments, options

    def __enter__(self):
        podman("run", "--detach", "--replace", "--name", self.name, "--network=host", *RESTRICTED, *self.options, self.image, *self.arguments)
        return self

    def __exit__(self, *_):
        podman("rm", "--force", "--time=0", self.name)

    @property
    def log(self):
        done = podman("logs", self.name)
        return done.stdout + done.stderr

    def inspect(self):
        return json.loads(podman("inspect", self.name).stdout)[0]

    def started(self):
        """When its process began, in seconds since 1970."""
        text = self.inspect()["State"]["StartedAt"]
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text)).timestamp()

    def stop(self):
        """SIGTERM; the exit code."""
        podman("stop", "--time=30", self.name)
        return self.inspect()["State"]["ExitCode"]


def ask(host, port, method, path, body=None, **headers):
    """The answer to one request; `body` goes as JSON."""
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=30)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), {"content-type": "application/json", **headers})
        return Answer(connection.getresponse())


def first_answer(url, stop):
    """When `url` was first answered 200, by the clock of Container.started; asked without a pause until `stop` is set."""
    while not stop.is_set():
        try:
            with urllib.request.urlopen(url, timeout=1):
                return time.time()
        except OSError:
            continue


def lms_image():
    """The e-learning platform's app, by its own Dockerfile, on this machine's Node."""
    name = "localhost/lms:1.0"
    forget(name)
    image_of("node", NODE, [])
    podman("build", "--isolation=chroot", "--pull-never", f"--tag={name}", LMS / "app")
    return name
