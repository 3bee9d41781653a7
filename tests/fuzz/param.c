/* SPDX-License-Identifier: GPL-2.0-or-later */
/* param_parse(), held against a slow look by type: the first byte chooses the parameter, the rest is what was written for it. */
#include "fuzz.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "http/params.h"

#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define PIDS 4194304

/* The number that these digits are, in 128 bits, as far as it matters. */
static unsigned __int128 number_of(const char *digits, size_t len, unsigned base)
{
	unsigned __int128 n = 0;

	for (size_t i = 0; i < len && !(n >> 80); i++)
		n = n * base + (unsigned)(digits[i] <= '9' ? digits[i] - '0' : (digits[i] | 0x20) - 'a' + 10);
	return n;
}

static bool is_decimal(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
	unsigned __int128 n = number_of(text, strspn(text, DIGITS), 10);

	*ret = (uint64_t)n;
	return *text && !text[strspn(text, DIGITS)] && n >= least && n <= most;
}

static bool is_hex(const char *text, uint64_t *ret)
{
	unsigned __int128 n;

	text += text[0] == '0' && (text[1] | 0x20) == 'x' ? 2 : 0;
	n = number_of(text, strspn(text, HEX), 16);
	*ret = (uint64_t)n;
	return *text && !text[strspn(text, HEX)] && n <= UINT64_MAX;
}

static bool is_size(const char *text, uint64_t *ret)
{
	size_t len = strspn(text, DIGITS);
	const char *unit = text[len] ? strchr("KMGT", text[len]) : NULL;
	unsigned __int128 n = number_of(text, len, 10);

	n <<= unit ? 10 * (unit - "KMGT" + 1) : 0;
	*ret = (uint64_t)n;
	return len && (!text[len] || (unit && !text[len + 1])) && n <= UINT64_MAX;
}

/* Its place among those with commas between, or -1. */
static int place_of(const char *words, const char *word, size_t len)
{
	char *copy = strdup(words), *rest = copy;
	int place = 0, found = -1;

	MUST(copy);
	for (char *one; (one = strsep(&rest, ",")); place++) {
		if (found < 0 && len && strlen(one) == len && !strncmp(one, word, len))
			found = place;
	}
	free(copy);
	return found;
}

static bool are_kinds(const char *text, uint64_t *ret)
{
	static const char names[] =
#define KIND(id, name, help) name ","
#include "vmad/kinds.def"
#undef KIND
		"";

	for (*ret = 0; ; text++) {
		size_t len = strcspn(text, ",");
		int place = place_of(names, text, len);

		if (place < 0)
			return false;
		*ret |= UINT64_C(1) << place;
		text += len;
		if (!*text)
			return true;
	}
}

static bool are_perms(const char *text)
{
	return strlen(text) == 4 && strspn(text, "r-.") && strspn(text + 1, "w-.") && strspn(text + 2, "x-.") && strspn(text + 3, "ps.");
}

static bool is_device(const char *text, uint64_t *ret)
{
	static const char lower[] = DIGITS "abcdef";
	size_t major = strspn(text, lower), minor;

	if (!major || major > 8 || text[major] != ':')
		return false;
	minor = strspn(text + major + 1, lower);
	*ret = (uint64_t)number_of(text, major, 16) << 32 | (uint64_t)number_of(text + major + 1, minor, 16);
	return minor && minor <= 8 && !text[major + 1 + minor];
}

static bool is_cursor(const char *text, uint64_t *ret, uint64_t *ret_address)
{
	char *copy = strdup(text), *address = copy;
	bool is;

	MUST(copy);
	is = is_decimal(strsep(&address, ":"), 0, PIDS, ret);
	*ret_address = 0;
	is = is && (!address || is_hex(address, ret_address));
	free(copy);
	return is;
}

static bool expected(const struct param *param, const char *text, uint64_t *ret, uint64_t *ret_address)
{
	*ret = *ret_address = 0;
	switch (param->type) {
	case PARAM_TYPE_PID:
		return is_decimal(text, 1, PIDS, ret);
	case PARAM_TYPE_UID:
		return is_decimal(text, 0, UINT32_MAX - 1, ret);
	case PARAM_TYPE_LIMIT:
		return is_decimal(text, 1, UINT64_MAX, ret);
	case PARAM_TYPE_U64:
	case PARAM_TYPE_INODE:
		return is_decimal(text, 0, UINT64_MAX, ret);
	case PARAM_TYPE_ADDR:
	case PARAM_TYPE_PFN:
		return is_hex(text, ret);
	case PARAM_TYPE_SIZE:
		return is_size(text, ret);
	case PARAM_TYPE_BOOL:
		*ret = !strcmp(text, "true");
		return *ret || !strcmp(text, "false");
	case PARAM_TYPE_GLOB:
		return *text;
	case PARAM_TYPE_FILE:
		return *text == '/' && strlen(text) < PATH_MAX;
	case PARAM_TYPE_PERMS:
		return are_perms(text);
	case PARAM_TYPE_KINDS:
		return are_kinds(text, ret);
	case PARAM_TYPE_DEVICE:
		return is_device(text, ret);
	case PARAM_TYPE_CHOICE:
		*ret = (uint64_t)place_of(param->choices, text, strlen(text));
		return *ret != UINT64_MAX;
	case PARAM_TYPE_CURSOR:
		return is_cursor(text, ret, ret_address);
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct param_value value = { .number = 42, .address = 43 };
	char *text = size ? malloc(size) : NULL;
	uint64_t number, address;
	enum param_id id;

	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	id = (enum param_id)(PARAM_none + 1 + data[0] % (PARAMS - 1));
	if (!expected(&params[id], text, &number, &address)) {
		MUST(param_parse(id, text, &value) < 0);
		MUST(!value.given && value.number == 42 && value.address == 43 && !value.text);
	} else {
		MUST(param_parse(id, text, &value) == 0);
		MUST(value.given && value.text == text && value.number == number && value.address == address);
	}
	free(text);
	return 0;
}
