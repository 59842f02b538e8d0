"""The configuration of the NATS servers: printed by `incident-tui replica server-config`, tested on real servers.

What protects the entries of one bastion from another is the server: each user may publish under the subject of its own
journal alone, and what the servers answer comes to an inbox that no other user may write to or read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from incident_tui.replica.stream import aloud_subject, ask_subject, subject

MAX_PAYLOAD: Final = "1MB"
_API: Final = "$JS.API"


class User(msgspec.Struct, frozen=True):
    """One bastion: what it is called, the id of its journal, and the public half of its nkey (U…)."""

    name: str
    journal: str
    nkey: str


def buckets(stream: str) -> tuple[str, str]:
    """Streams behind the key-value buckets in which the bastions agree who watches."""
    return f"KV_{stream}_watch", f"KV_{stream}_sent"


def may_publish(stream: str, journal: str) -> list[str]:
    """All that a bastion needs, and nothing that would let it write another's entries."""
    found = [subject(stream, journal), aloud_subject(stream, journal), ask_subject(stream)]
    found += [f"incident.{stream}.board.{journal}", f"{_API}.INFO"]
    for one in (stream, *buckets(stream)):
        found += [
            f"{_API}.STREAM.INFO.{one}",
            f"{_API}.STREAM.CREATE.{one}",
            f"{_API}.STREAM.MSG.GET.{one}",
            f"{_API}.DIRECT.GET.{one}",
            f"{_API}.DIRECT.GET.{one}.>",
            f"{_API}.CONSUMER.CREATE.{one}",
            f"{_API}.CONSUMER.CREATE.{one}.>",
            f"{_API}.CONSUMER.INFO.{one}.*",
            f"{_API}.CONSUMER.DELETE.{one}.*",
            f"$JS.FC.{one}.>",
        ]
    found += [f"$KV.{one.removeprefix('KV_')}.>" for one in buckets(stream)]
    # Whoever purges an own entry takes it out of the stream. Who takes out another's destroys nothing: its bastion
    # sends it again, and the copies stay.
    found.append(f"{_API}.STREAM.MSG.DELETE.{stream}")
    return found


def may_subscribe(stream: str, journal: str) -> list[str]:
    return [f"_INBOX_{journal}.>", aloud_subject(stream), ask_subject(stream), f"incident.{stream}.board.*"]


def user_block(stream: str, user: User) -> str:
    """For the list of users in the servers' configuration."""

    def listed(names: Sequence[str]) -> str:
        return "\n".join(f'          "{name}"' for name in names)

    return (
        f"    {{ # {user.name}: journal {user.journal}\n"
        f"      nkey: {user.nkey}\n"
        f"      permissions: {{\n"
        f"        publish: {{ allow: [\n{listed(may_publish(stream, user.journal))}\n        ] }}\n"
        f"        subscribe: {{ allow: [\n{listed(may_subscribe(stream, user.journal))}\n        ] }}\n"
        f"      }}\n"
        f"    }}\n"
    )


def server_config(stream: str, users: Sequence[User]) -> str:
    """Of one server; what is in capitals differs on each or is for you to fill in."""
    blocks = "".join(user_block(stream, user) for user in users)
    return f"""\
# nats-server for incident-tui: one of three. The same file on each but for server_name and routes.
server_name: NAME
listen: "0.0.0.0:4222"
max_payload: {MAX_PAYLOAD}
tls {{
  cert_file: "/etc/nats/server.pem"
  key_file: "/etc/nats/server.key"
  ca_file: "/etc/nats/ca.pem"
  timeout: 5
}}
jetstream {{
  store_dir: "/var/lib/nats"
  max_file_store: 2GB
  max_memory_store: 64MB
}}
cluster {{
  name: incident
  listen: "0.0.0.0:6222"
  routes: ["nats-route://OTHER1:6222", "nats-route://OTHER2:6222"]
  tls {{
    cert_file: "/etc/nats/server.pem"
    key_file: "/etc/nats/server.key"
    ca_file: "/etc/nats/ca.pem"
    verify: true
    timeout: 5
  }}
}}
# One block for each bastion: `incident-tui replica server-config` prints its own there; put it in here, then
# `nats-server --signal reload` on each server.
authorization {{
  users: [
{blocks}  ]
}}
"""
