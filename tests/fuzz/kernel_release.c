/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_release_parse(): the same two numbers when they are written anew, and those that sscanf() reads where nothing but digits is before them. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "source/kernel_release.h"

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_release release = { 7, 8 }, again = { 9, 9 };
	char *text = malloc(size + 1), written[32];
	unsigned major = 7, minor = 8;
	size_t n;
	int r;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	r = kernel_release_parse(text, &release);
	n = digits(text);
	if (n && n <= 9 && text[n] == '.' && digits(text + n + 1) && digits(text + n + 1) <= 9)
		MUST(r == 0 && sscanf(text, "%u.%u", &major, &minor) == 2);
	else
		MUST(r == -EINVAL);
	MUST(release.major == major && release.minor == minor);
	snprintf(written, sizeof(written), "%u.%u-rc1", release.major, release.minor);
	MUST(kernel_release_parse(written, &again) == 0 && again.major == major && again.minor == minor);
	free(text);
	return 0;
}
