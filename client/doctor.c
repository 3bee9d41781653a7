/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl doctor: what works here, what does not, why, and what to do. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "list.h"
#include "number.h"
#include "output.h"
#include "query.h"
#include "verbs.h"

enum { NAME_WIDTH = 25 };

/* What vmad says of itself, in the order of what a person wants to know. */
static const struct { const char *label, *format[4], *members[4]; } facts[] = {
	{ "kernel", { "%s", " %s", ", pages of %s bytes" }, { "kernel", "machine", "page_size_bytes" } },
	{ "you are", { "uid %s", ", gid %s", " (%s)", ", through the %s listener" },
	  { "caller_uid", "caller_gid", "caller_class", "listener" } },
	{ "vmad reads", { "%s", " as uid %s" }, { "procfs", "daemon_uid" } },
};

struct doctor {
	struct session *session;
	struct cell_style style;
	bool facts_printed;
};

static char *text_of(const json_t *object, const char *name, const struct cell_style *style)
{
	const json_t *value = json_object_get(object, name);
	char *text = NULL;

	if (!json_is_number(value))
		return cell_string(object, name, style);
	return asprintf(&text, "%" PRIu64, number_value(value)) < 0 ? NULL : text;
}

static void print_facts(struct doctor *doctor, const json_t *head)
{
	FILE *out = output();

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		fprintf(out, "%-*s ", NAME_WIDTH, facts[i].label);
		for (size_t k = 0; k < 4 && facts[i].members[k]; k++) {
			char *text = text_of(head, facts[i].members[k], &doctor->style);
			const char *rest = strstr(facts[i].format[k], "%s");

			if (text)
				fprintf(out, "%.*s%s%s", (int)(rest - facts[i].format[k]), facts[i].format[k], text,
					rest + 2);
			free(text);
		}
		fputc('\n', out);
	}
	doctor->facts_printed = true;
}

/* "hidepid                   0     all processes are listed"; what would mend it stands below. */
static int on_capability(void *arg, const json_t *record, const json_t *head)
{
	struct doctor *doctor = arg;
	char *name = cell_string(record, "name", &doctor->style), *value = cell_string(record, "value", &doctor->style);
	char *why = cell_string(record, "why", &doctor->style), *mend = cell_string(record, "mend", &doctor->style);
	const char *state = json_is_true(json_object_get(record, "available")) ? "yes" : "no";
	const char *colour = colour_wanted() ? colour_of_record(record) : NULL;
	FILE *out = output();

	if (!doctor->facts_printed)
		print_facts(doctor, head);
	fprintf(out, "%-*s %s%-5s%s %s\n", NAME_WIDTH, name ? name : "?", colour ? colour : "",
		value ? value : state, colour ? "\033[m" : "", why ? why : "");
	if (mend)
		fprintf(out, "%-*s       mend: %s\n", NAME_WIDTH, "", mend);
	free(name);
	free(value);
	free(why);
	free(mend);
	return EXIT_DONE;
}

/* There is nobody to ask: what a person can do about that. The trouble itself is said as always. */
static void print_no_daemon(void)
{
	FILE *out = output();

	static const char *const ways[] = {
		"start it: systemctl start vmad; without systemd: vmad, in another terminal",
		"it runs elsewhere: --socket PATH or --url URL (VMACTL_SOCKET, VMACTL_URL)",
		"no daemon at all: vmactl --local doctor",
	};

	fprintf(out, "%-*s %-5s nobody answers: see below for what was tried\n", NAME_WIDTH, "vmad", "no");
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		fprintf(out, "%-*s       %s\n", NAME_WIDTH, "", ways[i]);
}

static int explain(struct session *s, const struct question *question)
{
	struct doctor doctor = { s, { .bytes = true }, false };
	struct answer answer = { 0 };
	int code = fetch_records(s, question, on_capability, &doctor, &answer);

	if (code == EXIT_UNREACHABLE)
		print_no_daemon();
	if (code == EXIT_DONE && !doctor.facts_printed)
		print_facts(&doctor, answer.envelope);
	if (code == EXIT_DONE)
		code = verdict_exit(&answer.verdict, "doctor", &s->trouble);
	answer_free(&answer);
	return code;
}

int verb_doctor(struct session *s, int argc, char **argv)
{
	struct list list = { .noun = "capability", .plural = "capabilities" };
	bool table = s->options.columns || s->options.form != OUTPUT_TABLE;
	int code;

	if (list_help(s, ROUTE_capabilities))
		return EXIT_DONE;
	if (argc > 1)
		return trouble_set(&s->trouble, EXIT_USAGE, "doctor: '%s': it takes at most one saved document", argv[1]);
	code = list_columns(s, ROUTE_capabilities, "name,available,value,why,mend", &list);
	if (code != EXIT_DONE)
		return code;
	list.question = (struct question){ .path = route_path(ROUTE_capabilities), .file = argc ? argv[0] : NULL };
	return table ? list_show(s, &list) : explain(s, &list.question);
}
