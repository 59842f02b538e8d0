"""A credential by environment or file, read when it is needed, so that a mended one needs no restart. Never shown."""

from __future__ import annotations

import os
from pathlib import Path

_MOST = 16_384


class SecretError(Exception):
    """It cannot be had; the sentence never holds it."""


def read_secret(env: str, file: str) -> str:
    """The value of variable `env`, else what is in `file`; "" when neither is named. Raises SecretError."""
    if env:
        value = os.environ.get(env, "").strip()
        if not value:
            raise SecretError(f"${env} is not set where the watch was started")
        return value
    if not file:
        return ""
    try:
        with Path(file).open("rb") as opened:
            value = opened.read(_MOST).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the file {file} cannot be read ({type(error).__name__})") from None
    if not value:
        raise SecretError(f"the file {file} is empty")
    return value
