/* SPDX-License-Identifier: GPL-2.0-or-later */
/* param_parse(): the first byte chooses the parameter, the rest is what was written for it. */
#include "fuzz.h"

#include <string.h>

#include "http/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct param_value value = { .number = 42, .address = 43 };
	char *text = size ? malloc(size) : NULL;
	enum param_id id;

	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	id = (enum param_id)(PARAM_none + 1 + data[0] % (PARAMS - 1));
	if (param_parse(id, text, &value) < 0)
		MUST(!value.given && value.number == 42 && value.address == 43 && !value.text);
	else
		MUST(value.given && value.text == text);
	if (params[id].type == PARAM_TYPE_FILE && value.given)
		MUST(text[0] == '/' && strlen(text) < 4096);
	free(text);
	return 0;
}
