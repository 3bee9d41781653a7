# SPDX-License-Identifier: GPL-2.0-or-later
"""A process with very many VMAs, made with the standard library; and many things at once."""
import ctypes
import mmap
import os
import signal
import threading

PAGE = mmap.PAGESIZE
PROT_NONE, PROT_READ = 0, 1
MAP_FAILED = ctypes.c_void_p(-1).value


def split(count):
    """Makes about count VMAs in this process: neighbours of different protection do not merge."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    base = libc.mmap(None, count * PAGE, PROT_NONE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if base == MAP_FAILED:
        raise OSError(ctypes.get_errno(), 'mmap')
    for i in range(0, count, 2):
        if libc.mprotect(base + i * PAGE, PAGE, PROT_READ):
            raise OSError(ctypes.get_errno(), 'mprotect')


class Crowd:
    """with Crowd(60000) as crowd: crowd.pid is a process with about so many VMAs, of that uid; crowd.thread is another thread of it."""

    def __init__(self, count, uid=None):
        receive, send = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._live(count, uid, send)
        os.close(send)
        with os.fdopen(receive, 'rb') as ready:
            self.thread = int(ready.read() or 0)
        if not self.thread:
            raise RuntimeError('the crowd did not get ready')

    def _live(self, count, uid, send):
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
                ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as after an exec
            split(count)
            thread = threading.Thread(target=signal.pause)
            thread.start()
            os.write(send, str(thread.native_id).encode())
            os.close(send)
            while True:
                signal.pause()
        finally:
            os._exit(1)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def at_once(functions):
    """Runs all of them in threads that begin together; their results in order, exceptions included."""
    results = [None] * len(functions)
    barrier = threading.Barrier(len(functions))

    def run(i):
        try:
            barrier.wait()
            results[i] = functions[i]()
        except Exception as error:  # the caller looks at it
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def checked(results):
    """The same results; raises what one of them raised."""
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results
