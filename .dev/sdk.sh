# The CloudEvents SDKs that a system test exchanges events with: the programs of tests/sdk, each with its SDK as the lock
# file beside it pins it, built into the cache folder. Sourced after common.sh, kafka.sh and go.sh.

# Named after what it is built of: other versions or other programs are another folder.
sdk_folder() {
  echo "$cache/sdk-$(cd "$root/tests/sdk" && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-12)"
}

# Each sdk_NAME builds in the folder of that program's sources, and makes $1, the command that runs it.

sdk_javascript() {
  npm ci --no-audit --no-fund --ignore-scripts
  sdk_launcher "$1" 'exec node main.js'
}

sdk_python() {
  python3 -m pip install --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --target packages --requirement requirements.txt
  sdk_launcher "$1" 'PYTHONPATH=packages exec python3 -B main.py'
}

sdk_go() { go build -buildvcs=false -trimpath -ldflags "-s -w" -o "$1"; }

sdk_java() {
  mvn --batch-mode --no-transfer-progress dependency:copy-dependencies -DoutputDirectory=libs -DincludeScope=runtime
  javac -cp 'libs/*' -d classes Main.java
  sdk_launcher "$1" "exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp 'libs/*:classes' Main"
}

# The lock file in the tree names no registry; the one that cargo makes by itself names the one that it asks here.
sdk_rust() {
  local asked
  mv Cargo.lock pinned
  cargo generate-lockfile
  asked=$(sed -n '/^source = /{s///p;q}' Cargo.lock)
  sed "s|^source = .*|source = $asked|" pinned >Cargo.lock
  cargo build --locked --target-dir target
  cp target/debug/sdk "$1"
  rm -r target
}

# sdk_launcher FILE COMMAND: a script that runs COMMAND in the folder of the sources, wherever the whole is moved.
sdk_launcher() {
  printf '#!/bin/sh\ncd "$(dirname "$0")/sources/%s" && %s\n' "$(basename "$1")" "$2" >"$1"
  chmod +x "$1"
}

# Rust's own tool chain where it is there; else the newer one that Debian 12 keeps for its browsers.
ensure_cargo() {
  local minor
  minor=$({ cargo --version 2>/dev/null || true; } | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge 85 ] || install_packages cargo-web rustc-web
}

ensure_sdk() {
  local folder name
  folder=$(sdk_folder)
  export OUTRIGGER_SDK=$folder
  [ -d "$folder" ] && return
  say "building the programs of the CloudEvents SDKs; once, some two minutes"
  command -v npm >/dev/null || install_packages npm
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
  ensure_go
  ensure_maven
  ensure_cargo
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  cp -r "$root/tests/sdk" "$folder.new/sources"
  for name in javascript python go java rust; do
    quietly "sdk-$name" in_folder "$folder.new/sources/$name" "sdk_$name" "$folder.new/$name"
  done
  mv "$folder.new" "$folder"
}

in_folder() {
  cd "$1"
  shift
  "$@"
}
