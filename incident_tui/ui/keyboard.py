"""What is typed: the terminal's bytes -> Textual's events. Used instead of Textual's own reader, which ends the screen
at the first byte that is no UTF-8, and throws away what was typed while the terminal changed hands.
"""

from __future__ import annotations

import codecs
import os
import select
import threading
from collections.abc import Callable
from typing import Final

from textual._parser import ParseEOF, ParseError
from textual._xterm_parser import XTermParser
from textual.message import Message

_WAIT: Final = 0.1
"""Seconds between two looks at whether to end, and at an Escape that no sequence followed."""
_BLOCK: Final = 4096


class Keyboard:
    """Reads `fileno`, in one thread at a time. Each reading ends what is half a sequence; a character whose bytes were
    read by two of them is whole."""

    def __init__(self, fileno: int, *, debug: bool = False) -> None:
        self._fileno = fileno
        self._debug = debug
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def read(self, ended: threading.Event, take: Callable[[Message], None]) -> None:
        """Give `take` each event until `ended` is set, and then those of what is there already. OSError: the terminal
        is gone."""
        parser = XTermParser(self._debug)
        while not ended.is_set():
            self._read_once(parser, take, _WAIT)
        self._read_once(parser, take, 0)
        try:
            for event in parser.feed(""):
                take(event)
        except (EOFError, ParseError, ParseEOF):
            return

    def _read_once(self, parser: XTermParser, take: Callable[[Message], None], wait: float) -> None:
        poller = select.poll()
        poller.register(self._fileno, select.POLLIN)
        if poller.poll(wait * 1000):
            data = os.read(self._fileno, _BLOCK)
            if not data:
                raise OSError("the terminal has ended")
            text = self._decode(data)
            if text:
                for event in parser.feed(text):
                    take(event)
        for event in parser.tick():
            take(event)
