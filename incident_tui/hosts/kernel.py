"""OOM kills in the kernel's log, all forms from 2.6.32 to 6.x (reference: formats, section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from incident_tui import text
from incident_tui.hosts.cgroups import container_id
from incident_tui.hosts.readings import Container, OomKill

# The name is greedy: it may hold spaces and parentheses. UID stands before it in 2.6.32 of CentOS and after it in 3.10;
# 2.6.32 of others says vsz.
_KILLED = re.compile(
    r"Killed process (\d{1,10}),?(?: UID \d+,)? ?\((.+)\),?(?: UID \d+,)? (?:total-vm|vsz):\d+ ?kB"
    r"(?:, anon-rss:(\d+) ?kB)?"
)
# Before 2.6.32, and where somebody cut the numbers off.
_KILLED_ONLY = re.compile(
    r"[Oo]ut of [Mm]emory[^:]*: Killed process (\d{1,10}),?(?: UID \d+,)? \(((?:[^()]|\([^()]*\))+)\)()"
)
_KILL = re.compile(r"[Oo]ut of [Mm]emory[^:]*: [Kk]ill process (\d{1,10}),? \((.+)\),? score")
_TASK_IN = re.compile(r"Task in (\S+) killed as a result of limit of (\S+)")
_GROUP = re.compile(r"Tasks in (\S+) are going to be killed due to memory\.oom\.group")
_CONSTRAINT = re.compile(r"oom-kill:constraint=(\w+)")
# systemd-oomd kills all of a cgroup by itself; the kernel says nothing of it.
_OOMD = re.compile(r"systemd-oomd\[\d{1,10}\]: Killed (/\S+) due to (?:memory|swap) ")
_PAIR = re.compile(r"(oom_memcg|task_memcg|pid|task)=([^,]*)")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) ")
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)? ")
_DMESG_T = re.compile(r"\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})\]")
_BOOT = re.compile(r"\[ *(\d{1,10}\.\d{1,9})\]")
_MONTHS = {
    name: n
    for n, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
    )
}


class LogClock(msgspec.Struct, frozen=True, kw_only=True):
    """What turns a log line's time into the bastion's: now, the host's skew, its zone, its uptime (None: not known)."""

    now: datetime
    skew: timedelta = timedelta(0)
    utc_offset: int = 0
    uptime: float | None = None


def when(line: str, clock: LogClock) -> datetime | None:
    """The time of a log line on the bastion's clock: syslog's (local zone, no year: the nearest past), ISO, that of
    `dmesg -T`, or seconds since boot. None when it says none."""
    zone = timezone(timedelta(seconds=clock.utc_offset))
    match = _ISO.match(line)
    try:
        if match:
            stamp, offset = match.groups()
            moment = datetime.fromisoformat(stamp + (offset or "")).replace(tzinfo=None if offset else zone)
            if offset:
                moment = datetime.fromisoformat(stamp + offset)
            return moment.astimezone(UTC) - clock.skew
        match = _SYSLOG.match(line)
        if match and match.group(1) in _MONTHS:
            remote = (clock.now + clock.skew).astimezone(zone)
            month, (day, hour, minute, second) = _MONTHS[match.group(1)], (int(g) for g in match.groups()[1:])
            for year in (remote.year, remote.year - 1):
                try:
                    moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
                except ValueError:
                    continue
                if moment <= remote + timedelta(days=1):
                    return moment.astimezone(UTC) - clock.skew
            return None
        match = _DMESG_T.search(line)
        if match and match.group(1) in _MONTHS:
            day, hour, minute, second, year = (int(g) for g in match.groups()[1:])
            moment = datetime(year, _MONTHS[match.group(1)], day, hour, minute, second, tzinfo=zone)
            return moment.astimezone(UTC) - clock.skew
        match = _BOOT.search(line)
        if match and clock.uptime is not None:
            return clock.now - timedelta(seconds=clock.uptime - float(match.group(1)))
    except (ValueError, OverflowError):
        return None
    return None


