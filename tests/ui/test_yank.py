"""What is copied out of the screen."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

from incident_tui.ui.yank import MOST, keep_text, osc52


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
