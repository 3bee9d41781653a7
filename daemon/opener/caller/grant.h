/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant: tokens that vmad itself gave, each to a caller that the kernel had said who it is: for the page in a browser,
 * which can only speak TCP. A grant is that caller's own identity for some hours, and never more; it is nowhere but in
 * this memory, as a hash, and ends with the process.
 */
#ifndef OPENER_GRANT_H
#define OPENER_GRANT_H

#include <stdint.h>

#include "opener/opener.h"

#define GRANT_SECONDS (8 * 3600)
#define GRANTS_PER_UID 16	/* one more ends the oldest of that uid */
#define GRANTS_MAX 1024		/* of all together */

struct grants;

int grants_new(struct grants **ret_grants);
void grants_free(struct grants *grants);

/*
 * A new token for this identity, copied. now_seconds: of a clock that goes on while the host sleeps. -EDQUOT: there are
 * GRANTS_MAX, none of them this uid's; -EIO: the kernel gave no random bytes; -ENOMEM.
 */
int grants_make(struct grants *grants, const struct vmad_caller *caller, uint64_t now_seconds,
		char ret_token[static OPENER_TOKEN_SIZE]);

/* Whose token it is, the caller's to free(); NULL: nobody's, or no longer. It takes the same time whatever the token. */
struct vmad_caller *grants_find(struct grants *grants, const char *token, uint64_t now_seconds);

#endif
