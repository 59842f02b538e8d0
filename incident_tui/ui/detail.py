"""What Enter opens: all that is known of one row or entry, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from incident_tui.hosts.cluster import VolumeView
from incident_tui.hosts.judge import size
from incident_tui.hosts.readings import Container, HostReading, LinkState
from incident_tui.incident.entry import MACHINE_KINDS
from incident_tui.incident.finding import Finding
from incident_tui.incident.playbook import Playbook
from incident_tui.incident.views import Incident, Run, TimelineRow
from incident_tui.ui.lines import LEVEL_STYLE, SYMBOL, Line, Look, Piece, fit, wrap
from incident_tui.ui.status import StatusRow
from incident_tui.ui.times import clock, short
from incident_tui.ui.view import View
from incident_tui.ui.words import container_words, rate, volume_words


class Page:
    """Lines being written at one width."""

    def __init__(self, width: int, look: Look) -> None:
        self.width = width
        self.look = look
        self.lines: list[Line] = []

    def head(self, text: str, style: str = "strong") -> None:
        self.text(text, style)

    def text(self, text: str, style: str = "", indent: int = 1) -> None:
        room = max(8, self.width - indent - 1)
        for part in wrap(self.look.text(text, lines=True), room, room):
            self.lines.append(fit([(" " * indent, ""), (part, style)], self.width, self.look))

    def field(self, name: str, value: str, style: str = "") -> None:
        """A name and a value that hangs below itself when it is long."""
        column = 13
        parts = wrap(self.look.text(value, lines=True), self.width - column - 1, self.width - column - 1)
        self.lines.append(fit([(f" {name:<{column - 1}}", ""), (parts[0], style)], self.width, self.look))
        for part in parts[1:]:
            self.lines.append(fit([(" " * column, ""), (part, style)], self.width, self.look))

    def gap(self) -> None:
        self.lines.append(fit([], self.width))

    def findings(self, found: Iterable[Finding], now: datetime) -> None:
        for one in found:
            style = LEVEL_STYLE[one.level]
            self.text(f"{SYMBOL[one.level]} {one.sentence}", style)
            evidence = f"{one.evidence}, " if one.evidence else ""
            self.text(f"{evidence}read {short(now - one.at)} ago ({one.rule})", indent=3)


def status_detail(row: StatusRow, view: View, width: int) -> list[Line]:
    """One row of the left pane: its findings, then the reading behind it with its age."""
    page = Page(width, view.look)
    sort, _, name = row.key.partition("/")
    if row.findings:
        page.findings(row.findings, view.now)
    elif sort not in ("head", "more"):
        page.text("+ nothing wrong is known", "ok")
    page.gap()
    match sort:
        case "site":
            _site(page, view, name)
        case "host" | "docker" | "gluster":
            _host(page, view, name)
        case "container":
            host, _, ident = name.partition("/")
            reading = view.hosts.get(host)
            docker = reading.docker if reading is not None else None
            for container in docker.containers if docker is not None else ():
                if container.id == ident and docker is not None:
                    _container(page, view, host, container, docker.at)
        case "volume":
            for volume in view.cluster.volumes:
                if volume.name == name:
                    _volume(page, view, volume)
        case "head":
            page.findings([one for one in view.findings if _in_section(one, row.section)], view.now)
        case _:
            pass
    if row.findings and view.suggested:
        page.gap()
        page.text("suggested: " + ", ".join(f"/play {one}" for one in view.suggested), "strong")
    return page.lines


def _in_section(finding: Finding, section: str) -> bool:
    prefixes = {
        "SITES": ("site.",),
        "HOSTS": ("host.", "machine.", "disk."),
        "CONTAINERS": ("docker.",),
        "GLUSTER": ("gluster.",),
    }
    return finding.rule.startswith(prefixes.get(section, ()))


def _site(page: Page, view: View, name: str) -> None:
    site = next((one for one in view.sites if one.name == name), None)
    row = view.site_rows.get(name)
    if site is None:
        return
    page.field("url", site.url)
    page.field("expected", f"status {site.expect} within {site.slow_ms} ms")
    if site.hosts:
        page.field("hosts", ", ".join(site.hosts))
    if row is None:
        page.field("checked", "not yet")
        return
    page.field("checked", f"{short(view.now - row.at)} ago, {clock(row.at)}Z")
    page.field("answer", str(row.status) if row.status is not None else row.problem or "none")
    if row.latency_ms is not None:
        page.field("latency", f"{row.latency_ms} ms")
    if row.tls_until is not None:
        page.field("certificate", f"until {row.tls_until.astimezone(UTC):%Y-%m-%d %H:%M}Z")
    if row.since is not None:
        page.field("so since", f"{short(view.now - row.since)} ago, {clock(row.since)}Z")


def _host(page: Page, view: View, host: str) -> None:
    reading = view.hosts.get(host)
    if reading is None:
        page.text("No reading of this host is on the board.")
        return
    link = reading.link
    state = f"{link.state.value} for {short(view.now - link.since)}"
    page.field("connection", state if link.state is LinkState.UP else f"{state}: {link.sentence}")
    if link.next_try is not None and link.state is not LinkState.UP:
        page.field("next try", f"{clock(link.next_try)}Z")
    _machine(page, view, reading)
    for field, gap in sorted(reading.gaps.items()):
        page.field(field, f"{gap.kind.value}, {short(view.now - gap.at)} ago: {gap.sentence}")


def _machine(page: Page, view: View, reading: HostReading) -> None:
    def age(at: datetime) -> str:
        return f"({short(view.now - at)})"

    load, memory, swapping = reading.load, reading.memory, reading.swapping
    if load is not None:
        cpus = f" on {load.cpus} processors" if load.cpus else ""
        page.field("load", f"{load.one:.2f} {load.five:.2f} {load.fifteen:.2f}{cpus} {age(load.at)}")
        page.field("up", short(load.uptime_seconds))
    if memory is not None:
        mark = ", estimated" if memory.estimated else ""
        left = f"{size(memory.available)} of {size(memory.total)} left"
        page.field("memory", f"{memory.used_percent:.0f}% used, {left}{mark} {age(memory.at)}")
        if memory.swap_total:
            page.field("swap", f"{memory.swap_used_percent:.0f}% of {size(memory.swap_total)} used")
    if swapping is not None:
        page.field("swap rate", f"in {rate(swapping.pages_in)}, out {rate(swapping.pages_out)} {age(swapping.at)}")
    if reading.pressure is not None and reading.pressure.memory_some is not None:
        page.field("pressure", f"memory {reading.pressure.memory_some:.0f}% {age(reading.pressure.at)}")
    for disk in reading.disks.filesystems if reading.disks else ():
        inodes = f", inodes {disk.inodes_percent:.0f}%" if disk.inodes_percent is not None else ""
        read_only = ", READ-ONLY" if disk.read_only else ""
        page.field("disk", f"{disk.mount} {disk.used_percent:.0f}%, {size(disk.free)} left{inodes}{read_only}")
    if reading.clock is not None:
        skew = reading.clock
        page.field(
            "clock", f"{skew.skew_seconds:+.1f} s of ours, measured to {skew.error_seconds:.1f} s {age(skew.at)}"
        )
    if reading.ooms is not None and reading.ooms.kills:
        last = reading.ooms.kills[-1]
        when = f"{clock(last.at)}Z" if last.at is not None else "time unknown"
        page.field("last OOM", f"{when} {last.name} pid {last.pid} ({last.scope})")
    system = reading.system
    if system is not None:
        page.field("system", " ".join(part for part in (system.os, system.kernel) if part))
        for name, version in (("docker", system.docker), ("gluster", system.gluster)):
            if version:
                page.field(name, version)
    if reading.docker is not None:
        running = sum(one.state == "running" for one in reading.docker.containers)
        page.field("containers", f"{running} of {len(reading.docker.containers)} running {age(reading.docker.at)}")


def _container(page: Page, view: View, host: str, container: Container, at: datetime) -> None:
    page.field("host", host)
    page.field("state", f"{container_words(container, ())} (read {short(view.now - at)} ago)")
    page.field("image", container.image)
    page.field("id", container.id[:12])
    if container.restart_count or container.restart_policy:
        recent = f", {container.restarts_recent} in 10 min" if container.restarts_recent else ""
        page.field("restarts", f"{container.restart_count}{recent}, policy {container.restart_policy or 'no'}")
    if container.memory is not None:
        memory = container.memory
        limit = f" of {size(memory.limit)}" if memory.limit else ", no limit"
        page.field("memory", f"{size(memory.working_set)}{limit} ({short(view.now - memory.at)})")
    for name, when in (("started", container.started_at), ("finished", container.finished_at)):
        if when is not None:
            page.field(name, f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z")
    if container.error:
        page.field("error", container.error)
    if container.ports:
        page.field("ports", ", ".join(container.ports))


def _volume(page: Page, view: View, volume: VolumeView) -> None:
    page.field("volume", f"{volume.kind or 'kind unknown'}, {volume.status}, {volume_words(volume)}")
    page.field("seen by", f"{volume.seen_by}, {short(view.now - volume.at)} ago")
    for brick in volume.bricks:
        state = "up" if brick.up else "DOWN" if brick.up is False else "not known"
        style = "" if brick.up else "crit" if brick.up is False else "unknown"
        why = f" ({brick.why})" if brick.why else ""
        pending = f", {brick.pending} to heal" if brick.pending else ""
        page.field("brick", f"{brick.name} {state}{why}{pending}", style)
    heals = volume.heals or volume.stale_heals
    if heals is None:
        page.field("heals", "not read yet", "unknown")
        return
    old = "" if volume.heals is not None else ", too old"
    page.field("heals", f"read {short(view.now - heals.at)} ago{old}")
    for one in heals.bricks:
        split = "?" if one.split_brain is None else str(one.split_brain)
        pending = "?" if one.pending is None else str(one.pending)
        page.field("", f"{one.name}: {pending} to heal, {split} in split-brain {one.status}".rstrip())
        for entry in one.split_entries[:20]:
            page.text(f"SPLIT {entry}", "crit", indent=14)
        for entry in one.entries[:20]:
            page.text(entry, indent=14)


def entry_detail(row: TimelineRow, view: View, width: int) -> list[Line]:
    """One entry: all its text, when it happened and when it was learned, who says so, corrections, what was seen."""
    page = Page(width, view.look)
    entry = row.entry
    page.head(f"{view.handle(entry.id)}  {row.word}")
    page.text(row.text)
    page.gap()
    page.field("happened", f"{row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z")
    late = f", {short(row.late)} later" if row.late is not None else ""
    page.field("recorded", f"{entry.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z{late}")
    author = entry.author
    claim = "" if author.proven or entry.kind in MACHINE_KINDS else " (claimed)"
    account = f", account {author.account}" if author.account else ""
    page.field("author", f"{author.name}{claim}{account}, by {entry.source or 'unknown'}")
    if entry.ref is not None:
        page.field("about", view.handle(entry.ref) + (" (not here)" if row.unmatched else ""))
    for one in row.amended:
        said = f": {one.text}" if one.text is not None else ""
        moved = f" to {one.moved_to.astimezone(UTC):%Y-%m-%d %H:%M}Z" if one.moved_to is not None else ""
        page.field("amended", f"{clock(one.at)}Z by {one.by.name}{moved}{said}")
    if row.amended and not entry.purged:
        page.field("at first", entry.text)
    for word, on in (("struck", row.struck), ("pinned", row.pinned), ("purged", row.purged)):
        if on:
            page.field(word, "yes")
    for key, value in sorted(entry.data.items()):
        if key not in ("text", "title"):
            page.field(view.look.text(str(key))[:11], str(value))
    for name, chat in view.chats.items():
        for delivery in chat.deliveries:
            if delivery.ref == entry.id:
                problem = f": {delivery.problem}" if delivery.problem else ""
                page.field("chat", f"{name} {delivery.state} {clock(delivery.at)}Z{problem}")
    if entry.seen is not None:
        page.field("then seen", f"{entry.seen.digest} (oldest reading {short(entry.seen.age)})")
    handle = view.handle(entry.id)
    page.gap()
    page.text(f"/amend {handle}   /strike {handle}   /pin {handle}")
    return page.lines


def playbook_lines(book: Playbook, run: Run | None, width: int, look: Look) -> list[Line]:
    """A playbook with the state of its steps in this run."""
    page = Page(width, look)
    page.head(f"{book.title}")
    page.text(f"{book.name}, kept by {book.owner}")
    if book.intro:
        page.gap()
        page.text(_flowing(book.intro))
    said = {step.number: step for step in run.steps} if run is not None else {}
    section = ""
    for step in book.steps:
        if step.section and step.section != section:
            section = step.section
            page.gap()
            page.head(section)
        state = said.get(step.number)
        box = "[ ]" if state is None else {"done": "[x]", "skipped": "[-]"}.get(state.step, "[!]")
        why = (
            f"  ({state.step} {clock(state.at)} {state.by.name}{': ' + state.text if state.text else ''})"
            if state
            else ""
        )
        first = next((one.number for one in book.steps if one.number not in said), 0) == step.number
        page.text(f"{box} {step.number}. {step.text}{why}", "strong" if first else "")
        if step.body:
            page.text(_flowing(step.body), indent=5)
        for command in step.commands:
            page.text(command, "mark", indent=7)
    if book.outro:
        page.gap()
        page.text(_flowing(book.outro))
    page.gap()
    page.text(
        "/tick [N] when a step is done, /skip N why" if run is not None else "Only looked at: no incident is open."
    )
    return page.lines


def next_step(lines: Sequence[Line]) -> int:
    """Of a playbook's lines, the one of the next step; the first one while no step is done, or all are."""
    boxes = [(index, line[1][0][:3]) for index, line in enumerate(lines) if len(line) > 1]
    if not any(box in ("[x]", "[-]", "[!]") for _, box in boxes):
        return 0
    return next((index for index, box in boxes if box == "[ ]"), 0)


