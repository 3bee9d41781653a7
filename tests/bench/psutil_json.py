# SPDX-License-Identifier: GPL-2.0-or-later
"""What a script does today: psutil's maps of one process as JSON. Prints what it took, without the start of Python."""
import json
import resource
import sys
import time

import psutil

peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
begin = time.monotonic_ns()
with open('/dev/null', 'w', encoding='ascii') as out:
    json.dump([area._asdict() for area in psutil.Process(int(sys.argv[1])).memory_maps(grouped=False)], out)
elapsed = time.monotonic_ns() - begin
print(f'ns={elapsed} growth_bytes={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - peak_bytes}')
