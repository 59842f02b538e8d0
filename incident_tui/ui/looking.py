"""Looking for entries: the filter, the search, and going somewhere. What is typed shows at once, shortly after the last
key; Enter keeps it and Esc restores what was before. None of it writes anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from incident_tui.incident import when
from incident_tui.incident.entry import Ref
from incident_tui.incident.filter import Filter, matcher, read_filter
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.folded import Run
from incident_tui.ui.painter import Painter
from incident_tui.ui.session import Session

AFTER_KEY: Final = 0.25
"""Seconds after the last key until what is being typed shows: a slow line carries one picture, not one a key."""
_VERBS: Final = ("filter", "find")


class Looking:
    """One screen's looking. Sentences go to the hint line; a refusal leaves all as it was."""

    def __init__(self, painter: Painter, session: Session) -> None:
        self.painter = painter
        self.session = session
        self.talk = painter.talk
        self._before: tuple[Filter, TimelineRow | None, bool] | None = None
        """While a line is typed: the filter, the first visible entry and whether the window followed, before it."""
        self._needle = Filter()
        """What is being searched; empty when nothing is."""

    def typed(self) -> bool:
        """The line changed. Whether what it looks for has to be shown soon (`show`)."""
        if self._verb() in _VERBS and self.talk.ask is None:
            if self._before is None:
                self._before = (self.painter.listing.filter, self._edge(), self.painter.window.follow)
            return True
        if self._before is not None:
            self._restore()
            return True
        return False

    def show(self) -> None:
        """Show what the line looks for, as far as it is a filter yet."""
        if self._before is None:
            return
        wanted = self._read(self._argument())
        if isinstance(wanted, str):
            return
        if self._verb() == "filter":
            self._filter(wanted)
        elif wanted:
            self._back_to_edge()
            self._find(wanted, -1, fresh=True)

    def begin(self, verb: str) -> None:
        """Put the verb into the prompt; a line that is there waits until this one is over."""
        if self.talk.ask is None and self._verb() != verb:
            known = str(self.painter.listing.filter) if verb == "filter" else ""
            self.painter.pane = "prompt"
            self.talk.put_by(f"/{verb} {known} " if known else f"/{verb} ")
            self.typed()

    def end(self) -> bool:
        """Esc. Whether there was something to end: a line being typed, then a search."""
        if self._before is not None:
            self._restore()
            self.talk.fetch()
            return True
        if self.talk.fetch():
            return True
        if self._needle:
            self._needle = Filter()
            self.painter.seeking = False
            self.painter.window.unchoose()
            return True
        return False

    def unfilter(self) -> bool:
        """Esc with nothing else to end: the filter goes. Whether there was one."""
        if not self.painter.listing.filter:
            return False
        self._filter(Filter())
        self.talk.said = ("The filter is off.", "")
        return True

    def filter(self, argument: str) -> None:
        """Carry out /filter."""
        wanted = self._read(argument)
        if isinstance(wanted, str):
            self._restore()
            self._refuse("filter", argument, wanted)
            return
        self._before = None
        self._filter(wanted)
        self.talk.fetch()
        listing = self.painter.listing
        if wanted:
            self.talk.said = (f"{len(listing.items)} of {len(listing.rows)} entries fit. Esc shows all again.", "")
        else:
            self.talk.said = ("All entries are shown.", "")

    def find(self, argument: str) -> None:
        """Carry out /find: what was shown while typing stays chosen; alone, the next one back."""
        wanted = self._read(argument)
        if isinstance(wanted, str):
            self._restore()
            self._refuse("find", argument, wanted)
            return
        kept = bool(wanted) and wanted == self._needle and self.painter.window.chosen() is not None
        if wanted and self._before is not None and not kept:
            self._back_to_edge()
        self._before = None
        self.talk.fetch()
        if kept:
            self._find(wanted, 0)
        elif wanted or self._needle:
            self._find(wanted or self._needle, -1, fresh=bool(wanted))
        else:
            self.talk.said = ("What is to be found? /find TEXT", "warn")

    def step(self, step: int) -> None:
        """The match before (-1) or after (1) this one; without a search, one begins."""
        if self._verb() == "find" and self._before is not None:
            wanted = self._read(self._argument())
            if not isinstance(wanted, str) and wanted:
                self._find(wanted, step, fresh=wanted != self._needle)
        elif self._needle:
            self._find(self._needle, step)
        else:
            self.begin("find")

    def go(self, place: str) -> None:
        """Carry out /go: an entry by its handle, a time, unread, first or last."""
        painter, rows = self.painter, self.painter.listing.rows
        self.talk.fetch()
        word = place.casefold()
        if not rows:
            self.talk.said = ("There is no entry yet.", "warn")
        elif word == "last":
            painter.to_last()
        elif word == "first":
            self._arrive(rows[0], "")
        elif word == "unread":
            self._unread()
        elif ":" in place and (when.read_clock(place.removeprefix("@"), self.session.clock()) is not None):
            self._time(place.removeprefix("@"))
        elif (at := when.read_time(place, self.session.clock())) is not None:
            self._from(at.at)
        else:
            self._handle(place)

    def _unread(self) -> None:
        unread, rows = self.painter.unread, self.painter.listing.rows
        row = None if unread is None else next((one for one in rows if one.order >= unread[0]), None)
        if row is None:
            self.talk.said = ("Nothing came while you were away.", "")
        else:
            self._arrive(row, "")

    def _time(self, face: str) -> None:
        """The clock face on the day of the incident on which it is nearest to what happened; of several the last."""
        rows = self.painter.listing.rows
        first, last = rows[0].at, rows[-1].at
        now = max(self.session.clock(), last)
        ends = (end for end in (last + timedelta(days=1), now, last, first + timedelta(days=1)) if end <= now)
        found = [one.at for end in ends if (one := when.read_clock(face, end)) is not None]
        self._from(min(found, key=lambda at: (max(first - at, at - last, timedelta(0)), -at.timestamp())))

    def _from(self, at: datetime) -> None:
        rows = self.painter.listing.rows
        index = next((index for index, row in enumerate(rows) if row.at >= at), len(rows) - 1)
        said = f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z"
        text = f"The first entry from {said} on." if rows[index].at >= at else f"Nothing since {said}: the last entry."
        self._arrive(rows[index], text)

    def _handle(self, place: str) -> None:
        rows = self.painter.listing.rows
        journal, colon, number = place.lstrip("#").lower().rpartition(":")
        if colon and journal and number.isdigit() and len(number) < 16:
            row = next(
                (one for one in rows if one.ref.seq == int(number) and one.ref.journal.startswith(journal)), None
            )
            if row is None:
                self.talk.said = (f"There is no entry {place} in this timeline.", "warn")
            else:
                self._arrive(row, "")
            return
        entry = self.session.store.find(place)
        if entry is None:
            self.talk.said = (
                f"There is no entry {place}. A handle such as a17, a time, unread, first or last?",
                "warn",
            )
            return
        known = self.session.fold.row(entry.id)
        row = self._listed(entry.id, known)
        if row is None and entry.ref is not None:
            row = self._listed(entry.ref, self.session.fold.row(entry.ref))
            if row is not None:
                self._arrive(row, f"{place} is about {self.session.store.handle(row.ref)}, which is chosen.")
                return
        if row is None:
            where = f"it belongs to {entry.incident}: /incident {entry.incident}" if entry.incident else "it is outside"
            self.talk.said = (f"{place} is not in this timeline; {where}.", "warn")
            return
        self._arrive(row, "")

    def _listed(self, ref: Ref, known: TimelineRow | None) -> TimelineRow | None:
        """The row of the timeline that is this entry."""
        listing = self.painter.listing
        if known is None:
            return None
        index = listing.index(known)
        row = listing.rows[index] if index < len(listing.rows) else None
        return row if row is not None and row.ref == ref else None

    def _arrive(self, row: TimelineRow, said: str) -> None:
        handle = self.session.store.handle(row.ref)
        wanted = str(self.painter.listing.filter)
        match self.painter.show_row(row):
            case "unfiltered":
                said = f"{said} {handle} does not fit the filter, which is off now; /filter {wanted} sets it again."
            case "unfolded":
                said = f"{said} Its run was folded and is open now; Ctrl+End folds it again."
        self.painter.pane = "timeline"
        self.talk.said = (said.strip(), "")

    def _find(self, wanted: Filter, step: int, *, fresh: bool = False) -> None:
        """Choose the next match from the chosen entry on, or from the edge of the view; 0 keeps the chosen one."""
        painter, fits = self.painter, matcher(wanted)
        rows = [row for row in painter.listing.rows if fits(row) and painter.listing.fits(row)]
        self._needle, painter.seeking = wanted, True
        if not rows:
            self.talk.said = (f"No entry has {wanted}.", "warn")
            self._needle, painter.seeking = Filter(), False
            return
        chosen = None if fresh else painter.window.chosen()
        row = self._from_run(chosen) if chosen is not None else self._edge(bottom=step < 0)
        if step == 0:
            found = row
        elif step < 0:
            older = [one for one in rows if row is None or one.order < row.order or (fresh and one is row)]
            found = older[-1] if older else None
        else:
            found = next((one for one in rows if row is None or one.order > row.order), None)
        if found is None:
            self.talk.said = (f"No {'older' if step < 0 else 'newer'} entry has {wanted}; {len(rows)} in all.", "warn")
            if fresh:
                painter.show_row(rows[0])
                self.talk.said = (f"1 of {len(rows)}, newer than what was in view. Ctrl+N goes on, Esc ends.", "")
            return
        painter.show_row(found)
        if self._before is None:
            painter.pane = "timeline"
        number = sum(one.order <= found.order for one in rows)
        self.talk.said = (f"{number} of {len(rows)}. Ctrl+R older, Ctrl+N newer, Enter opens it, Esc ends.", "")

    def _from_run(self, item: TimelineRow | Run) -> TimelineRow:
        return item.rows[0] if isinstance(item, Run) else item

    def _edge(self, *, bottom: bool = False) -> TimelineRow | None:
        """The first visible entry, or the last one."""
        item = self.painter.window.bottom if bottom else self.painter.window.top
        if item is None:
            return None
        return item.rows[-1] if isinstance(item, Run) and bottom else self._from_run(item)

    def _filter(self, wanted: Filter) -> None:
        """Set it; the window stays where it was, or follows on."""
        window, edge = self.painter.window, self._edge()
        self.painter.listing.set(wanted)
        self.painter.refeed()
        if window.follow or edge is None:
            window.to_end()

    def _restore(self) -> None:
        if self._before is None:
            return
        wanted, edge, follow = self._before
        self._needle, self.painter.seeking = Filter(), False
        self.painter.window.unchoose()
        self._back_to_edge()
        self._before = None
        self.painter.listing.set(wanted)
        self.painter.refeed()
        if follow or edge is None:
            self.painter.window.to_end()
        else:
            self.painter.window.begin_at(edge)

    def _back_to_edge(self) -> None:
        """The window as it was before the line was begun."""
        if self._before is None:
            return
        _, edge, follow = self._before
        self.painter.window.unchoose()
        if follow or edge is None:
            self.painter.window.to_end()
        else:
            self.painter.window.begin_at(edge)
        self.painter.window.look()

    def _refuse(self, verb: str, argument: str, sentence: str) -> None:
        self.talk.editor.set(f"/{verb} {argument}")
        self.talk.said = (sentence, "crit")

    def _verb(self) -> str:
        verb, space, _ = self.talk.editor.text.partition(" ")
        return verb[1:].lower() if space and verb[1:].lower() in _VERBS and verb.startswith("/") else ""

    def _argument(self) -> str:
        return self.talk.editor.text.partition(" ")[2]

    def _read(self, argument: str) -> Filter | str:
        return read_filter(argument, self._people)

    def _people(self) -> set[str]:
        known = {person.name for person in self.session.settings.people}
        return known | {row.entry.author.name for row in self.painter.listing.rows}
