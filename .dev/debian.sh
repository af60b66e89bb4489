# Where this machine's Debian packages come from. Sourced after common.sh.

# The Debian mirror that this machine's apt uses.
debian_mirror() {
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '/\/debian\/?$/ && !found { print; found = 1 }')
  [ -n "$uri" ] || die "no Debian mirror among this machine's apt sources"
  echo "$uri"
}
