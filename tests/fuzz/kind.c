/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kind_parse_mount() over each line of a mountinfo, held against its words; and kind_of() each line of it, were it one of maps. */
#include "fuzz.h"

#include <ctype.h>
#include <string.h>

#include "model/kind.h"

/* Decimal digits and nothing else, at most 9 of them. */
static bool is_number(const char *word)
{
	size_t len = word ? strlen(word) : 0;

	return len && len <= 9 && strspn(word, "0123456789") == len;
}

/* The third word of a line that says " - hugetlbfs ", two numbers with a colon between. */
static bool find_device(char *line, uint64_t *ret_device)
{
	char *id, *parent, *major, *minor;

	if (!strstr(line, " - hugetlbfs "))
		return false;
	id = strsep(&line, " ");
	parent = strsep(&line, " ");
	minor = strsep(&line, " ");
	major = minor ? strsep(&minor, ":") : NULL;
	if (!is_number(id) || !is_number(parent) || !is_number(major) || !is_number(minor))
		return false;
	*ret_device = strtoull(major, NULL, 10) << 32 | strtoull(minor, NULL, 10);
	return true;
}

static void look(char *line)
{
	uint64_t device = 7, expected = 7;
	struct maps_entry entry;
	bool found;

	if (maps_parse_line(line, strlen(line), &entry) == 0) {
		enum kind kind = kind_of(&entry);

		MUST(kind < KINDS && strlen(kind_name(kind)) > 0);
		MUST(entry.name.len || kind == (entry.perms[3] == 's' ? KIND_SPECIAL : KIND_PRIVATE_ANON));
	}
	found = kind_parse_mount(line, &device);
	MUST(find_device(line, &expected) == found);
	MUST(device == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *line; (line = strsep(&rest, "\n")); )
		look(line);
	free(text);
	return 0;
}
