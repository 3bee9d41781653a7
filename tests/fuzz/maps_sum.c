/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_sum_read(), which takes a file apart as it comes, held against each line of it by itself. */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "model/kind.h"
#include "sampler/maps_sum.h"

#define LINE_MAX_TAKEN (16 * 1024)

static bool is_anonymous(const struct maps_entry *entry)
{
	static const enum kind anonymous[] = { KIND_PRIVATE_ANON, KIND_SHARED_ANON, KIND_HEAP, KIND_STACK, KIND_MEMFD };

	for (size_t i = 0; i < sizeof(anonymous) / sizeof(anonymous[0]); i++)
		if (kind_of(entry) == anonymous[i])
			return true;
	return false;
}

static bool is_deleted_file(const struct maps_entry *entry)
{
	static const char mark[] = " (deleted)";
	struct vmad_str name = entry->name;

	return (kind_of(entry) == KIND_PRIVATE_FILE || kind_of(entry) == KIND_SHARED_FILE) && name.len > strlen(mark) &&
	       !memcmp(name.p + name.len - strlen(mark), mark, strlen(mark));
}

static void count(const struct maps_entry *entry, struct maps_sum *sum)
{
	bool executable = entry->perms[2] == 'x';

	sum->vmas++;
	sum->wx_vmas += executable && entry->perms[1] == 'w';
	sum->exec_anon_bytes += executable && is_anonymous(entry) ? entry->end - entry->start : 0;
	sum->deleted_bytes += is_deleted_file(entry) ? entry->end - entry->start : 0;
	sum->deleted_exec |= is_deleted_file(entry) && executable;
}

/* The longest line. */
static size_t count_lines(const char *text, size_t len, struct maps_sum *sum)
{
	size_t longest = 0;

	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t)(newline - text) + 1 : len;
		struct maps_entry entry;

		if (maps_parse_line(text, n, &entry) == 0)
			count(&entry, sum);
		longest = n > longest ? n : longest;
		text += n;
		len -= n;
	}
	return longest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maps_sum sum = { 0 }, expected = { 0 };
	size_t longest = count_lines((const char *)data, size, &expected);
	int r = maps_sum_read(file_with(data, size), &sum);

	if (r == -EOVERFLOW) {
		MUST(longest >= LINE_MAX_TAKEN);
		return 0;
	}
	MUST(r == (expected.vmas ? 0 : -ESRCH));
	MUST(sum.vmas == expected.vmas && sum.wx_vmas == expected.wx_vmas && sum.exec_anon_bytes == expected.exec_anon_bytes);
	MUST(sum.deleted_bytes == expected.deleted_bytes && sum.deleted_exec == expected.deleted_exec);
	return 0;
}
