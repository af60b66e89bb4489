# Shared by ./dev and the scripts beside this file; sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${OUTRIGGER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/outrigger}
logs=$cache/logs
mkdir -p "$logs"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# quietly NAME COMMAND…: runs COMMAND with its output in a log; shows the log's end when it fails.
quietly() {
  local name=$1 started=$SECONDS
  shift
  printf '    %s … ' "$name" >&2
  # In the background, because a condition would switch off -e inside the command.
  (set -e && "$@") >"$logs/$name.log" 2>&1 &
  if wait $!; then
    printf 'done in %ds\n' $((SECONDS - started)) >&2
  else
    local code=$?
    printf 'failed (%d)\n' "$code" >&2
    tail -n 40 "$logs/$name.log" >&2
    die "$name failed; the whole output is in $logs/$name.log"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" || die "this needs root: $*"; fi
}

# install_packages NAME…: apt-get install of what is missing; quiet and fast when nothing is.
install_packages() {
  local missing=() name
  for name in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) in
      "install ok installed") ;;
      *) missing+=("$name") ;;
    esac
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || die "not a Debian-like system; install by hand: ${missing[*]}"
  say "installing ${#missing[@]} packages"
  if ! apt-cache show "${missing[@]}" >/dev/null 2>&1; then
    quietly apt-update as_root apt-get -o Acquire::Retries=3 update
  fi
  if ! apt_install "${missing[@]}" >"$logs/apt-install.log" 2>&1; then
    # A stale package list is the usual reason; refresh it once.
    quietly apt-update as_root apt-get -o Acquire::Retries=3 update
    quietly apt-install apt_install "${missing[@]}"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
    install -y --no-install-recommends "$@"
}

# The example app of manifests/lms runs on Node 18 or newer; whichever is there is taken.
ensure_node() { command -v node >/dev/null || install_packages nodejs; }
