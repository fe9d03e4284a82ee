"""ROS parameters that mirror an options dataclass (core/options.py)."""

from __future__ import annotations

import difflib
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.options import DataclassInstance, Option, build, from_parameter, walk
from rs_ml_perception.ros.guards import parameter_overrides

T = TypeVar('T', bound=DataclassInstance)

BUILT_IN = ('use_sim_time', 'start_type_description_service', 'nodes')

SCALAR_TYPES = {
    bool: Parameter.Type.BOOL,
    int: Parameter.Type.INTEGER,
    float: Parameter.Type.DOUBLE,
    str: Parameter.Type.STRING,
}
ARRAY_TYPES = {
    bool: Parameter.Type.BOOL_ARRAY,
    int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY,
    str: Parameter.Type.STRING_ARRAY,
}


class ParameterBinding(Generic[T]):
    """Declares an options dataclass on a node, reads it back and validates changes.

    Attributes:
        problems: parameter name -> why its initial value was refused. The default is used until
            a valid value is set; a node with problems must not configure.
    """

    def __init__(self, node: Node, options_type: type[T]) -> None:
        self._node = node
        self._options_type = options_type
        self._leaves = {leaf.name: leaf for leaf in walk(options_type)}
        self.problems: dict[str, str] = {}
        self._overrides = parameter_overrides(node)
        self._allow_whole_numbers()
        if hasattr(node, 'add_pre_set_parameters_callback'):  # Iron and later
            node.add_pre_set_parameters_callback(self._with_floats)
        for leaf in self._leaves.values():
            self._declare(leaf)
        self._warn_of_unknown()

    def read(self) -> T:
        """The dataclass with the current values."""
        values = {name: self._node.get_parameter(name).value for name in self._leaves}
        return build(self._options_type, values)

    def candidate(self, changes: list[Parameter]) -> T:
        """The dataclass as it would be after the changes."""
        values = {name: self._node.get_parameter(name).value for name in self._leaves}
        values |= {p.name: p.value for p in changes if p.name in self._leaves}
        return build(self._options_type, values)

    def review(self, changes: list[Parameter], *, static_is_open: bool) -> SetParametersResult:
        """Accept or refuse changes before they are made.

        Args:
            changes: all parameters of one request.
            static_is_open: whether static ones may change (the node is unconfigured).
        """
        try:
            for parameter in changes:
                self._review_one(parameter, static_is_open)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        for parameter in changes:
            self.problems.pop(parameter.name, None)
        return SetParametersResult(successful=True)

    def refuse(self, changes: list[Parameter]) -> SetParametersResult:
        """Refuse changes, which have no effect: a tool reads its options once, at the start."""
        own = [parameter.name for parameter in changes if parameter.name in self._leaves]
        if not own:
            return SetParametersResult(successful=True)
        return SetParametersResult(
            successful=False,
            reason=f'{own[0]} is read once, at the start: start the node again with '
            f'-p {own[0]}:=VALUE',
        )

    def _allow_whole_numbers(self) -> None:
        """Accept `0` for `0.0` in YAML and on the command line, which rclpy refuses."""
        for name, parameter in self._overrides.items():
            self._overrides[name] = _whole_number_to_float(parameter, self._leaves.get(name))

    def _with_floats(self, changes: list[Parameter]) -> list[Parameter]:
        return [_whole_number_to_float(p, self._leaves.get(p.name)) for p in changes]

    def _review_one(self, parameter: Parameter, static_is_open: bool) -> None:
        leaf = self._leaves.get(parameter.name)
        if leaf is None:
            return
        if leaf.info.static and not static_is_open:
            raise ConfigError(
                f'{leaf.name} is static: deactivate and clean up the node, set it, configure again'
            )
        from_parameter(leaf, parameter.value)

    def _declare(self, leaf: Option) -> None:
        descriptor = _descriptor(leaf)
        default = _parameter_default(leaf)
        try:
            value = self._node.declare_parameter(leaf.name, default, descriptor).value
            from_parameter(leaf, value)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            self._node.declare_parameter(leaf.name, default, descriptor, ignore_override=True)
            self._note_problem(leaf, str(error))
        except ConfigError as error:
            self._note_problem(leaf, str(error))
            self._node.set_parameters([Parameter(leaf.name, _ros_type(leaf), default)])

    def _note_problem(self, leaf: Option, reason: str) -> None:
        self.problems[leaf.name] = reason
        self._node.get_logger().error(f'parameter {leaf.name} refused: {reason}')

    def _warn_of_unknown(self) -> None:
        known = [*self._leaves, *BUILT_IN]
        for name in self._overrides:
            if name in known or name.startswith('qos_overrides.'):
                continue
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
            hint = f': did you mean {near[0]}?' if near else ''
            self._node.get_logger().warning(f'unknown parameter {name} is ignored{hint}')


def read_once(node: Node, options_type: type[T], *, required: str, meaning: str) -> T:
    """The options of a tool, which cannot be changed while it works.

    Args:
        node: the tool.
        options_type: options dataclass.
        required: name of a parameter that must not be empty.
        meaning: of its value, for the message.

    Raises:
        ConfigError: a value is refused, or the required one is missing.
    """
    binding = ParameterBinding(node, options_type)
    if binding.problems:
        raise ConfigError('; '.join(binding.problems.values()))
    options = binding.read()
    if not getattr(options, required):
        raise ConfigError(f'parameter {required} is empty: pass -p {required}:={meaning}')
    node.add_on_set_parameters_callback(binding.refuse)
    return options


def _whole_number_to_float(parameter: Parameter, leaf: Option | None) -> Parameter:
    """The parameter, as a double where the option is one and integers were given."""
    wanted = None if leaf is None else _ros_type(leaf)
    kinds = Parameter.Type
    if wanted is kinds.DOUBLE and parameter.type_ is kinds.INTEGER:
        return Parameter(parameter.name, kinds.DOUBLE, float(parameter.value))
    if wanted is kinds.DOUBLE_ARRAY and parameter.type_ is kinds.INTEGER_ARRAY:
        floats = [float(item) for item in parameter.value]
        return Parameter(parameter.name, kinds.DOUBLE_ARRAY, floats)
    return parameter


def _ros_type(leaf: Option) -> Parameter.Type:
    if leaf.item_type is not None:
        return ARRAY_TYPES[leaf.item_type]
    return SCALAR_TYPES[leaf.type]


def _parameter_default(leaf: Option) -> Any:
    default = leaf.parameter_default
    return list(default) if isinstance(default, tuple) else default


def _descriptor(leaf: Option) -> ParameterDescriptor:
    info = leaf.info
    descriptor = ParameterDescriptor(
        name=leaf.name,
        type=_ros_type(leaf).value,
        description=leaf.parameter_text + (' [static]' if info.static else ''),
        additional_constraints=' | '.join(info.choices),
        # rclpy takes an empty list for bytes, so lists are typed by core/options.py alone.
        dynamic_typing=leaf.item_type is not None,
    )
    low, high = leaf.parameter_range
    if low is not None and high is not None:
        _set_range(descriptor, leaf, low, high)
    return descriptor


def _set_range(descriptor: ParameterDescriptor, leaf: Option, low: float, high: float) -> None:
    if leaf.type is float:
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    elif leaf.type is int:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
