/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lookup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "fetch.h"
#include "number.h"
#include "query.h"

uint64_t lookup_member(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));
	uint64_t address = 0;

	if (text && address_parse_hex(text, &address))
		return 0;
	return address;
}

static bool holds(const json_t *area, uint64_t address)
{
	return area && lookup_member(area, "start") <= address && address < lookup_member(area, "end");
}

int lookup_path(const struct place *place, uint64_t address, struct text *path)
{
	int r = place_query(place, ROUTE_page, address, path);

	query_end(path);
	return r;
}

int lookup_usage_path(const struct place *place, uint64_t address, struct text *path)
{
	int r = place_query(place, ROUTE_vmas, 0, path) | query_add(path, "detail", "usage") |
		text_printf(path, "&start=0x%" PRIx64, address);

	if (address != UINT64_MAX)
		r |= text_printf(path, "&end=0x%" PRIx64, address + 1);
	query_end(path);
	return r;
}

/* FILE+OFFSET: the search. Where the offset is mapped more than once, code wins: that is what backtraces are about. */
struct search {
	const struct address *address;
	bool file_seen, found, executable;
	uint64_t result;
	unsigned int times;
};

/* The whole path, or its last part. */
static bool is_file(const struct address *address, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *base = slash ? slash + 1 : path;

	if (!path)
		return false;
	return (strlen(path) == address->file_len && strncmp(path, address->file, address->file_len) == 0) ||
	       (strlen(base) == address->file_len && strncmp(base, address->file, address->file_len) == 0);
}

static int on_candidate(void *arg, const json_t *record, const json_t *head)
{
	struct search *search = arg;
	const char *path = json_string_value(json_object_get(record, "path"));
	const char *name = json_string_value(json_object_get(record, "name"));
	const char *perms = json_string_value(json_object_get(record, "perms"));
	/* an area without a file, such as [vdso], is counted from its start */
	uint64_t from = path ? number_member(record, "offset_bytes") : 0;
	uint64_t start = lookup_member(record, "start"), size = lookup_member(record, "end") - start;
	uint64_t offset = search->address->offset;
	bool executable = perms && strchr(perms, 'x');

	(void)head;
	if (!is_file(search->address, path ? path : name))
		return EXIT_DONE;
	search->file_seen = true;
	if (offset < from || offset - from >= size)
		return EXIT_DONE;
	search->times++;
	if (!search->found || (executable && !search->executable)) {
		search->result = start + (offset - from);
		search->executable = executable;
	}
	search->found = true;
	return EXIT_DONE;
}

/* The file's name as a pattern that vmad takes: the path ends with it. */
static int search_path(const struct place *place, const struct address *address, struct text *path)
{
	struct text pattern = { 0 };
	int r = text_append(&pattern, "*", 1);

	for (size_t i = 0; i < address->file_len; i++) {
		if (strchr("*?[\\", address->file[i]))
			r |= text_append(&pattern, "\\", 1);
		r |= text_append(&pattern, address->file + i, 1);
	}
	r |= place_query(place, ROUTE_vmas, 0, path);
	if (r == 0)
		r = query_add(path, "path", pattern.p);
	query_end(path);
	text_free(&pattern);
	return r;
}

static int search_file(struct session *s, const struct place *place, struct search *search)
{
	struct question question = { .file = place->file, .subject = place->subject };
	struct options options = s->options;
	struct answer answer = { 0 };
	struct text path = { 0 };
	int code = EXIT_DONE;

	if (!place->file && search_path(place, search->address, &path))
		code = trouble_oom(&s->trouble);
	question.path = path.p;
	s->options.form = OUTPUT_TABLE;	/* this question is ours, not the person's */
	s->options.limit = 0;
	if (code == EXIT_DONE)
		code = fetch_records(s, &question, on_candidate, search, &answer);
	s->options = options;
	answer_free(&answer);
	text_free(&path);
	return code;
}

/* Who writes START+SIZE for one address may mean the sum: an answer for the start would be one to another question. */
static int refuse_size(struct session *s, const struct address *address)
{
	trouble_set(&s->trouble, EXIT_USAGE, "one address is wanted, and START+SIZE is a range");
	trouble_mend(&s->trouble, "write the sum: 0x%" PRIx64 ", where SIZE was decimal or began with 0x", address->end);
	return EXIT_USAGE;
}

