"""Never a 5xx for anything a client can send; nor a 429, which would have it send the same for ever."""

import pytest
from nightjar.api.models.base import Body
from nightjar.api.models.destinations import DestinationBody
from nightjar.api.models.events import EventBody
from nightjar.api.models.mutes import MuteBody
from nightjar.api.models.policies import PolicyBody

from tests.contract.world import NOBODY, Api, policy, slack

# JSON as text, so that what no serialiser of ours would write is sent too.
ODD = (
    "null", "true", "0", "-1", "1e400", "-1e-400", "1E999999999999999999999", "NaN", "-Infinity", "1" * 5000, '""', '" "', '"\\u0000"', '"\\ud83d"',
    '"\\ud83d\\ude00"', '"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:59"', '"../../x"', '"' + "x" * 5000 + '"', "[]", "[null]", "[[]]", "{}",
    '{"previous": {}}', '{"": ""}', f'"{NOBODY}"', '"https://[::1"', '"https://a:b@c:99999/"', '"Europe/../UTC"', '"Factory"', "1.5", "2.0",
)  # fmt: skip
MODELS: dict[str, type[Body]] = {
    "events": EventBody, "policies": PolicyBody, "destinations": DestinationBody, "mutes": MuteBody, "policies/preview": PolicyBody,
}  # fmt: skip
BASES = {
    "events": {"event": "e"}, "policies": policy(), "destinations": slack(), "mutes": {"until": "2026-03-03T16:00:00Z"},
    "policies/preview": {**policy(), "from": "2026-03-03T08:00:00Z", "to": "2026-03-03T14:00:00Z"},
}  # fmt: skip
FIELDS = [(noun, field) for noun, model in MODELS.items() for field in model.model_fields]
FINE = {200, 201, 400, 409, 422}


@pytest.mark.parametrize(("noun", "field"), [*FIELDS, ("policies/preview", "policy"), ("policies/preview", "from"), ("policies/preview", "to")])
def test_an_odd_value_is_taken_or_refused_by_name(api: Api, noun: str, field: str) -> None:
    base, paths = BASES[noun], [("POST", f"/v1.0/{noun}")]
    if noun in {"events", "policies", "destinations"}:
        made = api.made(f"/v1.0/{noun}", base)
        paths.append(("PUT", f"/v1.0/{noun}/{next(value for name, value in made.items() if name.endswith('_id'))}"))
    kept = ", ".join(f'"{name}": {value if isinstance(value, int) else chr(34) + value + chr(34)}' for name, value in base.items() if name != field)
    for odd in ODD:
        for method, path in paths:
            answer = api(method, path, raw=f'{{"{field}": {odd}{f", {kept}" if kept and method == "POST" else ""}}}')
            assert answer.status in FINE, (odd[:50], answer.body)
            assert answer.status != 400 or field in answer.message or "JSON" in answer.message, (odd[:50], answer.body)
    assert api.get(f"/v1.0/{noun.partition('/')[0]}").status == 200


@pytest.mark.parametrize("name", ["limit", "offset", "cursor", "status", "period", "previous", "view", "kind", "at"])
def test_odd_queries_are_refused_or_ignored(api: Api, name: str) -> None:
    event_id = api.made("/v1.0/events", {"event": "e"})["event_id"]
    for value in ("", "%00", "%F0%9F%98%80", "%ED%A0%80", "-1", "0", "1e9", "9" * 40, "null", "AAAA", "2026-03-03T14%3A00%3A00Z"):
        for path in ("/v1.0/policies", "/v1.0/alerts", f"/v1.0/events/{event_id}/logs", f"/v1.0/events/{event_id}/analytics"):
            assert api.get(f"{path}?{name}={value}").status in {200, 400}


@pytest.mark.parametrize("odd", ["%00", "a%20b", "ü", "..", NOBODY.replace("-", ""), "{" + NOBODY + "}", NOBODY + "x", "٣" * 36])
def test_an_odd_id_is_a_bad_request(api: Api, odd: str) -> None:
    for noun in ("events", "policies", "alerts", "destinations"):
        assert api.get(f"/v1.0/{noun}/{odd}").status == 400
