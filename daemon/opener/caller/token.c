/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/caller/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "vmad/records.h"

#define HASH_BYTES 32
#define TOKEN_FILE_MAX (1024 * 1024)

struct token {
	unsigned char hash[HASH_BYTES];
	struct vmad_caller *caller;
};

struct tokens {
	size_t count;
	struct token *list;
};

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int parse_hash(const char *text, unsigned char hash[static HASH_BYTES])
{
	static const char scheme[] = "sha256:";

	if (strncmp(text, scheme, sizeof(scheme) - 1))
		return -EINVAL;
	text += sizeof(scheme) - 1;
	if (strlen(text) != 2 * HASH_BYTES)
		return -EINVAL;
	for (int i = 0; i < HASH_BYTES; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		hash[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

static int parse_id(const char *text, uint32_t *ret)
{
	uint64_t id = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		id = id * 10 + (uint64_t)(*text - '0');
		if (id >= UINT32_MAX)
			return -EINVAL;
	}
	*ret = (uint32_t)id;
	return 0;
}

static int compare_gids(const void *a, const void *b)
{
	gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;

	return left < right ? -1 : left > right;
}

static int parse_groups(char *text, struct vmad_caller *caller)
{
	size_t count = 0;

	for (char *word; (word = strsep(&text, ",")); ) {
		if (count == VMAD_CALLER_GROUPS_MAX || parse_id(word, &caller->groups[count]) < 0)
			return -EINVAL;
		count++;
	}
	qsort(caller->groups, count, sizeof(gid_t), compare_gids);
	caller->group_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (!i || caller->groups[i] != caller->groups[i - 1])
			caller->groups[caller->group_count++] = caller->groups[i];
	}
	return 0;
}

enum token_word { WORD_UID, WORD_GID, WORD_GROUPS, WORD_ROOT, WORD_NAME, WORDS };

static int find_word(const char *word)
{
	static const char *const names[WORDS] = {
		[WORD_UID] = "uid",   [WORD_GID] = "gid",   [WORD_GROUPS] = "groups",
		[WORD_ROOT] = "root", [WORD_NAME] = "name",
	};

	for (int i = 0; i < WORDS; i++) {
		if (!strcmp(names[i], word))
			return i;
	}
	return WORDS;
}

/* One "key=value"; NULL, or what is wrong with it. */
static const char *parse_word(char *word, struct vmad_caller *caller, bool seen[static WORDS])
{
	char *value = strchr(word, '=');
	int which;

	if (!value)
		return "a word is not key=value";
	*value++ = '\0';
	which = find_word(word);
	if (which == WORDS)
		return "unknown word; there are uid=, gid=, groups=, root=yes and name=";
	if (seen[which])
		return "a word stands there twice";
	seen[which] = true;
	switch ((enum token_word)which) {
	case WORD_UID:
		return parse_id(value, &caller->uid) < 0 ? "uid= wants a number" : NULL;
	case WORD_GID:
		return parse_id(value, &caller->gid) < 0 ? "gid= wants a number" : NULL;
	case WORD_GROUPS:
		return parse_groups(value, caller) < 0 ? "groups= wants numbers with commas between" : NULL;
	case WORD_ROOT:
		return strcmp(value, "yes") ? "root= can only be yes" : NULL;
	case WORD_NAME:
	case WORDS:
		break;
	}
	return NULL;
}

static const char *parse_line(char *line, struct token *token)
{
	bool seen[WORDS] = { false };
	char *word = strsep(&line, " \t");
	const char *what = NULL;

	if (parse_hash(word, token->hash) < 0)
		return "the line does not begin with sha256: and 64 hex digits";
	while (!what && (word = strsep(&line, " \t"))) {
		if (*word)
			what = parse_word(word, token->caller, seen);
	}
	if (what)
		return what;
	if (!seen[WORD_UID] || !seen[WORD_GID])
		return "uid= and gid= are needed";
	if ((token->caller->uid == 0) != seen[WORD_ROOT])
		return "uid=0 needs root=yes, and only uid=0 takes it";
	token->caller->class = seen[WORD_ROOT] ? VMAD_CALLER_ROOT : VMAD_CALLER_USER;
	return NULL;
}

/* One token with two identities: which of them it is must not hang on the order of lines. */
static bool is_repeated(const struct tokens *tokens)
{
	for (size_t i = 0; i + 1 < tokens->count; i++) {
		if (!memcmp(tokens->list[i].hash, tokens->list[tokens->count - 1].hash, HASH_BYTES))
			return true;
	}
	return false;
}

static int add_line(struct tokens *tokens, char *line, const char **ret_what)
{
	struct token *token = &tokens->list[tokens->count];

	token->caller = calloc(1, sizeof(*token->caller) + VMAD_CALLER_GROUPS_MAX * sizeof(gid_t));
	if (!token->caller)
		return -ENOMEM;
	tokens->count++;
	*ret_what = parse_line(line, token);
	if (!*ret_what && is_repeated(tokens))
		*ret_what = "the same token stands on a line above";
	return *ret_what ? -EINVAL : 0;
}

/* Where in the text, in lines from 1. */
static unsigned line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static int parse_lines(struct tokens *tokens, char *rest, unsigned *ret_line, const char **ret_what)
{
	int r = 0;

	for (char *line; r == 0 && (line = strsep(&rest, "\n")); ) {
		++*ret_line;
		line += strspn(line, " \t");
		line[strcspn(line, "\r")] = '\0';
		if (*line && *line != '#')
			r = add_line(tokens, line, ret_what);
	}
	return r;
}

/* As many as there may be lines: a list that grew would leave hashes behind. */
static struct tokens *tokens_new(const char *text, size_t len)
{
	struct tokens *tokens = calloc(1, sizeof(*tokens));
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (tokens)
		tokens->list = calloc(lines, sizeof(*tokens->list));
	if (!tokens || !tokens->list) {
		free(tokens);
		return NULL;
	}
	return tokens;
}

int tokens_parse(const char *text, size_t len, struct tokens **ret_tokens, unsigned *ret_line, const char **ret_what)
{
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	struct tokens *tokens;
	char *copy;
	int r;

	if (nul) {
		*ret_line = line_of(text, nul);
		*ret_what = "a NUL byte";
		return -EINVAL;
	}
	*ret_line = 0;
	*ret_what = "out of memory";
	tokens = tokens_new(text, len);
	copy = vmad_str_copy((struct vmad_str){ text, len });
	r = tokens && copy ? parse_lines(tokens, copy, ret_line, ret_what) : -ENOMEM;
	if (copy)
		explicit_bzero(copy, len);
	free(copy);
	if (r < 0) {
		tokens_free(tokens);
		return r;
	}
	*ret_tokens = tokens;
	return 0;
}

int tokens_read(const char *path, struct tokens **ret_tokens, unsigned *ret_line, const char **ret_what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
	struct stat st;
	char *text = NULL;
	ssize_t len;

	*ret_line = 0;
	*ret_what = "";
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EBADF;
	else if (st.st_size > TOKEN_FILE_MAX)
		r = -EFBIG;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		r = -ENOMEM;
	else if ((len = read(fd, text, (size_t)st.st_size)) < 0)
		r = -errno;
	else
		r = tokens_parse(text, (size_t)len, ret_tokens, ret_line, ret_what);
	if (text)
		explicit_bzero(text, (size_t)st.st_size);
	free(text);
	close(fd);
	return r;
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	for (size_t i = 0; i < tokens->count; i++)
		free(tokens->list[i].caller);
	explicit_bzero(tokens->list, tokens->count * sizeof(*tokens->list));
	free(tokens->list);
	free(tokens);
}

const struct vmad_caller *tokens_find(const struct tokens *tokens, const char *token)
{
	const struct vmad_caller *found = NULL;
	unsigned char hash[HASH_BYTES];

	if (!tokens || gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), hash) < 0)
		return NULL;
	/* Every hash is compared in full, so that time tells nothing of which came close. */
	for (size_t i = 0; i < tokens->count; i++) {
		if (gnutls_memcmp(tokens->list[i].hash, hash, HASH_BYTES) == 0)
			found = tokens->list[i].caller;
	}
	return found;
}
