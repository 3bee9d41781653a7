/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The first line, with its newline, or as much of it as there is room for. It may come through a pipe that stays open. */
static size_t read_line(FILE *file, char *to, size_t room)
{
	size_t len = 0;
	int c = 0;

	while (len < room && c != '\n' && (c = getc(file)) != EOF)
		to[len++] = (char)c;
	return len;
}

const char *token_file_parse(const char *bytes, size_t len, char token[static TOKEN_FILE_MAX])
{
	const char *newline = len ? memchr(bytes, '\n', len) : NULL;

	if (newline)
		len = (size_t)(newline - bytes);
	if (len && bytes[len - 1] == '\r')
		len--;
	if (!len)
		return "there is no token in it";
	if (len >= TOKEN_FILE_MAX)
		return "its first line is too long for a token";
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
			return "its first line is no token: it has control characters";
	}
	memcpy(token, bytes, len);
	token[len] = '\0';
	return NULL;
}

int token_file_read(const char *path, char token[static TOKEN_FILE_MAX], struct trouble *trouble)
{
	char line[TOKEN_FILE_MAX + 2];	/* "\r\n" */
	FILE *file = fopen(path, "re");
	const char *why;
	int error;

	if (!file)
		return trouble_set(trouble, EXIT_FAILED, "%s: %s", path, strerror(errno));
	errno = 0;
	why = token_file_parse(line, read_line(file, line, sizeof(line)), token);
	error = ferror(file) ? errno : 0;
	fclose(file);
	explicit_bzero(line, sizeof(line));
	if (error)
		why = strerror(error);
	return why ? trouble_set(trouble, EXIT_FAILED, "%s: %s", path, why) : EXIT_DONE;
}
