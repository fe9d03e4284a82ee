"""The base of all perception nodes: lifecycle, parameters, accounting, diagnostics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool

from rs_ml_perception.core.errors import BusyError, ConfigError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.frames.frame_builder import FrameBuilder
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.core.streams.frame_counters import Ledger
from rs_ml_perception.core.streams.sequence_gaps import Missed
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.extrinsics import Extrinsics
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.guards import guard_change_state, guarded
from rs_ml_perception.ros.hub import CameraHub
from rs_ml_perception.ros.inputs import EXTRINSICS, StreamOptions
from rs_ml_perception.ros.node_role import NodeRole
from rs_ml_perception.ros.node_status import report_status
from rs_ml_perception.ros.outputs import OutputContext, ResultPublisher
from rs_ml_perception.ros.parameters import ParameterBinding
from rs_ml_perception.ros.preload import Preload
from rs_ml_perception.ros.reporting import NodeReporter
from rs_ml_perception.ros.shortfalls import Shortfalls
from rs_ml_perception.ros.target_frame import find_target
from rs_ml_perception.ros.transitions import answer_enable, transition
from rs_ml_perception.ros.worker import FrameWorker, OverdueError

P = TypeVar('P')

NAMESPACE = '/rs_ml'

STOP_BUDGET_SECS = 2.0
"""So long a node that is deactivated waits for the frame at hand, and a process at its end."""


class PerceptionNode(NodeRole[P], LifecycleNode):
    """A lifecycle node around one Pipeline. Subclasses state what differs, see NodeRole.

    Every message of the primary stream gives exactly one set of outputs with its header, or is
    counted under a reason; nothing a message, a parameter or a request holds ends the process.

    Attributes:
        ledger: the books of the primary stream since activation.
        phase: unconfigured, inactive, active or finalized.
        failure: why the last transition failed, '' when it did not.
        facts: about the model, once configured.
        target_problem: why positions are not in target_frame, '' when they are.
        frame_notes: why parts of the latest frame other than its primary message were unusable.
        shortfalls: what results lack, and why.
        missed_before: what the source had missed when the node began to listen.
    """

    def __init__(self, hub: CameraHub | None = None, **node_args: Any) -> None:
        super().__init__(self.default_name, namespace=NAMESPACE, **node_args)
        guard_change_state(self, self.load_ahead)
        self.ledger = Ledger()
        self.phase = 'unconfigured'
        self._timeline = 0
        self._binding: ParameterBinding[P] = ParameterBinding(self, self.parameters_type)
        self.parameters: P = self._binding.read()
        self.hub = hub or CameraHub(self)
        self.pipeline: Pipeline | None = None
        self.publisher: ResultPublisher | None = None
        self._preload: Preload[P, tuple[Pipeline, float]] = Preload(
            self._load, lambda loaded: loaded[0].close()
        )
        self.assembler: Assembler | None = None
        self.worker: FrameWorker | None = None
        self._lingering: FrameWorker | None = None
        self.failure = ''
        self.facts: Mapping[str, str] = {}
        self.target_problem = ''
        self.frame_notes: tuple[str, ...] = ()
        self.missed_before = Missed()
        self.extrinsics = Extrinsics(
            self.hub.transforms, self.hub.stream(EXTRINSICS, StreamOptions())
        )
        self.reporter = NodeReporter(self)
        self.shortfalls = Shortfalls(self.get_logger())
        self._start_services()

    # Lifecycle.

    async def load_ahead(self) -> None:
        """Load in the background what configure needs, while the executor goes on."""
        while self.phase == 'unconfigured' and not self._binding.problems:
            wanted = self._binding.read()
            if self._preload.is_ready(wanted):
                return
            self._preload.begin(wanted)
            await self._preload.wait(self.executor)

    async def start_by_itself(self) -> None:
        """Load, configure and activate, as far as possible."""
        await self.load_ahead()
        guarded(self, self.start)()

    @property
    def fatal(self) -> str:
        """Why a strict node wants the process to end, '' otherwise."""
        if self.worker is None or not self.parameters.strict or not self.worker.first_failure:
            return ''
        return f'{self.get_name()}: {self.worker.first_failure}'

    def start(self) -> None:
        """Configure and activate, as far as possible."""
        if self.phase == 'unconfigured':
            self.trigger_configure()
        if self.phase == 'inactive':
            self.trigger_activate()

    def on_configure(self, _: Any) -> TransitionCallbackReturn:
        return transition(self, 'configure', self._configure, 'inactive', undo=self._release)

    def on_activate(self, _: Any) -> TransitionCallbackReturn:
        return transition(self, 'activate', self._activate, 'active', undo=self._deactivate)

    def on_deactivate(self, _: Any) -> TransitionCallbackReturn:
        return transition(self, 'deactivate', self._deactivate, 'inactive')

    def on_cleanup(self, _: Any) -> TransitionCallbackReturn:
        return transition(self, 'clean up', self._release, 'unconfigured')

    def on_shutdown(self, _: Any) -> TransitionCallbackReturn:
        return transition(self, 'shut down', self.stop, 'finalized')

    def on_error(self, _: Any) -> TransitionCallbackReturn:
        return transition(self, 'recover', self.stop, 'unconfigured')

    def stop(self, budget_secs: float = STOP_BUDGET_SECS) -> None:
        """Detach, end the worker, free the model; safe in any phase."""
        self._deactivate(budget_secs)
        self._release()

    def begin_to_stop(self) -> None:
        """Take on no more frames, so that nodes of one process end side by side."""
        if self.worker is not None:
            self.worker.begin_to_stop()

    def has_ended(self, timeout_secs: float) -> bool:
        """Whether no thread of a stopped node is at work any more, after a while at most."""
        is_idle = self._lingering is None or self._lingering.has_ended(timeout_secs)
        return is_idle and self._preload.has_ended(timeout_secs)

    def _configure(self) -> None:
        if self._binding.problems:
            raise ConfigError('; '.join(self._binding.problems.values()))
        self.parameters = self._binding.read()
        self.hub.check(self.parameters.streams)
        self.hub.transforms.give(self.get_name(), self.parameters.static_transforms)
        self.pipeline, warm_up_ms = self._preload.take(self.parameters)
        self.retune(self.parameters)
        self.facts = {**self.pipeline.describe(), 'warm_up_ms': f'{warm_up_ms:.1f}'}
        self.publisher = ResultPublisher(self, self.outputs, self.parameters)
        self.announce()
        self.get_logger().info(
            'configured: ' + ', '.join(f'{key} {value}' for key, value in self.facts.items())
        )

    def _load(self, parameters: P) -> tuple[Pipeline, float]:
        pipeline = self.load_pipeline(parameters.with_threads(self.hub.inference_threads))
        return pipeline, pipeline.warm_up()

    def _activate(self) -> None:
        if self._lingering is not None and not self._lingering.has_ended(0.0):
            raise BusyError('the last frame is still being processed: try again later')
        self._lingering = None
        self.ledger.reset()
        self.pipeline.reset()
        self._timeline = 0
        self.shortfalls.reset()
        self.worker = FrameWorker(
            self._process,
            ledger=self.ledger,
            report=self.reporter.frame,
            clock=self.get_clock(),
            logger=self.get_logger(),
            limits=self.parameters.limits,
            budget_ms=lambda: self.parameters.diagnostics.max_processing_ms,
        )
        self.extrinsics.start()
        self.attach_inputs()
        self.assembler = self.source(self.parameters)
        self.missed_before = self.assembler.missed
        self.assembler.attach(self.worker)

    def _deactivate(self, budget_secs: float = STOP_BUDGET_SECS) -> None:
        if self.assembler is not None:
            self.assembler.detach(self.worker)
            self.assembler = None
        self.detach_inputs()
        self.extrinsics.stop()
        if self.worker is not None:
            if not self.worker.stop(budget_secs):
                self._lingering = self.worker
                self.get_logger().warning('the frame at hand takes long: it will not be published')
            self.worker = None

    def _release(self) -> None:
        self._preload.abandon()
        if self.publisher is not None:
            self.publisher.destroy()
            self.publisher = None
        if self.pipeline is not None:
            if self._lingering is None:
                self.pipeline.close()
            else:
                self._lingering.when_ended(self.pipeline.close)
            self.pipeline = None
        self.facts = {}

    # Work.

    def _process(self, frames: FrameSet) -> Mapping[str, float]:
        start, worker = time.perf_counter(), self.worker
        if worker is None:  # deactivated without waiting just now
            raise OverdueError
        self._follow_timeline(frames.timeline)
        frame = self._build(frames)
        if not frames.depth_is_raw:
            self.extrinsics.problem = ''
        converted = time.perf_counter()
        result = self.run(frames, frame)
        done = time.perf_counter()
        worker.check_result(frames, is_current=self.worker is worker)
        context = self._output_context(frames, frame)
        problems = self.publisher.publish(result, context)
        guarded(self, self.on_published)(result, frames, context)
        self.shortfalls.note([*self.frame_notes, *problems])
        publish_ms = 1e3 * (time.perf_counter() - done)
        stages = {'convert': 1e3 * (converted - start), **self.pipeline.take_stages()}
        stages['other'] = max(0.0, 1e3 * (done - start) - sum(stages.values()))
        return {**stages, 'publish': publish_ms}

    def _build(self, frames: FrameSet) -> Frame:
        builder = FrameBuilder(frames, self.extrinsics.color_from_depth)
        frame, self.frame_notes = builder.build(), tuple(builder.notes)
        return frame

    def _follow_timeline(self, timeline: int) -> None:
        """By number, as the first frame after the jump may have been superseded."""
        if timeline == self._timeline:
            return
        if self._timeline:
            self.get_logger().info('time went back: tracks and histories are reset')
            self.pipeline.reset()
        self._timeline = timeline

    def _output_context(self, frames: FrameSet, frame: Frame) -> OutputContext:
        target, self.target_problem = find_target(
            self.hub.transforms, self.parameters.target_frame, frame.frame_id, frame.stamp_ns
        )
        return OutputContext(
            header=frames.primary.header,
            frame=frame,
            parameters=self.parameters,
            pipeline=self.pipeline,
            target=target,
            labels=self.pipeline.labels,
            model=self.pipeline.title,
        )

    # Services, parameters, reports.

    def _start_services(self) -> None:
        self.add_on_set_parameters_callback(self._on_set_parameters)
        enable, group = partial(answer_enable, self), ReentrantCallbackGroup()
        self.create_service(SetBool, '~/enable', enable, callback_group=group)
        # Steady: with use_sim_time and no /clock an ordinary timer never fires.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, guarded(self, lambda: report_status(self)), clock=steady)

    def _on_set_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        try:
            verdict = self._binding.review(changes, static_is_open=self.pipeline is None)
            if verdict.successful:
                self._apply(self._binding.candidate(changes))
            return verdict
        except Exception as error:
            return SetParametersResult(successful=False, reason=str(error))

    def _apply(self, parameters: P) -> None:
        if self.pipeline is not None:
            self.retune(parameters)
            self.facts = {**self.facts, **self.pipeline.describe()}
        self.parameters = parameters
        if self.worker is not None:
            self.worker.limits = self.parameters.limits
