/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict.h"

#include <stdio.h>
#include <string.h>

#include "number.h"

/* Words for the reasons of fields.def; another one speaks for itself. */
static const struct { const char *reason, *words; } reasons[] = {
	{ "limit", "there are more" },
	{ "target-gone", "the process ended, or ran another program, while it was read" },
	{ "busy", "vmad was too busy to go on" },
	{ "deadline", "it took too long" },
	{ "failed", "vmad failed on the way" },
	{ "cut", "the answer was cut off" },
	{ "module-failed", "the helper module failed on the way" },
	/* of a reverse look-up */
	{ "not-present", "no page is present at that address" },
	{ "unreached", "mappings are missing that were found nowhere" },
	{ "unreadable-process", "something may be missing: a process could not be looked into" },
	{ "unstable", "its mappings changed all the while" },
	{ "too-many", "it is mapped more often than vmad follows" },
	{ "zero-page", "nobody counts the mappings of the page of zeros" },
	{ "not-counted", "nobody counts the mappings of this page" },
	{ "average-mapcount", "this kernel counts a large folio's mappings as an average only" },
	{ "hugetlb-shared-tables", "processes share the page tables of hugetlb, which counts once" },
	{ "memory-ceiling", "it takes more memory than vmad allows itself" },
	{ "pid-namespace", "vmad does not see the processes outside of its pid namespace" },
	{ "no-kcmp", "this kernel does not tell which processes share an address space" },
};

static void copy_string(char *out, size_t size, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(out, size, "%s", text ? text : "");
}

void verdict_read(struct verdict *v, const json_t *envelope, bool whole, bool asked_limit)
{
	const json_t *complete = json_object_get(envelope, "complete");
	const json_t *age = json_object_get(envelope, "age_ms");

	*v = (struct verdict){ .whole = whole, .age_ms = age ? (long long)number_value(age) : -1 };
	v->complete = whole && (!complete || json_is_true(complete));
	copy_string(v->reason, sizeof(v->reason), envelope, "reason");
	copy_string(v->source, sizeof(v->source), envelope, json_object_get(envelope, "method") ? "method" : "source");
	copy_string(v->detail, sizeof(v->detail), json_object_get(envelope, "problem"), "detail");
	if (!whole)
		strcpy(v->reason, "cut");
	v->limited = !v->complete && asked_limit && strcmp(v->reason, "limit") == 0;
}

static const char *words(const struct verdict *v)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strcmp(reasons[i].reason, v->reason) == 0)
			return reasons[i].words;
	return v->reason[0] ? v->reason : "vmad does not say why";
}

int verdict_say(const struct verdict *v, struct text *out)
{
	const char *separator = " (";
	int r;

	if (v->complete)
		r = text_printf(out, "complete");
	else if (v->limited)
		r = text_printf(out, "the first ones only");
	else
		r = text_printf(out, "%sincomplete: %s", v->cut ? "the first ones only, and " : "", words(v));
	if (v->limited || v->cut) {
		r |= text_printf(out, "%s--limit", separator);
		separator = ", ";
	}
	if (v->source[0]) {
		r |= text_printf(out, "%s%s", separator, v->source);
		separator = ", ";
	}
	if (v->age_ms > 0) {
		r |= text_printf(out, "%s%lld ms ago", separator, v->age_ms);
		separator = ", ";
	}
	return separator[0] == ',' ? r | text_append(out, ")", 1) : r;
}

int verdict_exit(const struct verdict *v, const char *subject, struct trouble *trouble)
{
	if (v->complete || v->limited)
		return EXIT_DONE;
	return trouble_set(trouble, EXIT_PARTIAL, "%s: answered in part: %s%s%s", subject, words(v),
			   v->detail[0] ? ": " : "", v->detail);
}
