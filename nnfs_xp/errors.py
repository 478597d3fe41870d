"""Every exception the library raises on purpose.

Bad data is one family, `InputError`, so that one ``except`` catches it on
every backend. Each message names the argument, what came and what was
expected, and each is raised before any state changes.
"""

from __future__ import annotations


class InputError(ValueError):
    """An argument has the wrong shape, length, range or type."""


class DTypeError(InputError, TypeError):
    """An argument holds elements of a type that cannot be used."""


class BackendMismatchError(InputError, TypeError):
    """Arrays of two namespaces, or of two devices, meet in one call."""


class BackendUnavailableError(RuntimeError):
    """A backend or device was asked for that does not work on this machine."""


class KernelCompileError(BackendUnavailableError):
    """A kernel's source does not compile, or cannot be loaded, on this machine."""


class DeviceMemoryError(MemoryError):
    """The memory of a device is too small for what was asked of it."""


class FileFormatError(InputError):
    """A file is damaged, or is not of the kind that its reader expects."""


class DownloadError(RuntimeError):
    """A data set could not be fetched, or arrived with a wrong checksum."""
