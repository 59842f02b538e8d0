"""`replica server-config`: what the servers need, with the own bastion in it, and no secret."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Program


def test_the_own_block_is_in_it_and_the_seed_is_not(program: Program, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[journal]\ndirectory = "{tmp_path / "j"}"\n[replica]\nname = "bastion-1"\n')
    said = program("--config", str(config), "replica", "server-config", check=2).stderr
    assert "set nkey_file in [replica]" in said
    seed = tmp_path / "own.nk"
    config.write_text(config.read_text() + f'nkey_file = "{seed}"\n')
    first = program("--config", str(config), "replica", "server-config")
    assert seed.stat().st_mode & 0o777 == 0o600
    assert seed.read_text().strip().startswith("SU") and seed.read_text().strip() not in first.stdout + first.stderr
    assert "# bastion-1: journal " in first.stdout and "nkey: U" in first.stdout
    again = program("--config", str(config), "replica", "server-config")
    assert again.stdout == first.stdout and not again.stderr, "a seed that is there is never made anew"
    seed.write_text("nothing of the kind\n")
    said = program("--config", str(config), "replica", "server-config", check=1).stderr
    assert "holds no seed" in said and "nothing of the kind" not in said
