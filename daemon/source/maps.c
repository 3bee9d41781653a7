/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/maps.h"

#include <errno.h>

/* Value of each hexadecimal digit plus one; 0: no digit. The kernel prints lower case only, and so do we accept. */
static const unsigned char hex_digit[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* What is left of the line. Each take_...() moves p over what it took, and says whether that was there. */
struct rest {
	const char *p, *end;
};

static inline bool take_hex(struct rest *rest, size_t max_digits, uint64_t *ret)
{
	const char *p = rest->p;
	uint64_t value = 0;
	unsigned char digit;

	while (p < rest->end && (digit = hex_digit[(unsigned char)*p])) {
		value = value << 4 | (digit - 1u);
		p++;
	}
	if (p == rest->p || (size_t)(p - rest->p) > max_digits)
		return false;
	rest->p = p;
	*ret = value;
	return true;
}

static inline bool take_decimal(struct rest *rest, uint64_t *ret)
{
	const char *p = rest->p;
	uint64_t value = 0;

	for (; p < rest->end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
			return false;
	if (p == rest->p)
		return false;
	rest->p = p;
	*ret = value;
	return true;
}

static inline bool take_char(struct rest *rest, char c)
{
	if (rest->p == rest->end || *rest->p != c)
		return false;
	rest->p++;
	return true;
}

static inline bool take_perms(struct rest *rest, char perms[4])
{
	const char *p = rest->p;

	if (rest->end - p < 4)
		return false;
	if ((p[0] != 'r' && p[0] != '-') || (p[1] != 'w' && p[1] != '-') || (p[2] != 'x' && p[2] != '-') ||
	    (p[3] != 'p' && p[3] != 's'))
		return false;
	for (int i = 0; i < 4; i++)
		perms[i] = p[i];
	rest->p += 4;
	return true;
}

/*
 * Two hexadecimal numbers of at least two digits, often three (nvme, overlay) and at most eight: 20 bits minor, 12 bits
 * major.
 */
static inline bool take_device(struct rest *rest, uint64_t *ret_device)
{
	uint64_t major, minor;

	if (!take_hex(rest, 8, &major) || !take_char(rest, ':') || !take_hex(rest, 8, &minor))
		return false;
	*ret_device = major << 32 | minor;
	return true;
}

/*
 * The rest of the line behind the blanks that pad it to a column. Everything in it is name: blanks, backslashes and
 * " (deleted)" too, which a file may really be called.
 */
static inline bool take_name(struct rest *rest, struct vmad_str *ret_name)
{
	if (rest->p < rest->end && *rest->p != ' ')
		return false;
	while (rest->p < rest->end && *rest->p == ' ')
		rest->p++;
	*ret_name = (struct vmad_str){ rest->p, (size_t)(rest->end - rest->p) };
	return true;
}

int maps_parse_line(const char *line, size_t len, struct maps_entry *entry)
{
	struct rest rest = { line, line + len };
	struct maps_entry found;

	if (len && line[len - 1] == '\n')
		rest.end--;
	if (take_hex(&rest, 16, &found.start) && take_char(&rest, '-') &&
	    take_hex(&rest, 16, &found.end) && take_char(&rest, ' ') &&
	    take_perms(&rest, found.perms) && take_char(&rest, ' ') &&
	    take_hex(&rest, 16, &found.offset_bytes) && take_char(&rest, ' ') &&
	    take_device(&rest, &found.device) && take_char(&rest, ' ') &&
	    take_decimal(&rest, &found.inode) && take_name(&rest, &found.name) &&
	    found.start <= found.end) {
		*entry = found;
		return 0;
	}
	return -EINVAL;
}
