"""The counter-based stream of runtime/core/Random.h in numpy, and the numbers that test/tools/cnn-steps
and dropout draw from it. Needs numpy."""
import zlib

import numpy as np

TEST = 255  # RandomPurpose::Test
CHUNK = 1 << 20  # blocks at a time, so that temporaries stay in the cache


def philox(counter, seed):
    """Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC11): four arrays of 32-bit words in uint64."""
    word, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        counter = [(b >> word) ^ counter[1] ^ np.uint64(key[0]), b & mask,
                   (a >> word) ^ counter[3] ^ np.uint64(key[1]), a & mask]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def blocks(first, count, *rest):
    """The counters (e, rest...) of the elements e from `first` on, below 2^32."""
    return [np.arange(first, first + count, dtype=np.uint64)] + [
        np.full(count, value, np.uint64) for value in rest]


def step_of(name):
    return zlib.crc32(name.encode())


def bits(seed, step, first, count):
    """64 bits for each of `count` elements from `first` (even) on, for the purpose Test."""
    words = philox(blocks(first // 2, (count + 1) // 2, 0, step, TEST << 24), seed)
    word = np.uint64(32)
    return np.stack([words[0] | words[1] << word, words[2] | words[3] << word], 1).ravel()[:count]


def fractions(words):
    """RandomStream::uniform: in [0, 1)."""
    return (words >> np.uint64(11)) * 2.0**-53


def uniform(seed, name, shape, low, high):
    """Floats: low + (high - low) u in double, rounded."""
    values = np.empty(int(np.prod(shape)), np.float32)
    for first in range(0, values.size, 2 * CHUNK):
        count = min(2 * CHUNK, values.size - first)
        u = fractions(bits(seed, step_of(name), first, count))
        values[first:first + count] = low + (high - low) * u
    return values.reshape(shape)


def below(seed, name, count, bound):
    """Integers in [0, bound): bits * bound / 2^64."""
    return np.array([int(b) * bound >> 64 for b in bits(seed, step_of(name), 0, count)], np.int64)


def state(seed, name, shape):
    """A parameter or running statistic, as `stateValues` of test/tools/cnn-steps says."""
    if len(shape) >= 2:
        window = float(np.prod(shape)) / shape[0] / shape[1]
        bound = (6 / ((shape[0] + shape[1]) * window)) ** 0.5
        return uniform(seed, name, shape, -bound, bound)
    if name.endswith("running_var") or len(shape) == 1 and name.endswith(".weight"):
        return uniform(seed, name, shape, 0.5, 1.5)
    return uniform(seed, name, shape, -0.25, 0.25)


def dropout_words(count, number, step, seed):
    """The first words of the blocks of the `number`-th dropout (dialect/CnnRandomOps.td)."""
    return philox(blocks(0, count, number, step, 4 << 24), seed)[0]
