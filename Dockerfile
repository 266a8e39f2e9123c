# The service as an image; docs/deploy.md says how it is run. What is fetched is what requirements.lock names, by its hashes.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock ./
RUN pip download --only-binary=:all: --require-hashes --requirement requirements.lock --dest wheels
COPY pyproject.toml rules.example.toml README.md LICENSE ./
COPY guard guard
# The lock holds the build backend too. It makes a wheel of the project and stays behind, as pip does: what is installed is
# that wheel and what it asks for. The bytecode is made here, for nothing can be written later, and without it a start
# takes five times as long; it is never compared with its source, so that no time of a file matters.
RUN pip install --no-index --find-links wheels --requirement requirements.lock \
 && pip wheel --no-index --no-deps --no-build-isolation --wheel-dir wheels . \
 && python -m venv --without-pip /opt/quota-guard \
 && pip --python /opt/quota-guard/bin/python install --no-index --find-links wheels --no-compile wheels/quota_guard-*.whl \
 && /opt/quota-guard/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/quota-guard/lib

FROM python:3.11-slim
LABEL org.opencontainers.image.title="quota-guard" \
      org.opencontainers.image.description="Tells people, once and in time, that their AgentPhone account is about to run out of something." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/quota-guard /opt/quota-guard
ENV PATH=/opt/quota-guard/bin:$PATH
# The number is fixed, so that a volume keeps its owner from one image to the next. The base comes with pip, which nothing
# needs any more, and without the bytecode of Python's own library: the import makes that of what is used.
RUN groupadd --gid 10001 guard \
 && useradd --uid 10001 --gid guard --no-log-init --home-dir /var/lib/quota-guard --no-create-home guard \
 && install --directory --owner guard --group guard --mode 0700 /var/lib/quota-guard \
 && rm -rf /usr/local/bin/pip* /usr/local/lib/python3.11/ensurepip /usr/local/lib/python3.11/site-packages/* \
 && python -c "import guard.cli.app, guard.console.probe, guard.console.server, guard.demo, guard.once"
ENV GUARD_RULES=/etc/quota-guard/rules.toml \
    STATE_DIRECTORY=/var/lib/quota-guard
USER 10001:10001
WORKDIR /var/lib/quota-guard
VOLUME /var/lib/quota-guard
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-m", "guard.console.probe"]
ENTRYPOINT ["guard"]
CMD ["run"]
