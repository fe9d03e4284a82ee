"""The base of all perception nodes: a lifecycle node around one pipeline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter

from rs_ml_perception.core.errors import BusyError, ConfigError
from rs_ml_perception.core.frames.frame import Frame, FrameBuilder
from rs_ml_perception.core.streams.counters import FrameCounters, Missed
from rs_ml_perception.ros.diagnostics import (
    InputState,
    input_status,
    model_status,
    processing_status,
)
from rs_ml_perception.ros.guards import guarded, steady_timer
from rs_ml_perception.ros.input.frame_synchronizer import FrameSynchronizer
from rs_ml_perception.ros.input.hub import CameraHub
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.input.transforms import Extrinsics
from rs_ml_perception.ros.lifecycle import STOP_BUDGET_SECS, ManagedNode
from rs_ml_perception.ros.node_role import NodeRole
from rs_ml_perception.ros.output.outputs import L, OutputContext, P, R, ResultPublisher
from rs_ml_perception.ros.output.result_messages import find_target
from rs_ml_perception.ros.parameters import ParameterBinding
from rs_ml_perception.ros.preload import Preload
from rs_ml_perception.ros.reporting import NodeReporter, Shortfalls
from rs_ml_perception.ros.worker import FrameWorker, OverdueError

NAMESPACE = '/rs_ml'

STATUS_PERIOD_SECS = 1.0


@dataclass
class Configuration(Generic[P, L, R]):
    """The part of a node that exists from `configure` to `clean up`.

    Attributes:
        pipeline: the loaded work.
        publisher: of the results.
        facts: about the model, for the log and diagnostics.
    """

    pipeline: L
    publisher: ResultPublisher[R, P, L]
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Activation:
    """The part of a node that exists from `activate` to `deactivate`.

    Attributes:
        worker: processes the frames.
        source: delivers them.
        missed_before: messages that the source had missed at activation.
    """

    worker: FrameWorker
    source: FrameSynchronizer[Any]
    missed_before: Missed

    @property
    def missed(self) -> Missed:
        """Messages of the primary stream, sent since activation, that never reached the node."""
        return self.source.missed.since(self.missed_before)


class PerceptionNode(NodeRole[P, L, R], ManagedNode):
    """A lifecycle node around one Pipeline; subclasses fill in NodeRole.

    Every message of the primary stream gives one set of outputs with its header or is counted
    under a reason. No message, parameter or request ends the process.

    Attributes:
        counters: outcomes of the primary stream since activation.
        configuration: None while unconfigured.
        activation: None while not active.
        target_problem: why positions are not in target_frame, else ''.
        shortfalls: missing parts of results.
    """

    def __init__(self, hub: CameraHub | None = None, **node_args: Any) -> None:
        super().__init__(self.default_name, namespace=NAMESPACE, **node_args)
        self.counters = FrameCounters()
        self.configuration: Configuration[P, L, R] | None = None
        self.activation: Activation | None = None
        self._lingering: FrameWorker | None = None
        self._timeline = 0
        self._binding: ParameterBinding[P] = ParameterBinding(self, self.parameters_type)
        self.parameters: P = self._binding.read()
        self.hub = hub or CameraHub(self)
        self._preload: Preload[P, tuple[L, float]] = Preload(
            self._load, lambda loaded: loaded[0].close()
        )
        self.target_problem = ''
        self.frame_notes = ()
        self.extrinsics = Extrinsics(self.hub.transforms, self.hub.extrinsics)
        self.reporter = NodeReporter(self)
        self.shortfalls = Shortfalls(self.get_logger())
        self.add_on_set_parameters_callback(self._on_set_parameters)
        steady_timer(self, STATUS_PERIOD_SECS, self.report_status)

    @property
    def pipeline(self) -> L:
        if self.configuration is None:
            raise RuntimeError(f'{self.get_name()} has no pipeline: configure it first')
        return self.configuration.pipeline

    @property
    def fatal(self) -> str:
        """Why a strict node ends the process, else ''."""
        first_failure = self.activation.worker.first_failure if self.activation else ''
        if not self.parameters.strict or not first_failure:
            return ''
        return f'{self.get_name()}: {first_failure}'

    def is_wanted(self, topic: str) -> bool:
        """Whether the output has a subscriber."""
        return self.configuration is not None and self.configuration.publisher.is_wanted(topic)

    # Transitions.

    async def load_ahead(self) -> None:
        while self.phase == 'unconfigured' and not self._binding.problems:
            wanted = self._binding.read()
            if self.executor is None or self._preload.is_ready(wanted):
                return
            self._preload.begin(wanted)
            await self._preload.wait(self.executor)

    def configure(self) -> None:
        if self._binding.problems:
            raise ConfigError('; '.join(self._binding.problems.values()))
        self.parameters = self._binding.read()
        self.hub.check(self.parameters.streams)
        self.hub.transforms.give(self.get_name(), self.parameters.static_transforms)
        pipeline, warm_up_ms = self._preload.take(self.parameters)
        self.configuration = Configuration(pipeline, ResultPublisher[R, P, L](self))
        self.retune(self.parameters)
        facts = {'warm_up_ms': f'{warm_up_ms:.1f}', **pipeline.describe()}
        self.configuration.facts = facts
        self.configuration.publisher.create(self.outputs, self.parameters)
        self.announce()
        self.get_logger().info(
            'configured: ' + ', '.join(f'{key} {value}' for key, value in facts.items())
        )
        for concern in pipeline.concerns:
            self.get_logger().warning(concern)

    def _load(self, parameters: P) -> tuple[L, float]:
        pipeline = self.load_pipeline(parameters.with_threads(self.hub.inference_threads))
        return pipeline, pipeline.warm_up()

    def activate(self) -> None:
        if not self._is_idle(0.0):
            raise BusyError('the last frame is still being processed: try again later')
        self._lingering = None
        self.counters.reset()
        self.pipeline.reset()
        self._timeline = 0
        self.shortfalls.reset()
        self.extrinsics.start()
        self.attach_inputs()
        source = self.source(self.parameters)
        self.activation = Activation(self._create_worker(), source, source.missed)
        source.attach(self.activation.worker)

    def _create_worker(self) -> FrameWorker:
        return FrameWorker(
            self._process,
            counters=self.counters,
            report=self.reporter.frame,
            clock=self.get_clock(),
            logger=self.get_logger(),
            limits=self.parameters.limits,
            budget_ms=lambda: self.parameters.diagnostics.max_processing_ms,
        )

    def deactivate(self, budget_secs: float = STOP_BUDGET_SECS) -> None:
        if self.activation is not None:
            self.activation.source.detach(self.activation.worker)
        self.detach_inputs()
        self.extrinsics.stop()
        if self.activation is not None:
            worker = self.activation.worker
            if not worker.stop(budget_secs):
                self._lingering = worker
                self.get_logger().warning('the current frame takes long: it will not be published')
            self.activation = None

    def release(self) -> None:
        self._preload.abandon()
        if self.configuration is None:
            return
        self.configuration.publisher.destroy()
        close = self.configuration.pipeline.close
        if self._lingering is None:
            close()
        else:
            self._lingering.when_ended(close)
        self.configuration = None

    # The end of the process.

    def begin_to_stop(self) -> None:
        """Accept no more frames, so that the nodes of a process end in parallel."""
        if self.activation is not None:
            self.activation.worker.begin_to_stop()

    def has_ended(self, timeout_secs: float) -> bool:
        """Wait for the threads of a stopped node, at most this long; whether all have ended."""
        return self._is_idle(timeout_secs) and self._preload.has_ended(timeout_secs)

    def _is_idle(self, timeout_secs: float) -> bool:
        """Whether a worker that deactivation did not wait for has ended."""
        return self._lingering is None or self._lingering.has_ended(timeout_secs)

    # The way of a frame.

    def _process(self, frames: FrameSet) -> Mapping[str, float]:
        """Process one frame set and publish; returns milliseconds per stage."""
        start, configuration, activation = time.perf_counter(), self.configuration, self.activation
        if configuration is None or activation is None:  # deactivated without waiting just now
            raise OverdueError
        pipeline = configuration.pipeline
        self._follow_timeline(frames.timeline, pipeline)
        frame = self._build(frames)
        if not frames.depth_is_raw:
            self.extrinsics.problem = ''
        converted = time.perf_counter()
        result = self.run(frames, frame)
        done = time.perf_counter()
        activation.worker.check_result(frames, is_current=self.activation is activation)
        context = self._output_context(frames, frame, pipeline)
        problems = configuration.publisher.publish(result, context)
        guarded(self, self.on_published)(result, frames, context)
        self.shortfalls.note([*self.frame_notes, *problems])
        publish_ms = 1e3 * (time.perf_counter() - done)
        stages = {'convert': 1e3 * (converted - start), **pipeline.take_stages()}
        stages['other'] = max(0.0, 1e3 * (done - start) - sum(stages.values()))
        return {**stages, 'publish': publish_ms}

    def _build(self, frames: FrameSet) -> Frame:
        builder = FrameBuilder(frames, self.extrinsics.color_from_depth)
        frame, self.frame_notes = builder.build(), tuple(builder.notes)
        return frame

    def _follow_timeline(self, timeline: int, pipeline: L) -> None:
        """Reset at a new time line, by its number: its first frame may have been superseded."""
        if timeline == self._timeline:
            return
        if self._timeline:
            self.get_logger().info('time went back: tracks and histories are reset')
            pipeline.reset()
        self._timeline = timeline

    def _output_context(self, frames: FrameSet, frame: Frame, pipeline: L) -> OutputContext[P, L]:
        target, self.target_problem = find_target(
            self.hub.transforms.lookup,
            self.parameters.target_frame,
            frame.frame_id,
            frame.stamp_ns,
        )
        return OutputContext(
            header=frames.primary.header,
            frame=frame,
            parameters=self.parameters,
            pipeline=pipeline,
            target=target,
            labels=pipeline.labels,
            model=pipeline.title,
        )

    # Parameters and reports.

    def _on_set_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        try:
            verdict = self._binding.review(changes, static_is_open=self.configuration is None)
            if verdict.successful:
                self._apply(self._binding.candidate(changes))
            return verdict
        except Exception as error:
            return SetParametersResult(successful=False, reason=str(error))

    def _apply(self, parameters: P) -> None:
        if self.configuration is not None:
            self.retune(parameters)
            described = self.configuration.pipeline.describe()
            self.configuration.facts = {**self.configuration.facts, **described}
        self.parameters = parameters
        if self.activation is not None:
            self.activation.worker.limits = parameters.limits

    def report_status(self) -> None:
        name = self.get_fully_qualified_name().lstrip('/')
        counts, state = self.counters.snapshot(), self.input_state()
        worker = self.activation.worker if self.activation else None
        missed = self.activation.missed if self.activation else Missed()
        configured = self.configuration
        readings = configured.pipeline.readings() if configured else {}
        processing = processing_status(
            name,
            counts,
            budget_ms=self.parameters.diagnostics.max_processing_ms,
            over_budget_secs=worker.over_budget_secs() if worker else 0.0,
            failure=worker.failure if worker else '',
            missed=missed,
            readings=readings,
        )
        model = model_status(
            name,
            failure=self.failure,
            facts=configured.facts if configured else {},
            concerns=configured.pipeline.concerns if configured else (),
        )
        self.reporter.diagnostics([input_status(name, state), processing, model])
        self.reporter.stats(
            counts,
            model=configured.pipeline.title if configured else '',
            backend=configured.pipeline.backend if configured else '',
            missed=missed,
            partners=state.partners,
            readings=readings,
        )

    def input_state(self) -> InputState:
        """The state of the input for diagnostics."""
        notes = (
            self.extrinsics.problem,
            self.target_problem,
            *self.shortfalls.latest,
            *self.notes(),
        )
        max_age_ms = self.parameters.diagnostics.max_image_age_ms
        incomplete = self.shortfalls.count
        if self.activation is None:
            return InputState(False, max_age_ms, notes=notes, incomplete=incomplete)
        worker, source = self.activation.worker, self.activation.source
        topics = source.topics()
        return InputState(
            True,
            max_age_ms,
            rejected=worker.rejected,
            waits_for_camera_info=source.waits_for_camera_info,
            image_age_ms=source.image_age_ms,
            problems=tuple(self.hub.problems(topics.values())),
            notes=(worker.freshness.note, *source.notes(), *notes),
            topics=topics,
            partners=source.partner_counts(),
            incomplete=incomplete,
            no_publisher=source.no_publisher,
            primary=source.primary_name,
            partner=source.partner_name,
        )
