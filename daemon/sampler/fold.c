/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/fold.h"

#include <ctype.h>

#define UUID_LEN 36
#define HEX_ID_MIN 8		/* shorter ones are words more often than ids */
#define NUMBER_MIN 2		/* of what lives long: one digit is mostly a part of its name */

/* What has been written so far. */
struct folded {
	char *to;
	size_t len;
	bool cut;
};

static void put(struct folded *folded, char c)
{
	if (c == '*' && folded->len && folded->to[folded->len - 1] == '*')
		return;
	if (folded->len == GROUP_NAME_MAX - 1) {
		folded->cut = true;
		return;
	}
	folded->to[folded->len++] = c;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char at(struct vmad_str name, size_t i)
{
	return i < name.len ? name.p[i] : '\0';
}

static size_t run_of(struct vmad_str name, size_t i, bool (*is)(char c))
{
	size_t n = 0;

	while (i + n < name.len && is(name.p[i + n]))
		n++;
	return n;
}

/* 8-4-4-4-12 hex digits; systemd writes the dashes of a pod's uid as underscores. */
static bool is_uuid(struct vmad_str name, size_t i)
{
	if (name.len - i < UUID_LEN || is_hex(at(name, i + UUID_LEN)))
		return false;
	for (size_t k = 0; k < UUID_LEN; k++) {
		bool dash = k == 8 || k == 13 || k == 18 || k == 23;
		char c = name.p[i + k];

		if (dash ? c != '-' && c != '_' : !is_hex(c))
			return false;
	}
	return true;
}

/* Length of an id in hex: it has a digit, for words do not. */
static size_t hex_id(struct vmad_str name, size_t i)
{
	size_t n = run_of(name, i, is_hex);

	if (n < HEX_ID_MIN || (i && is_hex(name.p[i - 1])))
		return 0;
	for (size_t k = 0; k < n; k++) {
		if (is_digit(name.p[i + k]))
			return n;
	}
	return 0;
}

/* "3.11" is a version: its parts are no numbers of instances. */
static bool is_version(struct vmad_str name, size_t i, size_t n)
{
	return (i >= 2 && name.p[i - 1] == '.' && is_digit(name.p[i - 2])) ||
	       (at(name, i + n) == '.' && is_digit(at(name, i + n + 1)));
}

/* Does a word begin at i? One letter may stand before a number: run-u12, session-c1. */
static bool begins(struct vmad_str name, size_t i, bool transient)
{
	if (!i || !isalnum((unsigned char)name.p[i - 1]))
		return true;
	return transient && islower((unsigned char)name.p[i - 1]) && i >= 2 && !isalnum((unsigned char)name.p[i - 2]);
}

/* Length of a number that counts instances. */
static size_t number(struct vmad_str name, size_t i, bool transient)
{
	size_t n = run_of(name, i, is_digit);

	if (n < (transient ? 1 : NUMBER_MIN) || !begins(name, i, transient) ||
	    isalnum((unsigned char)at(name, i + n)) || is_version(name, i, n))
		return 0;
	return n;
}

static bool ends_with(struct vmad_str name, struct vmad_str end)
{
	return name.len > end.len && !memcmp(name.p + name.len - end.len, end.p, end.len);
}

/* Made at run time, and gone with what runs in it: any number in its name is one of an instance. */
static bool is_transient(struct vmad_str name)
{
	return ends_with(name, VMAD_STR(".scope")) || (name.len > 4 && !memcmp(name.p, "run-", 4));
}

/* "foo@instance.service": where the instance begins and ends. */
static bool find_instance(struct vmad_str name, size_t *ret_begin, size_t *ret_end)
{
	const char *sign = memchr(name.p, '@', name.len), *dot = memrchr(name.p, '.', name.len);

	if (!sign || !dot || dot <= sign + 1)
		return false;
	*ret_begin = (size_t)(sign + 1 - name.p);
	*ret_end = (size_t)(dot - name.p);
	return true;
}

/* A pod's uid without dashes stands right behind "pod", whose last letter looks like one of its digits. */
static bool is_end_of_pod(struct vmad_str name, size_t i)
{
	return i >= 2 && !memcmp(name.p + i - 2, "pod", 3) && hex_id(name, i) > HEX_ID_MIN;
}

static size_t id_length(struct vmad_str name, size_t i, bool transient)
{
	size_t n;

	if (is_uuid(name, i))
		return UUID_LEN;
	if (is_end_of_pod(name, i))
		return 0;
	n = i && is_end_of_pod(name, i - 1) ? run_of(name, i, is_hex) : hex_id(name, i);
	return n ? n : number(name, i, transient);
}

/* Length of a valid UTF-8 sequence (RFC 3629) of two bytes or more, or 0. */
static size_t utf8_sequence(struct vmad_str name, size_t i)
{
	unsigned char c = (unsigned char)name.p[i], second = (unsigned char)at(name, i + 1);
	size_t n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;

	for (size_t k = 1; k < n; k++) {
		if (((unsigned char)at(name, i + k) & 0xc0) != 0x80)
			return 0;
	}
	/* Neither a longer form than needed, nor a surrogate, nor beyond U+10FFFF; nor U+0080 to U+009F, which control. */
	if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
	    (c == 0xf4 && second > 0x8f) || (c == 0xc2 && second < 0xa0))
		return 0;
	return n;
}

/* One character as it is, or `_` where a label had better not hold it. */
static size_t put_character(struct folded *folded, struct vmad_str name, size_t i)
{
	unsigned char c = (unsigned char)name.p[i];
	size_t n = c < 0x80 ? 1 : utf8_sequence(name, i);

	if (n == 1)
		put(folded, c >= 0x20 && c != 0x7f ? (char)c : '_');
	else if (n && folded->len + n < GROUP_NAME_MAX)
		for (size_t k = 0; k < n; k++)
			put(folded, name.p[i + k]);
	else
		put(folded, '_');
	return n ? n : 1;
}

/* A `*` in the place of the last character, all of its bytes. */
static void mark_cut(struct folded *folded)
{
	do
		folded->len--;
	while (folded->len && ((unsigned char)folded->to[folded->len] & 0xc0) == 0x80);
	put(folded, '*');
}

void fold_name(struct vmad_str name, char to[static GROUP_NAME_MAX])
{
	struct folded folded = { .to = to };
	bool transient = is_transient(name);
	size_t begin = name.len, end = name.len;

	find_instance(name, &begin, &end);
	for (size_t i = 0; i < name.len; ) {
		size_t n = id_length(name, i, transient);

		if (i == begin) {
			put(&folded, '*');
			i = end;
		} else if (n) {
			put(&folded, '*');
			i += n;
		} else {
			i += put_character(&folded, name, i);
		}
	}
	if (folded.cut)
		mark_cut(&folded);
	to[folded.len] = '\0';
}
