/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cgroup_line.h"

/* How well a line is liked; 0: it is none. */
enum { NO_LINE, ANY_HIERARCHY, SYSTEMD_OWN, UNIFIED };

int cgroup_line_rank(const char *line, size_t len, struct vmad_str *ret_path)
{
	static const char systemd[] = ":name=systemd:";
	const char *end = line + len, *list = memchr(line, ':', (size_t)(end - line)),
		   *colon = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;

	if (!colon || colon + 1 == end || colon[1] != '/')
		return NO_LINE;
	*ret_path = (struct vmad_str){ colon + 1, (size_t)(end - colon - 1) };
	if (colon == list + 1 && list == line + 1 && *line == '0')
		return UNIFIED;
	if ((size_t)(colon + 1 - list) == sizeof(systemd) - 1 && !memcmp(list, systemd, sizeof(systemd) - 1))
		return SYSTEMD_OWN;
	return ANY_HIERARCHY;
}

struct vmad_str cgroup_line_parse(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	struct vmad_str best = { 0 };
	int liked = NO_LINE;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes)), *line_end = newline ? newline : end;
		struct vmad_str path;
		int likes = cgroup_line_rank(bytes, (size_t)(line_end - bytes), &path);

		if (likes > liked) {
			best = path;
			liked = likes;
		}
		bytes = newline ? newline + 1 : end;
	}
	return best;
}
