"""What answers about the runs over all contracts look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.shown import Listed


class Parked(BaseModel):
    contract_id: str
    reason: str


class JobResult(BaseModel):
    expected: int = Field(description="How many contracts the period concerned")
    left: list[str] = Field(description="Contracts that were not dealt with, the first of them")
    parked: list[Parked] = Field(
        description="Contracts that failed alone, and why: their data, or the mailbox"
    )
    notices: int = Field(description="Mails and letters that left with this run")


class JobProgress(BaseModel):
    period: str
    state: Literal["running", "waiting", "waits", "done"] = Field(
        description="`waiting`: for an operator; `waits`: it is due, and what `reason` names keeps it from beginning"
    )
    reason: str | None = Field(description="Why it has not begun, in English")
    expected: int
    done: int
    left: int
    rate: float | None = Field(
        description="Contracts a second since it began to work; null where it does not"
    )
    estimate: int | None = Field(description="Seconds until none is left; null where nobody can tell")
    finished_at: datetime | None


class Job(BaseModel):
    name: str
    last_run: datetime | None
    next_run: datetime
    progress: JobProgress | None
    result: JobResult | None


class DoneRun(BaseModel):
    name: str
    period: str
    result: JobResult


JOB_ANSWERS: dict[str, tuple[str, type[BaseModel]]] = {
    "get /operator/v1/jobs": ("200", Listed[Job]),
    "post /operator/v1/jobs/{name}/run": ("200", DoneRun),
}
