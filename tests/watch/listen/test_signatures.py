"""Signatures against the platforms' own vectors and verifiers; nothing else passes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from incident_tui.watch.listen import signatures
from incident_tui.watch.listen.signatures import Replays

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    b"803a0bc887a14d10d2c447fce8b6703c"
)
"""Slack's published example, docs.slack.dev/authentication/verifying-requests-from-slack."""
HEADERS = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}
THEN = datetime.fromtimestamp(1531420618, UTC)


def digest(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_slacks_published_vector() -> None:
    assert signatures.slack(HEADERS, BODY, SECRET, THEN)
    assert not signatures.slack(HEADERS, BODY + b" ", SECRET, THEN)
    assert not signatures.slack(HEADERS, BODY, SECRET + "x", THEN)


@pytest.mark.parametrize(("seconds", "good"), [(299, True), (-299, True), (301, False), (-301, False), (86_400, False)])
def test_slacks_window_is_five_minutes(seconds: int, good: bool) -> None:
    assert signatures.slack(HEADERS, BODY, SECRET, THEN + timedelta(seconds=seconds)) is good


@given(
    st.text(max_size=300).map(str.encode), st.text("abcXYZ019é", min_size=1, max_size=40), st.integers(0, 2_000_000_000)
)
def test_slacks_own_client_agrees(body: bytes, secret: str, stamp: int) -> None:
    theirs = SignatureVerifier(secret).generate_signature(timestamp=str(stamp), body=body)
    assert theirs is not None
    headers = {"x-slack-request-timestamp": str(stamp), "x-slack-signature": theirs}
    assert signatures.slack(headers, body, secret, datetime.fromtimestamp(stamp, UTC))


def test_the_same_request_again_is_refused_while_its_time_is_good() -> None:
    replays = Replays()
    assert signatures.slack(HEADERS, BODY, SECRET, THEN, replays)
    for seconds in (0, 299):
        assert not signatures.slack(HEADERS, BODY, SECRET, THEN + timedelta(seconds=seconds), replays)
    shouted = {**HEADERS, "x-slack-signature": HEADERS["x-slack-signature"] + " "}
    assert not signatures.slack(shouted, BODY, SECRET, THEN, replays)
    assert not signatures.slack({**HEADERS, "x-slack-signature": "v0=bad"}, BODY, SECRET, THEN, replays)


def test_replays_are_bounded_by_time() -> None:
    replays = Replays()
    for number in range(100):
        assert replays.first(str(number), THEN)
    assert replays.first("later", THEN + timedelta(seconds=1_000))
    assert len(replays._seen) == 1


def test_pagerduty_signs_with_each_secret_in_force() -> None:
    body = b'{"event":{}}'
    good = f"v1={digest('new', body)}"
    for header in (good, f"v1={digest('old', body)},{good}", f"{good} , v1=00"):
        assert signatures.pagerduty({"x-pagerduty-signature": header}, body, "new")
    for header in ("", "v1=", f"v0={digest('new', body)}", digest("new", body), f"v1={digest('old', body)}"):
        assert not signatures.pagerduty({"x-pagerduty-signature": header}, body, "new")
    eleventh = ",".join(["v1=00"] * 10 + [good])
    assert not signatures.pagerduty({"x-pagerduty-signature": eleventh}, body, "new")


def test_grafana_signs_the_body_or_time_and_body() -> None:
    name, body = "x-grafana-alerting-signature", b"{}"
    assert signatures.grafana({name: digest("s", body)}, body, "s", THEN)
    timed = {name: digest("s", b"1531420618:{}"), "x-grafana-alerting-timestamp": "1531420618"}
    assert signatures.grafana(timed, body, "s", THEN)
    assert not signatures.grafana(timed, body, "s", THEN + timedelta(hours=1))
    assert not signatures.grafana({**timed, name: digest("s", body)}, body, "s", THEN)
    assert not signatures.grafana({name: timed[name]}, body, "s", THEN), "without its time it is another text"


def test_the_generic_signature_and_tokens() -> None:
    body = b"x"
    assert signatures.signed({"x-signature": f"sha256={digest('s', body)}"}, body, "s")
    assert signatures.signed({"x-signature": f"SHA256={digest('s', body).upper()}"}, body, "s")
    assert not signatures.signed({"x-signature": "sha256="}, body, "s")
    assert signatures.bearer({"authorization": "bearer t0ken"}, "t0ken")
    basic = {"authorization": f"Basic {base64.b64encode(b'tui:pa:ss').decode()}"}
    assert signatures.bearer(basic, "tui:pa:ss", "basic") and not signatures.bearer(basic, "tui:pa:ss")
    for wrong in ("", "t0ken", "Token t0ken", "Bearer t0ken2", "Bearer", "Bearer \udcff"):
        assert not signatures.bearer({"authorization": wrong}, "t0ken"), wrong
    assert not signatures.bearer({"authorization": "Basic %%%"}, "x", "basic")
    assert not signatures.bearer({"authorization": "Bearer "}, ""), "no token is no good token"


@given(st.dictionaries(st.sampled_from([*HEADERS, "x-signature", "authorization"]), st.text(max_size=90)), st.binary())
def test_nothing_made_up_passes(headers: dict[str, str], body: bytes) -> None:
    assert not signatures.slack(headers, body, SECRET, THEN)
    assert not signatures.signed(headers, body, SECRET)
    assert not signatures.bearer(headers, SECRET)
