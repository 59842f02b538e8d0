"""What is copied out of the screen."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from incident_tui.ui.yank import MOST, keep_text, osc52, row_text


def test_the_sequence_is_plain_or_passed_through_screen_in_parts() -> None:
    text = "a17 é " * 300
    plain, cut = osc52(text, {"TMUX": "/tmp/t", "STY": "1.x"})
    assert not cut and plain == f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    wrapped, _ = osc52(text, {"STY": "1.x"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", wrapped, re.S)
    assert "".join(parts) == plain and max(len(part) for part in parts) <= 252
    assert "".join(f"\x1bP{part}\x1b\\" for part in parts) == wrapped


def test_too_much_is_cut_at_a_character_and_said() -> None:
    sequence, cut = osc52("é" * MOST, {})
    text = base64.b64decode(sequence[7:-1]).decode()
    assert cut and len(text.encode()) <= MOST and set(text) == {"é"}


def test_the_file_is_private_and_replaced_whole(tmp_path: Path) -> None:
    first = keep_text(tmp_path, "one")
    os.chmod(first, 0o666)
    assert keep_text(tmp_path, "two") == first
    assert Path(first).read_text() == "two\n" and os.stat(first).st_mode & 0o777 == 0o600
    assert os.listdir(os.path.dirname(first)) == [os.path.basename(first)]


def test_an_entry_is_copied_without_anything_that_a_shell_or_terminal_would_obey(kit: Any) -> None:
    """A journal that somebody else wrote to by hand may hold what no way in of ours lets through."""
    row = kit.view({}, kit.story(kit.now)).rows[0]
    bad = msgspec.structs.replace(row, text="rm\r\x1b]52;c;aGFjaw==\x07 \x9b31m\u202ex\nsecond line")
    copied = row_text(bad, "a2")
    assert copied.startswith("a2 ") and copied.endswith("rm\n x\nsecond line")
