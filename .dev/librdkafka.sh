# librdkafka, from the complete source that Confluent's own client for Node carries, as a static library. Sourced after
# common.sh.

librdkafka_version=2.15.1
librdkafka_package=@confluentinc/kafka-javascript@1.10.1
librdkafka_sha256=ada7d703bb1d3237e2292bfabf438d663b6160c9f1ac2a2406b5dc4257c81b66
librdkafka_archive=$cache/downloads/librdkafka-$librdkafka_version.tgz

# Named after the content of this file and of the patch: other build options are another library.
librdkafka_prefix() { echo "$cache/librdkafka-$1-$(cat "$root"/.dev/librdkafka.{sh,patch} | sha256sum | cut -c 1-12)"; }

has_librdkafka_archive() { echo "$librdkafka_sha256  $librdkafka_archive" | sha256sum --check --status 2>/dev/null; }

librdkafka_fetch() {
  local folder=$cache/downloads/npm
  rm -rf "$folder"
  mkdir -p "$folder"
  (cd "$folder" && npm pack --silent "$librdkafka_package")
  mv "$folder"/*.tgz "$librdkafka_archive"
  rm -rf "$folder"
  has_librdkafka_archive || die "$librdkafka_package is not what it was: its SHA-256 is another"
}

# The archive alone, for a build elsewhere.
ensure_librdkafka_archive() {
  has_librdkafka_archive && return
  command -v npm >/dev/null || install_packages npm
  quietly librdkafka-source librdkafka_fetch
}

# librdkafka_build FLAVOUR: FLAVOUR is plain or tsan (ThreadSanitizer does not see C11 threads).
librdkafka_build() {
  local flavour=$1 prefix source flags=(--CFLAGS=-g1)
  prefix=$(librdkafka_prefix "$flavour")
  source=$prefix.build
  [ "$flavour" = tsan ] && flags=(--CFLAGS="-g1 -fsanitize=thread" --LDFLAGS=-fsanitize=thread --disable-c11threads)
  rm -rf "$prefix" "$source"
  mkdir -p "$source"
  tar -xzf "$librdkafka_archive" -C "$source" --strip-components=3 package/deps/librdkafka
  cd "$source"
  patch --quiet --strip=1 <"$root/.dev/librdkafka.patch"
  # No libcurl: it would drag in some thirty libraries. No Cyrus SASL (Kerberos), but SCRAM and OAUTHBEARER, which need
  # OpenSSL alone.
  ./configure --prefix="$prefix" --cc="ccache gcc" --enable-static --disable-curl --disable-gssapi --disable-lz4-ext "${flags[@]}"
  make -C src -j "$(nproc)" librdkafka.a
  install -D --mode 644 src/librdkafka.a "$prefix/lib/librdkafka.a"
  install -D --mode 644 --target-directory "$prefix/include/librdkafka" src/rdkafka.h src/rdkafka_mock.h
  cd "$root"
  rm -rf "$source"
  # Seen by the build as finished only now.
  touch "$prefix/complete"
}

ensure_librdkafka() {
  local flavour=${1:-plain}
  [ -e "$(librdkafka_prefix "$flavour")/complete" ] && return
  ensure_librdkafka_archive
  quietly "librdkafka-$flavour" librdkafka_build "$flavour"
}
