"""A command on a host, carried out: judged, its intent saved, run with the author's own keys, its outcome saved.

The intent stands in the journal before anything reaches the host: a process that dies meanwhile leaves an intent
without an outcome, which says that it runs or that nobody knows how it ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Final

import msgspec

from incident_tui.desk.desk import Desk
from incident_tui.desk.outcome import Saving
from incident_tui.desk.step_command import StepCommand
from incident_tui.fleet import remote
from incident_tui.fleet.remote import Finished
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.incident import policy
from incident_tui.incident.entry import Entry
from incident_tui.incident.policy import Verdict
from incident_tui.incident.settings import Commands
from incident_tui.incident.views import Incident
from incident_tui.incident.words import ended
from incident_tui.journal.errors import JournalError
from incident_tui.text import redact, sanitise

SETTLE_SECONDS: Final = 5.0
"""So long after a playbook's change what verifies it is asked first: a brick or a container needs a moment."""
WINDOW_SECONDS: Final = 60.0
"""So long, or as long as the change itself may take, it is asked again."""
HEAVY_SECONDS: Final = 300
"""A verify block that may take so long is asked once: `heal info` in a loop is what the playbooks warn of."""
SAVE_SECONDS: Final = 10.0
"""An intent that is not saved within this is not run any more."""

