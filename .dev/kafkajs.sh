# kafkajs, which `./dev bench` compares with: by npm into the cache folder, as tests/bench/kafkajs pins it. Sourced after
# common.sh.

# Named after what pins it: another version is another folder.
kafkajs_folder() { echo "$cache/kafkajs-$(sha256sum "$root/tests/bench/kafkajs/package-lock.json" | cut -c 1-12)"; }

kafkajs_fetch() {
  local folder
  folder=$(kafkajs_folder)
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  cp "$root"/tests/bench/kafkajs/package*.json "$folder.new"
  npm ci --prefix "$folder.new" --no-audit --no-fund --ignore-scripts
  mv "$folder.new" "$folder"
}

ensure_kafkajs() {
  # Debian's npm brings Debian's node; where another is installed already, both are there.
  command -v npm >/dev/null || install_packages npm
  [ -d "$(kafkajs_folder)" ] && return
  quietly kafkajs kafkajs_fetch
}