int lookup_address(struct session *s, const struct place *place, const struct address *address, uint64_t *ret)
{
	struct search search = { .address = address };
	int code;

	if (address->form == ADDRESS_RANGE && address->sized)
		return refuse_size(s, address);
	if (address->form != ADDRESS_FILE) {
		*ret = address->start;
		return EXIT_DONE;
	}
	code = search_file(s, place, &search);
	if (code != EXIT_DONE)
		return code;
	if (!search.found)
		return trouble_set(&s->trouble, EXIT_MISSING, search.file_seen ?
				   "%s: %.*s is mapped, but not its offset 0x%" PRIx64 :
				   "%s: %.*s is not mapped (asked for its offset 0x%" PRIx64 ")",
				   place->subject, (int)address->file_len, address->file, address->offset);
	if (search.times > 1)
		trouble_note("%s: %.*s+0x%" PRIx64 " is mapped %u times; this is the %s one", place->subject,
			     (int)address->file_len, address->file, address->offset, search.times,
			     search.executable ? "executable" : "first");
	*ret = search.result;
	return EXIT_DONE;
}

/* A saved list: the VMA, or the gap, and its neighbours. */
struct neighbours {
	uint64_t address;
	json_t *vma, *previous, *next;
};

static void keep(json_t **place, const json_t *record)
{
	json_decref(*place);
	*place = json_deep_copy(record);
}

static int on_vma(void *arg, const json_t *record, const json_t *head)
{
	struct neighbours *n = arg;

	(void)head;
	if (holds(record, n->address))
		keep(&n->vma, record);
	else if (lookup_member(record, "end") <= n->address)
		keep(&n->previous, record);
	else if (!n->next)
		keep(&n->next, record);
	return EXIT_DONE;
}

static void set_address(json_t *object, const char *name, uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_object_set_new(object, name, json_string(text));
}

/* The members that depend on the address alone. */
static void set_position(json_t *object, uint64_t address)
{
	const json_t *vma = json_object_get(object, "vma"), *offset = json_object_get(vma, "offset_bytes");

	set_address(object, "address", address);
	if (json_object_get(vma, "path") && offset)
		json_object_set_new(object, "file_offset_bytes",
				    json_integer((json_int_t)(number_value(offset) + address -
								lookup_member(vma, "start"))));
}

static void set_gap(json_t *object, const struct neighbours *n)
{
	json_t *gap = json_object();
	uint64_t start = n->previous ? lookup_member(n->previous, "end") : 0;
	uint64_t end = lookup_member(n->next, "start");

	set_address(gap, "start", start);
	set_address(gap, "end", end);
	json_object_set_new(gap, "size_bytes", json_integer((json_int_t)(end - start)));
	json_object_set_new(object, "gap", gap);
}

static json_t *from_neighbours(const struct neighbours *n, const json_t *envelope)
{
	static const char *const copied[] = { "pid", "start_time_ticks", "comm", "source" };
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		if (json_object_get(envelope, copied[i]))
			json_object_set(object, copied[i], json_object_get(envelope, copied[i]));
	if (n->vma)
		json_object_set(object, "vma", n->vma);
	else if (n->next)
		set_gap(object, n);
	if (n->previous)
		json_object_set(object, "previous", n->previous);
	if (n->next)
		json_object_set(object, "next", n->next);
	set_position(object, n->address);
	return object;
}

/* A saved look-up tells of one page; of another one in the same VMA it says nothing. */
static void forget_other_page(json_t *object, uint64_t address)
{
	static const char *const of_page[] = { "page_start", "state", "flags", "file_offset_is", "swap", "frame", "missing" };
	uint64_t start = lookup_member(object, "page_start");

	if (address - start < number_member(object, "page_size_bytes"))
		return;
	for (size_t i = 0; i < sizeof(of_page) / sizeof(*of_page); i++)
		json_object_del(object, of_page[i]);
}

