"""A managed node that reports why a transition failed and survives every request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from std_srvs.srv import SetBool

from rs_ml_perception.core.errors import RsMlError, printable
from rs_ml_perception.ros.guards import change_state_service, guarded, traceback_text

STOP_BUDGET_SECS = 2.0
"""How long a node that is deactivated waits for the current frame, and a process at its end."""


class ManagedNode(ABC, LifecycleNode):
    """The lifecycle without the work: transitions, ~/change_state, ~/enable.

    rclpy swallows exceptions of transition callbacks and ends the process on an invalid request.
    Here a failed transition returns FAILURE, with the reason in the log, in the answer of ~/enable
    and in diagnostics, and may be repeated.

    Attributes:
        phase: unconfigured, inactive, active or finalized.
        failure: why the last transition failed, '' after a success.
    """

    def __init__(self, name: str, **node_args: Any) -> None:
        super().__init__(name, **node_args)
        self.phase = 'unconfigured'
        self.failure = ''
        self._guard_change_state()
        group = ReentrantCallbackGroup()
        self.create_service(SetBool, '~/enable', self._answer_enable, callback_group=group)

    # The work of the transitions.

    @abstractmethod
    async def load_ahead(self) -> None:
        """Load the model in the background, while the executor serves other callbacks."""

    @abstractmethod
    def configure(self) -> None:
        """Load and announce; an exception leaves the node unconfigured."""

    @abstractmethod
    def activate(self) -> None:
        """Begin to work; an exception leaves the node inactive."""

    @abstractmethod
    def deactivate(self, budget_secs: float = STOP_BUDGET_SECS) -> None:
        """Stop working; waits for the current frame up to the budget. Safe in any phase."""

    @abstractmethod
    def release(self) -> None:
        """Free everything that configure made; safe in any phase."""

    @abstractmethod
    def report_status(self) -> None:
        """Publish diagnostics and accounting."""

    # Autostart and stop.

    async def start_by_itself(self) -> None:
        """Load in the background, then configure and activate as far as possible."""
        await self.load_ahead()
        guarded(self, self.start)()

    def start(self) -> None:
        """Configure and activate as far as possible."""
        if self.phase == 'unconfigured':
            self.trigger_configure()
        if self.phase == 'inactive':
            self.trigger_activate()

    def stop(self, budget_secs: float = STOP_BUDGET_SECS) -> None:
        """Deactivate and release; safe in any phase."""
        self.deactivate(budget_secs)
        self.release()

    # Transitions.

    def on_configure(self, _: Any) -> TransitionCallbackReturn:
        return self._transition('configure', self.configure, 'inactive', undo=self.release)

    def on_activate(self, _: Any) -> TransitionCallbackReturn:
        return self._transition('activate', self.activate, 'active', undo=self.deactivate)

    def on_deactivate(self, _: Any) -> TransitionCallbackReturn:
        return self._transition('deactivate', self.deactivate, 'inactive')

    def on_cleanup(self, _: Any) -> TransitionCallbackReturn:
        return self._transition('clean up', self.release, 'unconfigured')

    def on_shutdown(self, _: Any) -> TransitionCallbackReturn:
        return self._transition('shut down', self.stop, 'finalized')

    def on_error(self, _: Any) -> TransitionCallbackReturn:
        return self._transition('recover', self.stop, 'unconfigured')

    def _transition(
        self,
        verb: str,
        action: Callable[[], None],
        phase: str,
        *,
        undo: Callable[[], None] | None = None,
    ) -> TransitionCallbackReturn:
        """Run the action of a transition and report.

        Args:
            verb: the transition in words.
            action: does it.
            phase: after success.
            undo: run when the action failed half-way.
        """
        try:
            action()
        except Exception as error:
            self.failure = f'cannot {verb}: {_words(error)}'
            self.get_logger().error(self.failure + _trace(error))
            if undo is not None:
                undo()
            self.report_status()
            return TransitionCallbackReturn.FAILURE
        self.failure = ''
        self.phase = phase
        self.report_status()
        return TransitionCallbackReturn.SUCCESS

    # Requests.

    async def _answer_enable(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        """Serve ~/enable: activate, configuring first if necessary, or deactivate."""
        try:
            if request.data:
                await self.load_ahead()
                self.start()
            elif self.phase == 'active':
                self.trigger_deactivate()
        except Exception as error:
            self.failure = printable(str(error))
        response.success = (self.phase == 'active') == request.data
        response.message = self.phase if response.success else self.failure or self.phase
        return response

    def _guard_change_state(self) -> None:
        """Answer an invalid transition with success=False, and load before `configure`.

        rclpy raises RCLError from the service callback instead, which ends the process
        (ros2/rclpy lifecycle/node.py, `__on_change_state`; Jazzy and Kilted).
        """
        service = change_state_service(self)
        if service is None:
            return
        change_state = service.callback

        async def answer(
            request: ChangeState.Request, response: ChangeState.Response
        ) -> ChangeState.Response:
            try:
                if _is_configure(request.transition):
                    await self.load_ahead()
                return change_state(request, response)
            except Exception as error:
                wanted = request.transition.label or request.transition.id
                self.get_logger().warning(printable(f'transition {wanted} refused: {error}'))
                response.success = False
                return response

        service.callback = answer
        # While one request waits for a model, the node's other callbacks and requests go on.
        service.callback_group = ReentrantCallbackGroup()
        service.callback_group.add_entity(service)


def _is_configure(transition: Transition) -> bool:
    """A label counts where there is one, as in rclpy."""
    if transition.label:
        return bool(transition.label == 'configure')
    return bool(transition.id == Transition.TRANSITION_CONFIGURE)


def _words(error: Exception) -> str:
    kind = '' if isinstance(error, RsMlError) else f'{type(error).__name__}: '
    return printable(f'{kind}{error}')


def _trace(error: Exception) -> str:
    """The traceback of an unexpected error."""
    return '' if isinstance(error, RsMlError) else f'\n{traceback_text()}'
