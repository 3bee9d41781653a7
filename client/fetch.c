/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "signals.h"
#include "transport.h"

struct pump {
	struct reader *reader;
	const char *file;	/* that is read; NULL: vmad is asked */
	bool copy;
};

/* What is wrong with a saved answer is said of its file. */
static int judge(const struct pump *pump, int code, struct trouble *trouble)
{
	struct trouble said = *trouble;

	if (code != EXIT_FAILED || !pump->file)
		return code;
	return trouble_set(trouble, code, "%s: %s", pump->file, said.message);
}

static int on_bytes(void *arg, const char *p, size_t len, struct trouble *trouble)
{
	struct pump *pump = arg;
	int code = EXIT_DONE;

	if (pump->copy)
		code = output_write(p, len, trouble);
	return code == EXIT_DONE ? judge(pump, reader_feed(pump->reader, p, len, trouble), trouble) : code;
}

/* A saved document is printed as it is, so it has to be what was asked for. */
static int check_form(struct session *s, const char *file, const char *p, size_t len)
{
	bool is_ndjson = len > 9 && strncmp(p, "{\"begin\":", 9) == 0;

	if (s->options.form == OUTPUT_NDJSON && !is_ndjson)
		return trouble_set(&s->trouble, EXIT_USAGE, "%s was saved with --json: it cannot be printed as NDJSON",
				   file);
	if (s->options.form == OUTPUT_JSON && is_ndjson)
		return trouble_set(&s->trouble, EXIT_USAGE,
				   "%s was saved with --ndjson: it cannot be printed as one document", file);
	return EXIT_DONE;
}

static int read_all(struct session *s, int fd, const char *file, struct pump *pump)
{
	char buffer[65536];
	ssize_t len;
	bool first = true;
	int code = EXIT_DONE;

	while (code == EXIT_DONE && (len = read(fd, buffer, sizeof(buffer))) != 0) {
		if (len < 0 && signals_caught())
			return EXIT_INTERRUPTED;
		if (len < 0)
			return trouble_set(&s->trouble, EXIT_FAILED, "%s: %s", file, strerror(errno));
		if (first)
			code = check_form(s, file, buffer, len);
		first = false;
		if (code == EXIT_DONE)
			code = on_bytes(pump, buffer, len, &s->trouble);
	}
	return code;
}

static int read_file(struct session *s, const char *file, struct pump *pump)
{
	int fd, code;

	if (strcmp(file, "-") == 0)
		return read_all(s, STDIN_FILENO, "standard input", pump);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return trouble_set(&s->trouble, errno == ENOENT ? EXIT_MISSING : EXIT_FAILED, "%s: %s", file,
				   strerror(errno));
	code = read_all(s, fd, file, pump);
	close(fd);
	return code;
}

static int read_live(struct session *s, const struct question *question, struct pump *pump)
{
	/* a list that is shown is taken line by line */
	bool ndjson = s->options.form == OUTPUT_NDJSON || (s->options.form != OUTPUT_JSON && !question->single);
	int code = session_connect(s);

	if (code != EXIT_DONE)
		return code;
	return (question->post ? transport_post : transport_get)(s->transport, question->path, ndjson,
								 question->subject, on_bytes, pump, &s->trouble);
}

static int fetch(struct session *s, const struct question *question, struct pump *pump, struct answer *ret_answer)
{
	const json_t *envelope;
	bool whole;
	int code;

	pump->file = question->file;
	code = question->file ? read_file(s, question->file, pump) : read_live(s, question, pump);
	if (code != EXIT_DONE && code != EXIT_PARTIAL)
		return code;
	code = judge(pump, reader_finish(pump->reader, &s->trouble), &s->trouble);
	if (code != EXIT_DONE)
		return code;
	whole = reader_whole(pump->reader);
	envelope = reader_envelope(pump->reader);
	if (!whole && json_object_size(envelope) == 0 && reader_count(pump->reader) == 0)
		return trouble_set(&s->trouble, EXIT_FAILED, "%s: the answer was cut off before it said anything",
				   question->file ? question->file : question->subject ? question->subject : "vmad");
	verdict_read(&ret_answer->verdict, envelope, whole, s->options.limit != 0);
	ret_answer->envelope = json_deep_copy(envelope);
	return ret_answer->envelope ? EXIT_DONE : trouble_oom(&s->trouble);
}

void answer_free(struct answer *answer)
{
	json_decref(answer->envelope);
	answer->envelope = NULL;
}

int fetch_records(struct session *s, const struct question *question, reader_record *fn, void *arg,
		  struct answer *ret_answer)
{
	struct pump pump = { .reader = reader_new(fn, arg) };
	int code = pump.reader ? fetch(s, question, &pump, ret_answer) : trouble_oom(&s->trouble);

	reader_free(pump.reader);
	return code;
}

int fetch_copy(struct session *s, const struct question *question)
{
	struct pump pump = { .reader = reader_new(NULL, NULL), .copy = true };
	struct answer answer = { 0 };
	int code = pump.reader ? fetch(s, question, &pump, &answer) : trouble_oom(&s->trouble);

	if (code == EXIT_DONE)
		code = verdict_exit(&answer.verdict, question->subject ? question->subject : "the answer", &s->trouble);
	answer_free(&answer);
	reader_free(pump.reader);
	return code;
}
