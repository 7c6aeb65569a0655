"""Whatever a receiver answers is an outcome: nothing that it says can stop its tray."""

import pytest
from nightjar.channels import of, send
from nightjar.channels.transport import Answer, Request
from nightjar.core.delivery import Outcome

from tests.builders import at

URL = "https://hooks.slack.com/services/T/B/secret-token"


def outcome_of(answer: Answer | Exception) -> Outcome:
    """What a post comes to that a receiver answers so, or at which our own code fails."""

    def post(request: Request) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send(of("slack"), Request(URL, b"{}", {}), [URL], at("14:00"), post)


BODIES = [b'{"n":1e99999999999999999999}', b'{"n":' + b"9" * 5_000 + b"}", b"[" * 100_000, b"\xff\xfe", b'{"retry_after":1e-99999999999999999999}']


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("status", "meaning"), [(500, "down"), (404, "failed"), (429, "busy")])
def test_an_answer_that_no_parser_can_read_is_judged_by_its_status(body: bytes, status: int, meaning: str) -> None:
    found = outcome_of(Answer(status, {}, body))
    assert (found.status, found.code) == (meaning, status)


def test_half_a_character_in_an_error_can_be_stored() -> None:
    assert outcome_of(Answer(404, {}, b'{"error":"no \\ud800 channel"}')).error == "404 no ? channel"


def test_a_post_at_which_our_own_code_fails_is_tried_again_and_says_nothing_secret(caplog: pytest.LogCaptureFixture) -> None:
    found = outcome_of(LookupError(f"cannot post to {URL}"))
    assert (found.status, found.code, found.error) == ("down", None, "it could not be posted: LookupError")
    assert "secret-token" not in caplog.text
