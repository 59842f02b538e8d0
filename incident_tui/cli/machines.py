"""Commands that go to the machines themselves: read, probe, check."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from incident_tui.cli import syncing
from incident_tui.cli.archive import hinted
from incident_tui.cli.check_outside import tried
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import PROGRAM
from incident_tui.cli.signing import trial as signing_trial
from incident_tui.config import Settings, missing_files
from incident_tui.fleet.cost import Cost, measure
from incident_tui.fleet.once import Checked, probe_once, rows_of, shot
from incident_tui.fleet.settings import Host
from incident_tui.hosts import installed
from incident_tui.hosts.health import findings as host_findings
from incident_tui.hosts.readings import HostReading, LinkState
from incident_tui.journal import everything
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.mistakes import nearest
from incident_tui.text import sanitise
from incident_tui.ui.view import Readings, machines
from incident_tui.watch.chat.trial import trial
from incident_tui.watch.rows import SiteRow, site_findings
from incident_tui.watch.settings import Site
from incident_tui.watch.sites import check as check_site

T = TypeVar("T")


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def hosts_named(context: Context, words: list[str]) -> list[Host]:
    """The configured hosts with these names, or all. Raises Failure for a name that is none."""
    known = {host.name: host for host in context.settings.hosts}
    if not known:
        where = f"{context.config_path} has" if context.config_path else "no configuration was found, so there is"
        raise Failure(f"{where} no [[hosts]] table; add one for each machine, or try {PROGRAM} demo", 2)
    for word in words:
        if word not in known:
            raise Failure(f"there is no host {sanitise(word, limit=40)!r}; {nearest(word, list(known))}", 2)
    return [known[word] for word in words] or list(known.values())


def read(context: Context) -> int:
    """A fresh reading of hosts and sites, judged. Asks the machines itself, whether or not somebody watches."""
    from incident_tui.cli.status import as_fields, as_lines

    settings = context.settings
    hosts = hosts_named(context, context.call.words)
    sites = [site for site in settings.sites if not context.call.words]
    readings, rows = _run(_read_all(context, hosts, sites))
    now = context.clock()
    chosen = msgspec.structs.replace(settings, hosts=tuple(hosts), sites=tuple(sites))
    made = machines(
        Readings({reading.host: reading for reading in readings}, {row.name: row for row in rows}), chosen, now, {}
    )
    if context.call.flag("json"):
        print(json.dumps(as_fields(made, chosen, now, 0.0), indent=2))
    else:
        print("\n".join(as_lines(made, chosen, now, 0.0)[1:]))
    return 1 if made.findings else 0


async def _read_all(context: Context, hosts: list[Host], sites: list[Site]) -> tuple[list[HostReading], list[SiteRow]]:
    # Heals and volume status take the cluster's lock: only one peer is asked for them.
    first = next((host.name for host in hosts if "gluster" in host.roles or not host.roles), "")
    probes = (probe_once(host, context.settings.fleet, context.clock, locking=host.name == first) for host in hosts)
    checks = (check_site(site, context.clock) for site in sites)
    readings = asyncio.gather(*probes)
    rows = asyncio.gather(*checks)
    return await readings, await rows


def probe(context: Context) -> int:
    """One round on one host, as it came and as it was understood."""
    (host,) = hosts_named(context, context.call.words)
    if context.call.flag("install"):
        public = ""
        with contextlib.suppress(OSError):
            if host.identity_file:
                public = sanitise(
                    Path(f"{host.identity_file}.pub").expanduser().read_text(encoding="utf-8"), limit=4000
                )
        print(installed.instructions(host.name, host.user, public, sudo=host.sudo), end="")
        return 0
    taken = _run(shot(host, context.settings.fleet, context.clock, locking=False))
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode(taken.reading), indent=2).decode())
    else:
        for section in taken.sections:
            cut = ", cut" if section.cut else ""
            print(f"== {section.name} (status {section.rc}, {section.seconds:.2f} s{cut})")
            print(sanitise(section.body, lines=True))
        if taken.reading.link.state is not LinkState.UP:
            print(f"{PROGRAM}: {taken.reading.link.sentence}")
        for name, gap in taken.reading.gaps.items():
            print(f"not available: {name}: {gap.sentence}")
    return 0 if taken.reading.link.state is LinkState.UP else 1


class Row(msgspec.Struct, frozen=True):
    """One line of `check`. `ok` None: not tried, or nothing to try."""

    subject: str
    what: str
    ok: bool | None
    sentence: str
    cost: Cost | None = None
    """Of the row `cost`: what reading this host costs it."""


def check(context: Context) -> int:
    """What works and how to mend what does not. Status 1 when anything does not, 2 for a configuration error."""
    settings = context.settings
    rows = [_configuration(context), *_files(context), *_journal(context), *_retention(context), _agent()]
    rows += _signing(context)
    checks, sites = _run(_check_all(context))
    rows += checks
    for site, answer in zip(settings.sites, sites, strict=True):
        found = site_findings([site], {site.name: answer}, context.clock())
        bad = "; ".join(finding.sentence for finding in found)
        rows.append(Row(site.name, "site", not bad, bad or f"{answer.status} in {answer.latency_ms} ms"))
    rows += _run(_check_chats(context))
    rows += [Row(*one) for one in _run(tried(settings, context.clock))]
    rows += _replica(context)
    rows += [Row(*one) for one in syncing.tried(context)]
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
    else:
        wide = max(len(row.subject) for row in rows)
        for row in rows:
            mark = {True: "+ ok  ", False: "X FAIL", None: "- none"}[row.ok]
            print(f"{mark} {row.subject.ljust(wide)}  {row.what:<13} {sanitise(row.sentence)}")
        failed = sum(row.ok is False for row in rows)
        print(f"{failed} of {len(rows)} checks failed" if failed else f"all {len(rows)} checks passed")
    return 1 if any(row.ok is False for row in rows) else 0


async def _check_all(context: Context) -> tuple[list[Row], list[SiteRow]]:
    settings = context.settings
    hosts = asyncio.gather(*(_check_host(host, context) for host in settings.hosts))
    sites = asyncio.gather(*(check_site(site, context.clock) for site in settings.sites))
    return [row for rows in await hosts for row in rows], await sites


async def _check_chats(context: Context) -> list[Row]:
    sinks = context.settings.chat
    tried = await asyncio.gather(*(trial(sink, context.clock) for sink in sinks))
    return [Row(sink.name, "chat", *found) for sink, found in zip(sinks, tried, strict=True)]


async def _check_host(host: Host, context: Context) -> list[Row]:
    fleet, clock = context.settings.fleet, context.clock
    reading = await probe_once(host, fleet, clock)
    checked = [*rows_of(host, reading), *_readings(reading, context.settings, clock())]
    rows = [Row(one.host, one.what, one.ok, one.sentence) for one in checked]
    if reading.link.state is LinkState.UP:
        cost = await measure(host, fleet, clock, reading)
        rows.append(
            Row(host.name, "cost", None if cost is None else True, cost.sentence if cost else "not known", cost)
        )
    return rows


def _readings(reading: HostReading, settings: Settings, now: datetime) -> list[Checked]:
    """Whether all that the board needs of a host can be read, and whether its clock is right."""
    if reading.link.state is not LinkState.UP:
        return []
    found = [one for one in host_findings([reading], settings.thresholds, now) if one.rule.startswith("host.")]
    rows = [Checked(host=reading.host, what="readings", ok=False, sentence=one.sentence) for one in found]
    return rows or [Checked(host=reading.host, what="readings", ok=True, sentence="memory, disks, kernel log, clock")]


def _configuration(context: Context) -> Row:
    path = context.config_path
    if path is None:
        return Row("config", "configuration", False, "no config.toml found; name one with --config, or see the README")
    return Row("config", "configuration", True, str(path))


def _files(context: Context) -> list[Row]:
    problems = missing_files(context.settings, context.config_path)
    return [Row("config", "files", False, sentence) for sentence in problems] or [
        Row("config", "files", True, "every file and variable it names is there")
    ]


def _journal(context: Context) -> list[Row]:
    try:
        store = Store.open(context.directory, letter=context.settings.journal.letter)
    except JournalError as error:
        return [Row("journal", "directory", False, error.sentence)]
    with store:
        if store.read_only is not None:
            return [Row("journal", "directory", False, store.read_only.sentence)]
        rows = [Row("journal", "directory", True, f"{context.directory}, {store.head().seq} entries")]
        if os.path.exists(store.place.others):
            rows.append(_copies(store))
        return rows


def _copies(store: Store) -> Row:
    """Of other bastions' journals: whether they can be read, and whether one was refused."""
    copies = everything.copies_of(store)
    problem = store.others_problem or next((one.problem for one in copies if one.problem), "")
    names = {journal: name.rstrip(":") for journal, name in store.letters().items()}
    said = ", ".join(f"{names[one.journal]}: {one.seq}" for one in copies) or "none yet"
    return Row("journal", "copies", not problem, problem or f"entries of other bastions: {said}")


