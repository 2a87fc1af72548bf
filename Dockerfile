# The application alone. Logto, PostgreSQL and the proxy run elsewhere: see compose.yaml and deploy/kubernetes.
FROM python:3.13-slim AS builder

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/workroom
WORKDIR /app

COPY requirements.lock .
RUN pip --python /opt/workroom/bin/python install --require-hashes --only-binary :all: -r requirements.lock

COPY pyproject.toml README.md ./
COPY saas_app saas_app
COPY templates templates
COPY migrations migrations
RUN pip --python /opt/workroom/bin/python install --no-deps --no-build-isolation -e . \
    && pip --python /opt/workroom/bin/python uninstall --yes setuptools \
    && python -m compileall -q saas_app migrations


FROM python:3.13-slim

ARG REVISION=unknown
LABEL org.opencontainers.image.title="Workroom" \
      org.opencontainers.image.description="Reference application for organization-level RBAC with Logto" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"

# A SQLite database is kept in /app/var. Nothing else is written, but for temporary files in /tmp.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin workroom \
    && install -d -o workroom -g workroom /app/var
WORKDIR /app
COPY --from=builder /opt/workroom /opt/workroom
COPY --from=builder /app/saas_app saas_app
COPY --from=builder /app/templates templates
COPY --from=builder /app/migrations migrations
USER 10001:10001

ENV PATH=/opt/workroom/bin:$PATH PYTHONUNBUFFERED=1 APP_HOST=0.0.0.0 APP_PORT=3000 LOG_FORMAT=json
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('APP_PORT') or 3000), timeout=2); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
CMD ["saas-app", "serve"]
