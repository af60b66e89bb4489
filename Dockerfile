# The image of the sidecar: one binary, the libraries it names, CA certificates. No shell, no package manager.
#
#   docker build --tag outrigger .            podman build --tag outrigger .
#
# `./dev image` does it where no registry can be reached: it makes the base image from Debian's packages, and
# mounts its own ccache and source of librdkafka, so that what the machine has is neither compiled nor fetched again.

FROM debian:bookworm-slim AS build
LABEL org.opencontainers.image.title="Outrigger"
WORKDIR /src
# What a build needs is a layer of its own, made again only when the scripts that install it change.
COPY dev ./
COPY .dev .dev/
RUN apt-get update --quiet=2 && ./dev deps
COPY . ./
ARG COMMIT=
RUN OUTRIGGER_COMMIT=$COMMIT ./dev build release outrigger

# Exactly what the loader will ask for. Debian's glibc has DNS built in; without nsswitch.conf it would not look
# into /etc/hosts first, where Kubernetes writes a pod's own names.
RUN install -D --strip build/release/outrigger /image/usr/local/bin/outrigger \
 && ldd /image/usr/local/bin/outrigger | grep --only-matching '/[^ ]*' | xargs cp --parents --dereference --target-directory /image \
 && install -D --mode 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
 && mkdir /image/etc/outrigger \
 && /image/usr/local/bin/outrigger version

FROM scratch
ARG COMMIT=
ARG VERSION=
LABEL org.opencontainers.image.title="Outrigger" \
      org.opencontainers.image.description="A Kafka sidecar: HTTP on localhost in, Kafka's guarantees out" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /image/ /
# Where OpenSSL looks when the config names no caFile.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# Nobody's user id, which nothing on a node has: Kubernetes' runAsNonRoot accepts a number only. Nothing is written,
# so the root file system may be read-only.
USER 65532:65532
# 8800, for the app, listens on loopback alone: in a pod the app shares it, on Docker use --network container:APP.
EXPOSE 8801
ENTRYPOINT ["/usr/local/bin/outrigger"]
CMD ["run"]
