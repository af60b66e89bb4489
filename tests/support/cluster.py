"""A real Kubernetes of one node on loopback: etcd, API server, controllers, scheduler, and with start_node() containerd and
the kubelet. Needs root, and a network, mounts and processes of its own (tests/kubernetes/CMakeLists.txt)."""
import contextlib
import json
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from kubernetes import BIN, run
from ports import free_ports
from sidecar import Sidecar

# Pods' network; the bridge is where they reach the machine, and it them.
BRIDGE, MACHINE, SUBNET = "cluster0", "10.88.77.1", "10.88.77.0/24"

CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


class Cluster:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="outrigger-cluster-"))
        self.processes, self.namespaces = [], 0
        self.kubeconfig = self.folder / "kubeconfig"
        self.etcd_port, self.peer_port, self.port, self.controllers_port, self.scheduler_port, self.kubelet_port = free_ports(6)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self, name, *arguments):
        program = str(BIN / name) if (BIN / name).exists() else name
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen([program, *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT)
        self.processes.append((name, process))

    def _alive(self):
        for name, process in self.processes:
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}:\n" + self.log(name)[-3000:])

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait_for(self, condition, timeout=60, what="it"):
        return Sidecar.wait_for(lambda: self._alive() or condition(), timeout, what)

    def start(self):
        """Returns when the API server is ready and a namespace can have pods."""
        token, key = secrets.token_hex(16), self.folder / "service-accounts.key"
        (self.folder / "tokens").write_text(f"{token},admin,admin,system:masters\n")
        run("openssl", "genrsa", "-out", key, "2048")
        etcd, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.peer_port}"
        self._start("etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync", "--listen-client-urls", etcd,
                    "--advertise-client-urls", etcd, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                    "--initial-cluster", f"default={peer}")
        issuer = "https://kubernetes.default.svc"
        self._start("kube-apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
                    "--secure-port", self.port, "--cert-dir", self.folder, "--endpoint-reconciler-type", "none",
                    "--token-auth-file", self.folder / "tokens", "--authorization-mode", "RBAC",
                    "--service-account-issuer", issuer, "--service-account-key-file", key, "--service-account-signing-key-file", key,
                    "--service-cluster-ip-range", "10.96.0.0/24", "--kubelet-preferred-address-types", "Hostname")
        # The API server makes its own certificate when it starts; a client that trusts only that file can reach no other server.
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{self.port}",
                                                      "certificate-authority": f"{self.folder}/apiserver.crt"}}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}]}))
        self.wait_for(lambda: self.try_kubectl("get", "--raw", "/readyz"), what="the API server")
        common = [f"--{name}={self.kubeconfig}" for name in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")]
        common += ["--bind-address=127.0.0.1", "--leader-elect=false"]
        self._start("kube-controller-manager", *common, "--secure-port", self.controllers_port, "--cert-dir", self.folder / "controllers",
                    "--service-account-private-key-file", key, "--root-ca-file", self.folder / "apiserver.crt")
        self._start("kube-scheduler", *common, "--secure-port", self.scheduler_port, "--cert-dir", self.folder / "scheduler")
        self.wait_for(lambda: self.try_kubectl("get", "serviceaccount", "default"), what="the controllers")
        return self

    def start_node(self, pause, images):
        """A node on which `images`, tar files as podman saves them, are there already."""
        self._bridge()
        (self.folder / "containerd.toml").write_text(CONTAINERD.format(folder=self.folder, pause=pause))
        (self.folder / "kubelet.json").write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "address": "127.0.0.1", "port": self.kubelet_port, "healthzPort": 0,
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{self.folder}/containerd.sock",
            # A machine with cgroups of version 1, without CAP_SYS_RESOURCE, and that has other things to do.
            "cgroupDriver": "cgroupfs", "failCgroupV1": False, "failSwapOn": False, "enforceNodeAllocatable": [], "oomScoreAdj": 0,
            "imageGCHighThresholdPercent": 100, "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
            "podLogsDir": f"{self.folder}/pods", "syncFrequency": "1s", "clusterDomain": "cluster.local", "resolvConf": "/dev/null"}))
        self._start("containerd", "--config", self.folder / "containerd.toml")
        self.wait_for(lambda: self.ctr("version", check=False).returncode == 0, what="containerd")
        for image in images:
            self.ctr("images", "import", image)
        self._start("kubelet", "--config", self.folder / "kubelet.json", "--kubeconfig", self.kubeconfig, "--hostname-override", "localhost", "--node-ip", MACHINE,
                    "--root-dir", self.folder / "kubelet", "--cert-dir", self.folder / "kubelet-certificates")
        self.wait_for(lambda: self.try_kubectl("wait", "--for=condition=Ready", "node/localhost", "--timeout=0s"), what="the node")
        return self

    def _bridge(self):
        for command in (["ip", "link", "add", BRIDGE, "type", "bridge"], ["ip", "address", "add", f"{MACHINE}/24", "dev", BRIDGE],
                        ["ip", "link", "set", BRIDGE, "up"]):
            run(*command)
        (self.folder / "cni").mkdir()
        (self.folder / "cni/10-bridge.conflist").write_text(json.dumps({"cniVersion": "1.0.0", "name": "cluster", "plugins": [
            {"type": "bridge", "bridge": BRIDGE, "isGateway": True,
             "ipam": {"type": "host-local", "dataDir": f"{self.folder}/addresses", "ranges": [[{"subnet": SUBNET, "gateway": MACHINE}]]}}]}))

    def ctr(self, *arguments, check=True):
        return run("ctr", "--address", self.folder / "containerd.sock", "--namespace", "k8s.io", *arguments, check=check)

    def kubectl(self, *arguments, stdin=None, check=True):
        return run("kubectl", *arguments, stdin=stdin, check=check, env={"KUBECONFIG": str(self.kubeconfig)})

    def try_kubectl(self, *arguments):
        return self.kubectl(*arguments, check=False).returncode == 0

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "--output=json").stdout)

    def helm(self, *arguments, check=True):
        return run("helm", *arguments, check=check, env={"KUBECONFIG": str(self.kubeconfig), "HELM_CACHE_HOME": str(self.folder / "helm")})

    @contextlib.contextmanager
    def forwarded(self, namespace, target, port):
        """A port of this machine that leads to one of a pod, those on its loopback too."""
        command = [str(BIN / "kubectl"), "--kubeconfig", str(self.kubeconfig), "--namespace", namespace, "port-forward", target, f":{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield int(re.match(r"Forwarding from 127.0.0.1:(\d+)", process.stdout.readline()).group(1))
            finally:
                process.terminate()

    def namespace(self):
        """A new one that enforces the restricted Pod Security standard."""
        self.namespaces += 1
        name = f"test-{self.namespaces}"
        self.kubectl("create", "namespace", name)
        self.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        self.wait_for(lambda: self.try_kubectl("--namespace", name, "get", "serviceaccount", "default"), what="the namespace")
        return name

    def close(self):
        """Ends what this made: pods first, then the processes, the newest first, then the mounts."""
        for name, process in reversed(self.processes):
            if name == "kubelet":
                self.kubectl("delete", "deployments,replicasets,jobs,pods", "--all", "--all-namespaces", "--wait=false", check=False)
                self.kubectl("delete", "pods", "--all", "--all-namespaces", "--grace-period=1", "--timeout=20s", check=False)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((m for m in mounts if m.startswith(f"{self.folder}/")), reverse=True):
            run("umount", "--lazy", mount, check=False)
        # The kubelet's groups; those of another kubelet are not empty, and stay.
        for group in sorted(Path("/sys/fs/cgroup").glob("*/kubepods/**/"), reverse=True):
            try:
                group.rmdir()
            except OSError:
                continue
        shutil.rmtree(self.folder, ignore_errors=True)
