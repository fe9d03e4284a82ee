"""Foreign text on its way to a terminal."""

import pytest
from rs_ml_perception.core.errors import MAX_TEXT, InputError, counted, printable, shortened


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('', ''),
        ('Kamera 前 é', 'Kamera 前 é'),
        ('two\nlines\tand a tab', 'two\nlines\tand a tab'),
        ('\x1b[2Jgone', r'\x1b[2Jgone'),
        ('\x9b31m', r'\x9b31m'),
        ('bell\x07, back\x08, return\r', r'bell\x07, back\x08, return\r'),
        ('\u202eexe.gnp', r'\u202eexe.gnp'),
        ('bad\udc80name', r'bad\udc80name'),
    ],
)
def test_control_characters_are_spelled_out(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        ((0, 'image'), '0 images'),
        ((1, 'image'), '1 image'),
        ((2, 'image'), '2 images'),
        ((1, 'copy', 'copies'), '1 copy'),
        ((3, 'copy', 'copies'), '3 copies'),
    ],
)
def test_counts_agree_with_their_nouns(words, text):
    assert counted(*words) == text


@pytest.mark.parametrize('length', [0, 1, MAX_TEXT, MAX_TEXT + 1, 10 * MAX_TEXT])
def test_long_text_keeps_its_ends(length):
    text = ('a' * (length // 2)) + 'b' * (length - length // 2)
    short = shortened(text)
    assert len(short) <= MAX_TEXT + 40
    assert (short == text) == (length <= MAX_TEXT)
    assert short[:1] in ('', text[:1])
    assert short[-1:] == text[-1:]


def test_errors_can_be_shown_as_they_are():
    error = InputError(f'frame \x1b]0;title\x07 {"x" * 5000} cannot be used: remap it')
    assert '\x1b' not in str(error)
    assert len(str(error)) < MAX_TEXT + 40
    assert str(error).endswith('cannot be used: remap it')
