"""What the watch puts on the board beside the hosts' readings, and the rules for it. Pure; imports no asyncio.

Keys on the board: "host/NAME" -> hosts.readings.HostReading, "site/NAME" -> SiteRow, "chat/NAME" -> ChatRow,
"watch" -> WatchRow, "bastions" -> BastionsRow. Its details: "history/..." -> watch.history.History, "raw/NAME" ->
hosts.raw.RawText. The board holds readings only; findings are derived from them by whoever looks, with the clock of
that moment, so that a watch that died can never leave a green row behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from incident_tui.hosts.readings import CLOCK_TOLERANCE
from incident_tui.incident.entry import Ref
from incident_tui.incident.finding import Finding, Level
from incident_tui.watch.settings import Site


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """The last check of one site. `status` is None when there was no HTTP answer; then `problem` says why."""

    name: str
    at: datetime
    status: int | None = None
    latency_ms: int | None = None
    tls_until: datetime | None = None
    """End of the certificate's validity; None over plain HTTP or when it could not be read."""
    problem: str = ""
    """One sentence when there was no answer; empty otherwise."""
    since: datetime | None = None
    """Since when the outcome (answer as expected or not) is what it is."""
    via: str = ""
    """The letter of the bastion that checked it; empty: this one."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one entry's message at one sink."""

    ref: Ref
    state: str
    """waiting, sending, sent, accepted (the platform will see to it, and does not say whether it did), maybe (a timeout
    left it open), dead (refused for good), dropped (purged first)."""
    at: datetime
    """When it was sent, or queued when it was not."""
    problem: str = ""
    via: str = ""
    """The letter of the bastion whose outbox it is in; empty: this one."""