def parse_ooms(body: str, clock: LogClock) -> tuple[OomKill, ...]:
    """Every kill in these log lines, oldest first.

    "Kill process P" (the decision) and "Killed process P" (the deed) of one kill are one, and so they are where another
    process is killed ("or sacrifice child", or P is a thread of it): the deed says which. What names the cgroup stands
    before them: "Task in … killed" (to 4.18) or "oom-kill:constraint=…" (from 5.0); "Tasks in … are going to be killed"
    names it for all that follow, where the whole cgroup goes (memory.oom.group).
    """
    kills: list[OomKill] = []
    cgroup, scope, for_pid, group = "", "", 0, ""
    unnamed: OomKill | None = None
    """A "Task in … killed" or "oom-kill:…" whose kill has not come yet; without one it is still a kill."""
    decided = False
    """The last kill is a decision whose deed has not come yet."""
    for line in body.splitlines():
        if (match := _OOMD.search(line)) is not None:
            unit = match.group(1).rpartition("/")[2]
            kills.append(_unnamed(line, match.group(1), clock, "cgroup", name=unit))
            continue
        if (match := _TASK_IN.search(line)) is not None:
            if unnamed is not None:
                kills.append(unnamed)
            cgroup, scope, for_pid = match.group(1), "cgroup", 0
            unnamed = _unnamed(line, cgroup, clock, "cgroup")
            continue
        if (match := _CONSTRAINT.search(line)) is not None:
            pairs = dict(_PAIR.findall(line[match.end() :]))
            cgroup = pairs.get("task_memcg", "") or pairs.get("oom_memcg", "")
            scope = "cgroup" if match.group(1) == "CONSTRAINT_MEMCG" or pairs.get("oom_memcg") else "global"
            for_pid = int(pairs["pid"]) if pairs.get("pid", "").isdecimal() and len(pairs["pid"]) < 11 else 0
            if unnamed is not None:
                kills.append(unnamed)
            unnamed = _unnamed(line, cgroup, clock, scope, for_pid, pairs.get("task", "")) if for_pid else None
            continue
        if "invoked oom-killer" in line:
            if unnamed is not None:
                kills.append(unnamed)
                unnamed = None
            cgroup, scope, for_pid, group = "", "", 0, ""
            continue
        if (match := _GROUP.search(line)) is not None:
            group = match.group(1)
            continue
        killed = _KILLED.search(line) or _KILLED_ONLY.search(line)
        match = killed or _KILL.search(line)
        if match is None:
            continue
        if unnamed is not None and unnamed.pid not in (0, int(match.group(1))):
            kills.append(unnamed)
        unnamed = None
        pid, name = int(match.group(1)), text.sanitise(match.group(2), limit=80)
        if "emory cgroup out of memory" in line:
            scope = "cgroup"
        elif "ut of memory" in line or "ut of Memory" in line:
            scope = "global"
        if for_pid and for_pid != pid:
            cgroup = ""
        cgroup = cgroup or group
        at = when(line, clock)
        previous = kills[-1] if kills else None
        if killed and previous and (decided or previous.pid == pid) and _near(previous.at, at):
            kills.pop()
            cgroup = cgroup or previous.cgroup
            scope = scope or previous.scope
        kills.append(
            OomKill(
                at=at,
                pid=pid,
                name=name,
                scope=scope or "unknown",
                cgroup=text.sanitise(cgroup, limit=400),
                container_id=container_id(cgroup),
                joined_by="cgroup" if container_id(cgroup) else "",
                rss=int(killed.group(3) or 0) * 1024 if killed else 0,
                line=text.sanitise(line, limit=300),
            )
        )
        decided = killed is None
        if killed:
            cgroup, scope, for_pid = "", "", 0
    if unnamed is not None:
        kills.append(unnamed)
    return tuple(kills)


def _unnamed(line: str, cgroup: str, clock: LogClock, scope: str, pid: int = 0, name: str = "") -> OomKill:
    identity = container_id(cgroup)
    return OomKill(
        at=when(line, clock),
        pid=pid,
        name=text.sanitise(name, limit=80),
        scope=scope,
        cgroup=text.sanitise(cgroup, limit=400),
        container_id=identity,
        joined_by="cgroup" if identity else "",
        line=text.sanitise(line, limit=300),
    )


def _near(one: datetime | None, other: datetime | None, seconds: float = 5.0) -> bool:
    return one is None or other is None or abs((one - other).total_seconds()) <= seconds


def merge(dated: Sequence[OomKill], other: Sequence[OomKill]) -> tuple[OomKill, ...]:
    """The kills of two logs of one kernel as one list: the same pid and name is the same kill; the dated one wins."""
    out = list(dated)
    for kill in other:
        twin = next((k for k in out if k.pid == kill.pid and k.name == kill.name and _near(k.at, kill.at, 120)), None)
        if twin is None:
            out.append(kill)
        elif twin.at is None and kill.at is not None:
            out[out.index(twin)] = kill
    never = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(out, key=lambda kill: kill.at or never))


def join_bricks(
    kills: Sequence[OomKill], served: Mapping[int, tuple[str, ...]], here: Sequence[str]
) -> tuple[OomKill, ...]:
    """Name the bricks of each kill: by pid (`served`: pid -> "gv0 web2:/b/gv0", … as last seen), or, of a glusterfsd
    that nobody had seen before, by being the only brick `here`.

    A kill may be named after a thread of glusterfsd (glfs_…, glusterio…); any other name is a process that has or had
    the pid of a brick's by chance."""
    out = []
    for kill in kills:
        if kill.name.startswith(("glusterfsd", "glfs_", "glusterio")) and kill.pid in served:
            kill = msgspec.structs.replace(kill, bricks=served[kill.pid], joined_by="pid")
        elif kill.name == "glusterfsd" and len(here) == 1:
            kill = msgspec.structs.replace(kill, bricks=tuple(here), joined_by="name")
        out.append(kill)
    return tuple(out)


def join(kills: Sequence[OomKill], containers: Sequence[Container], pids: dict[int, str]) -> tuple[OomKill, ...]:
    """Name the container of each kill: by the cgroup in the log; by pid (`pids`: pid -> container id as last seen);
    by time: it ended with 137 within 2 s of the kill, and no other container did."""
    out = []
    for kill in kills:
        if kill.bricks:
            pass
        elif not kill.container_id and kill.pid in pids:
            kill = msgspec.structs.replace(kill, container_id=pids[kill.pid], joined_by="pid")
        elif not kill.container_id and kill.at is not None:
            ended = [
                c for c in containers if c.exit_code == 137 and c.finished_at and _near(c.finished_at, kill.at, 2.0)
            ]
            if len(ended) == 1:
                kill = msgspec.structs.replace(kill, container_id=ended[0].id, joined_by="time")
        out.append(kill)
    return tuple(out)
