"""Structured logs to stderr. They carry contract and procedure IDs, never a customer's data.

Use `structlog.get_logger()`; bind IDs with
`structlog.contextvars.bind_contextvars(contract_id=…, procedure_id=…)`.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Their own lines carry paths, addresses or bound values.
_QUIET = ("uvicorn.access", "sqlalchemy.engine", "httpx", "httpcore", "mail.log", "fontTools", "fpdf")
_FRAMES = 12


def configure(log_format: Literal["json", "text"] = "json", level: str = "info", *, part: str = "") -> None:
    """Sends structlog's and the standard library's lines through one formatter. `part` names the process."""
    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if log_format == "text":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _part(part),
        without_messages_of_exceptions,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.raiseExceptions = False  # it would print what could not be logged
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def without_messages_of_exceptions(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An exception is logged by its types and places: its text may quote what a customer sent."""
    info = event.pop("exc_info", None)
    record = event.get("_record")
    if not info and record is not None:
        info, record.exc_info, record.exc_text = record.exc_info, None, None
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if info else None
    if error is not None:
        event["exception"] = [_described(each) for each in _chain(error)]
    said = event.get("event")
    if isinstance(said, str) and said.startswith("Traceback "):  # uvicorn writes some as text
        kinds = re.findall(r"^([\w.]+(?:Error|Exception|Group))\b", said, re.MULTILINE)
        event["event"] = f"cannot go on: {', '.join(kinds)}"
        event["at"] = re.findall(r'File "(.+?)", line (\d+)', said)[-_FRAMES:]
    return event


def _described(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    said = {"says": error.strerror} if isinstance(error, OSError) and error.strerror else {}
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        **said,
    }


def _chain(error: BaseException) -> list[BaseException]:
    """The exception, what is in it if it is a group, and what each of them came from."""
    chain = [error]
    for each in chain:
        inner = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        found = [*inner, each.__cause__ or each.__context__]
        chain += [one for one in found if one is not None and one not in chain]
    return chain


def _part(name: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if name:
            event["part"] = name
        return event

    return add
