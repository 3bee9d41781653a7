/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * token_file_read() of vmactl: a token is the text before the first newline, without the carriage return before that, of 1 to 4095 bytes;
 * what it takes could be a header field's, and is the same when it is read anew.
 */
#include "fuzz.h"

#include <string.h>

#include "token_file.h"

static int read_bytes(const void *bytes, size_t size, char token[static TOKEN_FILE_MAX], struct trouble *trouble)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_with(bytes, size));
	return token_file_read(path, token, trouble);
}

/* How long the token is; 0: there is none. */
static size_t expected(const uint8_t *data, size_t size)
{
	size_t len = 0;

	while (len < size && data[len] != '\n')
		len++;
	if (len && data[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < len && i < TOKEN_FILE_MAX; i++) {
		if (data[i] < 32 || data[i] == 127)
			return 0;
	}
	return len < TOKEN_FILE_MAX ? len : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char token[TOKEN_FILE_MAX], again[TOKEN_FILE_MAX];
	struct trouble trouble = { 0 };
	size_t len = expected(data, size);

	if (read_bytes(data, size, token, &trouble) != EXIT_DONE) {
		MUST(!len && trouble.code == EXIT_FAILED && trouble.message[0]);
		return 0;
	}
	MUST(len && strlen(token) == len && !memcmp(token, data, len));
	MUST(read_bytes(token, len, again, &trouble) == EXIT_DONE && !strcmp(again, token));
	return 0;
}
