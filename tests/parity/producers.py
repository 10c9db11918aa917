"""Arrays that offer one protocol alone, where their library offers both."""

from __future__ import annotations


class OnlyInterface:
    """An array seen through __cuda_array_interface__ alone."""

    def __init__(self, array):
        self._array = array

    @property
    def __cuda_array_interface__(self):
        return self._array.__cuda_array_interface__


class OnlyDlpack:
    """An array seen through DLPack alone."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()
