"""Structured logs and metrics (EMF) through Powertools; one logger and one set of metrics for a function."""

import threading
import warnings
from functools import cache

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

NAMESPACE = "Nightjar"

# Powertools prints a set of a hundred values and empties it: what another thread adds in between would be lost.
_counting = threading.Lock()


@cache
def logger() -> Logger:
    """Return this function's logger (JSON lines; service and level from POWERTOOLS_* variables)."""
    return Logger(service="nightjar", utc=True)


@cache
def metrics() -> Metrics:
    """Return this function's metrics; the handler's decorator flushes them."""
    warnings.filterwarnings("ignore", message="No application metrics to publish")  # nothing happened: nothing to count
    return Metrics(namespace=NAMESPACE, service="nightjar")


def count(name: str, value: float = 1) -> None:
    """Count something that an alarm or a dashboard may watch."""
    if value:
        with _counting:
            metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)
