/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static int fill_in(struct text *query, const char *name, size_t len, pid_t pid, uint64_t addr)
{
	if (len == 3 && strncmp(name, "pid", len) == 0)
		return text_printf(query, "%d", pid);
	return text_printf(query, "0x%" PRIx64, addr);
}

int query_begin(struct text *query, enum route route, pid_t pid, uint64_t addr)
{
	const char *p = route_path(route);
	int r = 0;

	while (*p) {
		size_t n = strcspn(p, "{");

		r |= text_append(query, p, n);
		p += n;
		if (*p == '{') {
			n = strcspn(++p, "}");
			r |= fill_in(query, p, n, pid, addr);
			p += n + 1;
		}
	}
	return r | text_append(query, "?", 1);
}

int query_add(struct text *query, const char *name, const char *value)
{
	int r = text_printf(query, "&%s=", name);

	for (; *value; value++)
		if (isalnum((unsigned char)*value) || strchr("-._~/,", *value))
			r |= text_append(query, value, 1);
		else
			r |= text_printf(query, "%%%02X", (unsigned char)*value);
	return r;
}

void query_end(struct text *query)
{
	char *mark = query->p ? strchr(query->p, '?') : NULL;

	if (!mark)
		return;
	if (!mark[1]) {
		*mark = '\0';
		query->len--;
	} else if (mark[1] == '&') {
		memmove(mark + 1, mark + 2, strlen(mark + 2) + 1);
		query->len--;
	}
}
