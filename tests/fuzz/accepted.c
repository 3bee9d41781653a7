/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accepted_names(): of an Accept or an Accept-Encoding as RFC 9110 writes it, word by word: a name is asked for where it stands and its weight is
 * not 0. Of anything else it says something.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "http/accepted.h"

#define BLANKS " \t"
#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum answer { NOT_NAMED, REFUSED, ACCEPTED, ODD };	/* ODD: it is not of that form */

/* Without the blanks around it; what stands behind is cut off. */
static char *trim(char *text)
{
	text += strspn(text, BLANKS);
	for (char *end = text + strlen(text); end > text && strchr(BLANKS, end[-1]); )
		*--end = '\0';
	return text;
}

/* "0", "0.5", "1.000"; *ret_zero: none of its digits is another than 0. False: it is no weight. */
static bool parse_weight(const char *text, bool *ret_zero)
{
	size_t decimals = text[0] && text[1] == '.' ? strspn(text + 2, "0123456789") : 0, len = text[0] && text[1] == '.' ? 2 + decimals : 1;

	if ((text[0] != '0' && text[0] != '1') || text[len] || decimals > 3 || (text[0] == '1' && strpbrk(text + 1, "123456789")))
		return false;
	*ret_zero = !strpbrk(text, "123456789");
	return true;
}

/* "q=0.5", "charset=utf-8", or nothing. */
static bool parse_parameter(const char *text, bool *ret_weight, bool *ret_zero)
{
	size_t len = strspn(text, TOKEN);

	*ret_weight = !strncasecmp(text, "q=", 2);
	if (*ret_weight)
		return parse_weight(text + 2, ret_zero);
	return !*text || (len && text[len] == '=' && text[len + 1] && !text[len + 1 + strspn(text + len + 1, TOKEN)]);
}

/* One of the list, which it takes apart. */
static enum answer judge(char *element, const char *name)
{
	bool zero = false, is_weight;
	char *word = trim(strsep(&element, ";"));
	enum answer answer = strcasecmp(word, name) ? NOT_NAMED : ACCEPTED;
	unsigned weights = 0;

	if (!*word || word[strspn(word, TOKEN "/")])
		return ODD;
	for (char *parameter; (parameter = strsep(&element, ";")); weights += is_weight) {
		if (!parse_parameter(trim(parameter), &is_weight, &zero))
			return ODD;
	}
	return weights > 1 ? ODD : answer == ACCEPTED && zero ? REFUSED : answer;
}

/* Of one that is named twice it is odd, too. */
static enum answer expected(char *text, const char *name)
{
	enum answer answer = NOT_NAMED, one;

	for (char *element; (element = strsep(&text, ",")); ) {
		element = trim(element);
		one = *element ? judge(element, name) : NOT_NAMED;
		if (one == ODD || (one != NOT_NAMED && answer != NOT_NAMED))
			return ODD;
		answer = one != NOT_NAMED ? one : answer;
	}
	return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "gzip", "application/x-ndjson" };
	char *text = malloc(size + 1);
	enum answer answer;
	bool accepted;

	MUST(text);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memcpy(text, data, size);
		text[size] = '\0';
		accepted = accepted_names(text, names[i]);
		answer = expected(text, names[i]);
		MUST(answer == ODD || accepted == (answer == ACCEPTED));
	}
	free(text);
	return 0;
}
