# Debian 13 packages on an older Debian, without touching the system's own apt: private lists and cache, the
# machine's own mirror, verified by Debian's archive keyring. Sourced after common.sh.

# trixie_apt COMMAND ARGS…: apt-get with a source-and-binary entry for trixie only.
trixie_apt() {
  local state=$cache/apt-trixie uri
  if [ ! -s "$state/sources.list" ]; then
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
      grep -E '/debian/?$' | head -n 1)
    [ -n "$uri" ] || die "no Debian mirror among this machine's apt sources"
    local signed=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -s "$signed" ] || die "$signed is missing (package debian-archive-keyring)"
    {
      echo "deb [signed-by=$signed] $uri trixie main"
      echo "deb-src [signed-by=$signed] $uri trixie main"
    } >"$state/sources.list"
  fi
  apt-get -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" -o APT::Get::List-Cleanup=0 \
    -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

trixie_update() { [ -n "$(ls "$cache"/apt-trixie/lists/*Packages* 2>/dev/null)" ] || trixie_apt update; }
