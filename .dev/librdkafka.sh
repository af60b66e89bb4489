# librdkafka: the system's when it is 2.10 or newer (older ones free memory twice when a topic is deleted and created again:
# confluentinc/librdkafka issue 4964), else Debian 13's source package, mended, as a static library. Sourced after common.sh
# and debian.sh.

# Named after this file's content: other build options are another library.
librdkafka_prefix() { echo "$cache/librdkafka-$1-$(sha256sum "$root/.dev/librdkafka.sh" | cut -c 1-12)"; }

# librdkafka_build FLAVOUR: FLAVOUR is plain or tsan (ThreadSanitizer does not see C11 threads).
librdkafka_build() {
  local flavour=$1 prefix source flags=()
  prefix=$(librdkafka_prefix "$flavour")
  source=$cache/src/librdkafka
  mkdir -p "$cache/src"
  (
    cd "$cache/src"
    debian_update trixie
    rm -rf librdkafka librdkafka-2* librdkafka_*
    debian_apt trixie --download-only source librdkafka
    dpkg-source --extract librdkafka_*.dsc librdkafka
    # An entry with another id than the topic's new one leaves the tree of ids, too, before it is freed.
    sed -i 's/} else if (old && !RD_KAFKA_UUID_IS_ZERO(/}\n        if (old \&\& old != old_by_id \&\& !RD_KAFKA_UUID_IS_ZERO(/' \
      librdkafka/src/rdkafka_metadata_cache.c
    grep -q 'old != old_by_id && !RD_KAFKA' librdkafka/src/rdkafka_metadata_cache.c
  )
  flags=(-DCMAKE_C_FLAGS="-g1")
  [ "$flavour" = tsan ] && flags=(-DCMAKE_C_FLAGS="-g1 -fsanitize=thread" -DWITH_C11THREADS=OFF)
  rm -rf "$prefix" "$prefix.build"
  # No libcurl: it would drag in some thirty libraries. No Cyrus SASL (Kerberos), but SCRAM and OAUTHBEARER, which need
  # OpenSSL alone.
  cmake -S "$source" -B "$prefix.build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_INSTALL_LIBDIR=lib -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF \
    -DWITH_CURL=OFF -DWITH_SASL=OFF -DWITH_SASL_SCRAM=ON -DWITH_SASL_OAUTHBEARER=ON -DWITH_SSL=ON -DWITH_ZLIB=ON -DWITH_ZSTD=ON -DENABLE_LZ4_EXT=ON \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache "${flags[@]}"
  ninja -C "$prefix.build" install
  rm -rf "$prefix.build"
  # Seen by the build as finished only now.
  touch "$prefix/complete"
}

ensure_librdkafka() {
  local flavour=${1:-plain} prefix
  prefix=$(librdkafka_prefix "$flavour")
  [ -e "$prefix/complete" ] && return
  if [ "$flavour" = plain ] && pkg-config --atleast-version=2.10 rdkafka 2>/dev/null; then
    return
  fi
  say "building librdkafka ($flavour); once, about a minute"
  quietly "librdkafka-$flavour" librdkafka_build "$flavour"
}
