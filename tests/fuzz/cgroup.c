/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_line_parse(), held against three looks at the lines: for version 2, for systemd's own, for any. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "source/cgroup_line.h"

struct line {
	const char *begin, *end, *list, *path;	/* behind the first colon, and behind the second */
};

/* False: it has not two colons, and a slash behind them. */
static bool take_apart(struct line *line)
{
	line->list = line->path = NULL;
	for (const char *p = line->begin; p < line->end && !line->path; p++) {
		if (*p != ':')
			continue;
		if (line->list)
			line->path = p + 1;
		else
			line->list = p + 1;
	}
	return line->path && line->path < line->end && *line->path == '/';
}

static bool is(const char *from, const char *to, const char *text)
{
	return (size_t)(to - from) == strlen(text) && !memcmp(from, text, strlen(text));
}

static bool is_unified(const struct line *line)
{
	return is(line->begin, line->path, "0::");
}

static bool is_systemd(const struct line *line)
{
	return is(line->list, line->path, "name=systemd:");
}

static bool is_any(const struct line *line)
{
	return line->path != NULL;
}

static struct vmad_str first(const char *bytes, size_t size, bool (*wanted)(const struct line *line))
{
	struct line line = { .begin = bytes };

	for (const char *p = bytes; p < bytes + size; p++) {
		line.end = *p == '\n' ? p : p + 1;
		if (*p != '\n' && p + 1 < bytes + size)
			continue;
		if (take_apart(&line) && wanted(&line))
			return (struct vmad_str){ line.path, (size_t)(line.end - line.path) };
		line.begin = p + 1;
	}
	return (struct vmad_str){ 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool (*const wanted[])(const struct line *line) = { is_unified, is_systemd, is_any };
	struct vmad_str expected = { 0 }, found = cgroup_line_parse((const char *)data, size);

	for (size_t i = 0; i < 3 && !expected.p; i++)
		expected = first((const char *)data, size, wanted[i]);
	MUST(found.p == expected.p && found.len == expected.len);
	return 0;
}
