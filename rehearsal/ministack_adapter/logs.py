"""CloudWatch Logs: lines that a service writes itself."""

from collections.abc import Sequence

from rehearsal.ministack_adapter.modules import logs, responses


def put_log(
    account: str, region: str, group: str, stream: str, lines: Sequence[tuple[int, str]]
) -> None:
    """Write lines (epoch milliseconds, text); group and stream are made where they are absent."""
    with responses.request_scope(account, region):
        if logs._log_groups.get(group) is None:
            logs._create_log_group({"logGroupName": group})
        if stream not in logs._log_groups[group]["streams"]:
            logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
        events = [{"timestamp": when, "message": text} for when, text in lines]
        logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": events})


def has_log_group(account: str, region: str, group: str) -> bool:
    """Whether a log group exists."""
    with responses.request_scope(account, region):
        return logs._log_groups.get(group) is not None
