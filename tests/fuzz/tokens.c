/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tokens_parse() of a token file. One that is refused names a line that is there. */
#include "fuzz.h"

#include <string.h>

#include "opener/caller/token.h"

static unsigned count_lines(const char *text, size_t len)
{
	unsigned lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

/* An identity that a file may give: nobody is root by a slip, and groups ascend. */
static void check(const struct vmad_caller *caller)
{
	MUST((caller->class == VMAD_CALLER_ROOT) == (caller->uid == 0));
	MUST(caller->uid != (uid_t)-1 && caller->gid != (gid_t)-1 && caller->group_count <= VMAD_CALLER_GROUPS_MAX);
	for (size_t i = 1; i < caller->group_count; i++)
		MUST(caller->groups[i - 1] < caller->groups[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const known[] = { "", "abc" };
	struct tokens *tokens = NULL;
	const char *what = NULL;
	unsigned line = 0;

	if (tokens_parse((const char *)data, size, &tokens, &line, &what) < 0) {
		MUST(what && *what && line >= 1 && line <= count_lines((const char *)data, size));
		return 0;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct vmad_caller *caller = tokens_find(tokens, known[i]);

		if (caller)
			check(caller);
	}
	tokens_free(tokens);
	return 0;
}
