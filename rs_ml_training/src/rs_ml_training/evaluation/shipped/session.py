"""All shipped models measured, shown and written down."""

from __future__ import annotations

import json
from collections.abc import Callable

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.errors import ConfigError
from rs_ml_training.evaluation.shipped.document import check_document, write_part
from rs_ml_training.evaluation.shipped.measure import Book, measure_all
from rs_ml_training.evaluation.shipped.options import ShippedOptions
from rs_ml_training.evaluation.shipped.tables import markdown, values


def run_all(options: ShippedOptions, say: Callable[[str], None]) -> Book:
    """Measure, print, write.

    Args:
        options: what, on which data, where to.
        say: prints.

    Raises:
        ConfigError: what is asked for makes no sense; known before anything is measured.
        DataError: a result cannot be written.
    """
    if options.out is not None:
        check_document(options.out)
    if options.json_file is not None and not options.json_file.parent.is_dir():
        raise ConfigError(f'{options.json_file.parent} is no folder: give --json a path in one')
    book = measure_all(options, say)
    part = markdown(book)
    say(f'\n{part}')
    if options.out is not None:
        write_part(options.out, part)
    if options.json_file is not None:
        content = json.dumps(values(book), indent=1) + '\n'
        write_file(options.json_file, content.encode(), replace=True)
    return book
