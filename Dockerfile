# The image of `whimbrel controller` and `whimbrel runner`; `make image` builds it (see scripts/image.sh).
ARG BUILD_BASE=docker.io/library/debian:12
ARG RUNTIME_BASE=scratch

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY scripts/install-packages.sh scripts/
RUN scripts/install-packages.sh build image-root
COPY CMakeLists.txt CMakePresets.json LICENSE VERSION ./
COPY cmake cmake
COPY crds crds
COPY include include
COPY scripts scripts
COPY src src
ARG JOBS
RUN cmake --preset release && cmake --build --preset release --target whimbrel -j "${JOBS:-$(nproc)}"
# Every file gets this time, so that the same sources and packages give the same image.
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image-root.sh build/release/whimbrel /image

FROM ${RUNTIME_BASE}
COPY --from=build /image /
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="Whimbrel" \
      org.opencontainers.image.description="Runs PostgreSQL migrations in Kubernetes" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://whimbrel.dev" \
      org.opencontainers.image.url="https://whimbrel.dev" \
      org.opencontainers.image.documentation="https://whimbrel.dev" \
      org.opencontainers.image.vendor="The Whimbrel authors" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENTRYPOINT ["/whimbrel"]
