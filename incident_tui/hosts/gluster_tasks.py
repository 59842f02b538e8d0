"""What GlusterFS does and limits beside its bricks: rebalance, quota, geo-replication; XML and text of 3.4 to 11. Pure.

A volume without any of them is an answer (an empty one), never an error; a value it does not say is None, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from xml.etree import ElementTree as ET

from incident_tui import text
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.gluster import classify, good, has_xml, once, plain, task_status
from incident_tui.hosts.gluster_text import parse_bytes
from incident_tui.hosts.readings_gluster import GeoPair, QuotaLimit, Rebalance, RebalanceNode
from incident_tui.hosts.table import cells, header
from incident_tui.incident.finding import Level

_WORST = ("failed", "fix-layout failed", "unknown", "in progress", "fix-layout in progress", "stopped")
_PEER_DOWN = "WARNING: glusterd might be down"
LIMITS = 200
"""Quota limits and geo-replication workers kept."""


def _int(word: str | None) -> int | None:
    word = (word or "").strip()
    return int(word) if re.fullmatch(r"-?\d{1,19}", word) else None


def rebalance(body: str, volume: str, at: datetime) -> Rebalance:
    """`rebalance V status`. One that never ran is "not started". Raises Unreadable."""
    if re.search(r"[Rr]ebalance not started", body):
        return Rebalance(at=at, volume=volume, status="not started")
    task, nodes = _rebalance_xml(body) if has_xml(body) else _rebalance_text(body)
    statuses = {node.status for node in nodes}
    worst = next((word for word in _WORST if word in statuses), None)
    if not nodes:
        raise garbled("rebalance status")
    if worst is None and _PEER_DOWN in body:
        worst = "unknown"
    return Rebalance(at=at, volume=volume, status=worst or nodes[0].status, task=task, nodes=tuple(nodes))


_ROOTS = ("volRebalance", "volRemoveBrick", "volDetachTier")
"""The same rows for what moves files off bricks that are taken away."""


def _rebalance_xml(body: str) -> tuple[str, list[RebalanceNode]]:
    task, nodes = "", []
    for document in good(body, "rebalance status"):
        root = next((found for tag in _ROOTS if (found := document.find(tag)) is not None), None)
        if root is None:
            raise garbled("rebalance status")
        task = text.sanitise((root.findtext("task-id") or "").strip(), limit=64)
        for node in root.findall("node"):
            once(node, "rebalance status")
            numbers = {key: _int(node.findtext(key)) for key in ("files", "size", "lookups", "failures", "skipped")}
            if numbers["files"] is None or numbers["failures"] is None:
                raise garbled("rebalance status")
            seconds = (node.findtext("runtime") or "").strip()
            nodes.append(
                RebalanceNode(
                    host=text.sanitise((node.findtext("nodeName") or "").strip(), limit=255),
                    files=numbers["files"],
                    size=numbers["size"] or 0,
                    lookups=numbers["lookups"] or 0,
                    failures=numbers["failures"],
                    skipped=numbers["skipped"],
                    status=task_status(node.findtext("status"), node.findtext("statusStr")),
                    seconds=float(seconds) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", seconds) else None,
                )
            )
    return task, nodes


# Node, files, size, scanned, failures, skipped (not in 3.4.0), status, run time in seconds or h:m:s (not in 3.4.0)
_REBALANCE_ROW = re.compile(
    r"\s*(\S+)\s+(\d{1,18})\s+(\d{1,15}(?:\.\d+)?)\s*(Bytes|[KMGTP]B|[KMGTP]iB)\s+(\d{1,18})\s+(\d{1,18})\s+"
    r"(?:(\d{1,18})\s+)?"
    r"(not started|in progress|stopped|completed|failed|fix[- ]layout [a-z ]+?|unknown)"
    r"(?:\s+(\d{1,9}(?::\d{1,2}){0,2}(?:\.\d{1,9})?))?\s*\Z"
)

# A fix-layout moves nothing: node, status, run time
_LAYOUT_ROW = re.compile(r"\s*(\S+)\s+(fix[- ]layout [a-z ]+?)\s+(\d{1,9}(?::\d{1,2}){0,2}(?:\.\d{1,9})?)\s*\Z")


def _rebalance_text(body: str) -> tuple[str, list[RebalanceNode]]:
    body = plain(body, "rebalance status")
    if not re.search(r"(?m)^[ \t]*Node[ \t]+.*status", body):
        raise classify(body, "rebalance status")
    nodes = []
    for line in body.splitlines():
        if (layout := _LAYOUT_ROW.match(line)) is not None:
            host, status, seconds = layout.groups()
            status, host = task_status(None, status), text.sanitise(host, limit=255)
            nodes.append(
                RebalanceNode(host=host, files=0, size=0, failures=0, status=status, seconds=_seconds(seconds))
            )
            continue
        match = _REBALANCE_ROW.match(line)
        if match is None:
            if re.match(r"\s*(Node|-+|volume rebalance:|Estimated time|The estimated|WARNING: glusterd|$)", line):
                continue
            raise garbled("rebalance status")
        host, files, size, unit, lookups, failures, skipped, status, seconds = match.groups()
        nodes.append(
            RebalanceNode(
                host=text.sanitise(host, limit=255),
                files=int(files),
                size=parse_bytes(size + unit) or 0,
                lookups=int(lookups),
                failures=int(failures),
                skipped=int(skipped) if skipped is not None else None,
                status=task_status(None, status),
                seconds=_seconds(seconds),
            )
        )
    return "", nodes


def _seconds(word: str | None) -> float | None:
    """ "12.00" seconds, or "h:m:s"."""
    if word is None:
        return None
    total = 0.0
    for part in word.split(":"):
        total = 60 * total + float(part)
    return total


_NO_QUOTA = re.compile(
    r"quota (is|has been) (disabled|not enabled)|[Nn]o quota configured|quota: No quota|Quota is not enabled"
    r"|[Qq]uota is disabled|[Qq]uota is not enabled"
)


def quota(body: str) -> tuple[QuotaLimit, ...]:
    """`volume quota V list`. A volume without quota has none. Raises Unreadable."""
    if _NO_QUOTA.search(body):
        return ()
    return (_quota_xml if has_xml(body) else _quota_text)(body)[:LIMITS]


def _bytes(word: str) -> int | None:
    number = _int(word)
    return parse_bytes(word) if number is None else number if number >= 0 else None


def _yes(word: str) -> bool | None:
    """ "Yes", "Yes(87%)", "No"; else None."""
    word = word.strip().lower()
    return True if word.startswith("yes") else False if word.startswith("no") else None


def _quota_xml(body: str) -> tuple[QuotaLimit, ...]:
    out = []
    for document in good(body, "quota list"):
        root = document.find("volQuota")
        if root is None:
            raise garbled("quota list")
        for limit in root.findall("limit"):
            once(limit, "quota list")

            def said(tag: str, limit: ET.Element = limit) -> str:
                return (limit.findtext(tag) or "").strip()

            path = said("path")
            if not path:
                raise garbled("quota list")
            percent = re.match(r"(\d{1,3}(?:\.\d+)?)%?", said("soft_limit_percent"))
            out.append(
                QuotaLimit(
                    path=text.sanitise(path, limit=1000),
                    hard=_bytes(said("hard_limit")),
                    soft_percent=float(percent.group(1)) if percent else None,
                    used=_bytes(said("used_space")),
                    available=_bytes(said("avail_space")),
                    soft_exceeded=_yes(said("sl_exceeded")),
                    hard_exceeded=_over(
                        _yes(said("hl_exceeded")), _bytes(said("used_space")), _bytes(said("hard_limit"))
                    ),
                )
            )
    return tuple(out)


_SIZE = r"(\d{1,15}(?:\.\d+)?)\s*(Bytes|[KMGTP]i?B)|N/A"
_QUOTA_ROW = re.compile(
    rf"(/.*?)\s+({_SIZE})\s+(?:(\d{{1,3}}(?:\.\d+)?)%(?:\(\s*\S+?\s*\))?|N/A)\s+({_SIZE})\s+({_SIZE})"
    r"(?:\s+(Yes(?:\(\S*\))?|No|N/A)\s+(Yes|No|N/A))?\s*\Z"
)


def _quota_text(body: str) -> tuple[QuotaLimit, ...]:
    body = plain(body, "quota list")
    if re.search(r"(?m)^[ \t]*path[ \t]+limit_set[ \t]+size[ \t]*$", body):
        return _quota_34(body)
    if not re.search(r"(?m)^[ \t]*Path[ \t]+Hard-limit", body):
        raise classify(body, "quota list")
    out = []
    for line in body.splitlines():
        match = _QUOTA_ROW.match(line.strip())
        if match is None:
            if re.match(r"\s*(Path\b|-+|Hard-limit|Soft-limit|$)", line):
                continue
            raise garbled("quota list")
        hard, used = parse_bytes(match.group(2)), parse_bytes(match.group(6))
        soft = float(match.group(5)) if match.group(5) else None
        out.append(
            QuotaLimit(
                path=text.sanitise(match.group(1), limit=1000),
                hard=hard,
                soft_percent=soft,
                used=used,
                available=parse_bytes(match.group(9)),
                soft_exceeded=_over(_yes(match.group(12) or ""), used, hard and hard * soft / 100 if soft else None),
                hard_exceeded=_over(_yes(match.group(13) or ""), used, hard),
            )
        )
    return tuple(out)


def _over(said: bool | None, used: int | None, limit: float | None) -> bool | None:
    """What it says of the limit, or where it says nothing (before 3.6) what its numbers say."""
    return said if said is not None or used is None or not limit else used >= limit


_ROW_34 = re.compile(rf"(/.*?)\s+({_SIZE})\s+({_SIZE})\s*\Z")


def _quota_34(body: str) -> tuple[QuotaLimit, ...]:
    """3.4: path, limit_set and size."""
    out = []
    for line in body.splitlines():
        match = _ROW_34.match(line.strip())
        if match is None:
            if re.match(r"\s*(path\s+limit_set|-+\s*\Z|\Z)", line):
                continue
            raise garbled("quota list")
        hard, used = parse_bytes(match.group(2)), parse_bytes(match.group(5))
        path, over = text.sanitise(match.group(1), limit=1000), _over(None, used, hard)
        out.append(QuotaLimit(path=path, hard=hard, used=used, hard_exceeded=over))
    return tuple(out)


_NO_SESSION = re.compile(r"No active geo-replication sessions|Geo-replication is not (configured|enabled|active)", re.I)


def geo_replication(body: str) -> tuple[GeoPair, ...]:
    """`volume geo-replication [V] status [detail]`. No session is an empty answer. Raises Unreadable."""
    if _NO_SESSION.search(body):
        return ()
    return (_geo_xml if has_xml(body) else _geo_text)(body)[:LIMITS]


def _geo_xml(body: str) -> tuple[GeoPair, ...]:
    out = []
    for document in good(body, "geo-replication status"):
        root = document.find("geoRep")
        if root is None:
            raise garbled("geo-replication status")
        for volume in root.findall("volume"):
            name = text.sanitise((volume.findtext("name") or "").strip(), limit=255)
            for session in volume.findall("sessions/session") or volume.findall("session"):
                both = session.findtext("session_secondary") or session.findtext("session_slave") or ""
                out += [_pair(pair, name, both.strip()) for pair in session.findall("pair")]
    return tuple(out)


def _pair(pair: ET.Element, volume: str, session: str) -> GeoPair:
    said: Callable[..., str] = lambda *tags: next(  # noqa: E731
        (text.sanitise(found.strip(), limit=400) for tag in tags if (found := pair.findtext(tag) or "").strip()), ""
    )
    status = said("status")
    once(pair, "geo-replication status")
    if not status:
        raise garbled("geo-replication status")
    # "uuid:ssh://host::volume:uuid" where the pair does not name its other end
    other = re.sub(r"\A[0-9a-f-]{36}:|:[0-9a-f-]{36}\Z|ssh://", "", session)
    return GeoPair(
        volume=volume,
        primary_node=said("primary_node", "master_node"),
        primary_brick=said("primary_brick", "master_brick"),
        secondary=said("secondary", "slave") or text.sanitise(other, limit=400),
        secondary_node=said("secondary_node", "slave_node"),
        status=status,
        crawl=said("crawl_status"),
        last_synced=said("last_synced"),
        failures=_int(said("failures")),
    )


_GEO_HEADS = {
    "primary node": "primary_node",
    "master node": "primary_node",
    "node": "primary_node",
    "primary vol": "volume",
    "master vol": "volume",
    "master": "volume",
    "primary brick": "primary_brick",
    "master brick": "primary_brick",
    "secondary": "secondary",
    "slave": "secondary",
    "secondary node": "secondary_node",
    "slave node": "secondary_node",
    "status": "status",
    "health": "status",
    "crawl status": "crawl",
    "last_synced": "last_synced",
    "failures": "failures",
}


def _geo_text(body: str) -> tuple[GeoPair, ...]:
    """A table; which columns it has depends on the version, and `status detail` adds some."""
    body = plain(body, "geo-replication status")
    if not re.search(r"(?mi)^(MASTER|PRIMARY|NODE)\b.*\b(SLAVE|SECONDARY)\b.*\b(STATUS|HEALTH)\b", body):
        raise classify(body, "geo-replication status")
    columns, lines = header(body, "(?:MASTER|PRIMARY|NODE)")
    out = []
    for line in lines:
        if not line.strip() or re.fullmatch(r"\s*\\?-+\s*", line):
            continue
        row = {
            _GEO_HEADS[n.lower()]: text.sanitise(v, limit=400)
            for n, v in cells(line, columns).items()
            if n.lower() in _GEO_HEADS
        }
        if not row.get("status") or not row.get("secondary"):
            raise garbled("geo-replication status")
        fields = ("volume", "primary_node", "primary_brick", "secondary", "secondary_node", "crawl", "last_synced")
        said = {name: row.get(name, "") for name in fields}
        out.append(GeoPair(status=row["status"], failures=_int(row.get("failures")), **said))
    return tuple(out)


def geo_level(status: str) -> Level:
    """Of a worker: Faulty (3.4: defunct) serves no copy; Stopped, Created and Paused do nothing. One that initializes
    may be started anew every ten seconds and fail each time: unknown, as is a word nobody knows."""
    word = status.strip().lower()
    if word in ("faulty", "defunct", "corrupt"):
        return Level.CRIT
    if word in ("stopped", "created", "paused", "not started"):
        return Level.WARN
    return Level.OK if word in ("active", "passive", "ok", "stable") else Level.UNKNOWN


def not_copied(pair: GeoPair) -> str:
    """What is added to the words about a worker: ", 4 files not copied"."""
    return f", {pair.failures} file{'s' * (pair.failures != 1)} not copied" if pair.failures else ""
