"""The bodies of requests and answers about decisions."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from c4p.schemas.fields import Input, Message
from c4p.schemas.proposals import ProposalOutput
from servicekit.problems import ProblemDocument


class DecisionValue(StrEnum):
    """A decision of organizers."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class DecisionInput(Input):
    """One decision, with words for the speaker."""

    decision: DecisionValue
    message: Message | None = None


class ProposalDecisionInput(DecisionInput):
    """One decision of many."""

    proposal_id: UUID


class DecisionsInput(Input):
    """Many decisions, each of which may succeed or fail alone."""

    decisions: Annotated[list[ProposalDecisionInput], Field(min_length=1, max_length=100)]


class DecisionOutput(BaseModel):
    """The result of one decision of many: the proposal, or the problem."""

    proposal_id: UUID
    status: int
    proposal: ProposalOutput | None = None
    problem: ProblemDocument | None = None


class DecisionsOutput(BaseModel):
    """A result for each decision, in their order."""

    results: list[DecisionOutput]
