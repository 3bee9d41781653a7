/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_inode_parse(), held against a regular expression. */
#include "fuzz.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "device_inode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static regex_t regex;
	static int compiled;
	regmatch_t match[2];
	size_t device_len = 77;
	char *word = malloc(size + 1);
	int r;

	if (!compiled)
		MUST(regcomp(&regex, "^([0-9a-f]+:[0-9a-f]+):[0-9]+$", REG_EXTENDED) == 0);
	compiled = 1;
	MUST(word);
	memcpy(word, data, size);
	word[size] = '\0';
	r = device_inode_parse(word, &device_len);
	MUST(r == (regexec(&regex, word, 2, match, 0) == 0 ? 0 : -EINVAL));
	MUST(device_len == (r == 0 ? (size_t)match[1].rm_eo : 77));
	free(word);
	return 0;
}
