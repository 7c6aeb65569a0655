"""AWS's rules that the local runner keeps: one table, each with its source."""

from dataclasses import dataclass

_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_GATEWAY = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"


@dataclass(frozen=True, slots=True)
class Rule:
    """A number of AWS's, what it limits, and where AWS says so."""

    value: float
    meaning: str
    source: str


PAYLOAD_BYTES = Rule(6_291_556, "request and answer of a synchronous invocation, and a batch of an event source", _LAMBDA + "gettingstarted-limits.html")
CONCURRENCY = Rule(10, "environments of one function (a new account's quota); more wait here, Lambda throttles", _LAMBDA + "gettingstarted-limits.html")
INIT_SECONDS = Rule(10, "how long a function may take to load", _LAMBDA + "lambda-runtime-environment.html")
GATEWAY_BYTES = Rule(10 * 1024 * 1024, "a request to a REST API", _GATEWAY + "api-gateway-execution-service-limits-table.html")
GATEWAY_SECONDS = Rule(29, "how long a REST API waits for a function", _GATEWAY + "api-gateway-execution-service-limits-table.html")
STREAM_RECORDS = Rule(10_000, "records in a batch of a stream", _LAMBDA + "services-ddb-params.html")
RETRY_FIRST_SECONDS = Rule(0.25, "pause after a batch of one record failed; AWS backs off too and does not say how", "the local runner's choice")
RETRY_LAST_SECONDS = Rule(30, "longest of these pauses", "the local runner's choice")
FIFO_BATCH = Rule(10, "messages in a batch of a FIFO queue", _LAMBDA + "services-sqs-configure.html")
QUEUE_CONCURRENCY = Rule(5, "invocations at a time for a queue without ScalingConfig (AWS begins with five)", _LAMBDA + "services-sqs-scaling.html")
VISIBILITY_SECONDS = Rule(30, "how long a received message is invisible unless the queue says otherwise", _SQS + "sqs-visibility-timeout.html")

# The status of an answer that the gateway gives by itself, unless the template says otherwise.
GATEWAY_STATUS = {
    "ACCESS_DENIED": 403,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 502,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "REQUEST_TOO_LARGE": 413,
    "THROTTLED": 429,
}  # https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

# The gateway's own messages; a response that the template does not name falls back on DEFAULT_4XX or DEFAULT_5XX.
GATEWAY_MESSAGE = {
    "DEFAULT_5XX": "Internal server error",
    "INTEGRATION_FAILURE": "Network error communicating with endpoint",
    "INTEGRATION_TIMEOUT": "Endpoint request timed out",
    "MISSING_AUTHENTICATION_TOKEN": "Missing Authentication Token",
    "REQUEST_TOO_LARGE": "Request Too Long",
}
