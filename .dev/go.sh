# A Go that builds what the tests need. Sourced after common.sh.

go_toolchain=1.26.8

# Debian 12's Go is too old for all of it, and older than the Go that fetches a newer one by itself. A toolchain is a
# module like others, though, which an old Go can download and check.
ensure_go() {
  local folder
  if command -v go >/dev/null && go_is_new; then return; fi
  install_packages golang-go
  folder=$(go mod download -json "golang.org/toolchain@v0.0.1-go$go_toolchain.$(go env GOOS)-$(go env GOARCH)" |
    sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  chmod -R u+w "$folder"
  chmod -R +x "$folder/bin" "$folder/pkg/tool"
  export PATH=$folder/bin:$PATH
  go_is_new || die "this Go is too old: $(go version)"
}

# Kubernetes asks for 1.25, the CloudEvents SDK for 1.23; from 1.21 on Go fetches what a module asks for, unless it was told not to.
go_is_new() {
  local minor
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge 25 ] || { [ "${minor:-0}" -ge 21 ] && [ "$(go env GOTOOLCHAIN)" != local ]; }
}
