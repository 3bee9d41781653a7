/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/params.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const struct param params[PARAMS] = {
#define PARAM(id, name, type, choices, help) [PARAM_##id] = { name, PARAM_TYPE_##type, choices, help },
#include "vmad/params.def"
#undef PARAM
};

#define PID_HIGHEST 4194304	/* include/linux/threads.h PID_MAX_LIMIT */
#define UID_HIGHEST 4294967294

/* Decimal digits up to `end`; fails on none, on anything else, and above max. */
static int parse_decimal(const char *text, const char *end, uint64_t max, uint64_t *ret)
{
	uint64_t number = 0;

	if (text == end)
		return -EINVAL;
	for (; text < end; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || number > (max - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*ret = number;
	return 0;
}

static int parse_number(const char *text, uint64_t least, uint64_t most, struct param_value *value)
{
	uint64_t number;

	if (parse_decimal(text, text + strlen(text), most, &number) < 0 || number < least)
		return -EINVAL;
	value->number = number;
	return 0;
}

static int parse_hex(const char *text, uint64_t *ret)
{
	uint64_t number = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = strchr(digits, *text);

		if (!digit || number >> 60)
			return -EINVAL;
		number = number << 4 | ((uint64_t)(digit - digits) & 15);
	}
	*ret = number;
	return 0;
}

static int parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	unsigned shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;

	if (parse_decimal(text, text + len - (unit ? 1 : 0), UINT64_MAX >> shift, ret) < 0)
		return -EINVAL;
	*ret <<= shift;
	return 0;
}

/* The place of a word in a list with commas, or -EINVAL. */
static int place_in(const char *list, const char *word, size_t len)
{
	for (int place = 0; ; place++) {
		size_t n = strcspn(list, ",");

		if (n == len && n && !memcmp(list, word, n))
			return place;
		if (!list[n])
			return -EINVAL;
		list += n + 1;
	}
}

static int parse_kinds(const char *text, uint64_t *ret)
{
	static const char names[] =
#define KIND(id, name, help) name ","
#include "vmad/kinds.def"
#undef KIND
		"";
	uint64_t kinds = 0;

	for (;;) {
		size_t n = strcspn(text, ",");
		int place = place_in(names, text, n);

		if (place < 0)
			return -EINVAL;
		kinds |= UINT64_C(1) << place;
		if (!text[n])
			break;
		text += n + 1;
	}
	*ret = kinds;
	return 0;
}

static int parse_perms(const char *text)
{
	static const char *const allowed[] = { "r-.", "w-.", "x-.", "ps." };

	if (strlen(text) != 4)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		if (!strchr(allowed[i], text[i]))
			return -EINVAL;
	}
	return 0;
}

static int parse_choice(const char *choices, const char *text, uint64_t *ret)
{
	int place = place_in(choices, text, strlen(text));

	if (place < 0)
		return place;
	*ret = (uint64_t)place;
	return 0;
}

/* "4242" or "4242:7f10a2c28000", or "0:7f..." where there is only one process. */
static int parse_cursor(const char *text, struct param_value *value)
{
	const char *colon = strchr(text, ':');
	uint64_t number, address = 0;

	if (parse_decimal(text, colon ? colon : text + strlen(text), PID_HIGHEST, &number) < 0)
		return -EINVAL;
	if (colon && parse_hex(colon + 1, &address) < 0)
		return -EINVAL;
	value->number = number;
	value->address = address;
	return 0;
}

/* PATH_MAX counts the NUL behind it. */
static int parse_file(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_MAX ? 0 : -EINVAL;
}

/* "fe:00", as maps prints it; each half at most 32 bits. */
static int parse_device(const char *text, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	size_t major = strspn(text, digits), minor = text[major] == ':' ? strspn(text + major + 1, digits) : 0;

	if (!major || !minor || major > 8 || minor > 8 || text[major + 1 + minor])
		return -EINVAL;
	*ret = strtoull(text, NULL, 16) << 32 | strtoull(text + major + 1, NULL, 16);
	return 0;
}

