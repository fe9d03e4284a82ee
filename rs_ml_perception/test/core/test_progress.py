"""Progress bars: every item passes, and only a terminal shows them."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr

import pytest
from rs_ml_perception.core.progress import BYTES, bar, progress, say


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal() -> redirect_stderr[Terminal]:
    """Replaces stderr, in a test: pytest sets its own between a fixture and the test."""
    pytest.importorskip('tqdm')
    return redirect_stderr(Terminal())


@pytest.mark.parametrize('items', [[], [3], ['a', None, 'b']])
def test_every_item_passes_and_nothing_is_shown_without_a_terminal(items, capsys):
    assert list(progress(items)) == items
    assert list(progress(iter(items), unit='file')) == items
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ('', '')


def test_without_tqdm_nothing_is_shown(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'tqdm', None)
    with bar(3) as step:
        step(2)
    assert list(progress('ab')) == ['a', 'b']
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize(
    ('items', 'count', 'expected'),
    [(range(4), None, '0/4'), (iter(range(4)), 8, '0/8'), (iter(range(4)), None, '0file')],
)
def test_a_terminal_shows_the_count_and_is_left_clean(items, count, expected, capsys):
    with terminal() as shown:
        assert list(progress(items, count, 'file')) == [0, 1, 2, 3]
    assert expected in shown.getvalue()
    assert shown.getvalue().rpartition('\r')[2].strip() == ''
    assert capsys.readouterr().out == ''


def test_bytes_are_shown_with_a_prefix():
    with terminal() as shown, bar(3_000_000, BYTES) as step:
        step(1_500_000)
    assert '3.00M' in shown.getvalue()


def test_a_failure_removes_the_bar():
    def fail():
        with bar(2):
            raise KeyError('a')

    with terminal() as shown, pytest.raises(KeyError, match='a'):
        fail()
    assert '0/2' in shown.getvalue()
    assert shown.getvalue().rpartition('\r')[2].strip() == ''


def test_a_line_stands_above_the_bar():
    with terminal() as shown, bar(2):
        say('rejected a.png')
    assert 'rejected a.png\n' in shown.getvalue()


def test_a_line_without_a_bar(capsys):
    say('rejected a.png')
    assert capsys.readouterr().err == 'rejected a.png\n'
