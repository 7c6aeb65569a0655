"""Check a deployed stack: `scripts/verify-on-aws --help`. Exit code 1 if a check failed, 2 if none could be begun."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from scripts.verify import answers, deployment, minutes, sequences, way
from scripts.verify.account import Api, Failed, NotShown, Visit, of_dev, of_stack

Check = Callable[[Visit], str]

# In this order: what was made, what it answers, what it does; who was refused something in the end.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("tables", deployment.tables),
    ("recovery", deployment.recovery),
    ("queue", deployment.queue),
    ("event sources", deployment.sources),
    ("schedule", deployment.schedule),
    ("gateway responses", deployment.gateway),
    ("alarms", deployment.alarms),
    ("contract", answers.contract),
    ("log to bucket", way.counted),
    ("alert to delivery", way.told),
    ("mute", way.muted),
    ("stream numbers", sequences.numbers),
    ("shard after shard", sequences.lineage),
    ("clock", minutes.clock),
    ("heartbeat", minutes.heartbeat),
    ("throttled storage", way.throttling),
    ("throttled function", answers.throttled),
    ("crashing function", answers.crashing),
    ("permissions", minutes.permissions),
    ("Slack's rendering", way.rendering),
)


def check(visit: Visit, checks: Sequence[tuple[str, Check]] = CHECKS, say: Callable[[str], object] = print) -> int:
    """Make checks, a line each, and clean up after each.

    Returns:
        How many failed.
    """
    failed = 0
    for name, each in checks:
        try:
            told = f"ok              {name}: {each(visit)}"
        except NotShown as reason:
            told = f"not shown here  {name}: {reason}"
        except Exception as problem:  # noqa: BLE001 — one check's fault must not hide what the others find
            told, failed = f"FAILED          {name}: {problem if isinstance(problem, Failed) else repr(problem)}", failed + 1
        finally:
            left = visit.clean()
        say(told)
        for one in left:
            say(f"FAILED          {name}, cleaning up: {one}")
        failed += len(left)
    return failed


def main() -> int:
    """Check the stack that the command line names."""
    given = _arguments()
    key = os.environ.get("NIGHTJAR_KEY", "")
    if not key:
        sys.exit("verify: put an admin key into NIGHTJAR_KEY; `nightjar keys create --scope admin` makes one")
    try:
        if given.endpoint_url:
            account, url = of_dev(given.stack_name, given.endpoint_url), ""
        else:
            account, url = of_stack(given.stack_name, given.region, given.profile)
    except (ClientError, BotoCoreError, KeyError) as problem:
        print(f"verify: the stack {given.stack_name} cannot be read: {problem}", file=sys.stderr)
        return 2
    api = Api((given.api_url or url).rstrip("/"), key)
    visit = Visit(account, api, given.destination_url, given.disturb, given.load)
    chosen = [(name, each) for name, each in CHECKS if not given.only or name in given.only]
    return 1 if check(visit, chosen) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/verify-on-aws", description=__doc__)
    parser.add_argument("--stack-name", default="nightjar")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--destination-url", help="a Slack or other webhook that may get a few messages; it is made a destination and deleted again")
    parser.add_argument("--disturb", action="store_true", help="stop the api and ingest functions for some seconds each, to see what the gateway answers")
    parser.add_argument("--load", type=int, default=0, help="logs of one event to send at once, so that storage throttles; 20000 cost about four cents")
    parser.add_argument("--only", action="append", choices=[name for name, _ in CHECKS], help="make only this check; may be repeated")
    parser.add_argument("--endpoint-url", help="where AWS is, instead of AWS: what `nightjar dev` prints")
    parser.add_argument("--api-url", help="where the API is, without /v1.0; the stack's output ApiUrl unless given")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
