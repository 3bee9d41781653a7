/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_parse_line() over each line of the input. What it accepts says the same when it is printed as the kernel does. */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "source/maps.h"

static void print_again(const struct maps_entry *entry)
{
	size_t room = entry->name.len + 160;
	char *line = malloc(room);
	struct maps_entry again;
	int len;

	MUST(line);
	len = snprintf(line, room, "%08" PRIx64 "-%08" PRIx64 " %.4s %08" PRIx64 " %02" PRIx64 ":%02" PRIx64 " %" PRIu64 " ",
		       entry->start, entry->end, entry->perms, entry->offset_bytes, entry->device >> 32,
		       entry->device & UINT32_MAX, entry->inode);
	memcpy(line + len, entry->name.p, entry->name.len);
	MUST(maps_parse_line(line, (size_t)len + entry->name.len, &again) == 0);
	MUST(again.start == entry->start && again.end == entry->end && again.offset_bytes == entry->offset_bytes);
	MUST(again.device == entry->device && again.inode == entry->inode && !memcmp(again.perms, entry->perms, 4));
	MUST(again.name.len == entry->name.len && !memcmp(again.name.p, entry->name.p, entry->name.len));
	free(line);
}

static void parse_line(const char *line, size_t len)
{
	struct maps_entry entry;

	if (maps_parse_line(line, len, &entry) < 0)
		return;
	MUST(entry.start <= entry.end);
	MUST(entry.name.p >= line && entry.name.p + entry.name.len <= line + len);
	if (!memchr(entry.name.p, '\n', entry.name.len))
		print_again(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p)), *next = newline ? newline + 1 : end;
		char *line = malloc((size_t)(next - p));	/* so that the sanitizer sees where it ends */

		MUST(line);
		memcpy(line, p, (size_t)(next - p));
		parse_line(line, (size_t)(next - p));
		free(line);
		p = next;
	}
	parse_line((const char *)data, size);
	return 0;
}
