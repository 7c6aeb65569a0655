"""Run the demo: `make demo`. Exit code 0 only if every message came, once, in its channel and at its time."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from scripts.demo import jobs
from scripts.demo.jobs import Entry, entries
from scripts.demo.received import Message, differences, message, strays
from scripts.demo.show import Screen
from scripts.demo.story import Step, Story
from scripts.demo.system import Failed, System
from scripts.demo.wanted import OURS, POLICIES, THEIRS, wanted


def main() -> int:
    """Tell the story to a running system, and hold what arrives against what must."""
    arguments = _arguments()
    story = Story(arguments.end.astimezone(UTC).replace(second=0, microsecond=0))
    screen = Screen()
    screen.say(f"[bold]Nightjar[/]: the 26 hours up to {story.end:%A %d %B %Y %H:%M} UTC, told to a system on this machine.\n")
    try:
        screen.say("Starting it …")
        with System.start() as system:
            return _run(system, story, screen, arguments.save)
    except (Failed, requests.RequestException) as problem:
        screen.console.print(f"\n✗ {problem}", style="red", markup=False)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--end", type=datetime.fromisoformat, default=datetime.now(UTC), help="the instant that takes the place of now (at most 28 days ago)")
    parser.add_argument("--save", type=Path, help="write the messages to a file, for scripts/picture.py")
    return parser.parse_args()


def _run(system: System, story: Story, screen: Screen, save: Path | None) -> int:
    events = _set_up(system, story, screen)
    sent = entries(story)
    messages = _tell(system, story, sent, screen)
    compared = system.compared(events[jobs.RETRIES], story.end)
    if save:
        kept = [{"at": got.at.timestamp(), "channel": got.channel, "payload": got.payload} for got in messages]
        save.write_text(json.dumps(kept, indent=1, ensure_ascii=False))
    _summary(sent, messages, compared, system.client.list_alerts(), screen)
    wrong = differences(messages, wanted(story, sent), compared)
    for line in wrong:
        screen.console.print(f"✗ {line}", style="red", markup=False)
    if not wrong:
        screen.say("\n[green]All of it as it had to be.[/] `make dev` leaves a system running on its own clock.")
    return 1 if wrong else 0


def _set_up(system: System, story: Story, screen: Screen) -> dict[str, str]:
    """Create policies and destinations with the SDK, and let the engine's clock begin; return event ids by name."""
    events: dict[str, str] = {}
    for channel, policies in POLICIES.items():
        made = [system.client.create_policy({**policy, "active_from": story.start.isoformat()}) for policy in policies]
        events |= {policy["event"]: policy["event_id"] for policy in made}
        system.client.create_destination({
            "channel": "slack", "name": f"#{channel}", "url": f"{system.url}/_slack/{channel}",
            "scope": "policies", "policy_ids": [policy["policy_id"] for policy in made],
        })  # fmt: skip
    system.tick(story.start)
    screen.say(f"  {system.url}, with {sum(map(len, POLICIES.values()))} policies and {len(POLICIES)} Slack destinations made through the chirpier SDK\n")
    return events


def _tell(system: System, story: Story, sent: Sequence[Entry], screen: Screen) -> list[Message]:
    """Go through the story step by step: send, drain, tick, drain, and look what has arrived."""
    messages: list[Message] = []
    steps, begun, sending, count = story.steps(), 0, 0.0, 0
    with screen.progress(len(steps)) as bar:
        for step in steps:
            ended = next((index for index in range(begun, len(sent)) if sent[index].at >= step.end), len(sent))
            started = time.perf_counter()
            system.send(sent[begun:ended])
            sending, count, begun = sending + time.perf_counter() - started, ended, ended
            arrived = _settle(system, step)
            for got in arrived:
                screen.message(got)
            messages += arrived
            bar.step(step.end, f"{count:,} logs sent, {count / sending:,.0f} a second")
    return messages


def _settle(system: System, step: Step) -> list[Message]:
    """Let the system work off a step's logs, then its ticks; return what arrived meanwhile, by time."""
    system.drain()
    for tick in step.ticks:
        system.tick(tick)
    system.drain()
    posts = [post for channel in POLICIES for post in system.new_posts(channel)]
    alerts = system.client.list_alerts() if posts else []
    return sorted((message(post, alerts) for post in posts), key=lambda got: got.at)


def _summary(sent: Sequence[Entry], messages: Sequence[Message], compared: dict[str, Any], alerts: Sequence[dict[str, Any]], screen: Screen) -> None:
    counts = Counter((entry.agent, entry.event) for entry in sent)
    screen.say(f"\n[bold]Sent[/]: {len(sent):,} logs, of which")
    screen.table(("agent", "event", "logs"), [(agent, event, f"{number:,}") for (agent, event), number in sorted(counts.items(), reverse=True)])
    by_channel = Counter(got.channel for got in messages)
    screen.say("[bold]Received[/]: " + ", ".join(f"{by_channel[channel]} messages in #{channel}" for channel in POLICIES))
    screen.say(f"  of billing's, #{THEIRS} got {len(strays(messages)) or 'none'}; #{OURS} got all")
    still = [alert["title"] for alert in alerts if alert["status"] == "triggered"]
    screen.say(f"  still open: {', '.join(sorted(still)) or 'nothing'}")
    change = compared["value_pct_change"]
    screen.say(
        f"[bold]Retries[/] of the last hour: {compared['current_value']}, the same hour yesterday: {compared['previous_value']}"
        f" ([bold]{'no change known' if change is None else f'{change:+g} %'}[/])"
    )


if __name__ == "__main__":
    sys.exit(main())
