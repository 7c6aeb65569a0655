"""Structured logs and metrics (EMF) through Powertools; one logger and one set of metrics for a function."""

import os
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
    return Logger(service=_service(), utc=True)


@cache
def metrics() -> Metrics:
    """Return this function's metrics; the handler's decorator flushes them."""
    warnings.filterwarnings("ignore", message="No application metrics to publish")  # nothing happened: nothing to count
    return Metrics(namespace=NAMESPACE, service=_service())


def _service() -> str:
    """Return whose logs and metrics these are: the stack's name, so that two stacks of one account are told apart."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME", "nightjar")


def count(name: str, value: float = 1) -> None:
    """Count something that an alarm or a dashboard may watch."""
    if value:
        with _counting:
            metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)
