"""Gathers what a perception node reports once a second."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticStatus

from rs_ml_perception.core.streams.frame_counters import LedgerSnapshot
from rs_ml_perception.core.streams.partner_counts import PartnerBooks, PartnerLedger
from rs_ml_perception.core.streams.sequence_gaps import Missed
from rs_ml_perception.ros.diagnostics import (
    InputState,
    input_status,
    model_status,
    processing_status,
)

if TYPE_CHECKING:
    from rs_ml_perception.ros.assembler import Assembler
    from rs_ml_perception.ros.node import PerceptionNode


def report_status(node: PerceptionNode) -> None:
    """Publish diagnostics and accounting of the node."""
    books, pipeline = node.ledger.snapshot(), node.pipeline
    node.reporter.diagnostics(statuses(node, books))
    node.reporter.stats(
        books,
        model=pipeline.title if pipeline else '',
        backend=pipeline.backend if pipeline else '',
        missed=missed(node),
        partners=partners(node),
    )


def missed(node: PerceptionNode) -> Missed:
    """Messages of the primary stream, sent since activation, that never reached the node."""
    if node.assembler is None:
        return Missed()
    return node.assembler.missed.since(node.missed_before)


def statuses(node: PerceptionNode, books: LedgerSnapshot) -> list[DiagnosticStatus]:
    """Input, processing and model of the node."""
    name = node.get_fully_qualified_name().lstrip('/')
    worker = node.worker
    return [
        input_status(name, input_state(node)),
        processing_status(
            name,
            books,
            budget_ms=node.parameters.diagnostics.max_processing_ms,
            over_budget_secs=worker.over_budget_secs() if worker else 0.0,
            failure=worker.failure if worker else '',
            missed=missed(node),
        ),
        model_status(name, failure=node.failure, facts=node.facts),
    ]


def input_state(node: PerceptionNode) -> InputState:
    """What is known of the node's input."""
    assembler, worker = node.assembler, node.worker
    notes = (
        worker.freshness.note if worker else '',
        *(assembler.notes() if assembler else ()),
        node.extrinsics.problem,
        node.target_problem,
        *node.shortfalls.latest,
        *node.notes(),
    )
    topics = assembler.topics() if assembler else {}
    return InputState(
        is_active=assembler is not None,
        rejected=worker.rejected if worker else '',
        waits_for_camera_info=assembler is not None and assembler.waits_for_camera_info,
        image_age_ms=assembler.image_age_ms if assembler else math.nan,
        max_image_age_ms=node.parameters.diagnostics.max_image_age_ms,
        problems=tuple(node.hub.problems(topics.values())),
        notes=tuple(note for note in notes if note),
        topics=topics,
        partners=partners(node),
        incomplete=node.shortfalls.count,
        nobody=_nobody(assembler),
        primary=assembler.primary_name if assembler else 'image',
        partner=assembler.partner_name if assembler else 'depth',
    )


def partners(node: PerceptionNode) -> PartnerBooks:
    """What became of the messages that are paired with the primary stream."""
    return (
        node.assembler.partner_books() if node.assembler else PartnerLedger().snapshot(waiting=0)
    )


def _nobody(assembler: Assembler | None) -> str:
    if assembler is None or assembler.primary_has_publisher:
        return ''
    return f'nobody publishes {assembler.primary_topic}: {assembler.primary_remedy}'
