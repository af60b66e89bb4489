# valijson, headers only: 1.1.0 while a moving Debian suite has it (pinned by version and hash), else 1.0.3 of Debian 13.
# Unpacked into the cache folder, never installed. Sourced after common.sh and debian.sh.

valijson_version=1.1.0
valijson_sha256=41bef7941d2a3e9f154fcee327bb237f224aeaaf09c49fcc3958aa40df8f2dc1
valijson_suite=sid

valijson_fetch() {
  local folder=$cache/valijson
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  (
    cd "$folder.new"
    debian_update "$valijson_suite"
    if ! debian_apt "$valijson_suite" download "libvalijson-dev=$valijson_version*" ||
      ! echo "$valijson_sha256  $(ls libvalijson-dev_*.deb)" | sha256sum --check --quiet; then
      echo "valijson $valijson_version is not in $valijson_suite any more (or differs); taking trixie's"
      rm -f ./*.deb
      debian_update trixie
      debian_apt trixie download libvalijson-dev
    fi
    dpkg-deb --extract libvalijson-dev_*.deb unpacked
    mv unpacked/usr/include include
    rm -rf unpacked ./*.deb
  )
  [ -e "$folder.new/include/valijson/validator.hpp" ]
  rm -rf "$folder"
  mv "$folder.new" "$folder"
}

ensure_valijson() {
  [ -e "$cache/valijson/include/valijson/validator.hpp" ] && return
  quietly valijson valijson_fetch
}
