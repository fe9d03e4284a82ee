"""A part of a Markdown file that a command writes, between two markers."""

from __future__ import annotations

from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.text_files import read_text

BEGIN, END = '<!-- measured: begin -->', '<!-- measured: end -->'


def check_document(path: Path) -> None:
    """Raise ConfigError unless the file can be written to, or made."""
    if not path.exists():
        if not path.parent.is_dir():
            raise ConfigError(f'{path.parent} is no folder: give a path in one')
        return
    text = read_text(path)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ConfigError(f'{path} has not the lines {BEGIN} and {END}, once each: add them')


def add_markers(path: Path, heading: str) -> None:
    """Give a file that has no markers a last section with them.

    Raises:
        InputError: it cannot be read or written.
    """
    text = read_text(path)
    if BEGIN not in text:
        content = f'{text.rstrip()}\n\n{heading}\n\n{BEGIN}\n{END}\n'
        write_file(path, content.encode(), replace=True)


def write_part(path: Path, part: str) -> None:
    """Replace what stands between the markers; a new file holds nothing else.

    Raises:
        ConfigError: the file has no markers.
        InputError: it cannot be written.
    """
    check_document(path)
    before, after = '', '\n'
    if path.exists():
        text = read_text(path)
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    content = f'{before}{BEGIN}\n\n{part}\n\n{END}{after}'
    write_file(path, content.encode(), replace=True)
