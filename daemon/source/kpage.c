/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kpage.h"

#include <stdio.h>

static const char *const names_of_bits[64] = {
#define KPAGEFLAG(bit, id, name, help) [bit] = name,
#include "vmad/kpageflags.def"
#undef KPAGEFLAG
};

size_t kpage_flag_names(uint64_t flags, char names[static KPAGE_NAMES_MAX])
{
	size_t len = 0;

	for (unsigned bit = 0; bit < 64 && len + 16 < KPAGE_NAMES_MAX; bit++) {
		if (!(flags >> bit & 1))
			continue;
		if (names_of_bits[bit])
			len += (size_t)sprintf(names + len, "%s%s", len ? " " : "", names_of_bits[bit]);
		else
			len += (size_t)sprintf(names + len, "%sbit-%u", len ? " " : "", bit);
	}
	names[len] = '\0';
	return len;
}
