"""Who writes: the name claimed, the account and key the system knows, and whether they belong together."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence

from incident_tui.incident import people as people_
from incident_tui.incident.entry import Author
from incident_tui.incident.settings import Person
from incident_tui.text import sanitise

SHARED_ACCOUNTS = ("root",)
"""Accounts that prove nobody, whatever the configuration says."""


class IdentityError(Exception):
    """The name cannot be used; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def account_of(uid: int) -> str:
    """The Unix account of a uid, or "uid 1234" when the system has no name for it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def author(
    claimed: str, people: Sequence[Person], environ: Mapping[str, str], *, uid: int | None = None, key: str = ""
) -> Author:
    """The author of what this process writes. `claimed` is `--as NAME` or empty, then the account's person.

    Under sudo the account is the one that called sudo: its uid is the one that logged in. Raises IdentityError for a
    name that is not one word or could be several people. `key` is the fingerprint of the SSH key that joined.
    """
    uid = os.getuid() if uid is None else uid
    account = account_of(uid)
    if uid == 0 and environ.get("SUDO_UID", "").isdigit():
        uid = int(environ["SUDO_UID"])
        account = account_of(uid)
    name = sanitise(claimed).strip()
    if name:
        if len(name.split()) != 1 or len(name) > 40:
            raise IdentityError(f"--as {name[:40]!r}: a name is one word of at most 40 characters.")
        found = people_.resolve(name, people)
        if isinstance(found, people_.Ambiguous):
            raise IdentityError(f"--as {found.sentence}")
        name = found
    return people_.author(name, people, account=account, uid=uid, key=key, shared=SHARED_ACCOUNTS)
