# SPDX-License-Identifier: GPL-2.0-or-later
"""What /proc says, parsed as simply as can be and without a look at vmad's code, in the shape of vmad's replies."""
import os
import re

KINDS = (
    'private-anon shared-anon private-file shared-file memfd sysv heap stack vdso vvar vsyscall hugetlb device special'
).split()

NAMED_KINDS = {'[heap]': 'heap', '[stack]': 'stack', '[vdso]': 'vdso', '[vsyscall]': 'vsyscall'}

MAPS_LINE = re.compile(
    rb'([0-9a-f]+)-([0-9a-f]+) ([r-][w-][x-][ps]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)', re.S
)


def read(pid, name):
    with open(f'/proc/{pid}/{name}', 'rb') as file:
        return file.read()


def text_member(record, name, raw):
    """Bytes as vmad's JSON has them: not UTF-8: bad bytes as \\xHH, backslashes doubled, and said so."""
    try:
        record[name] = raw.decode()
    except UnicodeDecodeError:
        record[name] = raw.replace(b'\\', b'\\\\').decode(errors='backslashreplace')
        record[f'{name}_escaped'] = True


def kind_of(name, path, deleted, shared):
    """A second opinion on kinds.def."""
    if name is not None:
        if name.startswith(b'[vvar'):
            return 'vvar'
        if name.startswith(b'[anon:'):
            return 'private-anon'
        if name.startswith(b'[anon_shmem:'):
            return 'shared-anon'
        return NAMED_KINDS.get(name.decode(errors='replace'), 'special')
    if path is None:
        return 'private-anon'
    if deleted and path == b'/dev/zero':
        return 'shared-anon'
    if deleted and path.startswith(b'/memfd:'):
        return 'memfd'
    if deleted and re.fullmatch(rb'/SYSV[0-9a-f]{8}', path):
        return 'sysv'
    if deleted and path == b'/anon_hugepage':
        return 'hugetlb'
    if path.startswith(b'/['):
        return 'special'
    if path.startswith(b'/dev/') and not path.startswith(b'/dev/shm/'):
        return 'device'
    return 'shared-file' if shared else 'private-file'


def parse_maps_line(line):
    start, end, perms, offset, device, inode, shown = MAPS_LINE.fullmatch(line).groups()
    deleted = shown.startswith(b'/') and shown.endswith(b' (deleted)')
    path = (shown[: -len(b' (deleted)')] if deleted else shown) if shown.startswith(b'/') else None
    name = shown if shown and path is None else None
    area = {
        'start': f'0x{int(start, 16):x}',
        'end': f'0x{int(end, 16):x}',
        'size_bytes': int(end, 16) - int(start, 16),
        'perms': perms.decode(),
        'offset_bytes': int(offset, 16),
        'device': device.decode(),
        'inode': inode.decode(),
    }
    if path is not None:
        text_member(area, 'path', path)
    if name is not None:
        text_member(area, 'name', name)
    area['deleted'] = deleted
    area['kind'] = kind_of(name, path, deleted, perms.endswith(b's'))
    return area


def maps(pid):
    """All VMAs, as vmad's "vma" records."""
    return [parse_maps_line(line) for line in read(pid, 'maps').split(b'\n') if line]


USAGE_NAMES = {
    'KernelPageSize': 'kernel_page_size_bytes',
    'MMUPageSize': 'mmu_page_size_bytes',
    'KSM': 'ksm_bytes',
    'THPeligible': 'thp_eligible',
    'ProtectionKey': 'protection_key',
    'VmFlags': 'flags',
    'LazyFree': 'lazy_free_bytes',
    'AnonHugePages': 'anon_huge_pages_bytes',
    'ShmemPmdMapped': 'shmem_pmd_mapped_bytes',
    'FilePmdMapped': 'file_pmd_mapped_bytes',
    'SwapPss': 'swap_pss_bytes',
}


def usage_member(line):
    key, value = line.decode().split(':', 1)
    words = value.split()
    if key == 'VmFlags':
        return 'flags', words
    if key == 'THPeligible':
        return 'thp_eligible', words == ['1']
    number = int(words[0])
    if words[-1] == 'kB':
        return USAGE_NAMES.get(key, key.lower() + '_bytes'), number * 1024
    return USAGE_NAMES.get(key, key.lower()), number


def smaps(pid):
    """All VMAs with what smaps says of each ("Size" is size_bytes, which maps has already)."""
    areas = []
    for line in read(pid, 'smaps').split(b'\n'):
        if MAPS_LINE.fullmatch(line):
            areas.append(parse_maps_line(line))
        elif line and not line.startswith(b'Size:'):
            name, value = usage_member(line)
            areas[-1][name] = value
    return areas


def rollup(pid):
    """The sums of smaps_rollup."""
    return dict(usage_member(line) for line in read(pid, 'smaps_rollup').split(b'\n')[1:] if line)


def stat(pid):
    """pid, comm, state, ppid, threads, start time, sizes; None where the process is gone."""
    try:
        raw = read(pid, 'stat')
    except OSError:
        return None
    opening, closing = raw.index(b'('), raw.rindex(b')')
    rest = raw[closing + 2 :].split()
    record = {
        'pid': int(raw[:opening]),
        'start_time_ticks': int(rest[19]),
        'ppid': int(rest[1]),
        'state': rest[0].decode(),
        'threads': int(rest[17]),
        'vm_size_bytes': int(rest[20]),
    }
    text_member(record, 'comm', raw[opening + 1 : closing])
    return record


def status(pid, field):
    """The first word of a field of status, or None."""
    found = re.search(rb'^' + field.encode() + rb':\s+(\S+)', read(pid, 'status'), re.M)
    return found and found.group(1).decode()


def pids():
    return {int(name) for name in os.listdir('/proc') if name.isdigit()}
