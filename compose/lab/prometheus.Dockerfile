# Stands in for prom/prometheus: the same user, volume and entry point; promtool lies on PATH in both.
FROM lab/python:3.13
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/* /etc/prometheus/* \
 && install -d -o 65534 -g 65534 /prometheus
USER 65534
VOLUME /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