def _signing(context: Context) -> list[Row]:
    """Whether entries are signed, where that is configured."""
    found = signing_trial(context)
    return [] if found is None else [Row("ssh", "signing", *found)]


def _retention(context: Context) -> list[Row]:
    """What could be archived by now, where [journal] keep says how long incidents stay."""
    try:
        sentence = hinted(context)
    except Failure:
        return []  # the journal's own row says what is wrong
    return [Row("journal", "retention", True, sentence)] if sentence else []


def _replica(context: Context) -> list[Row]:
    """The cluster of [replica], where there is one and a journal that it would hold."""
    if not context.settings.replica.servers:
        return []
    from incident_tui.replica.trying import tried as tried_replica

    try:
        with Store.open(context.directory, letter=context.settings.journal.letter, create=False) as store:
            journal = store.journal
    except JournalError as error:
        return [Row("nats", "cluster", None, f"not tried: {error.sentence}")]
    return [Row(*one) for one in _run(tried_replica(context.settings.replica, journal, context.clock))]


def _agent() -> Row:
    """Whether the agent answers. No agent is no fault: keys may be files."""
    path = os.environ.get("SSH_AUTH_SOCK", "")
    if not path:
        return Row("ssh", "agent", None, "no SSH_AUTH_SOCK; only key files are used")
    if not Path(path).is_socket():
        return Row("ssh", "agent", False, _DEAD)
    import socket

    with socket.socket(socket.AF_UNIX) as agent:
        agent.settimeout(3)
        try:
            agent.connect(path)
        except OSError:
            return Row("ssh", "agent", False, _DEAD)
    return Row("ssh", "agent", True, "answers")


_DEAD = "SSH_AUTH_SOCK points to a dead agent (tmux keeps the old one); log in again or export the new socket"
