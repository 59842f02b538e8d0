"""Holds of an incident, collected from its entries in order. Pure; `progress` calls it.

Who holds what another holds, and knew it, takes it over. Who did not know it, because the other's entry had not
arrived, comes second: the first hold stays, and theirs counts once that one has ended.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from incident_tui.incident import work as w
from incident_tui.incident.said import Line, number, same

_replace = msgspec.structs.replace


class Holds:
    """Collects while the lines pass in order."""

    def __init__(self) -> None:
        self._holds: list[w.Hold] = []
        self._behind: dict[int, list[int]] = {}
        """Index of a hold that came second -> of those that were before it."""
        self.contested: list[w.Contested] = []

    def take(self, line: Line) -> None:
        entry = line.entry
        target, step = str(entry.data.get("target", "")), entry.data.get("step")
        standing = [
            index
            for index, hold in enumerate(self._holds)
            if same(hold.target, target) and hold.released_at is None and hold.at <= line.at < hold.until
        ]
        if step == "release":
            self._release(standing, line)
            return
        until = line.at + timedelta(minutes=number(entry.data.get("minutes"), 0))
        made = w.Hold(entry.id, target, line.at, until, entry.author, line.text)
        unknown = [index for index in standing if self._unknown(self._holds[index], line)]
        for index in standing:
            if index not in unknown:
                self._holds[index] = _replace(self._holds[index], released_at=line.at)
        if unknown:
            held = self._holds[unknown[0]]
            self._behind[len(self._holds)] = unknown
            self.contested.append(
                w.Contested(
                    *(f"hold of {target}", held.ref, held.by.name, "hold", held.at),
                    *(made.ref, made.by.name, "hold", made.at),
                )
            )
        self._holds.append(made)

    def _release(self, standing: list[int], line: Line) -> None:
        """Of two holds a person releases their own, and else the one that counts."""
        own = [index for index in standing if same(self._holds[index].by.name, line.entry.author.name)]
        counting = [index for index in standing if index not in self._behind]
        for index in own or counting or standing:
            self._holds[index] = _replace(self._holds[index], released_at=line.at)

    @staticmethod
    def _unknown(held: w.Hold, line: Line) -> bool:
        """Whether who wrote `line` on another bastion did not know of this hold."""
        entry = line.entry
        if held.ref.journal == entry.journal or same(held.by.name, entry.author.name):
            return False
        return not same(str(entry.data.get("was", "")), held.by.name)

    def found(self) -> list[w.Hold]:
        """All of them, in order."""
        out = list(self._holds)
        for index, before in self._behind.items():
            out[index] = _replace(out[index], behind=max(out[one].released_at or out[one].until for one in before))
        return out
