/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode/prom.h"

#include "encode/json.h"

/* Above, not every integer is a double. */
#define EXACT_MAX 9007199254740992.0

void prom_head(struct buf *to, const char *name, const char *type, const char *help)
{
	BUF_PUT_LITERAL(to, "# HELP ");
	buf_puts(to, name);
	BUF_PUT_LITERAL(to, " ");
	buf_puts(to, help);
	BUF_PUT_LITERAL(to, "\n# TYPE ");
	buf_puts(to, name);
	BUF_PUT_LITERAL(to, " ");
	buf_puts(to, type);
	BUF_PUT_LITERAL(to, "\n");
}

void prom_value(struct buf *to, double value)
{
	char *at = buf_reserve(to, JSON_U64_MAX);

	if (!at)
		return;
	if (value >= 0 && value <= EXACT_MAX && (double)(uint64_t)value == value)
		to->len += (size_t)(json_put_u64(at, (uint64_t)value) - at);
	else
		buf_printf(to, "%.15g", value);
}

void prom_sample(struct buf *to, const char *name, const char *labels, double value)
{
	buf_puts(to, name);
	if (*labels) {
		BUF_PUT_LITERAL(to, "{");
		buf_puts(to, labels);
		BUF_PUT_LITERAL(to, "}");
	}
	BUF_PUT_LITERAL(to, " ");
	prom_value(to, value);
	BUF_PUT_LITERAL(to, "\n");
}

static void put_escaped(struct buf *to, const char *value)
{
	while (*value) {
		size_t plain = strcspn(value, "\\\"\n");

		buf_put(to, value, plain);
		value += plain;
		if (*value == '\n')
			BUF_PUT_LITERAL(to, "\\n");
		else if (*value)
			buf_put(to, (const char[]){ '\\', *value }, 2);
		value += *value != '\0';
	}
}

void prom_label(struct buf *to, const char *name, const char *value)
{
	if (to->len)
		BUF_PUT_LITERAL(to, ",");
	buf_puts(to, name);
	BUF_PUT_LITERAL(to, "=\"");
	put_escaped(to, value);
	BUF_PUT_LITERAL(to, "\"");
}
