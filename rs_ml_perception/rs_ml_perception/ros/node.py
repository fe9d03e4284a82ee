"""The base of all perception nodes: lifecycle, parameters, accounting, diagnostics."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.ledger import Ledger
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.core.sequence_gaps import Missed
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.extrinsics import Extrinsics
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.frames import FrameBuilder
from rs_ml_perception.ros.guards import guard_change_state, guarded, printable
from rs_ml_perception.ros.hub import CameraHub
from rs_ml_perception.ros.inputs import EXTRINSICS, RAW_DEPTH, StreamOptions
from rs_ml_perception.ros.node_status import report_status
from rs_ml_perception.ros.outputs import Output, OutputContext, ResultPublisher
from rs_ml_perception.ros.parameters import ParameterBinding
from rs_ml_perception.ros.preload import Preload
from rs_ml_perception.ros.reporting import NodeReporter
from rs_ml_perception.ros.target_frame import find_target
from rs_ml_perception.ros.transitions import answer_enable, transition
from rs_ml_perception.ros.worker import LOG_THROTTLE_SECS, FrameWorker

P = TypeVar('P')

NAMESPACE = '/rs_ml'


class PerceptionNode(LifecycleNode, Generic[P], ABC):
    """A lifecycle node around one Pipeline. Subclasses state what differs.

    Every message of the primary stream gives exactly one set of outputs with its header, or is
    counted under a reason; nothing a message, a parameter or a request holds ends the process.

    Attributes:
        ledger: the books of the primary stream since activation.
        phase: unconfigured, inactive, active or finalized.
        failure: why the last transition failed, '' when it did not.
        facts: about the model, once configured.
        target_problem: why positions are not in target_frame, '' when they are.
        frame_notes: what of the latest frame could not be used beside its primary message.
        shortfalls: what the latest frame that went out lacks, and why.
        incomplete: frames that went out since activation and lacked something.
        missed_before: what the source had missed when the node began to listen.
    """

    default_name: ClassVar[str]
    parameters_type: ClassVar[type]
    outputs: ClassVar[tuple[Output, ...]]

    def __init__(self, hub: CameraHub | None = None, **node_args: Any) -> None:
        super().__init__(self.default_name, namespace=NAMESPACE, **node_args)
        guard_change_state(self)
        self.ledger = Ledger()
        self.phase = 'unconfigured'
        self._timeline = 0
        self._binding: ParameterBinding[P] = ParameterBinding(self, self.parameters_type)
        self.parameters: P = self._binding.read()
        self.hub = hub or CameraHub(self)
        self.pipeline: Pipeline | None = None
        self.publisher: ResultPublisher | None = None
        self._preload: Preload[P, tuple[Pipeline, float]] = Preload(self._load)
        self.assembler: Assembler | None = None
        self.worker: FrameWorker | None = None
        self.failure = ''
        self.facts: Mapping[str, str] = {}
        self.target_problem = ''
        self.frame_notes: tuple[str, ...] = ()
        self.shortfalls: tuple[str, ...] = ()
        self.incomplete = 0
        self.missed_before = Missed()
        self.extrinsics = Extrinsics(
            self.hub.transforms, self.hub.stream(EXTRINSICS, StreamOptions())
        )
        self.reporter = NodeReporter(self)
        self._start_services()

    # What a subclass says of itself.

    @classmethod
    @abstractmethod
    def load_pipeline(cls, parameters: P) -> Pipeline:
        """Build the pipeline: slow, free of ROS, possibly in another thread."""

    def retune(self, parameters: P) -> None:
        """Apply what may change at run time; ConfigError refuses it."""

    def source(self, parameters: P) -> Assembler:
        """Where frame sets come from."""
        return self.hub.color(parameters.depth_source, parameters.streams)

    def run(self, frames: FrameSet, frame: Frame) -> Any:
        """One frame to one result."""
        return self.pipeline(frame)

    def on_published(self, result: Any, frames: FrameSet, context: OutputContext) -> None:
        """Hand the result on inside the process."""

    def announce(self) -> None:
        """Publish what is latched; the node has just been configured."""

    # Lifecycle.

    def preload(self) -> None:
        """Begin to load in the background, ahead of configure."""
        if not self._binding.problems:
            self._preload.begin(self.parameters)

    @property
    def is_preloading(self) -> bool:
        return self._preload.is_under_way

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

    def stop(self) -> None:
        """Detach, join the worker, free the model; safe in any phase."""
        self._deactivate()
        self._release()

    def _configure(self) -> None:
        if self._binding.problems:
            raise ConfigError('; '.join(self._binding.problems.values()))
        self.parameters = self._binding.read()
        self.hub.transforms.give(self.parameters.static_transforms)
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
        self.ledger.reset()
        self.pipeline.reset()
        self._timeline = 0
        self.shortfalls, self.incomplete = (), 0
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

    def _deactivate(self) -> None:
        if self.assembler is not None:
            self.assembler.detach(self.worker)
            self.assembler = None
        self.detach_inputs()
        self.extrinsics.stop()
        if self.worker is not None:
            self.worker.stop()
            self.worker = None

    def _release(self) -> None:
        self._preload.abandon()
        if self.publisher is not None:
            self.publisher.destroy()
            self.publisher = None
        if self.pipeline is not None:
            self.pipeline.close()
            self.pipeline = None
        self.facts = {}

    # Work.

    def _process(self, frames: FrameSet) -> Mapping[str, float]:
        start = time.perf_counter()
        self._follow_timeline(frames.timeline)
        frame = self._build(frames)
        if frames.depth_role != RAW_DEPTH:
            self.extrinsics.problem = ''
        converted = time.perf_counter()
        result = self.run(frames, frame)
        done = time.perf_counter()
        context = self._output_context(frames, frame)
        problems = self.publisher.publish(result, context)
        guarded(self, self.on_published)(result, frames, context)
        self._tell([*self.frame_notes, *problems])
        published = time.perf_counter()
        stages = {'convert': 1e3 * (converted - start), **self.pipeline.take_stages()}
        stages['other'] = max(0.0, 1e3 * (done - start) - sum(stages.values()))
        return {**stages, 'publish': 1e3 * (published - done)}

    def _build(self, frames: FrameSet) -> Frame:
        builder = FrameBuilder(frames, self.extrinsics.color_from_depth)
        frame = builder.build()
        self.frame_notes = tuple(builder.notes)
        return frame

    def _tell(self, shortfalls: list[str]) -> None:
        """Say what the frame that has just gone out lacks."""
        self.incomplete += bool(shortfalls)
        for text in shortfalls:
            if text not in self.shortfalls:
                self.get_logger().warning(printable(text), throttle_duration_sec=LOG_THROTTLE_SECS)
        self.shortfalls = tuple(printable(text) for text in shortfalls)

    def _follow_timeline(self, timeline: int) -> None:
        """Told by number: the first frame after the jump may have been superseded."""
        if timeline == self._timeline:
            return
        if self._timeline:
            self.get_logger().info('time went back: tracks and histories start anew')
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
            skew_ms=frames.skew_ns * 1e-6,
        )

    # Services, parameters, reports.

    def _start_services(self) -> None:
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self.create_service(SetBool, '~/enable', lambda *call: answer_enable(self, *call))
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

    def attach_inputs(self) -> None:
        """Listen to what the source does not bring; the node becomes active."""

    def detach_inputs(self) -> None:
        """The opposite of attach_inputs."""

    def notes(self) -> tuple[str, ...]:
        """What is missing without stopping the node."""
        return ()
