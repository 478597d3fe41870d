"""Damage to bytes and to JSON: case number N of a seed is the same on every machine."""

import copy
import json
import random
import re

# What programs take for sizes and counts: small, at the limits of types, and absurd.
INTEGERS = [
    0, 1, -1, 2, 3, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 99999,
    2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**53 + 1, 2**63 - 1, 2**63,
    2**64 - 1, 2**64, -(2**31), -(2**63), -(2**63) - 1, 10**30, 10**400,
]  # fmt: skip
WORDS = [
    *(str(number).encode() for number in INTEGERS),
    b"9" * 5000, b"1e308", b"1e309", b"-1e400", b"1e-400", b"nan", b"NaN", b"inf",
    b"-inf", b"Infinity", b"0x10", b"1_000", b"1e5", b"-0.0", b"True", b"None",
    b"\0", b"\0" * 16, b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80",
    b"\r", b"\n", b"\r\n", b" ", b'"', b"'", b"(", b")", b"[" * 500, b"{", b"}",
]  # fmt: skip
VALUES = [
    *INTEGERS, None, True, False, 0.5, -0.5, 1e308, 1e-320, float("nan"), float("inf"),
    "", "x", "\0", "é", "x" * 5000, "float16", "adam", "relu", "0.weights", "../x",
    [], [[]], {}, [0], [None], [1, 2, 3], {"class": "Dense"}, {"": 0}, {"class": []},
    {"class": "Dense", "n_inputs": 2**40, "n_neurons": 2**40},
]  # fmt: skip
LONGEST = 2**20
_DIGITS = re.compile(rb"-?\d+")


class Chance:
    """Random choices that depend on two numbers, and on nothing else."""

    def __init__(self, seed, number):
        # Of the generators of Python, this method alone promises always to stay.
        self.fraction = random.Random(seed * 2**64 + number).random

    def below(self, count):
        return int(self.fraction() * count)

    def of(self, items):
        return items[self.below(len(items))]

    def bytes(self, count):
        return bytes(self.below(256) for _ in range(count))


def damaged_bytes(content, chance, words=(), others=()):
    """Return bytes with one to four changes.

    Parameters
    ----------
    content : bytes
    chance : Chance
    words : sequence of bytes
        What means something in the format.
    others : sequence of bytes
        Other sound files, of which parts are put in.
    """
    data = bytearray(content)
    for _ in range(1 + chance.below(4)):
        _CHANGES[chance.below(len(_CHANGES))](data, chance, words, others)
    return bytes(data[:LONGEST])


def _span(data, chance):
    start = chance.below(len(data) + 1)
    return start, start + chance.of((1, 1, 2, 4, 8, 40))


def _flip(data, chance, words, others):
    if data:
        data[chance.below(len(data))] ^= 1 << chance.below(8)


def _overwrite(data, chance, words, others):
    start, stop = _span(data, chance)
    data[start:stop] = chance.bytes(min(stop, len(data)) - start)


def _insert(data, chance, words, others):
    start, stop = _span(data, chance)
    data[start:start] = chance.bytes(stop - start)


def _delete(data, chance, words, others):
    start, stop = _span(data, chance)
    del data[start:stop]


def _repeat(data, chance, words, others):
    start, stop = _span(data, chance)
    times = chance.of((1, 1, 2, 10, 300) if chance.below(20) else (20_000, 200_000))
    data[start:start] = (data[start:stop] * times)[:LONGEST]


def _fill(data, chance, words, others):
    start, stop = _span(data, chance)
    stop = min(stop, len(data))
    data[start:stop] = bytes([chance.of(b"\0\x7f\x80\xff09 ")]) * (stop - start)


def _cut(data, chance, words, others):
    del data[chance.below(len(data) + 1) :]


def _splice(data, chance, words, others):
    if others:
        other = chance.of(others)
        data[chance.below(len(data) + 1) :] = other[chance.below(len(other) + 1) :]


def _word(data, chance, words, others):
    word = chance.of(words if words and chance.below(2) else WORDS)
    start = chance.below(len(data) + 1)
    data[start : start + chance.of((0, 1, len(word)))] = word


def _number(data, chance, words, others):
    """Put another number in the place of one that is written in digits."""
    found = list(_DIGITS.finditer(data))
    if found:
        start, stop = chance.of(found).span()
        data[start:stop] = b"%d" % chance.of(INTEGERS)


def _field(data, chance, words, others):
    """Put another number in the place of one that is written in binary."""
    width, order = chance.of((1, 2, 4, 8)), chance.of(("little", "big"))
    number = (chance.of(INTEGERS) + chance.below(3) - 1) % 256**width
    start = chance.below(len(data) + 1)
    if chance.below(2):
        start -= start % width
    data[start : start + width] = number.to_bytes(width, order)


def _swap(data, chance, words, others):
    width = chance.of((1, 2, 4, 8))
    one, two = (chance.below(len(data) + 1) for _ in range(2))
    first, second = data[one : one + width], data[two : two + width]
    if len(first) == len(second):
        data[one : one + width], data[two : two + width] = second, first


_CHANGES = (
    _flip, _overwrite, _insert, _delete, _repeat, _fill, _cut, _splice, _word, _word,
    _number, _field, _field, _swap,
)  # fmt: skip


def damaged_json(text, chance):
    """Return the text of a JSON value in which one to three items have changed."""
    root = [json.loads(text)]
    for _ in range(1 + chance.below(3)):
        places = list(_places(root))
        holder, key = chance.of(places)
        match chance.below(8):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.of(("", "class", "format", "x", "layers"))] = holder[key]
            case 2:
                other, place = chance.of(places)
                # Through text, since a value must not come to hold itself.
                text = json.dumps(other[place]) if place in _keys(other) else "0"
                holder[key] = json.loads(text)
            case 3 if isinstance(holder[key], list):
                holder[key] = holder[key] * chance.of((0, 2, 30))
            case 4 if chance.below(9) == 0:
                depth = chance.of((3, 90, 900, 9000))
                opening, closing = chance.of((("[", "]"), ('{"a":', "}")))
                mark = "a mark that stands nowhere else"
                holder[key] = mark
                nested = opening * depth + "1" + closing * depth
                return json.dumps(root[0]).replace(f'"{mark}"', nested)
            case _:
                holder[key] = copy.deepcopy(chance.of(VALUES))
    return json.dumps(root[0])


def _keys(holder):
    return holder if isinstance(holder, dict) else range(len(holder))


def _places(holder):
    for key in list(_keys(holder)):
        yield holder, key
        if isinstance(holder[key], (dict, list)):
            yield from _places(holder[key])
