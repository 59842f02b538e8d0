"""Each verb as it is typed on the screen of 80x24, and what the screen shows after it, as a picture."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from incident_tui.incident.verbs import VERBS
from incident_tui.shipped import shipped

LOCAL = {"yank", "edit", "suspend", "quit", "export", "handoff", "redraw"}
"""They leave the screen, write a file or draw the same again: test_yank, test_written, test_story, test_driver."""
MACHINES = {"read", "logs", "performance", "changes", "run", "resend"}
"""Somebody else answers them: test_closer, test_run, test_resend."""

FLOWS: dict[str, tuple[str, ...]] = {
    "declare": ("/declare -12m sev2 mail is slow",),
    "sev": ("/sev 2 one of three bricks is back",),
    "status": ("/status mitigating gv0 is read from web1",),
    "ms": ("/ms detected -15m",),
    "ic": ("/ic offer bob",),
    "role": ("/role scribe bob",),
    "next": ("/next 20m public",),
    "update": ("/update public +20m Two sites are slow. We are repairing the storage.", "yes"),
    "sent": ("/sent status page: investigating slow sites",),
    "assign": ("/assign bob 5m compare both copies",),
    "ack": ("/assign bob 5m compare both copies", "/ack {last}"),
    "done": ("/assign bob 5m compare both copies", "/done {last} they are the same"),
    "pass": ("/assign bob 5m compare both copies", "/pass {last} dan he has the console"),
    "todo": ("todo: more memory for web2 @bob p1 #prevent", "/todo {last} due:2026-12-24"),
    "can": ("/can c: gv0 2/3; a: bob starts the brick; n: console of web3",),
    "criterion": ("/criterion heals at 0 on gv0 for 30 min",),
    "met": ("/criterion heals at 0 on gv0 for 30 min", "/met {last}"),
    "engage": ("/engage hosting company 30m #4711 power of web3",),
    "answered": ("/engage hosting company 30m #4711 power of web3", "/answered {last} a technician is on the way"),
    "disengage": ("/engage hosting company 30m #4711 power of web3", "/disengage {last} power is back"),
    "well": ("/well the deputy took over at once",),
    "badly": ("/badly nobody had the console's password",),
    "luck": ("/luck web1 had the newer copy",),
    "change": ("/change -20m web2: kernel update",),
    "confirm": ("? the brick was killed for memory", "/confirm {last} the kernel log says so"),
    "eliminate": ("? the switch is broken", "/eliminate {last} web1 and web3 see each other"),
    "amend": ("! restarted glusterd on web3", "/amend {last} restarted glusterd on web2"),
    "strike": ("! restarted glusterd on web3", "/strike {last}"),
    "pin": ("! restarted glusterd on web3", "/pin {last}"),
    "undo": ("! restarted glusterd on web3", "/undo"),
    "purge": ("the password is hunter2", "/purge {last}"),
    "hold": ("/hold web2 15m bob is at the console",),
    "release": ("/hold web1 15m bob is at the console", "/release web1"),
    "play": ("/play brick",),
    "begin": ("/play brick", "/set volume gv0", "/set brick=/b/gv0", "/begin"),
    "tick": ("/play brick", "/set volume gv0", "/set brick=/b/gv0", "/tick 1"),
    "skip": ("/play brick", "/set volume gv0", "/set brick=/b/gv0", "/skip 1 not needed"),
    "fail": ("/play brick", "/set volume gv0", "/set brick=/b/gv0", "/fail 1 it does not start"),
    "drop": ("/play brick", "/set volume gv0", "/set brick=/b/gv0", "/drop"),
    "set": ("/play brick", "/set brick=/b/gv0"),
    "link": ("/declare sev2 mail is slow", "yes", "/link INC-20261123-k3f9"),
    "merge": ("/declare sev2 mail is slow", "yes", "/merge INC-20261123-k3f9", "yes"),
    "standdown": ("/standdown",),
    "sweep": ("/sweep",),
    "review": ("/review bob",),
    "close": ("/close",),
    "incident": ("/incident",),
    "note": ("/note /declare was not yet agreed",),
    "filter": ("/filter by:bob",),
    "find": ("/find web2",),
    "state": ("/state",),
    "oncall": ("/oncall",),
    "search": ("/search web2",),
    "go": ("/go {first}",),
    "zoom": ("/zoom",),
    "help": ("/help",),
}


def test_no_verb_is_left_out() -> None:
    assert set(FLOWS) | LOCAL | MACHINES == set(VERBS)


@pytest.mark.parametrize("verb", FLOWS)
async def test_what_each_verb_shows(verb: str, world: Any, screen: Any, picture: Any) -> None:
    world.playbooks.mkdir(parents=True)
    shutil.copy(shipped("playbooks") / "gluster-brick-down.md", world.playbooks / "brick.md")
    world.full()
    async with screen() as driver:
        session = driver.app.session
        for line in FLOWS[verb]:
            entries = session.store.read()
            handles = {"first": session.store.handle(entries[0]), "last": session.store.handle(entries[-1])}
            await driver.type(line.format(**handles), "enter")
        picture(f"verb-{verb}-80x24", driver.text)
