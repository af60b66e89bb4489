# The JSON Schema Test Suite and the metaschemas, for the unit tests: out of the Python packages that carry them, pinned
# by version and hash, into the cache folder. Sourced after common.sh.

schema_suite_packages='jsonschema==4.26.0 --hash=sha256:0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326
jsonschema-specifications==2025.9.1 --hash=sha256:98802fee3a11ee76ecaca44429fda8a41bff98b00a0f2838151b113f210cc6fe'

# Named after what pins it: other versions are another folder.
schema_suite_folder() { echo "$cache/schema-suite-$(sha256sum <<<"$schema_suite_packages" | cut -c 1-12)"; }

schema_suite_fetch() {
  local folder
  folder=$(schema_suite_folder)
  rm -rf "$folder.new"
  mkdir -p "$folder.new/packages"
  cd "$folder.new"
  echo "$schema_suite_packages" >requirements.txt
  # Only the source package of jsonschema has the suite.
  python3 -m pip download --disable-pip-version-check --no-deps --require-hashes --no-binary jsonschema \
    --dest packages --requirement requirements.txt
  tar --extract --file packages/jsonschema-*.tar.gz --strip-components 2 --wildcards '*/json/tests' '*/json/remotes'
  python3 -m zipfile --extract packages/jsonschema_specifications-*.whl packages
  mv packages/jsonschema_specifications/schemas metaschemas
  rm -r packages
  mv "$folder.new" "$folder"
}

ensure_schema_suite() {
  [ -d "$(schema_suite_folder)" ] && return
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
  quietly schema-suite schema_suite_fetch
}
