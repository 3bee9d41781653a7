# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process has in its memory."""
import os


def holds(pid, secrets):
    """Is any of them in the memory that the process may write?"""
    with open(f'/proc/{pid}/maps', encoding='utf-8', errors='replace') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for vma in maps:
            span, perms, *_ = vma.split()
            start, end = (int(at, 16) for at in span.split('-'))
            if perms.startswith('rw') and end - start < 1 << 28:
                try:
                    text = os.pread(memory.fileno(), end - start, start)
                except OSError:     # [vvar] and the like
                    continue
                if any(secret in text for secret in secrets):
                    return True
    return False
