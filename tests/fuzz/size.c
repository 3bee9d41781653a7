/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * size_parse() of vmactl, held against digit after digit in 128 bits; and size_human(), which is right to half of its last digit and is a size
 * again where it has none behind the point. The first eight bytes are such a number, too.
 */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "size.h"

/* To the power of 1024, or -1. */
static int unit(const char *text)
{
	static const char *const units[][3] = {
		{ "", "", "" }, { "K", "KB", "KiB" }, { "M", "MB", "MiB" }, { "G", "GB", "GiB" }, { "T", "TB", "TiB" },
	};

	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 3; k++)
			if (!strcasecmp(units[i][k], text))
				return i;
	return -1;
}

static int slowly(const char *text, uint64_t *ret)
{
	const unsigned __int128 most = (unsigned __int128)1 << 100;
	unsigned base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	const char *p = base == 16 ? text + 2 : text, *begin = p;
	unsigned __int128 n = 0;
	int power;

	for (; base == 16 ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p); p++)
		if (n < most)
			n = n * base + (unsigned)(isdigit((unsigned char)*p) ? *p - '0' : (*p | 0x20) - 'a' + 10);
	power = unit(p);
	if (p == begin || power < 0)
		return -EINVAL;
	if (n > UINT64_MAX || n << (10 * power) > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)(n << (10 * power));
	return 0;
}

static void check_human(uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	char text[SIZE_HUMAN_MAX], *rest;
	long double shown, one, off;
	uint64_t again;

	size_human(bytes, text);
	shown = strtold(text, &rest);
	MUST(shown < 1024 && *rest && strchr(units, *rest) && !rest[1]);
	one = (long double)(UINT64_C(1) << (10 * (strchr(units, *rest) - units)));
	off = shown * one - (long double)bytes;
	MUST((off < 0 ? -off : off) <= one / 20 * 1.000001L);	/* tenths are no binary fractions */
	MUST(one > 1 || off == 0);
	if (!strchr(text, '.') && !strchr("BPE", *rest))
		MUST(size_parse(text, &again) == 0 && (long double)again == shown * one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t bytes = 7, expected = 7, any = 0;
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	MUST(size_parse(text, &bytes) == slowly(text, &expected));
	MUST(bytes == expected);
	memcpy(&any, data, size < sizeof(any) ? size : sizeof(any));
	check_human(bytes);
	check_human(any);
	free(text);
	return 0;
}
