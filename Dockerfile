# The application alone. Logto and PostgreSQL run elsewhere; see compose.yaml.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.lock .
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY saas_app saas_app
COPY templates templates
COPY migrations migrations
RUN pip install --no-deps --no-build-isolation -e . \
    && python -m compileall -q saas_app migrations \
    && useradd --system --uid 10001 --home-dir /app workroom \
    && install -d -o workroom /app/var
USER workroom

ENV APP_HOST=0.0.0.0 APP_PORT=3000 LOG_FORMAT=json
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('APP_PORT') or 3000), timeout=2); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
CMD ["saas-app", "serve"]
