/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_parse(), held against a look at all lines for each count, in 128 bits. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "source/status.h"

static char *text;	/* the input, a NUL in it as x */

/* Of these digits, as far as it matters. */
static __int128 value_of(const char *digits, size_t len)
{
	__int128 n = 0;

	for (size_t i = 0; i < len && n < (__int128)1 << 100; i++)
		n = n * 10 + (digits[i] - '0');
	return n;
}

/* The line without its key: "\t  132 kB". */
static bool says(const char *line, uint64_t *ret_bytes)
{
	size_t blanks = strspn(line, " \t"), digits = strspn(line + blanks, "0123456789");
	__int128 kib = value_of(line + blanks, digits);

	if (!digits || strcmp(line + blanks + digits, " kB") || kib / 10 >= UINT64_MAX / 16384)
		return false;
	*ret_bytes = (uint64_t)kib * 1024;
	return true;
}

/* The next line of `*rest`, copied; NULL: there is none. */
static char *next_line(const char **rest)
{
	size_t len = *rest ? strcspn(*rest, "\n") : 0;
	char *line = *rest ? strndup(*rest, len) : NULL;

	MUST(line || !*rest);
	if (line)
		*rest = (*rest)[len] ? *rest + len + 1 : NULL;
	return line;
}

static bool find(const char *key, uint64_t *ret_bytes)
{
	const char *rest = text;
	bool found = false;

	for (char *line; (line = next_line(&rest)); free(line)) {
		if (!strncmp(line, key, strlen(key)))
			found |= says(line + strlen(key), ret_bytes);
	}
	return found;
}

static void find_uid(struct status_facts *facts)
{
	const char *rest = text, *uid;
	__int128 value;

	for (char *line; (line = next_line(&rest)); free(line)) {
		uid = strncmp(line, "Uid:\t", 5) ? NULL : strchr(line + 5, '\t');
		if (!uid || !strspn(uid + 1, "0123456789"))
			continue;
		value = value_of(uid + 1, strspn(uid + 1, "0123456789"));
		facts->has_uid = value <= UINT32_MAX;
		facts->uid = facts->has_uid ? (uint32_t)value : 0;
	}
}

static struct status_facts look(void)
{
	struct status_facts facts = { 0 };
	bool all = find("VmSize:", &facts.size_bytes);

	all &= find("VmLck:", &facts.locked_bytes);
	all &= find("VmData:", &facts.data_bytes);
	facts.has_mm = all & find("VmStk:", &facts.stack_bytes);
	find("VmPTE:", &facts.page_table_bytes);
	find("VmSwap:", &facts.swap_bytes);
	find("RssAnon:", &facts.anon_bytes);
	find("RssFile:", &facts.file_bytes);
	facts.has_rss_types = find("RssShmem:", &facts.shmem_bytes) && facts.has_mm;
	facts.has_hugetlb = find("HugetlbPages:", &facts.hugetlb_bytes) && facts.has_mm;
	find_uid(&facts);
	return facts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status_facts facts, expected;

	text = malloc(size + 1);
	MUST(text);
	for (size_t i = 0; i < size; i++)
		text[i] = data[i] ? (char)data[i] : 'x';
	text[size] = '\0';
	status_parse((const char *)data, size, &facts);
	expected = look();
	MUST(facts.has_mm == expected.has_mm && facts.size_bytes == expected.size_bytes && facts.data_bytes == expected.data_bytes);
	MUST(facts.stack_bytes == expected.stack_bytes && facts.locked_bytes == expected.locked_bytes);
	MUST(facts.page_table_bytes == expected.page_table_bytes && facts.swap_bytes == expected.swap_bytes);
	MUST(facts.has_rss_types == expected.has_rss_types && facts.anon_bytes == expected.anon_bytes);
	MUST(facts.file_bytes == expected.file_bytes && facts.shmem_bytes == expected.shmem_bytes);
	MUST(facts.has_hugetlb == expected.has_hugetlb && facts.hugetlb_bytes == expected.hugetlb_bytes);
	MUST(facts.has_uid == expected.has_uid && (!facts.has_uid || facts.uid == expected.uid));
	free(text);
	return 0;
}
