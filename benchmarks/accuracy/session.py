"""All shipped models measured, shown and written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.data.output_folder import write_file

from benchmarks.accuracy.document import add_markers, check_document, write_part
from benchmarks.accuracy.measure import Book, measure_all
from benchmarks.accuracy.options import ShippedOptions
from benchmarks.accuracy.tables import card, markdown, values

_CARD_HEADING = '## On data that training never saw'


def run_all(options: ShippedOptions, say: Callable[[str], None]) -> Book:
    """Measure, print, write.

    Args:
        options: what, on which data, where to.
        say: prints.

    Raises:
        ConfigError: what is asked for makes no sense; known before anything is measured.
        InputError: a result cannot be written.
    """
    if options.out is not None:
        check_document(options.out)
    if options.cards is not None and not any(options.cards.glob('*/README.md')):
        raise ConfigError(
            f'{options.cards} holds no model directories: give --cards the right one'
        )
    if options.json_file is not None and not options.json_file.parent.is_dir():
        raise ConfigError(f'{options.json_file.parent} is no folder: give --json a path in one')
    book = measure_all(options, say)
    part = markdown(book)
    say(f'\n{part}')
    if options.out is not None:
        write_part(options.out, part)
    if options.cards is not None:
        _write_cards(options.cards, book)
    if options.json_file is not None:
        content = json.dumps(values(book), indent=1) + '\n'
        write_file(options.json_file, content.encode(), replace=True)
    return book


def _write_cards(folder: Path, book: Book) -> None:
    for path in sorted(folder.glob('*/README.md')):
        part = card(book, path.parent.name)
        if part:
            add_markers(path, _CARD_HEADING)
            write_part(path, part)
