# The container image, built by buildah without a registry. Sourced after common.sh and debian.sh.

base_image=localhost/debian:bookworm-slim
image_name=localhost/outrigger:dev
build_image_name=localhost/outrigger-build:dev
export CONTAINERS_CONF=$root/.dev/containers.conf

# Debian's base image, bootstrapped from the packages as Debian's own is, less documentation. It reaches the mirror the
# way this machine does: through its proxy, or a snapshot that is older than a mirror's index usually lasts.
bootstrap_base() {
  local mirror settings=$cache/image-apt.conf
  mirror=$(debian_mirror)
  apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until) ' >"$settings" || true
  mmdebstrap --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="upload $settings /etc/apt/apt.conf.d/00host" bookworm - "deb $mirror bookworm main" |
    podman import - "$base_image"
}

# build_image TAG ARG…: the Dockerfile, or a stage of it. The compiler's cache is the machine's, so that what
# one of them compiled the other need not.
build_image() {
  local tag=$1 commit version
  shift
  commit=$(git rev-parse --short=12 HEAD 2>/dev/null || true)
  version=$(sed -n 's/^project(outrigger VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  mkdir -p "$cache/ccache"
  buildah bud --isolation chroot --layers --pull-never --volume "$cache/ccache:/root/.cache/outrigger/ccache:rw" \
    --build-arg "COMMIT=$commit" --build-arg "VERSION=$version" --tag "$tag" --file Dockerfile "$@" .
}

# The build stage has a name, so that its layers stay for the next time; those of the time before go.
ensure_image() {
  install_packages buildah podman runc mmdebstrap
  podman image exists "$base_image" || quietly base-image bootstrap_base
  quietly image-build build_image "$build_image_name" --target build
  quietly image build_image "$image_name"
  podman image prune --force --filter label=org.opencontainers.image.title=Outrigger >/dev/null
}
