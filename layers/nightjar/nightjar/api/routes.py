"""THE table of routes: what the function serves, what 405 is decided by, and what the OpenAPI document is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from nightjar.api import alerts, analytics, destinations, docs, event_logs, events, given_up, mutes, policies, previews
from nightjar.api.models.alerts import AlertAnswer, DeliveryAnswer
from nightjar.api.models.analytics import AnalyticsAnswer
from nightjar.api.models.base import Answer, Body
from nightjar.api.models.destinations import DestinationAnswer, DestinationBody, ResendAnswer, TestAnswer
from nightjar.api.models.event_logs import Point, RawPoint
from nightjar.api.models.events import EventAnswer, EventBody
from nightjar.api.models.logs import AcceptedAnswer, LogBody
from nightjar.api.models.mutes import MuteAnswer, MuteBody
from nightjar.api.models.policies import PolicyAnswer, PolicyBody
from nightjar.api.models.previews import PreviewAnswer, PreviewBody
from nightjar.api.requests import Reply
from nightjar.core.analytics import SPANS
from nightjar.core.periods import Previous

Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter, for the OpenAPI document."""

    name: str
    about: str
    choices: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        method: HTTP method.
        path: Path with `<name>` for ids.
        run: Answers it; called with the request and the ids of the path. None: the ingest function does.
        body: What the request's body must be.
        answer: What is answered.
        listed: Whether the answer is an array of these.
        status: Status of success.
        query: Query parameters besides limit, offset and cursor of lists.
        open: Whether it needs no key.
        raw: What a list of raw logs holds instead.
    """

    method: Method
    path: str
    run: Callable[..., Reply] | None
    answer: type[Answer] | None = None
    body: type[Body] | None = None
    listed: bool = False
    status: int = 200
    query: tuple[Query, ...] = ()
    open: bool = False
    raw: type[Answer] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the path."""
        return _parts(self.path)


@cache
def _parts(path: str) -> tuple[str, ...]:
    """Cut a path."""
    return tuple(path.strip("/").split("/"))


_EVENT, _POLICY, _ALERT, _DESTINATION, _MUTE = "/v1.0/events", "/v1.0/policies", "/v1.0/alerts", "/v1.0/destinations", "/v1.0/mutes"
_PERIOD = Query("period", "what each point sums up; raw for single logs; default hour", ("minute", "hour", "day", "raw"))
_ANALYTICS = (
    Query("view", "only window", ("window",)),
    Query("period", "length of both windows", SPANS, required=True),
    Query("previous", "which earlier window", get_args(Previous), required=True),
    Query("at", "an instant that takes the place of now"),
)
_STATUS = Query("status", "only alerts of this status", ("triggered", "acknowledged", "resolved", "archived"))
_KIND = Query("kind", "which deliveries; default alert", ("alert", "test", "all"))

ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1.0/logs", None, AcceptedAnswer, LogBody),
    Route("GET", _EVENT, events.list_events, EventAnswer, listed=True),
    Route("POST", _EVENT, events.create_event, EventAnswer, EventBody, status=201),
    Route("GET", f"{_EVENT}/<event_id>", events.get_event, EventAnswer),
    Route("PUT", f"{_EVENT}/<event_id>", events.update_event, EventAnswer, EventBody),
    Route("GET", f"{_EVENT}/<event_id>/logs", event_logs.list_logs, Point, listed=True, query=(_PERIOD,), raw=RawPoint),
    Route("GET", f"{_EVENT}/<event_id>/analytics", analytics.window, AnalyticsAnswer, query=_ANALYTICS),
    Route("GET", _POLICY, policies.list_policies, PolicyAnswer, listed=True),
    Route("POST", _POLICY, policies.create_policy, PolicyAnswer, PolicyBody, status=201),
    Route("POST", f"{_POLICY}/preview", previews.preview_policy, PreviewAnswer, PreviewBody),
    Route("GET", f"{_POLICY}/<policy_id>", policies.get_policy, PolicyAnswer),
    Route("PUT", f"{_POLICY}/<policy_id>", policies.update_policy, PolicyAnswer, PolicyBody),
    Route("DELETE", f"{_POLICY}/<policy_id>", policies.delete_policy, PolicyAnswer),
    Route("GET", _ALERT, alerts.list_alerts, AlertAnswer, listed=True, query=(_STATUS,)),
    Route("GET", f"{_ALERT}/<alert_id>", alerts.get_alert, AlertAnswer),
    Route("POST", f"{_ALERT}/<alert_id>/acknowledge", alerts.acknowledge, AlertAnswer),
    Route("POST", f"{_ALERT}/<alert_id>/resolve", alerts.resolve, AlertAnswer),
    Route("POST", f"{_ALERT}/<alert_id>/archive", alerts.archive, AlertAnswer),
    Route("GET", f"{_ALERT}/<alert_id>/deliveries", alerts.list_deliveries, DeliveryAnswer, listed=True, query=(_KIND,)),
    Route("GET", _DESTINATION, destinations.list_destinations, DestinationAnswer, listed=True),
    Route("POST", _DESTINATION, destinations.create_destination, DestinationAnswer, DestinationBody, status=201),
    Route("GET", f"{_DESTINATION}/<destination_id>", destinations.get_destination, DestinationAnswer),
    Route("PUT", f"{_DESTINATION}/<destination_id>", destinations.update_destination, DestinationAnswer, DestinationBody),
    Route("DELETE", f"{_DESTINATION}/<destination_id>", destinations.delete_destination, DestinationAnswer),
    Route("POST", f"{_DESTINATION}/<destination_id>/test", destinations.test_destination, TestAnswer),
    Route("GET", f"{_DESTINATION}/<destination_id>/given-up", given_up.list_given_up, DeliveryAnswer, listed=True),
    Route("POST", f"{_DESTINATION}/<destination_id>/resend", given_up.resend_given_up, ResendAnswer),
    Route("GET", _MUTE, mutes.list_mutes, MuteAnswer, listed=True),
    Route("POST", _MUTE, mutes.create_mute, MuteAnswer, MuteBody, status=201),
    Route("DELETE", f"{_MUTE}/<mute_id>", mutes.delete_mute, MuteAnswer),
    Route("GET", "/v1.0/openapi.json", docs.openapi, open=True),
    Route("GET", "/docs", docs.page, open=True),
    Route("GET", "/healthz", docs.healthz, open=True),
)