Runner = Callable[..., Awaitable[Finished]]
"""`fleet.remote.run` is one."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run. With `verify`, that command tells `minutes` after the end whether `expected` is so: by its
    status, and by printing `shows`. Of a playbook's step (`step`) that is asked at once, and for a while again."""

    host: str
    command: str
    expected: str = ""
    verify: str = ""
    minutes: int = 0
    shows: str = ""
    step: StepCommand | None = None

    @classmethod
    def of(cls, host: str, command: str, said: str = "") -> Wish:
        """`said` is what is expected, as typed: "docker answers; verify after 2 minutes: docker ps"."""
        found = policy.expected(said)
        return cls(host=host, command=command, expected=found.text, verify=found.command, minutes=max(1, found.minutes))

    @classmethod
    def of_step(cls, host: str, step: StepCommand) -> Wish:
        """A playbook's command as it stands there."""
        shows = step.shows or step.expect
        return cls(
            host=host,
            command=step.text,
            expected=f"shows {shows!r}" if shows and step.changes else step.title if step.changes else "",
            verify=step.verify,
            shows=step.shows,
            step=step,
        )


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish. `intent` is None when it could not be saved, `finished` when it did not run."""

    sentence: str
    intent: Entry | None = None
    finished: Finished | None = None
    held: bool | None = None
    """Of a command that shows by itself whether what is expected is so: whether it did."""


class HostCommands:
    """Of one desk. `catch_up` reads what others have written into the desk's fold; `at_risk` says why a change on a
    host is dangerous now (`hosts.second_peer`), `present` who is here. `run` is `fleet.remote.run`."""

    def __init__(
        self,
        desk: Desk,
        settings: Commands,
        hosts: Sequence[Host],
        fleet: Fleet,
        *,
        catch_up: Callable[[], None],
        at_risk: Callable[[str], Sequence[str]] = lambda host: (),
        present: Callable[[], Iterable[str]] = tuple,
        run: Runner = remote.run,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.desk = desk
        self.settings = settings
        self.hosts = {host.name: host for host in hosts}
        self.fleet = fleet
        self._catch_up = catch_up
        self._at_risk = at_risk
        self._present = present
        self._run = run
        self._sleep = sleep

    def judge(self, wish: Wish) -> Verdict:
        """Whether it may run now, and what to ask before."""
        if wish.host not in self.hosts:
            return Verdict(refusal=f"There is no host {sanitise(wish.host, limit=40)}.")
        step = wish.step
        if wish.verify and step is None and not policy.reads(wish.verify, self.settings):
            return Verdict(
                refusal="What verifies may only read, and that command is none of those known (see [commands] read)."
            )
        verdict = policy.judge(
            wish.command,
            wish.host,
            author=self.desk.author.name,
            incident=self.desk.incident,
            settings=self.settings,
            now=self.desk.clock(),
            at_risk=self._at_risk(wish.host),
            present=self._present(),
            declared="" if step is None else "change" if step.changes else "read",
        )
        if step is None or verdict.refusal or step.fits(self.hosts[wish.host]):
            return verdict
        strange = f"{wish.host} is not of {step.target}, for which the playbook has this"
        return msgspec.structs.replace(verdict, warnings=(strange, *verdict.warnings))

    async def run(
        self,
        wish: Wish,
        verdict: Verdict,
        *,
        stop: asyncio.Event,
        output: Callable[[bytes, bool], None] = lambda data, is_error: None,
        feed: remote.Input | None = None,
        seconds: float | None = None,
    ) -> Ran:
        """Save the intent, run it, save the outcome. `verdict` is what the author was told before. Whoever calls has
        asked what `verdict.confirm` wants."""
        if verdict.refusal:
            return Ran(sentence=verdict.refusal)
        saving = self.desk.keep_command(_intent(wish, verdict))
        try:
            intent = await _saved(saving)
        except JournalError as error:
            return Ran(sentence=f"NOT SAVED, so it was not run: {error.sentence}")
        except TimeoutError:
            _when_saved(saving, self._not_run)
            return Ran(sentence=f"NOT SAVED within {SAVE_SECONDS:g} s, so it was not run.")
        self._catch_up()
        hold = policy.held_before(intent, self._incident(intent), verdict.holds, self.desk.clock())
        if hold is not None:
            why = f"not run: {policy.held(hold)}, and that was first"
            return await self._over(wish, intent, Finished(started=False, problem=why))
        host = own(self.hosts[wish.host], self.settings)
        limit = seconds or float(wish.step.seconds if wish.step is not None else self.settings.seconds)
        try:
            finished = await self._run(
                host, self.fleet, wish.command, seconds=limit, stop=stop, output=output, feed=feed
            )
        except asyncio.CancelledError:
            self.desk.keep_command(_outcome(wish, _LEFT), of=intent)
            raise
        return await self._over(wish, intent, finished)

    async def verify(self, wish: Wish, ran: Ran) -> str:
        """Wait for the time that was said, run what verifies, save the check. What to say about it; empty when there
        was nothing to verify."""
        if not wish.verify or ran.intent is None or ran.finished is None or not ran.finished.started:
            return ""
        await self._sleep(60.0 * wish.minutes or SETTLE_SECONDS)
        done = await self._asked(wish)
        for seconds in _again(wish.step):
            if done.exit is not None and _holds(wish, done):
                break
            await self._sleep(seconds)
            done = await self._asked(wish)
        data: dict[str, Any] = {"step": "check", "host": wish.host, "expected": redact(wish.expected)[0]}
        if done.exit is None:
            data["problem"] = f"could not be verified ({sanitise(done.problem or done.signal, limit=200)})"
        else:
            data["held"] = _holds(wish, done)
        try:
            await _saved(self.desk.keep_command(data, done.text, of=ran.intent))
        except (JournalError, TimeoutError):
            return f"NOT SAVED: whether {wish.expected} on {wish.host} holds."
        result = data.get("problem") or ("held" if data["held"] else "DID NOT HOLD")
        return f"{wish.host} {result}: {redact(wish.expected)[0]}"

    async def _asked(self, wish: Wish) -> Finished:
        """Of the host itself, unless the playbook says any will do: then of the first that answers."""
        limit = float(wish.step.verify_seconds if wish.step is not None else self.settings.seconds)
        done = Finished(started=False)
        for name in self._verifiers(wish):
            host = own(self.hosts[name], self.settings)
            done = await self._run(host, self.fleet, wish.verify, seconds=limit, stop=asyncio.Event())
            if done.exit is not None:
                break
        return done

    def _verifiers(self, wish: Wish) -> list[str]:
        step, mine = wish.step, self.hosts[wish.host]
        if step is None or not step.elsewhere:
            return [mine.name]
        kin = [one for one in self.hosts.values() if not (one.roles and mine.roles) or set(one.roles) & set(mine.roles)]
        return [*(one.name for one in kin if one.name != mine.name), mine.name]

    def _incident(self, intent: Entry) -> Incident | None:
        return self.desk.fold.incident(intent.incident) if intent.incident else None

    async def _over(self, wish: Wish, intent: Entry, finished: Finished) -> Ran:
        data = _outcome(wish, finished)
        handle = self.desk.handles.handle(intent)
        sentence = f"{handle} {wish.host} {ended(data)}."
        if finished.started and finished.bytes > len(finished.text.encode()) + 1024:
            sentence += f" Of {finished.bytes} bytes the journal has a part."
        if finished.lingers:
            sentence += " Something that it started still runs there."
        if wish.shows and not wish.verify and finished.exit is not None:
            data["held"] = _holds(wish, finished)
            sentence += f" It {'shows' if data['held'] else 'does NOT show'} {wish.shows!r}."
        try:
            await _saved(self.desk.keep_command(data, finished.text, of=intent))
        except (JournalError, TimeoutError):
            sentence = f"NOT SAVED: {sentence}"
        return Ran(sentence=sentence, intent=intent, finished=finished, held=data.get("held"))

    def _not_run(self, intent: Entry) -> None:
        data = {"step": "outcome", "host": intent.data.get("host"), "exit": None}
        self.desk.keep_command(data | {"problem": "not run: it was saved too late"}, of=intent)


def _holds(wish: Wish, done: Finished) -> bool:
    return done.exit == 0 and " ".join(wish.shows.split()) in " ".join(done.text.split())


def _again(step: StepCommand | None) -> list[float]:
    """How long to wait before each further look: a quarter of what one may take, so that locks are free between."""
    if step is None or step.verify_seconds >= HEAVY_SECONDS:
        return []
    pause = max(SETTLE_SECONDS, step.verify_seconds / 4)
    return [pause] * int(max(WINDOW_SECONDS, step.seconds) / pause)


_LEFT: Final = Finished(started=True, stopped=True, problem="its author left; the host was told to end it")


def own(host: Host, settings: Commands) -> Host:
    """The host as the author reaches it: with their own keys, unless [commands] keys says otherwise."""
    changed = msgspec.structs.replace(host, user=settings.user or host.user)
    return msgspec.structs.replace(changed, identity_file="") if settings.keys == "own" else changed


def _intent(wish: Wish, verdict: Verdict) -> dict[str, Any]:
    data: dict[str, Any] = {
        "step": "intent",
        "host": wish.host,
        "command": redact(wish.command)[0],
        "risk": "change" if verdict.changes else "read",
    }
    if wish.expected:
        data["expected"] = redact(sanitise(wish.expected))[0]
    if wish.verify:
        data |= {"verify": redact(wish.verify)[0], "minutes": wish.minutes}
    if wish.shows:
        data["shows"] = redact(wish.shows)[0]
    return data | ({"run": wish.step.run, "number": wish.step.number} if wish.step is not None else {})


def _outcome(wish: Wish, finished: Finished) -> dict[str, Any]:
    data: dict[str, Any] = {"step": "outcome", "host": wish.host, "exit": finished.exit}
    if finished.signal:
        data["signal"] = finished.signal
    if finished.problem:
        data["problem"] = sanitise(finished.problem, limit=300)
    if finished.started:
        data |= {"seconds": round(finished.seconds, 1), "bytes": finished.bytes, "sha256": finished.sha256}
    return data


async def _saved(saving: Saving) -> Entry:
    """The entry, once it is committed. Raises JournalError, and TimeoutError when that takes too long."""
    if isinstance(saving, Future):
        async with asyncio.timeout(SAVE_SECONDS):
            await asyncio.wait({asyncio.wrap_future(saving)})
    entries: list[Entry] = saving.result()
    return entries[0]


def _when_saved(saving: Saving, then: Callable[[Entry], None]) -> None:
    """What was given up may still be saved: then it has to be said that it did not run."""
    loop = asyncio.get_running_loop()

    def over(done: Future[list[Entry]]) -> None:
        if done.exception() is None and not loop.is_closed():
            loop.call_soon_threadsafe(then, done.result()[0])

    if isinstance(saving, Future):
        saving.add_done_callback(over)
