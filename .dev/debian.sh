# Packages of another Debian suite, without touching the system's own apt: private lists and cache, the machine's own
# mirror, verified by Debian's archive keyring. Sourced after common.sh.

# The Debian mirror that this machine's apt uses.
debian_mirror() {
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
  [ -n "$uri" ] || die "no Debian mirror among this machine's apt sources"
  echo "$uri"
}

# debian_apt SUITE COMMAND ARG…: apt-get that sees SUITE alone, binaries and sources.
debian_apt() {
  local suite=$1 state=$cache/apt-$1 signed=/usr/share/keyrings/debian-archive-keyring.gpg uri
  shift
  if [ ! -s "$state/sources.list" ]; then
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    uri=$(debian_mirror)
    [ -s "$signed" ] || die "$signed is missing (package debian-archive-keyring)"
    printf '%s [signed-by=%s] %s %s main\n' deb "$signed" "$uri" "$suite" deb-src "$signed" "$uri" "$suite" \
      >"$state/sources.list"
  fi
  apt-get -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Get::List-Cleanup=0 \
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

debian_update() { [ -n "$(ls "$cache/apt-$1"/lists/*Packages* 2>/dev/null)" ] || debian_apt "$1" update; }
