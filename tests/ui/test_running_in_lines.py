"""Commands on hosts on the linear screen: what is asked, what is printed, how it ends, each told once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from incident_tui.fleet.remote import Finished
from incident_tui.ui.linear.running import MOST, RunningInLines
from tests.ui.talk import Talk
from tests.ui.world import World


class Machine:
    """Stands in for `fleet.remote.run`: prints as many lines as it is asked for."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def __call__(self, host: Any, fleet: Any, command: str, **more: Any) -> Finished:
        more["output"](b"".join(b"line %d\n" % n for n in range(int(command.split()[-1]))), False)
        await self.over.wait()
        return Finished(started=True, exit=0, seconds=1.0)


async def test_output_and_end_are_told_once(world: World) -> None:
    told: list[str] = []
    session = world.session()
    talk = Talk(session)
    away = SimpleNamespace(since=None)
    screen: Any = SimpleNamespace(session=session, talk=talk, away=away, is_running=True)
    screen.tell = lambda lines: told.extend(line for line in lines if line)
    running, machine = RunningInLines(screen), Machine()
    running._running.commands._run = machine
    running.open("web3")
    assert told[0].startswith("What you enter runs here, as you")
    told.clear()

    talk.type(f"head -n {MOST + 10}")
    assert running.takes("enter")
    for _ in range(200):
        await asyncio.sleep(0.02)
        if f"line {MOST + 9}" in told:
            break
    assert told == ["10 lines before these are not told.", *(f"line {n}" for n in range(10, MOST + 10))]
    told.clear()
    machine.over.set()
    for _ in range(200):
        await asyncio.sleep(0.02)
        if told:
            break
    assert told == ["a1 web3 exit 0 after 1s."]

    told.clear()
    talk.type("reboot 0")
    running.takes("enter")
    assert len(told) == 1 and told[0].startswith("This may change web3. What do you expect")
    running.takes("back")
    assert told[-1] == "Not run. The command is in the prompt." and talk.editor.text == "reboot 0"
    running.takes("back")
    assert talk.host is None and not running.takes("enter")
