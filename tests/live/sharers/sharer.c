/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sharer CASE: processes that map one page, in a way that is known.
 *
 * It prints, with tabs between the words:
 *   page NAME PID ADDRESS     a page to ask for; what follows, up to the next page, is about it
 *   mapped ADDRESS PID...     one mapping of it, with all processes of that mm; nobody else maps it, but for "libc", "vdso", "zero"
 *   absent REASON             the case cannot be made on this host
 * then "ready". A line on stdin makes it go on: "nowhere" unmaps its page then and says "ready" again. End of file ends
 * it and its children.
 */
#include "sharer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct sharer_case *const kinds[] = {
	anon_cases, file_cases, huge_cases, everybodys_cases, mm_cases, churn_cases,
};

static const struct sharer_case *find_case(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (const struct sharer_case *at = kinds[i]; at->name; at++) {
			if (!strcmp(at->name, name))
				return at;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct sharer_case *chosen;
	char line[64];

	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 2 || children_begin()) {
		fprintf(stderr, "usage: sharer CASE\n");
		return 2;
	}
	chosen = find_case(argv[1]);
	if (!chosen) {
		fprintf(stderr, "sharer: no such case: %s\n", argv[1]);
		return 2;
	}
	chosen->make();
	say_ready();
	while (fgets(line, sizeof(line), stdin))
		continue;
	return 0;
}
