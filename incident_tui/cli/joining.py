"""Commands for joining by plain ssh: join-keys prints lines for authorized_keys, join is what such a line runs."""

from __future__ import annotations

import os
import sys

from incident_tui.cli import function_of
from incident_tui.cli.commands import BY_NAME
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import Call
from incident_tui.desk.joining import Refused, asked, environment, is_key_of, line, sync_line
from incident_tui.incident.people import find
from incident_tui.incident.ssh_key import NoKey, fingerprint
from incident_tui.text import decode, sanitise


def join_keys(context: Context) -> int:
    """`join-keys [NAME...] [--old]`: the lines of everybody who has `keys`, or of those who are named."""
    people = context.essentials.people
    config = context.config_path
    if "sync" in context.call.options:
        print(_sync_line(context))
        return 0
    if config is None:
        raise Failure("no configuration was found, so nobody has a key; add keys to [[people]] in config.toml", 2)
    for word in context.call.words:
        if find(word, people) is None:
            raise Failure(f"there is nobody called {sanitise(word, limit=40)!r} in [[people]] of {config}", 2)
    wanted = [find(word, people) for word in context.call.words] or list(people)
    program = _program(context)
    lines: list[str] = []
    owner: dict[str, str] = {}
    for person in people:
        for key in person.keys:
            try:
                made, print_ = line(person, key, program, old=context.call.flag("old")), fingerprint(key)
            except NoKey as error:
                raise Failure(f"{config}: a key of {person.name} cannot be used: {error}", 2) from error
            except Refused as error:
                raise Failure(error.sentence, 2) from error
            if owner.setdefault(print_, person.name) != person.name:
                raise Failure(f"{config}: {owner[print_]} and {person.name} have the same key; give each their own", 2)
            if person in wanted:
                lines.append(made)
    if not lines:
        raise Failure(f"nobody of these has keys: add keys = ['ssh-ed25519 AAAA…'] to [[people]] of {config}", 2)
    print("\n".join(lines))
    return 0


def _program(context: Context) -> list[str]:
    """What a line of authorized_keys runs. -I: nothing in the environment or the home of the shared account can put
    other code in front of ours. A bundle (bundle/launch.sh) is named itself: what it unpacked is a cache, and says -I
    on its own."""
    bundle = os.environ.get("INCIDENT_TUI_BUNDLE", "")
    config = context.config_path
    return [
        *([bundle] if bundle else [sys.executable, "-I", "-m", "incident_tui"]),
        *(["--config", str(config.absolute())] if config is not None else []),
        "--journal",
        context.place,
    ]


def _sync_line(context: Context) -> str:
    """The line for a public key of another bastion, of which the file has one."""
    path = os.path.expanduser(context.call.options["sync"])
    name = sanitise(path, limit=200)
    if context.call.words:
        raise Failure("join-keys --sync is for another bastion's key and takes no NAME", 2)
    try:
        with open(path, encoding="utf-8") as file:
            return sync_line(file.read(16_384).strip(), _program(context), old=context.call.flag("old"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Failure(f"{name}: cannot be read ({why}); name the public key of the other bastion", 2) from error
    except NoKey as error:
        raise Failure(f"{name}: {error}", 2) from error
    except Refused as error:
        raise Failure(error.sentence, 2) from error


def join(context: Context) -> int:
    """`join NAME --key FINGERPRINT`: the screen, or what the client asked for, as NAME, with nothing beside it."""
    original = decode(os.environb.get(b"SSH_ORIGINAL_COMMAND", b""))
    kept = environment(os.environ)
    os.environ.clear()
    os.environ.update(kept)
    name, print_ = context.call.words[0], context.call.options.get("key", "")
    person = find(name, context.essentials.people)
    try:
        known = person is not None and is_key_of(print_, person)
        if person is None or not known:
            raise Failure(
                f"the key {sanitise(print_, limit=60)} is not one of {sanitise(name, limit=40)}'s any more", 2
            )
        command, options, words = asked(original)
    except NoKey as error:
        raise Failure(f"a key of {sanitise(name, limit=40)} in the configuration cannot be used: {error}", 2) from error
    except Refused as error:
        raise Failure(error.sentence, 2) from error
    where = {key: value for key, value in context.call.options.items() if key in ("config", "journal")}
    called = BY_NAME[command]
    inner = Context(Call(called, {**where, **options, "as": person.name}, words), key=print_)
    os.chdir(context.place if os.path.isdir(context.place) else "/")  # a report goes beside the journal
    return function_of(called.run)(inner)
