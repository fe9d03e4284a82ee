"""Text files, and what is wrong with those that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.inference.foreign_yaml import parse_yaml


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        InputError: it is missing or not text.
    """
    try:
        return path.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is not text in UTF-8: {error.reason}') from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, which a stranger may have written: see the robot side's reader.

    Raises:
        InputError: it is missing, not text, not YAML, too large, too deep, or has aliases.
    """
    return parse_yaml(read_text(path), where=str(path))


def read_lines(path: Path) -> list[str]:
    """The lines of a file that are not empty, without white space around them.

    Raises:
        InputError: it is missing or not text.
    """
    lines = (line.strip() for line in read_text(path).splitlines())
    return [line for line in lines if line]
