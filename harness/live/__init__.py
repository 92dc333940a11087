"""A run watched while it goes on: a process of its own, cheap checks, Prometheus' metrics; never the verdict."""
