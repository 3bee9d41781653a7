/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trouble.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

int trouble_set(struct trouble *trouble, enum exit_code code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(trouble->message, sizeof(trouble->message), format, ap);
	va_end(ap);
	trouble->mend[0] = '\0';
	trouble->code = code;
	return code;
}

int trouble_oom(struct trouble *trouble)
{
	return trouble_set(trouble, EXIT_FAILED, "out of memory");
}

void trouble_mend(struct trouble *trouble, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(trouble->mend, sizeof(trouble->mend), format, ap);
	va_end(ap);
}

/* What is said may quote a process's name or a file's: it passes through the same sieve as the tables. */
static void say(const char *prefix, const char *text)
{
	char *safe = escape_text(text, strlen(text));

	fprintf(stderr, "%s%s\n", prefix, safe ? safe : "out of memory");
	free(safe);
}

void trouble_print(const struct trouble *trouble)
{
	say("vmactl: ", trouble->message);
	if (trouble->mend[0])
		say("  mend: ", trouble->mend);
}

void trouble_note(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	say("vmactl: ", text);
}
