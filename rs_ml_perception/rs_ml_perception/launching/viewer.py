"""The rviz configuration for the given nodes and cameras."""

from __future__ import annotations

import copy
from typing import Any

from rs_ml_perception.launching.arguments import Camera
from rs_ml_perception.launching.processes import LaunchInputs
from rs_ml_perception.nodes.table import NODES

NAMESPACE, CAMERA = '/rs_ml/', '/camera/camera/'
"""Prefixes of the topics in the template."""

ON_REQUEST = {'mono_depth/points': 'publish_points'}
"""Output -> parameter of its node that enables it."""

Config = dict[str, Any]


def make_rviz_config(template: Config, inputs: LaunchInputs) -> Config:
    """The template with only those displays whose topics are published.

    Args:
        template: the package's configuration, for the default namespace and camera.
        inputs: arguments, parameters, recording.
    """
    config = copy.deepcopy(template)
    manager = config['Visualization Manager']
    displays = [display for display in manager['Displays'] if 'Topic' in display]
    manager['Displays'] = [display for display in manager['Displays'] if 'Topic' not in display]
    cameras = inputs.request.cameras
    for camera in cameras:
        for display in displays:
            topic = _topic(display['Topic']['Value'], camera, inputs)
            if topic:
                name = f'{display["Name"]}, {camera.name}' if cameras[1:] else display['Name']
                shown = {**display, 'Name': name, 'Topic': {**display['Topic'], 'Value': topic}}
                manager['Displays'].append(shown)
    manager['Global Options']['Fixed Frame'] = _fixed_frame(inputs)
    return config


def viewed_topics(config: Config) -> tuple[str, ...]:
    """Topics that rviz2 subscribes to at start."""
    displays = config['Visualization Manager']['Displays']
    return tuple(d['Topic']['Value'] for d in displays if 'Topic' in d and d['Enabled'])


def _topic(template: str, camera: Camera, inputs: LaunchInputs) -> str:
    """The topic of a display for one camera, '' if it is not published."""
    if template.startswith(CAMERA):
        # Points are the only displayed topic of the driver, which publishes them on request.
        wanted = inputs.driver_arguments.get('pointcloud.enable', 'false').lower() == 'true'
        return f'{camera.prefix}/{template.removeprefix(CAMERA)}' if wanted else ''
    output = template.removeprefix(NAMESPACE)
    name = output.partition('/')[0]
    parameter = ON_REQUEST.get(output)
    is_offered = parameter is None or inputs.value(camera, name, parameter, False) is True
    return camera.node(output) if name in inputs.nodes and is_offered else ''


def _fixed_frame(inputs: LaunchInputs) -> str:
    """The optical frame of the images the nodes work on."""
    if inputs.recording and inputs.recording.frame_id:
        return inputs.recording.frame_id
    stream = 'depth' if all(NODES[name].is_depth_primary for name in inputs.nodes) else 'color'
    return f'{inputs.request.cameras[0].name}_{stream}_optical_frame'
