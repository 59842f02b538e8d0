"""The prompt's side of the talk: entering, being asked, answering, pasting. No widget.

Nothing typed is lost: a refused line stays in the prompt, a question keeps it aside, a failed save brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from incident_tui.desk.outcome import Outcome
from incident_tui.incident.echo import echo
from incident_tui.incident.entry import Entry
from incident_tui.incident.meanings import Refused
from incident_tui.incident.paste import Backfill, Evidence, paste
from incident_tui.incident.people import zone_of
from incident_tui.journal.errors import JournalError
from incident_tui.text import sanitise
from incident_tui.ui.ask import Ask
from incident_tui.ui.commands import DRAFTS, LOOKS, verb_hint
from incident_tui.ui.complete import Words, complete
from incident_tui.ui.editor import Editor
from incident_tui.ui.kept import Sent
from incident_tui.ui.session import Session

if TYPE_CHECKING:
    from incident_tui.ui.host_prompt import HostPrompt

_YES: Final = ("yes", "y")
_NO: Final = ("", "no", "n")


class Conversation:
    """One screen's prompt. `hint` is what the last line says, with a style."""

    def __init__(self, session: Session, editor: Editor) -> None:
        self.session = session
        self.editor = editor
        self.ask: Ask | None = None
        self.said: tuple[str, str] = ("", "")
        """The last answer to the writer, until the line changes."""
        self.aside = ""
        """What was written in an editor and put away unsaved: Ctrl+E opens it again."""
        self._dropped = ""
        """A paste that was dropped. Ctrl+E still opens it, but it is in no file: it may be a password."""
        self.host: HostPrompt | None = None
        """The prompt of a host, while it is open: what is typed is a command then, and no note."""
        self._notes: list[str] = []
        self._waiting: str | None = None
        """The draft that a line which only looks for something has pushed aside."""

    def label(self) -> str:
        """What the line means, before Enter."""
        if self.host is not None:
            return self.host.label
        if self.ask is not None:
            return "ANSWER"
        if not self.editor.text.strip():
            return ""
        meaning = self.session.desk.meaning(self.editor.text)
        if isinstance(meaning, Refused):
            return "NOT YET"
        return echo(meaning, self.session.clock())

    @property
    def mark(self) -> str:
        """What stands between label and line."""
        return self.host.mark if self.host is not None else " >"

    def open_host(self, prompt: HostPrompt, history: list[str]) -> None:
        """From now on the prompt is this host's, with a history of its own."""
        if self.host is None:
            self._notes = self.editor.exchange_history(history)
        self.host = prompt
        self.said = ("", "")

    def close_host(self) -> list[str]:
        """The prompt is for notes again. Returns the history of commands."""
        self.host = None
        self.editor.set("")
        return self.editor.exchange_history(self._notes)

    def hint(self) -> tuple[str, str]:
        """A question, the last answer, or the help of the verb being typed; empty when the footer may be shown."""
        if self.host is not None:
            return self.said if self.said[0] else (self.host.question, "warn")
        if self.ask is not None:
            return f"{self.ask.first} {self.ask.sentence}".lstrip(), "warn"
        if self.said[0]:
            return self.said
        return "  ".join(part for part in verb_hint(self.editor.text) if part), ""

    def teaching(self) -> tuple[str, str]:
        """Form and help of the verb that is being typed, while `hint` has nothing else to say."""
        silent = self.host is not None or self.ask is not None or self.said[0]
        return ("", "") if silent else verb_hint(self.editor.text)

    def changed(self) -> None:
        """The line was edited."""
        self.said = ("", "")
        self.keep()

    def unsent(self) -> tuple[str, ...]:
        """What a crash must not cost: the draft, then what is asked about, waits for the answer, or was put away."""
        if self.host is not None:
            return "", self.aside  # a command is no note: the next screen must not offer it as one
        ask, draft = self.ask, self.editor.text
        if ask is not None:
            typed = draft if self._stray(ask) else ""
            return (typed, ask.line, ask.draft) if typed else (ask.draft, ask.line)
        if self._waiting:
            return (self._waiting, self.aside) if draft.startswith(DRAFTS) else (draft, self._waiting, self.aside)
        return draft, self.aside

    def put_by(self, line: str) -> None:
        """Begin another line; the draft comes back with `fetch`, and is kept on disk all the while."""
        if self._waiting is None:
            self._waiting = self.editor.text
        self.editor.set(line)
        self.changed()

    def fetch(self) -> bool:
        """The draft that was put by, back into the prompt. False when none was."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return False
        if self.editor.text.strip() and not self.editor.text.startswith(DRAFTS):
            self.editor.remember(self.editor.text)
        self.editor.set(waiting)
        self.changed()
        return True

    def also(self, words: str) -> None:
        """Say this behind what is said."""
        if words:
            self.said = (f"{self.said[0]} {words}".lstrip(), self.said[1])

    def keep(self) -> None:
        if not self.session.keep(*self.unsent()):
            self.said = ("This line could not be kept on disk: a crash would lose it.", "warn")

    def submit(self) -> Outcome | None:
        """Enter. The outcome is for whoever shows effects; None when there was nothing to carry out."""
        line = self.editor.text
        try:
            return self._submit()
        except JournalError as error:  # a handle could not be looked up, the journal could not be read
            self.editor.set(line)
            self.said = (f"Not saved: {error.sentence}", "crit")
            return None

    def _submit(self) -> Outcome | None:
        if self.ask is not None:
            return self._answer(self.ask)
        line = self.editor.text
        if not line.strip():
            self.offer()
            return None
        if not self.session.loaded:
            self.said = ("The journal is still being read; press Enter again in a moment.", "warn")
            return None
        return self._over(self.session.enter(line), line, draft="")

    def _over(self, outcome: Outcome, line: str, draft: str) -> Outcome:
        if outcome.refusal:
            if draft and "\n" not in line:
                self.session.offered.insert(0, draft)
            self.editor.set(line if "\n" not in line else draft)
            self.said = (outcome.refusal, "crit")
        elif outcome.question is not None:
            question = outcome.question
            self.ask = Ask(question.sentence, question.wants, line, draft, question.token)
            self.editor.set("")
            self.said = ("", "")
        else:
            self.editor.set(draft)
            if "\n" not in line and line.split()[0].lower() not in LOOKS:
                self.editor.remember(line)
            self.said = (outcome.notice, "")
        self.keep()
        return outcome

    def _answer(self, ask: Ask) -> Outcome | None:
        reply = self.editor.text.strip()
        self.ask = None
        if not ask.paste:
            return self._decide(ask, reply)
        said = reply.casefold()
        if self._stray(ask):
            self._wait(ask)
            return None
        if ask.backfill and said not in _YES:
            self._ask_paste(ask.line, ask.draft, ask.seed, ask.written)
            return None
        if not ask.backfill and said not in ("", "lines"):
            self.ask = ask
            self.editor.set("")
            return None
        backfill = ask.backfill or said == "lines"
        if backfill and not ask.backfill:
            pasted = self._pasted(ask.line)
            if isinstance(pasted, Backfill) and pasted.question:
                self.ask = msgspec.structs.replace(ask, sentence=pasted.question, wants="yes", backfill=True)
                self.editor.set("")
                return None
        outcome = self.session.paste(ask.line, backfill=backfill)
        if outcome.refusal:
            self._ask_paste(ask.line, ask.draft, ask.seed, ask.written)
            self.said = (outcome.refusal, "crit")
            return outcome
        return self._over(outcome, ask.line, ask.draft)

    def _decide(self, ask: Ask, reply: str) -> Outcome | None:
        """Only yes (or the word wanted), no, or nothing is an answer. Anything else was typed by somebody who had not
        seen the question: it is kept, and offered in the prompt after the answer."""
        said = reply.casefold()
        if said in _YES and ask.wants != "yes":
            self.ask = msgspec.structs.replace(
                ask, sentence=f"Not saved yet: write {ask.wants}, or Esc. {ask.sentence}"
            )
            self.editor.set("")
            return None
        if said in _YES or said == ask.wants:
            return self._over(self.session.answer(ask.token, reply), ask.line, ask.draft)
        if said in _NO:
            self.ask = ask
            self.cancel()
            return None
        self._wait(ask)
        return None

    def _stray(self, ask: Ask) -> bool:
        """What is in the prompt is neither an answer nor the beginning of one."""
        typed = self.editor.text.strip().casefold()
        return not any(one.startswith(typed) for one in (ask.wants or "lines", *_YES, *_NO))

    def _set_aside(self, ask: Ask) -> Ask:
        """The line in the prompt is the draft; when one waits already, it is offered after that."""
        if not ask.draft:
            return msgspec.structs.replace(ask, draft=self.editor.text)
        self.session.offered.append(self.editor.text)
        return ask

    def _wait(self, ask: Ask) -> None:
        """A line was entered by somebody who had not seen the question."""
        ask = self._set_aside(ask)
        waiting = len(self.session.offered) + 1
        first = "Your line waits for this answer." if waiting == 1 else f"{waiting} lines wait for this answer."
        self.ask = msgspec.structs.replace(ask, first=first)
        self.editor.set("")
        self.keep()

    def pasted(self, text: str) -> bool:
        """Text was pasted. True when it has several lines and is being asked about."""
        if self.host is not None and len(text.strip().splitlines()) > 1:
            self.said = ("Several lines were pasted, and one command at a time is run: nothing was taken.", "warn")
            return False
        if (
            self.host is not None
            or self.ask is not None
            or len([line for line in text.splitlines() if line.strip()]) < 2
        ):
            self.editor.insert(" ".join(text.split("\n")) if self.ask is None else text.strip())
            self.changed()
            return False
        self._ask_paste(sanitise(text, lines=True, limit=max(1, 2 * len(text))), self.editor.text)
        return True

    def to_write(self) -> str | None:
        """What an editor is to open; None while another question waits."""
        if self.ask is not None:
            return self.ask.line if self.ask.paste else None
        return self.aside or self.editor.text or self._dropped

    def written(self, text: str, *, accepted: bool = True) -> bool:
        """An editor gave this back. Nothing is saved: one line is in the prompt, several are asked about as a paste
        (True). Not `accepted`, because the editor failed: it is put away."""
        clean = sanitise(text, lines=True, limit=max(1, 2 * len(text))).strip("\n")
        if not accepted:
            self.aside = clean
            self.keep()
            return False
        self.aside, self._dropped, before, self.ask = "", "", self.ask, None
        line, draft = self.editor.text, before.draft if before is not None else ""
        if len([one for one in clean.split("\n") if one.strip()]) > 1:
            self._ask_paste(clean, draft, before.seed if before is not None else line, written=True)
            return True
        if line not in clean:
            self.editor.remember(line)
        self.editor.set(" ".join(clean.split("\n")).strip())
        self.said = ("Not saved yet: Enter saves it.", "")
        if draft:
            self.session.offered.insert(0, draft)
        self.keep()
        return False

    def _ask_paste(self, text: str, draft: str, seed: str = "", written: bool = False) -> None:
        pasted = self._pasted(text)
        lines = pasted.evidence.lines if isinstance(pasted, Backfill) else pasted.lines
        sentence = f"{'Written' if written else 'Pasted'} {lines} lines. Enter saves them as one evidence entry"
        if isinstance(pasted, Backfill):
            sentence += f"; the word lines saves {len(pasted.entries)} entries at the times they begin with"
        sentence += "; Esc puts them away." if written else "; Esc drops them."
        self.ask = Ask(sentence, "", text, draft, paste=True, seed=seed, written=written)
        self.editor.set("")
        self.keep()

    def _pasted(self, text: str) -> Evidence | Backfill:
        people = self.session.settings.people
        return paste(text, self.session.clock(), zone_of(self.session.author.name, people))

    def cancel(self) -> None:
        """Esc: a question is put away, and its line is back in the prompt."""
        ask, self.ask = self.ask, None
        if ask is None:
            return
        if self._stray(ask):
            ask = self._set_aside(ask)
        if ask.written:
            self.aside = ask.line
            self.editor.set(ask.draft or ask.seed)
            self.said = ("Not saved. Ctrl+E opens what you wrote again.", "")
        elif ask.paste:
            self._dropped = ask.line
            self.editor.set(ask.draft)
            self.said = ("The paste was dropped; nothing was saved. With an empty line Ctrl+E opens it.", "")
        elif ask.draft:
            self.editor.remember(ask.line)
            self.editor.set(ask.draft)
            self.said = ("Not saved: that line is behind Up. This one is not entered yet.", "warn")
        else:
            self.editor.set(ask.line)
            self.said = ("Not saved. The line is in the prompt.", "")
        self.keep()

    def complete(self, words: Words) -> None:
        """Tab with text in the prompt."""
        done = complete(self.editor.text, self.editor.cursor, words)
        if not done.choices:
            self.said = ("Nothing completes this word.", "")
            return
        if done.text != self.editor.text:
            self.editor.set(done.text, done.cursor)
            self.changed()
        if len(done.choices) > 1:
            self.said = ("  ".join(done.choices), "")

    def settled(self, over: list[tuple[Sent, list[Entry] | str]]) -> None:
        """Lines were saved, or can never be."""
        for sent, fate in over:
            if isinstance(fate, str):
                if self.host is None and not self.editor.text and "\n" not in sent.line:
                    self.editor.set(sent.line)
                else:
                    self.session.offered.append(sent.line)
                self.said = (f"NOT SAVED: {fate}", "crit")
            elif fate:
                names = [self.session.store.handle(entry) for entry in (fate[0], fate[-1])]
                saved = f"{names[0]} saved" if len(fate) == 1 else f"{names[0]} to {names[1]} saved"
                notice = self.said[0] if self.said[1] != "crit" else ""
                waiting = len(self.session.offered)
                if waiting and not self.editor.text:
                    notice += f" {waiting} of your lines not saved yet: Enter brings them."
                if not self.editor.text or notice:
                    self.said = (f"{saved}. {notice}".rstrip(), "ok" if not notice else "")
                if crossed := self.session.desk.crossed(fate):
                    self.said = (f"{saved}, but {crossed}", "warn")
        self.keep()

    def propose(self, lines: Sequence[str]) -> None:
        """Lines that were asked for, the first into the prompt and the others after it."""
        waiting = self.editor.text
        self.session.offered[:0] = [*lines[1:], *([waiting] if waiting.strip() else [])]
        self.editor.set(lines[0])
        more = f" {len(lines) - 1} more after it." if len(lines) > 1 else ""
        self.said = (f"A draft of what changed: put it in your words, Enter saves it.{more}", "")
        self.keep()

    def offer(self) -> bool:
        """Put the next line that an earlier screen left into an empty prompt."""
        if self.editor.text or self.ask is not None or not self.session.offered:
            return False
        line = self.session.offered.pop(0)
        if "\n" in line:
            self._ask_paste(line, "")
        else:
            self.editor.set(line)
        more = f" {len(self.session.offered)} more after it." if self.session.offered else ""
        self.said = (f"This line is not saved yet.{more} Enter saves it.", "warn")
        self.keep()
        return True
