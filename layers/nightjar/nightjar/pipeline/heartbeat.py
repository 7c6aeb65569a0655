"""A dead man's switch: after each finished tick somebody outside hears that alerting lives."""

import urllib3

from nightjar.observability import logger

_TIMEOUT = 3.0  # seconds


def beat(url: str) -> None:
    """GET the deployer's heartbeat URL (a healthchecks.io check and the like); a fault is logged and stops nothing.

    Args:
        url: The URL; empty for none.
    """
    if not url:
        return
    try:
        urllib3.request("GET", url, timeout=_TIMEOUT, retries=False, redirect=False)
    except (urllib3.exceptions.HTTPError, ValueError):
        logger().warning("the heartbeat did not get through")
