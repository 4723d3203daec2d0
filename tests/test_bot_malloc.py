"""Memory that long work has freed goes back to the system, where the C library can do that."""

import os
import platform
import subprocess
import sys

import pytest

HOARD = """
import ctypes
from pathlib import Path
from bot.runtime.malloc import trim
malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
free = ctypes.CDLL(None).free
free.argtypes = [ctypes.c_void_p]
taken = [malloc(50_000) for _ in range(2_000)]
for place in taken:
    ctypes.memset(place, 1, 50_000)
for place in taken[:-1]:
    free(place)
def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])
before = pages()
trim()
print(before - pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")
def test_what_was_freed_below_something_that_is_kept_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOARD],
        env=os.environ | {"MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) * os.sysconf("SC_PAGESIZE") > 50_000_000