class ChatRow(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one chat sink."""

    name: str
    at: datetime
    problem: str = ""
    """Why the last attempt failed, in one sentence without the URL; empty when it is well or was never tried."""
    since: datetime | None = None
    """Since when it has not been well."""
    waiting: int = 0
    oldest: datetime | None = None
    """When the oldest waiting message was queued."""
    maybe: int = 0
    """Messages of which a timeout left open whether they were sent."""
    dead: int = 0
    """Messages the platform refused for good."""
    accepted: int = 0
    """Messages that the platform took without saying whether they arrived."""
    last_sent: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()
    """The latest and the oldest that are not well, newest last; bounded. A row of the timeline shows its own."""


class Resend(msgspec.Struct, frozen=True):
    """A person's word about what is in the outbox of another bastion; on no board. `number` names it, so that it counts
    once; `ref` None: all that was refused or waits there."""

    to: str
    """The journal of that bastion."""
    number: int
    sink: str
    ref: Ref | None = None


class WatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """The process that watches. Its heartbeat is the board row's boot time."""

    at: datetime
    pid: int
    node: str
    epoch: int
    started_at: datetime
    rounds: int = 0
    service: bool = False
    version: str = ""
    demo: bool = False


class BastionSeen(msgspec.Struct, frozen=True):
    """Another bastion that is there."""

    letter: str
    node: str
    hosts: int
    """How many it reads."""
    same_fleet: bool
    """False: its configuration names other hosts, so nothing is divided with it."""


class BastionsRow(msgspec.Struct, frozen=True, kw_only=True):
    """How this watch stands to those of other bastions over the cluster; there is none without a cluster."""

    at: datetime
    state: str
    """joining, together or alone."""
    since: datetime
    """Since when; of alone, when contact was lost."""
    reads: int
    """Hosts that this watch reads itself, of `hosts`."""
    hosts: int
    duty: str = ""
    """The letter of who sends to chat, reads rooms and polls alerts; empty when nobody is known to."""
    on_duty: bool = False
    others: tuple[BastionSeen, ...] = ()
    unreached: dict[str, tuple[str, ...]] = {}
    """By host, the letters of the bastions that cannot reach it, this one's too; bounded."""
    why: dict[str, str] = {}
    """Of those that this one cannot reach: the sentence of its last try."""
    problem: str = ""
    """What of another bastion's board was not taken, and why."""


def bastions_words(row: BastionsRow) -> str:
    """How the watches stand to each other, for people."""
    if row.state == "alone":
        return f"alone since {row.since:%H:%MZ}: reads all {row.hosts} hosts itself, and sends for its own entries"
    if row.state == "joining":
        return "joining the other bastions; reads nothing yet"
    told = [f"this watch reads {row.reads} of {row.hosts} hosts"]
    for one in row.others:
        of = f"{one.hosts}" if one.same_fleet else f"{one.hosts}, of another list of hosts"
        told.append(f"{one.letter} ({one.node}) reads {of}")
    for letter in sorted({letter for letters in row.unreached.values() for letter in letters}):
        blind = [host for host, letters in row.unreached.items() if letter in letters]
        which = blind[0] if len(blind) == 1 else f"{len(blind)} hosts"
        told.append(f"{letter} cannot reach {which}")
    told.append(f"{row.duty} sends to chat, reads rooms and polls alerts" if row.duty else "nobody sends to chat yet")
    return "; ".join(told)


SITE_RULES = {
    "site.down": "a public site does not answer, or not with the expected status",
    "site.slow": "a public site answers slower than its limit",
    "site.tls-expiring": "the certificate of a public site ends soon or has ended",
    "site.stale": "a public site has not been checked lately",
}
"""Rule ids of this module, with what they mean; playbooks name them in `when`."""


def site_max_age(site: Site) -> timedelta:
    """Past this the last check is stale: two missed checks and a timeout."""
    return timedelta(seconds=2 * site.seconds + site.timeout + 5)


def site_findings(sites: Sequence[Site], rows: dict[str, SiteRow], now: datetime) -> list[Finding]:
    """What is wrong, or not known, with the public sites."""
    found: list[Finding] = []
    for site in sites:
        row = rows.get(site.name)
        if row is None or not -CLOCK_TOLERANCE <= now - row.at <= site_max_age(site):
            said = "not checked yet" if row is None else f"last checked {_ago(now - row.at)}"
            at = now if row is None else row.at
            sentence, evidence = f"{site.name}: {said}", f"GET {site.url}"
            found.append(Finding("site.stale", Level.UNKNOWN, site.name, sentence, at, "", evidence))
            continue
        found.extend(_one_site(site, row, now))
    return found


def _ago(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    return f"{seconds}s ago" if seconds >= 0 else "before our clock was set back"


def _one_site(site: Site, row: SiteRow, now: datetime) -> list[Finding]:
    found: list[Finding] = []
    evidence = f"GET {site.url}: " + (str(row.status) if row.status is not None else row.problem)
    if row.status is None:
        found.append(Finding("site.down", Level.CRIT, site.name, f"{site.name}: {row.problem}", row.at, "", evidence))
    elif row.status != site.expect:
        sentence = f"{site.name}: answers {row.status}, not {site.expect}"
        found.append(Finding("site.down", Level.CRIT, site.name, sentence, row.at, "", evidence))
    elif row.latency_ms is not None and row.latency_ms > site.slow_ms:
        sentence = f"{site.name}: answers in {row.latency_ms} ms, limit {site.slow_ms}"
        found.append(Finding("site.slow", Level.WARN, site.name, sentence, row.at, "", evidence))
    if row.tls_until is not None:
        left = row.tls_until - now
        if left < timedelta(days=site.tls_days_warn):
            ended = left <= timedelta(0)
            words = "has ended" if ended else f"ends in {left.days} days"
            found.append(
                Finding(
                    "site.tls-expiring",
                    Level.CRIT if ended else Level.WARN,
                    site.name,
                    f"{site.name}: certificate {words}",
                    row.at,
                    "",
                    f"certificate of {site.url} until {row.tls_until:%Y-%m-%d %H:%MZ}",
                )
            )
    return found
