"""What the host gets of an image besides its toggles: abi's HandBack, written straight into the host's memory."""

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels import abi
from triton_kernels.select import FLAGS, HEADER_WORDS, MAX_QUERIES, RECORD_COUNT, RECORD_WORDS, RECORDS, TOGGLE_COUNT

TOGGLE_OVERFLOW = tl.constexpr(abi.TOGGLE_OVERFLOW)
HOST_ENDS = tl.constexpr(abi.word_offset("HandBack", "toggle_end"))
HOST_RECORDS = tl.constexpr(abi.word_offset("HandBack", "records"))
COPY = tl.constexpr(1024)  # words copied at a time
INT_MAX = tl.constexpr((1 << 31) - 1)


@triton.jit
def give_back(selection, slots, slot_toggles, total, fits, hand_back):
    """Copies what select found, and where each slot's toggles end. Consecutive lanes write consecutive words."""
    word = tl.arange(0, HEADER_WORDS)
    header = tl.load(selection + word)
    header = tl.where(word == TOGGLE_COUNT, tl.minimum(total, INT_MAX).to(tl.int32), header)
    header = tl.where((word == FLAGS) & (fits == 0), header | TOGGLE_OVERFLOW, header)
    tl.store(hand_back + word, header)

    slot = tl.arange(0, MAX_QUERIES)
    ends = tl.minimum(tl.cumsum(slot_toggles, axis=0), INT_MAX).to(tl.int32)
    tl.store(hand_back + HOST_ENDS + slot, ends, mask=slot < slots)

    words = tl.load(selection + RECORD_COUNT) * RECORD_WORDS
    for begin in range(0, words, COPY):
        place = begin + tl.arange(0, COPY)
        tl.store(
            hand_back + HOST_RECORDS + place,
            tl.load(selection + RECORDS + place, mask=place < words),
            mask=place < words,
        )
