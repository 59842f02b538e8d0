"""Why a room cannot be read."""

from __future__ import annotations


class RoomError(Exception):
    """One sentence without any secret. `wait`: seconds by the platform's own word. `lasting`: it does not mend itself,
    as a refused token does not, so that it is tried rarely."""

    def __init__(self, sentence: str, *, wait: float | None = None, lasting: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.wait = wait
        self.lasting = lasting
