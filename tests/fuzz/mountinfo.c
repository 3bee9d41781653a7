/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_hidepid(), held against the words of each line; and host_vma_limit(), against the digits that the file begins with. */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "source/host.h"

#define LIMIT_BYTES 32	/* of the file that are looked at */

/* Where the n-th word begins, each of which ends with a blank; NULL: there are not so many. */
static const char *word(const char *line, unsigned n)
{
	while (n-- && line) {
		line = strchr(line, ' ');
		if (line)
			line++;
	}
	return line;
}

static bool is(const char *at, const char *text)
{
	size_t len = strlen(text);

	return at && !strncmp(at, text, len) && (!at[len] || at[len] == ' ');
}

/* The first option of that name, where words with commas between stand. */
static int hidepid_of(const char *options)
{
	static const char *const values[] = { "0", "off", "1", "noaccess", "2", "invisible", "4", "ptraceable" };
	static const int hidepids[] = { 0, 0, 1, 1, 2, 2, 4, 4 };

	while (strncmp(options, "hidepid=", 8)) {
		options = strchr(options, ',');
		if (!options)
			return 0;
		options++;
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcspn(options + 8, ",") == strlen(values[i]) && !strncmp(options + 8, values[i], strlen(values[i])))
			return hidepids[i];
	}
	return -EINVAL;
}

static int look(const char *line)
{
	unsigned dash = 5;
	const char *options;

	if (!is(word(line, 4), "/proc"))
		return -ENOENT;
	while (word(line, dash) && !is(word(line, dash), "-"))
		dash++;
	if (!is(word(line, dash + 1), "proc"))
		return -ENOENT;
	options = word(line, dash + 3);
	return options ? hidepid_of(options) : 0;
}

/* The last line that is about /proc has the last word. */
static void look_for_hidepid(void *arg, char *line)
{
	int *hidepid = arg, r = look(line);

	if (r != -ENOENT)
		*hidepid = r;
}

static int expected_hidepid(const uint8_t *data, size_t size)
{
	int hidepid = -ENOENT;

	each_line(data, size, look_for_hidepid, &hidepid);
	return hidepid;
}

static bool expected_limit(const uint8_t *data, size_t size, uint64_t *ret)
{
	char text[LIMIT_BYTES + 1] = "";
	size_t digits;

	size = size < LIMIT_BYTES ? size : LIMIT_BYTES;
	memcpy(text, data, size);
	digits = strspn(text, "0123456789");
	if (!digits || digits > 19 || (digits < size && text[digits] != '\n'))
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = file_with(data, size), hidepid = expected_hidepid(data, size);
	uint64_t limit = 7, expected = 7;

	MUST(host_hidepid(fd, "/proc") == hidepid);
	MUST(host_hidepid(fd, "/proc") == hidepid);
	MUST(host_vma_limit(fd, &limit) == (expected_limit(data, size, &expected) ? 0 : -EINVAL));
	MUST(limit == expected);
	return 0;
}
