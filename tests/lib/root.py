# SPDX-License-Identifier: GPL-2.0-or-later
"""The root directory of a system: this one's, a container's, or that of a machine which is yet to boot."""
import os
import pathlib


class Root:
    """root: where it lies."""

    def __init__(self, root='/'):
        self.root = root

    def path(self, name):
        """Where a file of it lies here."""
        return os.path.join(self.root, str(name).lstrip('/'))

    def write(self, name, text, mode=0o644):
        """A file of it."""
        path = pathlib.Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        path.chmod(mode)

    def owner(self, user):
        """A user's numbers, as its own /etc/passwd has them."""
        lines = (line.split(':') for line in pathlib.Path(self.path('/etc/passwd')).read_text(encoding='utf-8').splitlines())
        return next((int(fields[2]), int(fields[3])) for fields in lines if fields[0] == user)
