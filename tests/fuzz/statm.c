/* SPDX-License-Identifier: GPL-2.0-or-later */
/* statm_parse(): what it takes begins with what its numbers are printed as, but for zeros in front; what it refuses does not begin so. */
#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "source/statm.h"

/* Digits up to one of `ends`, at most 19. */
static bool is_number(const char *text, const char *ends)
{
	size_t len = strspn(text, "0123456789");

	return len && len <= 19 && text[len] && strchr(ends, text[len]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct statm statm = { 7, 8 };
	char *text = malloc(size + 1), *second;
	int r = statm_parse((const char *)data, size, &statm);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	second = strchr(text, ' ');
	MUST(r == (is_number(text, " ") && second && is_number(second + 1, " \n") ? 0 : -EINVAL));
	MUST(statm.size_pages == (r < 0 ? 7 : strtoull(text, NULL, 10)));
	MUST(statm.resident_pages == (r < 0 ? 8 : strtoull(second, NULL, 10)));
	free(text);
	return 0;
}
