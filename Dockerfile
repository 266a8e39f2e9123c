# The service as an image: docker run -v quota-guard:/var/lib/quota-guard -v ./rules.toml:/etc/quota-guard/rules.toml:ro -e AGENTPHONE_API_KEY …
FROM python:3.11-slim AS build
RUN python -m venv /opt/quota-guard
WORKDIR /build
COPY requirements.lock ./
RUN /opt/quota-guard/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml rules.example.toml README.md LICENSE ./
COPY guard guard
# The build backend is in the lock: nothing is fetched here whose hash was not checked.
RUN /opt/quota-guard/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
COPY --from=build /opt/quota-guard /opt/quota-guard
# A fixed number, so that a volume keeps its owner from one image to the next.
RUN groupadd --system --gid 10001 guard \
 && useradd --system --uid 10001 --gid guard --home-dir /var/lib/quota-guard --create-home guard
ENV PATH=/opt/quota-guard/bin:$PATH \
    GUARD_RULES=/etc/quota-guard/rules.toml \
    STATE_DIRECTORY=/var/lib/quota-guard
USER 10001:10001
WORKDIR /var/lib/quota-guard
VOLUME /var/lib/quota-guard
ENTRYPOINT ["guard"]
CMD ["run"]
