"""The public host names a container says it serves, by the words reverse proxies read. Pure.

Of the environment only the variables named here are looked at, and only what is a host name is kept: no password is one
of these by accident, and a rule that is a regular expression names no host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME_LIMIT = 20
_VARIABLES = ("VIRTUAL_HOST", "LETSENCRYPT_HOST")
"""Of nginx-proxy and its companion: names with commas between, each maybe with a scheme or a port."""
_HOST_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
_TRAEFIK_1 = re.compile(r"traefik\.(?:[\w-]+\.)?frontend\.rule\Z")
_TRAEFIK_2 = re.compile(r"traefik\.(?:http|tcp)\.routers\.[^.]+\.rule\Z")
_CADDY = re.compile(r"caddy(?:_\d+)?\Z")


def names(environment: object, labels: object) -> tuple[str, ...]:
    """Of inspect's Config.Env (a list of "NAME=value") and Config.Labels: each host name once, in lower case."""
    found = [*_of_environment(environment), *_of_labels(labels if isinstance(labels, dict) else {})]
    return tuple(dict.fromkeys(found))[:_NAME_LIMIT]


def _of_environment(environment: object) -> Iterator[str]:
    for entry in environment if isinstance(environment, list) else ():
        variable, _, value = entry.partition("=") if isinstance(entry, str) else ("", "", "")
        if variable in _VARIABLES:
            yield from _listed(value)


def _of_labels(labels: Mapping[Any, Any]) -> Iterator[str]:
    for label, value in labels.items():
        if not isinstance(label, str) or not isinstance(value, str):
            continue
        if _TRAEFIK_1.match(label):  # "Host:a.example,b.example;PathPrefix:/shop"
            for part in value.split(";"):
                matcher, _, hosts = part.strip().partition(":")
                if matcher.strip() == "Host":
                    yield from _listed(hosts)
        elif _TRAEFIK_2.match(label):  # "Host(`a.example`, `b.example`) && PathPrefix(`/shop`)"; not of HostRegexp
            for hosts in re.findall(r"(?<!!)\bHost(?:SNI)?\(([^()]{0,1000})\)", value):
                yield from _listed(re.sub(r"[`\"']", "", hosts))
        elif _CADDY.match(label):
            yield from _listed(value.replace(" ", ","))


def _listed(words: str) -> Iterator[str]:
    for word in words[:4000].split(","):
        name = re.sub(r"\A[a-z]{2,5}://|[:/].*\Z", "", word.strip().lower())
        if len(name) <= 253 and _HOST_NAME.match(name):
            yield name
