"""What AWS asks for: on-demand prices of us-east-1 in US dollars, without tax; each with the page it was read from.

No price list could be fetched where this was written: these are stored copies of public pages, read on 2026-11-27. AWS's own pages load their
figures by script, so most copies of them hold none; then a page that quotes them is named, with its date. Before you rely on a figure, look it up.
"""

from dataclasses import dataclass
from itertools import pairwise

REGION = "us-east-1"
READ_ON = "2026-11-27"
OLDEST, NEWEST = "2024", "June 2026"  # of the dated pages below

M = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """A price.

    Attributes:
        label: What is paid for.
        dollars: For `per` units.
        free: Units a month that are free for an account for ever; offers to new accounts only are not counted.
        source: The page.
        dated: What the page says of its own date.
        further: (from so many units on, dollars for `per` units) where more costs less.
    """

    label: str
    dollars: float
    per: float
    free: float
    source: str
    dated: str
    further: tuple[tuple[float, float], ...] = ()

    def of(self, units: float) -> float:
        """Dollars for a month's units, nothing of them free."""
        steps = ((0.0, self.dollars), *self.further, (float("inf"), 0.0))
        return sum(max(0.0, min(units, end) - begin) / self.per * dollars for (begin, dollars), (end, _) in pairwise(steps))

    def after_free(self, units: float) -> float:
        """Dollars for a month's units in an account that uses its free ones for nothing else."""
        return self.of(max(0.0, units - self.free))


_LAMBDA = "cloudchipr.com/blog/aws-lambda-pricing"
_DYNAMODB = "airbyte.com/data-engineering-resources/dynamodb-pricing"
_CLOUDWATCH = "cloudburn.io/blog/amazon-cloudwatch-pricing; free: aws.amazon.com/cloudwatch/pricing"
_LOGS = "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards"
_2026 = "February 2026"

PRICES = {
    "requests": Price(
        "API Gateway, REST requests", 3.50, M, 0,
        "docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html", "undated; the same in May 2025",
        ((333 * M, 2.80), (1_000 * M, 2.38)),
    ),
    "invocations": Price("Lambda, requests", 0.20, M, 1 * M, _LAMBDA, "2024"),
    "gb_seconds": Price("Lambda, GB-seconds (arm64)", 13.3334, M, 400_000, _LAMBDA, "2024"),
    "writes": Price("DynamoDB, write request units", 0.625, M, 0, _DYNAMODB, "July 2025"),
    "reads": Price("DynamoDB, read request units", 0.125, M, 0, _DYNAMODB, "July 2025"),
    "streams": Price("DynamoDB Streams, read by Lambda", 0, M, 0, "aws.amazon.com/dynamodb/pricing/on-demand", "undated"),
    "stored": Price("DynamoDB, GB stored", 0.25, 1, 25, "aws.amazon.com/dynamodb/pricing", "undated"),
    "recoverable": Price("DynamoDB, GB in point-in-time recovery", 0.20, 1, 0, "finops.com.py/services/dynamodb/backups", "undated"),
    "bells": Price("SQS, FIFO requests", 0.50, M, 1 * M, "cloudburn.io/blog/amazon-sqs-pricing", "March 2026"),
    "ticks": Price("EventBridge Scheduler, invocations", 1.00, M, 14 * M, "cloudburn.io/blog/amazon-eventbridge-pricing", "March 2026"),
    "log_gb": Price("CloudWatch, GB of the functions' logs taken in", 0.50, 1, 5, _LOGS, "June 2026"),
    "metrics": Price("CloudWatch, metrics of Nightjar's own", 0.30, 1, 10, _CLOUDWATCH, _2026),
    "alarms": Price("CloudWatch, alarms", 0.10, 1, 10, "c3x.dev/resources/aws/aws_cloudwatch_metric_alarm; free: aws.amazon.com/cloudwatch/pricing", "undated"),
    "dashboards": Price("CloudWatch, dashboard", 3.00, 1, 3, _CLOUDWATCH, _2026),
    "key_uses": Price("KMS, uses of DynamoDB's key", 0.03, 10_000, 20_000, "cloudburn.io/blog/aws-kms-pricing", "March 2026"),
    "sent_gb": Price("GB sent to the internet", 0.09, 1, 0, "awsforengineers.com/blog/aws-api-gateway-pricing-explained", "May 2025"),
}  # fmt: skip
