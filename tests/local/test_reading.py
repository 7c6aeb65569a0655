"""template.yaml → Stack."""

from pathlib import Path

import pytest

from local.resolve import Unresolvable
from local.template import load

TINY = Path(__file__).parent / "tiny" / "template.yaml"


def test_a_template_becomes_plain_values() -> None:
    stack = load(TINY, {"Greeting": "hello"}, "mine")
    front = stack.functions["Front"]
    assert (front.name, front.handler, front.timeout, front.memory) == ("mine-Front", "app.handler", 2, 128)
    assert front.code == TINY.parent / "functions" / "front"
    assert front.environment == {"TABLE": "mine-Things", "QUEUE": stack.queues["Jobs"].url, "GREETING": "hello"}
    assert front.statements[0].resources == (stack.tables["Things"].arn,)
    assert [(route.method, route.path, route.function) for route in stack.api.routes] == [("POST", "/things", "Front"), ("ANY", "/{proxy+}", "Front")]
    assert [(source.function, source.source) for source in stack.sources] == [("Back", "Jobs"), ("Back", "Things")]
    assert stack.queues["Jobs"].needs == "Dead"
    assert stack.queues["Jobs"].name == "mine-Jobs.fifo"


@pytest.mark.parametrize(
    "extra",
    [
        "  Topic: { Type: AWS::SNS::Topic }\n",
        "  Strange: { Type: AWS::SQS::Queue, Properties: { FifoQueue: true, MessageRetentionPeriod: !If [Yes, 1, 2] } }\n",
        "  Lost: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: !Ref Nobody } }\n",
    ],
)
def test_what_is_not_known_is_an_error(tmp_path: Path, extra: str) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TINY.read_text().replace("Resources:\n", "Resources:\n" + extra))
    with pytest.raises(Unresolvable):
        load(template)
