/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys of smaps that nobody knows, all the way: smaps_parse_keys() and record_put_unknown(). Each is one member with a plain name for jansson. */
#include "fuzz.h"

#include <jansson.h>
#include <string.h>

#include "encode/record.h"
#include "source/smaps.h"

#define NAME "abcdefghijklmnopqrstuvwxyz0123456789_"

static void check_value(const json_t *value, const char *name, struct vmad_str text)
{
	bool kib = text.len > 3 && !memcmp(text.p + text.len - 3, " kB", 3);
	const char *end = name + strlen(name);

	MUST(json_is_string(value) || json_is_number(value));
	if (json_is_integer(value) && kib)
		MUST(end - name > 6 && !memcmp(end - 6, "_bytes", 6) && json_integer_value(value) % 1024 == 0);
	else if (json_is_integer(value))
		MUST((uint64_t)json_integer_value(value) == strtoull(text.p, NULL, 10));
}

static void check_unknown(void *arg, struct vmad_str key, struct vmad_str value)
{
	struct buf object = { 0 };
	json_error_t error;
	json_t *found;
	void *member;

	(void)arg;
	BUF_PUT_LITERAL(&object, "{");
	record_put_unknown(&object, key, value);
	record_close(&object);
	MUST(!object.failed);
	found = json_loadb(object.p, object.len, JSON_ALLOW_NUL, &error);
	if (!found && json_error_code(&error) == json_error_numeric_overflow)	/* jansson's integers end at 63 bits */
		found = json_loadb(object.p, object.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	MUST(json_object_size(found) == 1);
	member = json_object_iter(found);
	MUST(strspn(json_object_iter_key(member), NAME) == strlen(json_object_iter_key(member)));
	check_value(json_object_iter_value(member), json_object_iter_key(member), value);
	json_decref(found);
	buf_free(&object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);	/* a NUL behind it, for strtoull() */
	struct vmad_usage usage;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	smaps_parse_keys(text, size, &usage, check_unknown, NULL);
	free(text);
	return 0;
}
