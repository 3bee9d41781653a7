/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmactl web: the address of the page, with a token for the identity of who asks. It is printed, and no browser is
 * started with it: what stands on a command line can be read by everybody on the host.
 */
#include <inttypes.h>
#include <unistd.h>

#include "fetch.h"
#include "number.h"
#include "output.h"
#include "verbs.h"

static void print_warning(uint64_t seconds, uint64_t uid)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "vmactl: for a browser on this host; whoever has this address is uid %" PRIu64
			" to vmad for %" PRIu64 " hours\n", uid, seconds / 3600);
}

static int print(struct session *s, const json_t *granted)
{
	const char *page = json_string_value(json_object_get(granted, "page"));
	const char *token = json_string_value(json_object_get(granted, "token"));
	int code;

	if (!token)
		return trouble_set(&s->trouble, EXIT_FAILED, "web: the answer holds no token");
	if (!page) {
		trouble_set(&s->trouble, EXIT_FAILED, "web: this vmad listens on no TCP port, where a browser could ask");
		trouble_mend(&s->trouble, "start it with --listen tcp:127.0.0.1:8623 too");
		return EXIT_FAILED;
	}
	fprintf(output(), "%s#token=%s\n", page, token);
	code = output_flush(&s->trouble);
	if (code == EXIT_DONE)
		print_warning(number_value(json_object_get(granted, "expires_in_seconds")),
			      number_value(json_object_get(granted, "uid")));
	return code;
}

int verb_web(struct session *s, int argc, char **argv)
{
	const struct question question = { .path = route_path(ROUTE_tokens), .single = true, .post = true,
					   .subject = "a token" };
	struct answer answer = { 0 };
	int code;

	if (argc)
		return trouble_set(&s->trouble, EXIT_USAGE, "web: '%s': it takes no argument", argv[0]);
	if (s->options.columns || s->options.sort || s->options.form == OUTPUT_RAW)
		return trouble_set(&s->trouble, EXIT_USAGE, "web prints no table: -o, -r and --sort have no meaning here");
	if (s->options.watch)
		return trouble_set(&s->trouble, EXIT_USAGE, "web: --watch would make a token each time");
	if (s->options.local)
		return trouble_set(&s->trouble, EXIT_USAGE, "web: --local ends with this command, and no page is left");
	if (session_copies(s))
		return fetch_copy(s, &question);
	code = fetch_records(s, &question, NULL, NULL, &answer);
	if (code == EXIT_DONE)
		code = print(s, answer.envelope);
	answer_free(&answer);
	return code;
}
