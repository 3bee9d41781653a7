/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/maps_sum.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "model/kind.h"
#include "source/maps.h"
#include "source/small_file.h"
#include "source/smaps.h"

/* procfs gives a page at a time, and a line is below two pages. */
#define ROOM (16 * 1024)

static bool is_marked_deleted(const struct maps_entry *entry)
{
	static const char mark[] = " (deleted)";
	size_t len = sizeof(mark) - 1;

	return entry->name.len > len && !memcmp(entry->name.p + entry->name.len - len, mark, len);
}

static bool is_anonymous(enum kind kind)
{
	return kind == KIND_PRIVATE_ANON || kind == KIND_SHARED_ANON || kind == KIND_HEAP || kind == KIND_STACK ||
	       kind == KIND_MEMFD;
}

static void add(struct maps_sum *sum, const struct maps_entry *entry)
{
	uint64_t size = entry->end - entry->start;
	bool executable = entry->perms[2] == 'x', deleted = is_marked_deleted(entry);
	enum kind kind;

	sum->vmas++;
	sum->wx_vmas += executable && entry->perms[1] == 'w';
	if (!executable && !deleted)
		return;
	kind = kind_of(entry);
	if (executable && is_anonymous(kind))
		sum->exec_anon_bytes += size;
	if (deleted && (kind == KIND_PRIVATE_FILE || kind == KIND_SHARED_FILE)) {
		sum->deleted_bytes += size;
		sum->deleted_exec |= executable;
	}
}

/* Takes whole lines; returns how many bytes they had. */
static size_t take_lines(const char *text, size_t len, bool at_end, struct maps_sum *sum)
{
	struct maps_entry entry;
	size_t taken = 0;

	while (taken < len) {
		const char *newline = memchr(text + taken, '\n', len - taken);
		size_t n = newline ? (size_t)(newline + 1 - text) - taken : len - taken;

		if (!newline && !at_end)
			break;
		if (maps_parse_line(text + taken, n, &entry) == 0)
			add(sum, &entry);
		taken += n;
	}
	return taken;
}

static ssize_t read_some(int fd, char *to, size_t room)
{
	ssize_t n;

	do {
		n = read(fd, to, room);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int maps_sum_read(int fd, void *ret_sum)
{
	struct maps_sum *sum = ret_sum;
	char text[ROOM], probe;
	size_t len = 0;
	ssize_t n;

	while ((n = read_some(fd, text + len, sizeof(text) - len)) > 0) {
		size_t taken = take_lines(text, len += (size_t)n, false, sum);

		if (!taken && len == sizeof(text))
			return -EOVERFLOW;
		memmove(text, text + taken, len -= taken);
	}
	if (n < 0)
		return (int)n;
	take_lines(text, len, true, sum);
	/* An end that came because the address space is gone looks like any other. */
	n = sum->vmas ? pread(fd, &probe, 1, 0) : 0;
	return n > 0 ? 0 : n < 0 ? -errno : -ESRCH;
}

int usage_bytes_read(int fd, void *ret_usage)
{
	const uint64_t private = VMAD_HAS(usage, private_clean_bytes) | VMAD_HAS(usage, private_dirty_bytes);
	struct usage_bytes *bytes = ret_usage;
	struct vmad_usage usage = { 0 };
	char text[4096], *keys;
	ssize_t n = small_file_read(fd, text, sizeof(text));

	if (n < 0)
		return (int)n;
	keys = memchr(text, '\n', (size_t)n);
	if (!keys)
		return -ESRCH;
	smaps_parse_keys(keys + 1, (size_t)(text + n - keys - 1), &usage, NULL, NULL);
	if (!(usage.has & VMAD_HAS(usage, pss_bytes)) || (usage.has & private) != private)
		return -EINVAL;
	*bytes = (struct usage_bytes){ usage.pss_bytes, usage.private_clean_bytes + usage.private_dirty_bytes };
	return 0;
}
