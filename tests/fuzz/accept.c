/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip_is_accepted(): of an Accept-Encoding as RFC 9110 writes it, word by word: gzip is asked for where it is named and its weight is not 0. Of
 * anything else it says something.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "http/gzip.h"

#define BLANKS " \t"
#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* "0", "0.5", "1.000"; *ret_zero: none of its digits is another than 0. False: it is no weight. */
static bool parse_weight(const char *text, bool *ret_zero)
{
	size_t decimals = text[0] && text[1] == '.' ? strspn(text + 2, "0123456789") : 0, len = text[0] && text[1] == '.' ? 2 + decimals : 1;

	if ((text[0] != '0' && text[0] != '1') || text[len] || decimals > 3 || (text[0] == '1' && strpbrk(text + 1, "123456789")))
		return false;
	*ret_zero = !strpbrk(text, "123456789");
	return true;
}

/* One of the list, which it takes apart. False: it is none. */
static bool parse_coding(char *coding, bool *ret_gzip, bool *ret_zero)
{
	char *semicolon = strchr(coding, ';'), *end = semicolon ? semicolon : coding + strlen(coding);

	*ret_zero = false;
	if (semicolon) {
		char *weight = semicolon + 1 + strspn(semicolon + 1, BLANKS);

		if (strncasecmp(weight, "q=", 2) || !parse_weight(weight + 2, ret_zero))
			return false;
	}
	while (end > coding && strchr(BLANKS, end[-1]))
		end--;
	*end = '\0';
	*ret_gzip = !strcasecmp(coding, "gzip");
	return *coding && !coding[strspn(coding, TOKEN)];
}

/* 1 and 0: gzip is accepted or not; -1: it is not of that form, or names gzip twice. */
static int expected(char *text)
{
	bool gzip, zero;
	int answer = 0, times = 0;

	for (char *coding; (coding = strsep(&text, ",")); ) {
		coding += strspn(coding, BLANKS);
		for (char *end = coding + strlen(coding); end > coding && strchr(BLANKS, end[-1]); )
			*--end = '\0';
		if (!*coding)
			continue;
		if (!parse_coding(coding, &gzip, &zero))
			return -1;
		times += gzip;
		answer |= gzip && !zero;
	}
	return times > 1 ? -1 : answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	bool accepted;
	int answer;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	accepted = gzip_is_accepted(text);
	answer = expected(text);
	MUST(answer < 0 || accepted == answer);
	free(text);
	return 0;
}
