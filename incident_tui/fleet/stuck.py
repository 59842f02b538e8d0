"""Commands of ours that outlived their limit, e.g. in state D: not started again while they live, and watched."""

from __future__ import annotations

from incident_tui.fleet.channel import Answer, Channel
from incident_tui.hosts import machine
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import StuckChild


class Stuck:
    """At most one a channel. The one that has been stuck for longest is looked at in every fast round."""

    def __init__(self) -> None:
        self._of: dict[Channel, tuple[str, int]] = {}

    def hold(self, channel: Channel, section: str, pid: int) -> None:
        self._of[channel] = (section, pid)

    def holds(self, channel: Channel) -> bool:
        return channel in self._of

    def release(self, channel: Channel, assembler: Assembler) -> None:
        self._of.pop(channel, None)
        assembler.stuck(None)

    def clear(self) -> None:
        self._of.clear()

    def words(self) -> list[str]:
        """What to ask of the probe in the next fast round."""
        return [f"watch:{pid}" for _, pid in list(self._of.values())[:1]]

    def look(self, answer: Answer, assembler: Assembler) -> None:
        """What the fast round said of it: its deepest child and its state, or that it is gone."""
        body = next((section.body for section in answer.sections if section.name == "watch"), None)
        if body is None or not self._of:
            return
        channel, (section, pid) = next(iter(self._of.items()))
        alive = machine.parse_watch(body)
        deepest = next((each for each in alive if each[3] == pid), alive[0] if alive else None)
        if deepest is None:
            self.release(channel, assembler)
        else:
            assembler.stuck(StuckChild(at=answer.at, section=section, pid=deepest[0], state=deepest[2]))
