"""Recording golden outputs, and writing their section of the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.files import file_sha256
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.golden import GOLDEN_NAME, picture_inputs, write_golden
from rs_ml_perception.inference.manifest import MANIFEST_NAME, Tolerance
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.output_errors import judged_outputs, usual_measure

_KEY = 'golden:'
USUAL_LIMITS = {'float32': 0.01, 'bfloat16': 0.03}
"""The tolerances until the error of bfloat16 has been measured."""


def record_golden(model: Model, frame: Frame, picture: str) -> Path:
    """Record the outputs of a loaded model for a frame as its golden outputs.

    The file is written next to the manifest, whose `golden` is replaced; existing tolerances stay.

    Args:
        model: the reference.
        frame: source of the inputs.
        picture: its description for the manifest.

    Returns:
        The golden file.

    Raises:
        InputError: the frame lacks an image required by an input.
        ConfigError: the folder cannot be written to.
    """
    manifest = model.manifest
    inputs = picture_inputs(manifest.inputs, frame, model=manifest.title)
    outputs = model(inputs)
    known = manifest.golden.tolerance if manifest.golden else {}
    tolerance = {
        name: known.get(name) or usual_tolerance(name, outputs[name])
        for name in manifest.outputs
        if name in judged_outputs(manifest.outputs)
    }
    path = manifest.directory / GOLDEN_NAME
    try:
        write_golden(path, inputs, outputs)
        _replace_section(
            manifest.directory / MANIFEST_NAME,
            golden_section(GOLDEN_NAME, file_sha256(path), picture, tolerance),
        )
    except OSError as error:
        raise ConfigError(
            f'{manifest.directory} cannot be written to ({error}): copy the model to a folder of '
            'yours first'
        ) from error
    return path


def usual_tolerance(name: str, output: np.ndarray) -> Tolerance:
    """The default tolerance of an output."""
    return Tolerance(usual_measure(name, output), USUAL_LIMITS)


def golden_section(
    file: str, sha256: str, picture: str, tolerance: dict[str, Tolerance]
) -> dict[str, Any]:
    """The section of the manifest on golden outputs, as plain values."""
    rows = {name: {'measure': t.measure, **t.limits} for name, t in tolerance.items()}
    return {'file': file, 'sha256': sha256, 'picture': picture, 'tolerance': rows}


def _replace_section(path: Path, section: dict[str, Any]) -> None:
    """Replace the section, or append it; the rest of the file stays unchanged."""
    import yaml

    new = yaml.safe_dump(
        {_KEY.rstrip(':'): section}, sort_keys=False, allow_unicode=True, width=99
    )
    lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
    starts = [i for i, line in enumerate(lines) if line.startswith(_KEY)]
    start = starts[0] if starts else len(lines)
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in ' #-'):
        end += 1
    if start == len(lines) and lines and not lines[-1].endswith('\n'):
        lines[-1] += '\n'
    path.write_text(''.join([*lines[:start], new, *lines[end:]]), encoding='utf-8')
