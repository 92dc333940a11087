# Stands in for Toxiproxy's own image, which has no shell either.
FROM scratch
COPY server /toxiproxy
COPY cli /toxiproxy-cli
ENTRYPOINT ["/toxiproxy"]
CMD ["-host=0.0.0.0"]
