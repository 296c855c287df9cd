# The image of one service: --build-arg SERVICE=agenda-service.
FROM python:3.13-slim-trixie AS base
ARG PIP_INDEX_URL
ENV PATH=/app/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Debian keeps one version of a package: a pinned one would soon be gone.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends binutils && \
    rm -r /var/lib/apt/lists/* && \
    python -m venv --without-pip /app

FROM base AS dependencies
ARG PIP_INDEX_URL
ARG SERVICE
RUN : "${SERVICE:?is needed: --build-arg SERVICE=agenda-service}"
COPY $SERVICE/requirements.lock .
# Symbols for debuggers and the packages' own tests are a quarter of what is installed.
RUN pip --python /app install --require-hashes --requirement requirements.lock && \
    find /app -name '*.so*' -exec strip --strip-unneeded {} + && \
    find /app -type d '(' -name tests -o -name testing ')' -prune -exec rm -r {} +

FROM base AS service
ARG PIP_INDEX_URL
COPY build.lock .
RUN pip --python /app install --require-hashes --requirement build.lock
COPY service-kit service-kit
ARG SERVICE
COPY $SERVICE $SERVICE
# Every image is started by the same name, and what it starts knows its own.
RUN pip --python /app install --no-index --no-build-isolation --no-deps --prefix /service \
        ./service-kit "./$SERVICE" && \
    printf '#!/bin/sh\nexec %s "$@"\n' "$SERVICE" > /service/bin/service && \
    chmod +x /service/bin/service

FROM python:3.13-slim-trixie
COPY --from=dependencies /app /app
COPY --from=service /service /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8080 METRICS_PORT=9090
# The mail sink, which development-provider's has too, wants a folder for settings of which it has none.
ENV SENDRIA_CONFIG_DIR=/tmp
USER 10001:10001
EXPOSE 8080 9090
ENTRYPOINT ["service"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
ENV SERVICE_VERSION=$VERSION SERVICE_SOURCE=$REVISION
LABEL org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.source=$SOURCE
