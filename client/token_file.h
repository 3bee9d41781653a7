/* SPDX-License-Identifier: GPL-2.0-or-later */
/* token_file: what --token-file names: a token is its first line. What stands below that is not read. */
#ifndef CLIENT_TOKEN_FILE_H
#define CLIENT_TOKEN_FILE_H

#include <stddef.h>

#include "trouble.h"

#define TOKEN_FILE_MAX 4096	/* bytes of a token, with the NUL behind it: vmad takes no longer ones */

/* NULL, or why there is no token in this. */
const char *token_file_parse(const char *bytes, size_t len, char token[static TOKEN_FILE_MAX]);

/* EXIT_DONE, or what trouble says. */
int token_file_read(const char *path, char token[static TOKEN_FILE_MAX], struct trouble *trouble);

#endif