_STARTS: Final = ("-", "*", "+", "#", "|", ">", "`", "    ", *"0123456789")


def _flowing(text: str) -> str:
    """Markdown with the lines of each paragraph joined, so that it wraps at this screen's width."""
    out: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        joins = out and out[-1].strip() and line.strip() and not fenced and not fence and not line.startswith(_STARTS)
        if joins and not out[-1].lstrip().startswith(("#", "|", "```")):
            out[-1] = f"{out[-1].rstrip()} {line.strip()}"
        else:
            out.append(line)
        fenced ^= fence
    return "\n".join(out).replace("**", "")


def list_lines(title: str, rows: Sequence[tuple[str, str]], width: int, look: Look) -> list[Line]:
    """A titled list of names with words."""
    page = Page(width, look)
    page.head(title)
    for name, words in rows:
        page.text(f"{name}  {words}".rstrip())
    if not rows:
        page.text("none")
    return page.lines


def incident_rows(incidents: Sequence[Incident]) -> list[tuple[str, str]]:
    rows = []
    for one in incidents:
        since = f"{one.declared_at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if one.declared_at is not None else ""
        level = f"SEV{one.severity}" if one.severity is not None else "SEV?"
        rows.append((one.id, f"{since} {level} {one.status if one.open else 'closed'}  {one.title}"))
    return rows


def titled(title: str, hint: str, width: int, look: Look) -> Line:
    """The first line of what is open over the timeline."""
    pieces: list[Piece] = [(f" {look.text(title)} ", "chosen"), (f" {hint}", "")]
    return fit(pieces, width, look)
