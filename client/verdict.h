/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict: how far an answer may be trusted, in words and as an exit code. */
#ifndef CLIENT_VERDICT_H
#define CLIENT_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

#include "text.h"
#include "trouble.h"

struct verdict {
	bool whole;		/* the answer came to its end */
	bool complete;		/* nothing that matches is missing */
	bool limited;		/* only --limit kept the rest away: what was asked for is there */
	bool cut;		/* --limit kept some away of an answer that is not complete itself */
	char reason[32];	/* why it is not complete */
	char source[64];	/* the kernel interface, or empty */
	long long age_ms;	/* how old it may be; -1: not said */
	char detail[512];	/* where vmad failed on the way: its words */
};

/* whole: the envelope came to its end. asked_limit: there was a --limit. */
void verdict_read(struct verdict *verdict, const json_t *envelope, bool whole, bool asked_limit);

/* "complete (maps)", "incomplete: the process ended while it was read". 0, or -ENOMEM. */
int verdict_say(const struct verdict *verdict, struct text *out);

/* EXIT_DONE, or EXIT_PARTIAL; subject: what was asked about. */
int verdict_exit(const struct verdict *verdict, const char *subject, struct trouble *trouble);

#endif
