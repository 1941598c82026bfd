# PgBouncer, of which there is no official image. From the repository's root:
#
#   docker build -f docker/pgbouncer.Dockerfile -t ormbench-pgbouncer docker
#
# or `docker compose build pgbouncer`. PGBOUNCER_BASE_IMAGE is a Debian or Ubuntu whose PgBouncer is 1.21 or
# later: Debian 13, Ubuntu 24.04.

ARG PGBOUNCER_BASE_IMAGE=debian:13-slim
FROM ${PGBOUNCER_BASE_IMAGE}

RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer postgresql-client \
    && rm -rf /var/lib/apt/lists/*

# Root only makes the socket's folder over to the package's own account, and then is that account for good.
RUN printf '%s\n' '#!/bin/sh' 'set -e' 'install -d -o postgres -g postgres -m 755 /run/pgbouncer' \
        'exec setpriv --reuid=postgres --regid=postgres --init-groups --no-new-privs "$@"' \
        > /usr/local/bin/as-postgres \
    && chmod 755 /usr/local/bin/as-postgres
STOPSIGNAL SIGINT
ENTRYPOINT ["as-postgres"]
CMD ["pgbouncer", "/etc/ormbench/pgbouncer.ini"]