static int parse_bool(const char *text, uint64_t *ret)
{
	*ret = !strcmp(text, "true");
	return *ret || !strcmp(text, "false") ? 0 : -EINVAL;
}

static int parse_typed(const struct param *param, const char *text, struct param_value *value)
{
	switch (param->type) {
	case PARAM_TYPE_PID:
		return parse_number(text, 1, PID_HIGHEST, value);
	case PARAM_TYPE_ADDR:
	case PARAM_TYPE_PFN:
		return parse_hex(text, &value->number);
	case PARAM_TYPE_U64:
		return parse_number(text, 0, UINT64_MAX, value);
	case PARAM_TYPE_SIZE:
		return parse_size(text, &value->number);
	case PARAM_TYPE_LIMIT:
		return parse_number(text, 1, UINT64_MAX, value);
	case PARAM_TYPE_BOOL:
		return parse_bool(text, &value->number);
	case PARAM_TYPE_UID:
		return parse_number(text, 0, UID_HIGHEST, value);
	case PARAM_TYPE_GLOB:
		return *text ? 0 : -EINVAL;
	case PARAM_TYPE_PERMS:
		return parse_perms(text);
	case PARAM_TYPE_KINDS:
		return parse_kinds(text, &value->number);
	case PARAM_TYPE_FILE:
		return parse_file(text);
	case PARAM_TYPE_DEVICE:
		return parse_device(text, &value->number);
	case PARAM_TYPE_INODE:
		return parse_number(text, 0, UINT64_MAX, value);
	case PARAM_TYPE_CHOICE:
		return parse_choice(param->choices, text, &value->number);
	case PARAM_TYPE_CURSOR:
		return parse_cursor(text, value);
	}
	return -EINVAL;
}

int param_parse(enum param_id id, const char *text, struct param_value *value)
{
	struct param_value parsed = { .given = true, .text = text };
	int r = parse_typed(&params[id], text, &parsed);

	if (r == 0)
		*value = parsed;
	return r;
}

bool param_is_text(enum param_id id)
{
	return params[id].type == PARAM_TYPE_GLOB || params[id].type == PARAM_TYPE_PERMS;
}

const char *param_type_words(enum param_type type)
{
	switch (type) {
	case PARAM_TYPE_PID:
		return "a process id, from 1 to 4194304";
	case PARAM_TYPE_ADDR:
		return "an address in hex, of at most 64 bits, with or without 0x";
	case PARAM_TYPE_PFN:
		return "a page frame number in hex, with or without 0x";
	case PARAM_TYPE_U64:
		return "a whole number, 0 or more";
	case PARAM_TYPE_SIZE:
		return "a number of bytes, with K, M, G or T behind it for powers of 1024";
	case PARAM_TYPE_LIMIT:
		return "a whole number, 1 or more";
	case PARAM_TYPE_BOOL:
		return "true or false";
	case PARAM_TYPE_UID:
		return "a numeric user id";
	case PARAM_TYPE_GLOB:
		return "a pattern that is not empty";
	case PARAM_TYPE_PERMS:
		return "four characters: r or -, w or -, x or -, p or s, and . for any";
	case PARAM_TYPE_KINDS:
		return "kinds of VMAs, with commas between:"
#define KIND(id, name, help) " " name
#include "vmad/kinds.def"
#undef KIND
			;
	case PARAM_TYPE_FILE:
		return "an absolute path of at most 4095 bytes";
	case PARAM_TYPE_DEVICE:
		return "major:minor in hex, as maps shows a device";
	case PARAM_TYPE_INODE:
		return "an inode's number";
	case PARAM_TYPE_CHOICE:
		return "one of";
	case PARAM_TYPE_CURSOR:
		return "what a reply's next held";
	}
	return "";
}
