# Node programs that tests and benchmarks run: by npm into the cache folder, each as the package-lock.json in its folder of
# the tree pins it. Sourced after common.sh.

# npm_folder FOLDER: where what FOLDER pins is installed. Named after what pins it: another version is another folder.
npm_folder() { echo "$cache/npm-$(basename "$1")-$(sha256sum "$root/$1/package-lock.json" | cut -c 1-12)"; }

npm_fetch() {
  local folder
  folder=$(npm_folder "$1")
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  cp "$root/$1"/package*.json "$folder.new"
  npm ci --prefix "$folder.new" --no-audit --no-fund --ignore-scripts
  mv "$folder.new" "$folder"
}

ensure_npm() {
  # Debian's npm brings Debian's node; where another is installed already, both are there.
  command -v npm >/dev/null || install_packages npm
  [ -d "$(npm_folder "$1")" ] && return
  quietly "$(basename "$1")" npm_fetch "$1"
}