/* What the document is decides: a list of one process's VMAs, or an earlier look-up. */
static int from_document(struct session *s, const struct place *place, const struct neighbours *n,
			 const struct answer *answer, json_t **ret)
{
	const json_t *envelope = answer->envelope;

	if (!json_object_get(envelope, "pid"))
		return trouble_set(&s->trouble, EXIT_USAGE, "%s does not hold the VMAs of one process", place->file);
	if (!json_object_get(envelope, "address")) {
		*ret = from_neighbours(n, envelope);
		return verdict_exit(&answer->verdict, place->file, &s->trouble);
	}
	if (!holds(json_object_get(envelope, "vma"), n->address) && !holds(json_object_get(envelope, "gap"), n->address))
		return trouble_set(&s->trouble, EXIT_MISSING, "%s: it is about another address: %s", place->file,
				   json_string_value(json_object_get(envelope, "address")));
	*ret = json_deep_copy(envelope);
	set_position(*ret, n->address);
	forget_other_page(*ret, n->address);
	return EXIT_DONE;
}

static int lookup_saved(struct session *s, const struct place *place, uint64_t address, json_t **ret)
{
	struct question question = { .file = place->file, .subject = place->subject };
	struct neighbours n = { .address = address };
	struct answer answer = { 0 };
	int code = fetch_records(s, &question, on_vma, &n, &answer);

	if (code == EXIT_DONE)
		code = from_document(s, place, &n, &answer, ret);
	answer_free(&answer);
	json_decref(n.vma);
	json_decref(n.previous);
	json_decref(n.next);
	return code;
}

static int lookup_live(struct session *s, const struct place *place, uint64_t address, json_t **ret)
{
	struct question question = { .subject = place->subject, .single = true };
	struct answer answer = { 0 };
	struct text path = { 0 };
	int code = lookup_path(place, address, &path) ? trouble_oom(&s->trouble) : EXIT_DONE;

	question.path = path.p;
	if (code == EXIT_DONE)
		code = fetch_records(s, &question, NULL, NULL, &answer);
	if (code == EXIT_DONE)
		code = verdict_exit(&answer.verdict, place->subject, &s->trouble);
	if (code == EXIT_DONE)
		*ret = json_incref(answer.envelope);
	answer_free(&answer);
	text_free(&path);
	return code;
}

int lookup(struct session *s, const struct place *place, uint64_t address, json_t **ret)
{
	*ret = NULL;
	return place->file ? lookup_saved(s, place, address, ret) : lookup_live(s, place, address, ret);
}

int lookup_usage(struct session *s, const struct place *place, uint64_t address, json_t **ret)
{
	struct question question = { .file = place->file, .subject = place->subject };
	struct neighbours n = { .address = address };
	struct answer answer = { 0 };
	struct text path = { 0 };
	int code = EXIT_DONE;

	if (!place->file && lookup_usage_path(place, address, &path))
		code = trouble_oom(&s->trouble);
	question.path = path.p;
	if (code == EXIT_DONE)
		code = fetch_records(s, &question, on_vma, &n, &answer);
	*ret = json_incref(n.vma);
	answer_free(&answer);
	json_decref(n.vma);
	json_decref(n.previous);
	json_decref(n.next);
	text_free(&path);
	return code;
}

static int on_member(void *members, const json_t *record, const json_t *head)
{
	(void)head;
	return json_array_append_new(members, json_deep_copy(record)) ? EXIT_FAILED : EXIT_DONE;
}

json_t *lookup_ops(struct session *s, const struct place *place, uint64_t address)
{
	struct trouble before = s->trouble;
	struct answer answer = { 0 };
	json_t *ops = NULL, *members = json_array();
	struct text path = { 0 };
	int r = place_query(place, ROUTE_ops, address, &path);

	query_end(&path);
	if (r == 0 && members &&
	    fetch_records(s, &(struct question){ .path = path.p, .subject = place->subject }, on_member, members, &answer) ==
		    EXIT_DONE)
		ops = json_deep_copy(answer.envelope);
	if (ops)
		json_object_set(ops, "members", members);
	s->trouble = before;
	answer_free(&answer);
	text_free(&path);
	json_decref(members);
	return ops;
}
