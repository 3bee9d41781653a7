/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * token: who may ask over TCP, and as whom. The file holds hashes, not tokens:
 *
 *   sha256:<64 hex digits> uid=1000 gid=1000 [groups=4,27] [root=yes] [name=label]
 *
 * A line for each; # begins a comment. uid=0 needs root=yes, so that nobody gives everything away by a slip. Comparison
 * takes the same time whatever the token.
 */
#ifndef OPENER_TOKEN_H
#define OPENER_TOKEN_H

#include <stddef.h>

#include "vmad/caller.h"

struct tokens;

/*
 * Reads a token file. 0; negative errno where it cannot be read; -EINVAL: *ret_line is the number of the line that is
 * wrong, *ret_what says what about it (static storage).
 */
int tokens_read(const char *path, struct tokens **ret_tokens, unsigned *ret_line, const char **ret_what);

/* As tokens_read, from text. */
int tokens_parse(const char *text, size_t len, struct tokens **ret_tokens, unsigned *ret_line, const char **ret_what);
/* Nothing of the hashes stays in this memory. */
void tokens_free(struct tokens *tokens);

/* Whose token it is: borrowed from tokens; NULL: nobody's. tokens may be NULL. */
const struct vmad_caller *tokens_find(const struct tokens *tokens, const char *token);

#endif
