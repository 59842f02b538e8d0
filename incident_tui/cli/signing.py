"""Signatures on the command line: after `log`, `sign`, and what `verify` and `check` say of them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.text import sanitise

if TYPE_CHECKING:
    from incident_tui.journal.chain import Verdict
    from incident_tui.journal.sign import Signs
    from incident_tui.journal.sign_verify import Signed
    from incident_tui.journal.signing import Signing
    from incident_tui.journal.store import Store


def _signs(context: Context) -> Signs | None:
    """Raises NotSigned."""
    from incident_tui.journal.sign import signs

    return signs(context.essentials.journal, context.author, context.essentials.people)


def sign_saved(context: Context) -> None:
    """Have what this command saved signed. It is saved whether or not it can be signed. A login by `join` brings no
    agent of its own."""
    from incident_tui.journal.errors import JournalError
    from incident_tui.journal.sign import sign
    from incident_tui.journal.sign_agent import NotSigned

    try:
        by = None if context.key else _signs(context)
        mine = [] if by is None else [entry.seq for entry in context.saved if by.mine(entry)]
        if by is not None and mine:
            with context.store(create=False) as store:
                sign(store, by, mine, "cli")
    except (NotSigned, JournalError, Failure) as error:
        print(f"incident-tui: saved, not signed: {sanitise(error.sentence)}", file=sys.stderr)


def for_screen(context: Context) -> Signing | None:
    """The thread that signs what a screen saves; None where nothing is signed, and for a login whose agent is not the
    writer's (`join` brings none)."""
    from incident_tui.journal.signing import Signing
    from incident_tui.journal.store import Store

    settings = context.essentials.journal
    if settings.sign == "off" or context.demo or context.key:
        return None
    return Signing(
        lambda: Store.open(context.place, letter=settings.letter, create=False),
        lambda: _signs(context),
        clock=context.clock,
    )


def sign(context: Context) -> int:
    """`sign`: what stands under the own name, account and key and is not signed. 1 when the agent did not."""
    from incident_tui.journal.errors import JournalError
    from incident_tui.journal.sign import sign as have_signed
    from incident_tui.journal.sign import unsigned
    from incident_tui.journal.sign_agent import NotSigned

    with context.store(create=False) as store:
        try:
            by = _signs(context)
            if by is None:
                raise UsageError('nothing is signed: set sign = "agent" in [journal]')
            todo = unsigned(store, by)
            for entry in todo:
                said = sanitise(entry.text.split("\n")[0], limit=60)
                print(f"{store.handle(entry)}  {entry.at:%Y-%m-%d %H:%M}Z  {entry.kind}  {said}".rstrip())
            if context.call.flag("dry-run") or not todo:
                print(f"{len(todo)} not signed" if todo else f"all entries of {by.author.name} from here are signed")
                return 0
            kept = have_signed(store, by, [entry.seq for entry in todo], "cli")
        except NotSigned as error:
            raise Failure(f"not signed: {sanitise(error.sentence)}") from error
        except JournalError as error:
            raise Failure(error.sentence) from error
        print(f"{len(todo)} signed: {', '.join(store.handle(one) for one in kept)}")
    return 0


def fits(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is this key's, by whichever algorithm SSH has for it; never by one with SHA-1."""
    import asyncssh

    from incident_tui.journal.sign_agent import algorithm

    try:
        if algorithm(signature) in ("ssh-rsa", "ssh-dss"):
            return False
        return bool(asyncssh.public_key.decode_ssh_public_key(key).verify(message, signature))
    except Exception:  # a key or a signature is foreign; whatever a library says of it, it does not fit
        return False


def signatures(context: Context, store: Store, verdict: Verdict) -> Signed:
    """What `verify` says of those in the journal, or in the copy, that the verdict is of. Raises JournalError."""
    from incident_tui.journal.sign_verify import check, holders, rows_of

    broken = [problem.seq for problem in verdict.problems]
    journal = verdict.head.journal
    return check(rows_of(store, journal), journal, holders(context.essentials.people), fits, broken)


def write_out(context: Context, store: Store, handle: str) -> int:
    """`verify --signature HANDLE --out DIR`: what was signed and the signature, as ssh-keygen checks it."""
    from incident_tui.journal.sign_text import NAMESPACE, armoured, key_line
    from incident_tui.journal.sign_verify import exported, rows_of

    directory = os.path.abspath(os.path.expanduser(context.call.options.get("out", ".")))
    entry = store.find(handle)
    found = None if entry is None else exported(rows_of(store, entry.journal), entry.journal, entry.seq)
    if entry is None or found is None:
        raise Failure(f"{sanitise(handle, limit=40)} is no signature of this journal", 2)
    author, message, key, signature = found
    name = os.path.join(directory, store.handle(entry))
    files: list[tuple[str, bytes]] = [
        (f"{name}.txt", message),
        (f"{name}.txt.sig", armoured(key, signature).encode()),
        (f"{name}.signer", f'{author} namespaces="{NAMESPACE}" {key_line(key)}\n'.encode()),
    ]
    for path, content in files:
        try:
            with open(path, "xb") as file:
                file.write(content)
        except OSError as error:
            raise Failure(f"{sanitise(path)} cannot be written ({error.strerror})") from error
    print(
        f"ssh-keygen -Y verify -f {name}.signer -I {author} -n {NAMESPACE} -s {name}.txt.sig < {name}.txt"
        "\nThe key in the .signer file is the one that the entry names: compare it with what you know of the person."
    )
    return 0


def trial(context: Context) -> tuple[bool, str] | None:
    """For `check`: whether the agent signs now, in a sentence; None where nothing is signed."""
    from incident_tui.incident.ssh_key import fingerprint
    from incident_tui.journal.errors import JournalError
    from incident_tui.journal.sign import unsigned
    from incident_tui.journal.sign_agent import Agent, NotSigned, chosen
    from incident_tui.journal.sign_text import key_line, to_sign

    try:
        by = _signs(context)
        if by is None:
            return None
        with Agent(by.path(), by.seconds) as agent:
            key = chosen(agent, by.keys, by.whose)
            agent.sign(key, to_sign(b"check", "incident-tui-check"))
        with context.store() as store:
            left = len(unsigned(store, by))
    except (NotSigned, JournalError, Failure) as error:
        return False, error.sentence
    more = f"; {left} of your entries are not signed: incident-tui sign" if left else ""
    return True, f"the agent signs with {fingerprint(key_line(key))}{more}"
