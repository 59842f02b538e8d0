"""The verbs: one table for help, completion, README and the grammar's refusals."""

from __future__ import annotations

from typing import Final

import msgspec


class Verb(msgspec.Struct, frozen=True):
    """`form` is the right form as a refusal shows it; `completes` says what each argument completes to, in order:
    people, hosts (and containers), containers, handles,
    playbooks, milestones, severities, statuses, audiences, incidents, verbs, files, or ""."""

    name: str
    form: str
    help: str
    example: str
    completes: tuple[str, ...] = ()
    timed: bool = False
    """It writes an entry that may be backdated: `-10m` or `@14:05` in front of it, or as its first argument."""
    screen: bool = False
    """It changes what this one screen shows and nothing else; its argument is for the screen to read."""


def _table(*verbs: Verb) -> dict[str, Verb]:
    return {verb.name: verb for verb in verbs}


VERBS: Final[dict[str, Verb]] = _table(
    Verb(
        "declare",
        "/declare [-12m] [/sev N] [drill] TITLE",
        "open an incident; you become its commander",
        "/declare -12m /sev 1 gv0 split-brain, sites 502",
        timed=True,
    ),
    Verb(
        "sev",
        "/sev N why",
        "change the severity; 1 is worst",
        "/sev 1 data at risk on gv0",
        ("severities",),
        timed=True,
    ),
    Verb(
        "status",
        "/status WORD [text]",
        "investigating, mitigating, monitoring, or your own word",
        "/status mitigating serving gv0 from web1",
        ("statuses",),
        timed=True,
    ),
    Verb(
        "ms",
        "/ms NAME [-5m | @14:05 | unknown]",
        "say when a milestone was",
        "/ms detected -5m",
        ("milestones",),
        timed=True,
    ),
    Verb(
        "ic",
        "/ic take | offer NAME | claim | NAME",
        "hand over command: offer, then the other takes",
        "/ic offer bob",
        ("people",),
        timed=True,
    ),
    Verb(
        "role",
        "/role ROLE NAME|release",
        "give a role to somebody: deputy, scribe, or your own",
        "/role scribe dan",
        ("roles", "people"),
        timed=True,
    ),
    Verb(
        "next",
        "/next [20m] [internal|public|exec]",
        "promise the next update; without a time: the usual one",
        "/next 20m public",
        ("", "audiences"),
        timed=True,
    ),
    Verb(
        "update",
        "/update [internal|public|exec,...] [+20m] [TEXT]",
        "post an update; without TEXT draft it; +20m: the next",
        "/update public +20m Two sites are slow. We are repairing the storage.",
        ("audiences",),
        timed=True,
    ),
    Verb(
        "sent",
        "/sent [public|internal|exec] PLACE: TEXT",
        "an update was given elsewhere",
        "/sent status page: investigating slow sites",
        ("audiences",),
        timed=True,
    ),
    Verb(
        "assign",
        "/assign NAME 5m TEXT",
        "give a time-boxed task to one person",
        "/assign bob 5m compare both copies of /files/a.pdf",
        ("people",),
        timed=True,
    ),
    Verb(
        "ack",
        "/ack [HANDLE] [NAME voice]",
        "the task is understood; by voice for somebody else",
        "/ack bob voice",
        ("handles", "people"),
        timed=True,
    ),
    Verb(
        "done",
        "/done [HANDLE] [text]",
        "a task or a follow-up is done",
        "/done a15 web1 has the good copy",
        ("handles",),
        timed=True,
    ),
    Verb(
        "pass",
        "/pass [HANDLE] NAME [5m] [why]",
        "hand a task to somebody else; the time box runs anew",
        "/pass a15 dan 10m bob has to sleep",
        ("handles", "people"),
        timed=True,
    ),
    Verb(
        "todo",
        "/todo HANDLE [@owner] [p1] [due:+7d] [#prevent]",
        "change a follow-up: owner, priority, date, kind",
        "/todo a31 @dan p1 due:2026-12-01 #prevent",
        ("handles", "people"),
        timed=True,
    ),
    Verb(
        "can",
        "/can [NAME] c: TEXT a: TEXT n: TEXT",
        "a report: conditions, actions, needs",
        "/can c: gv0 read-only on web2 a: comparing copies n: a second pair of eyes",
        ("people",),
        timed=True,
    ),
    Verb(
        "criterion",
        "/criterion TEXT",
        "what must be true before this is resolved",
        "/criterion no entry in split-brain on gv0",
        timed=True,
    ),
    Verb(
        "met",
        "/met HANDLE [text]",
        "an exit criterion is met, and how you know; again: not met",
        "/met a12 heal info shows 0",
        ("handles",),
        timed=True,
    ),
    Verb(
        "engage",
        "/engage VENDOR [#TICKET] [30m] [text]",
        "a company is called in; when it promised to be back",
        "/engage hosting company #48213 30m power at rack 4?",
        timed=True,
    ),
    Verb(
        "answered",
        "/answered HANDLE [#TICKET] [30m] [text]",
        "the company answered; 30m: what it promised next",
        "/answered a17 30m a technician is on the way",
        ("handles",),
        timed=True,
    ),
    Verb(
        "disengage",
        "/disengage HANDLE [text]",
        "the company is not needed any more",
        "/disengage a17 feed B is back",
        ("handles",),
        timed=True,
    ),
    Verb("well", "/well TEXT", "what went well", "/well the alarm named the right brick", timed=True),
    Verb("badly", "/badly TEXT", "what went badly", "/badly nobody had the hosting company's number", timed=True),
    Verb("luck", "/luck TEXT", "where we got lucky", "/luck bob was awake", timed=True),
    Verb(
        "change",
        "/change TEXT",
        "what was deployed or altered before",
        "/change -50m kernel update on web3",
        timed=True,
    ),
    Verb(
        "confirm",
        "/confirm HANDLE [text]",
        "the hypothesis held",
        "/confirm a12 the brick log says ENOSPC",
        ("handles",),
        timed=True,
    ),
    Verb(
        "eliminate",
        "/eliminate HANDLE [text]",
        "the hypothesis did not hold",
        "/eliminate a13 the network was fine",
        ("handles",),
        timed=True,
    ),
    Verb(
        "amend",
        "/amend [HANDLE] [-10m | @14:05] [TEXT]",
        "correct text or time; the first version is kept",
        "/amend a17 restarted glusterd on web2",
        ("handles",),
    ),
    Verb("strike", "/strike [HANDLE]", "strike an entry out, visibly; again restores it", "/strike a17", ("handles",)),
    Verb("pin", "/pin [HANDLE]", "pin an entry; again unpins it", "/pin a17", ("handles",)),
    Verb("undo", "/undo [HANDLE]", "take back my last entry of this session", "/undo", ("handles",)),
    Verb(
        "purge",
        "/purge HANDLE REASON",
        "destroy an entry's text for ever",
        "/purge a17 a password was pasted",
        ("handles",),
    ),
    Verb(
        "hold",
        "/hold TARGET 10m [why]",
        "tell the others to leave a host or container alone",
        "/hold web3 10m",
        ("hosts",),
        timed=True,
    ),
    Verb("release", "/release TARGET", "end a hold", "/release web3", ("hosts",), timed=True),
    Verb("play", "/play [NAME]", "open a playbook, or list them", "/play gluster-split-brain", ("playbooks",)),
    Verb("begin", "/begin [N]", "take a step of the open playbook; nobody else can", "/begin 2", timed=True),
    Verb("tick", "/tick [N] [text]", "a step of the open playbook is done", "/tick 2", timed=True),
    Verb("skip", "/skip N why", "a step is left out, and why", "/skip 3 no spare disk here", timed=True),
    Verb("fail", "/fail N why", "a step did not work, and why", "/fail 2 brick is not mounted", timed=True),
    Verb("drop", "/drop [N] [why]", "give a step back; without N: end the playbook here", "/drop 2", timed=True),
    Verb("set", "/set NAME VALUE", "a variable of the open playbook", "/set volume gv0", ("variables",), timed=True),
    Verb(
        "handoff",
        "/handoff NAME | accept",
        "hand command over with a briefing; the other accepts it",
        "/handoff bob",
        ("people",),
        timed=True,
    ),
    Verb(
        "link",
        "/link INCIDENT [why]",
        "another incident has to do with this one; again: not so",
        "/link k3f9 same rack",
        ("incidents",),
        timed=True,
    ),
    Verb(
        "merge",
        "/merge INCIDENT [why]",
        "this one is a duplicate and goes on in the other",
        "/merge k3f9 the same outage",
        ("incidents",),
        timed=True,
    ),
    Verb(
        "run",
        "/run HOST [COMMAND]",
        "commands on a host, in a prompt of its own; Esc leaves it",
        "/run web3",
        ("hosts",),
        screen=True,
    ),
    Verb("read", "/read [HOST]", "a fresh reading now", "/read web3", ("hosts",)),
    Verb(
        "logs",
        "/logs [HOST] CONTAINER",
        "the end of a container's log",
        "/logs web2 drupal-a",
        ("hosts", "containers"),
        screen=True,
    ),
    Verb(
        "performance",
        "/performance HOST [CONTAINER]",
        "how it does now: top, memory, disks; kept as evidence",
        "/performance web2",
        ("hosts", "containers"),
        screen=True,
    ),
    Verb(
        "changes",
        "/changes [HOST]",
        "what changed in 24 h; Enter makes a change entry of a row",
        "/changes web2",
        ("hosts",),
        screen=True,
    ),
    Verb(
        "standdown", "/standdown [text]", "the response ends; says what is open", "/standdown sites stable", timed=True
    ),
    Verb(
        "sweep",
        "/sweep",
        "walk what is open; Enter on a line begins what settles it",
        "/sweep",
    ),
    Verb("review", "/review NAME", "who owns the review", "/review dan", ("people",), timed=True),
    Verb(
        "close",
        "/close [text] | anyway WHY",
        "the review is done; says what it still waits for",
        "/close reviewed",
        timed=True,
    ),
    Verb(
        "resend",
        "/resend [HANDLE]",
        "send again what a chat refused; by handle, also a maybe",
        "/resend a17",
        ("handles",),
    ),
    Verb("export", "/export [FILE]", "write the report", "/export gv0.md", ("files",)),
    Verb(
        "incident",
        "/incident [ID]",
        "choose the incident to work in, or list them",
        "/incident INC-20261123-k3f9",
        ("incidents",),
    ),
    Verb("note", "/note TEXT", "a note, whatever the text looks like", "/note /declare was not yet agreed", timed=True),
    Verb(
        "filter",
        "/filter [kind:WORD] [by:NAME] [host:NAME] [TEXT]",
        "show only the entries that fit all of it; alone: all again",
        "/filter kind:action by:bob gluster",
        ("filters", "filters", "filters"),
        screen=True,
    ),
    Verb(
        "find",
        "/find [TEXT]",
        "the newest entry that fits, as /filter; alone: one back",
        "/find glusterd",
        ("filters",),
        screen=True,
    ),
    Verb("state", "/state", "the state of the incident on one page", "/state", screen=True),
    Verb("oncall", "/oncall", "who is on call now and next, and whom to call", "/oncall", screen=True),
    Verb(
        "search",
        "/search [kind:WORD] [by:NAME] [host:NAME] WORDS",
        "in all incidents, also closed ones; Enter goes to a row",
        "/search kind:action glusterd restart",
        ("filters",),
        screen=True,
    ),
    Verb(
        "go",
        "/go HANDLE | 14:05 | unread | first | last",
        "to an entry, a time, or the first you have not seen",
        "/go a17",
        ("places",),
        screen=True,
    ),
    Verb(
        "zoom",
        "/zoom [hosts | timeline]",
        "give a pane the whole width; again takes it back",
        "/zoom",
        ("panes",),
        screen=True,
    ),
    Verb(
        "yank",
        "/yank [HANDLE]",
        "copy an entry, or what is open: clipboard and a file",
        "/yank a17",
        ("handles",),
        screen=True,
    ),
    Verb("edit", "/edit", "write the line in $EDITOR", "/edit", screen=True),
    Verb("redraw", "/redraw", "draw the screen anew", "/redraw", screen=True),
    Verb("suspend", "/suspend", "to the shell; fg comes back", "/suspend", screen=True),
    Verb("help", "/help [verb]", "keys and verbs", "/help ic", ("verbs",)),
    Verb("quit", "/quit", "leave the screen; watching goes on", "/quit"),
)
"""In the order help shows them."""

ROLES: Final = ("deputy", "operations", "communications", "scribe")
STATUSES: Final = ("investigating", "mitigating", "monitoring", "resolved", "stood down")
AUDIENCES: Final = ("internal", "public", "exec")
