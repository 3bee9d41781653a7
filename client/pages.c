/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmactl pages: the state of a process's pages, in runs or summed up, with a bar on a terminal. */
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "address.h"
#include "escape.h"
#include "list.h"
#include "number.h"
#include "output.h"
#include "page_bar.h"
#include "place.h"
#include "query.h"
#include "table.h"
#include "verbs.h"

#define BAR_CELLS_MAX 160

struct pages {
	struct session *session;
	struct list list;
	struct page_bar bar;
	json_t *groups;		/* --summary of a saved answer: one record for each state with its flags */
	bool failed;		/* no memory for one of them */
};

static size_t terminal_cells(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < BAR_CELLS_MAX ? size.ws_col : BAR_CELLS_MAX;
}

/* What stands between the answer and the table: what it comes to, the bar, and what is missing. */
static int print_banner(void *arg, const json_t *envelope)
{
	struct pages *pages = arg;
	const char *missing = json_string_value(json_object_get(envelope, "missing"));
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	struct text text = { 0 };
	int r = page_bar_sums(&pages->bar, pages->session->options.bytes, &text);

	if (text.len)
		r |= text_append(&text, "\n", 1);
	if (missing)
		r |= text_printf(&text, "missing: %s\n", missing);
	/* sums are in no order that a bar could show */
	if (output_is_terminal() && pages->bar.count && !pages->session->options.summary)
		r |= text_append(&text, "\n", 1) | page_bar_draw(&pages->bar, terminal_cells(), utf8, &text);
	if (r == 0 && text.len)
		fputs(text.p, output());
	text_free(&text);
	return r ? trouble_oom(&pages->session->trouble) : EXIT_DONE;
}

static json_t *find_group(struct pages *pages, const json_t *run)
{
	json_t *flags = json_object_get(run, "flags"), *state = json_object_get(run, "state"), *group;
	json_t *both = json_pack("[O, O]", state, flags);
	char *key = json_dumps(both, 0);

	json_decref(both);
	if (!key)
		return NULL;
	group = json_object_get(pages->groups, key);
	if (!group) {
		group = json_pack("{s:O, s:O, s:i, s:i}", "state", state, "flags", flags, "page_count", 0, "size_bytes", 0);
		if (json_object_set_new(pages->groups, key, group))
			group = NULL;
	}
	free(key);
	return group;
}

static int add_to(json_t *group, const char *member, const json_t *run)
{
	uint64_t sum = number_member(group, member) + number_member(run, member);

	return json_object_set_new(group, member, json_integer((json_int_t)sum));
}

/* Every run is counted; where it is summed up here, it is no row of the table. */
static bool accept(void *arg, const json_t *run)
{
	struct pages *pages = arg;
	enum page_state state = page_state_of(json_string_value(json_object_get(run, "state")));
	json_t *group;

	pages->failed |= page_bar_add(&pages->bar, state, number_member(run, "size_bytes")) != 0;
	if (!pages->groups)
		return true;
	group = find_group(pages, run);
	pages->failed |= !group || add_to(group, "page_count", run) || add_to(group, "size_bytes", run);
	return false;
}

static int gather(void *arg, reader_record *add, void *add_arg)
{
	struct pages *pages = arg;
	int code = pages->failed ? trouble_oom(&pages->session->trouble) : EXIT_DONE;
	const char *key;
	json_t *group;

	if (!pages->groups)
		return code;
	json_object_foreach(pages->groups, key, group)
		if (code == EXIT_DONE)
			code = add(add_arg, group, NULL);
	return code;
}

static enum route route(const struct session *s)
{
	return s->options.summary ? ROUTE_page_summary : ROUTE_pages;
}

/* Sums have no frame numbers, but flags of frames. */
static const char *detail(const struct options *options)
{
	if (options->frames && !options->summary)
		return "frames";
	return options->frames || options->flags ? "flags" : NULL;
}

static int make_path(const struct session *s, const struct place *place, const struct filter *range, struct text *path)
{
	const char *what = detail(&s->options);
	int r = place_query(place, route(s), 0, path);

	if (what)
		r |= query_add(path, "detail", what);
	r |= filter_query(range, path);
	if (!s->options.summary)
		r |= list_add_limit(s, path);
	query_end(path);
	return r;
}

static int show(struct pages *pages, const struct place *place, const struct filter *range)
{
	struct session *s = pages->session;
	struct text path = { 0 };
	int code;

	if (!place->file && make_path(s, place, range, &path))
		code = trouble_oom(&s->trouble);
	else {
		pages->list.question = (struct question){ .path = path.p, .subject = place->subject, .file = place->file };
		code = list_show(s, &pages->list);
	}
	text_free(&path);
	return code;
}

/* One page is a range of one byte: vmad rounds to whole pages. */
static int read_range(struct session *s, const char *text, struct filter *range)
{
	struct address address;

	if (address_parse(text, &address) || address.form == ADDRESS_FILE)
		return trouble_set(&s->trouble, EXIT_USAGE, "'%s' is not a range: START-END, START+SIZE, or an address", text);
	range->has_start = range->has_end = true;
	range->start = address.start;
	range->end = address.form == ADDRESS_RANGE ? address.end : address.start + 1;
	return EXIT_DONE;
}

static int choose(struct pages *pages)
{
	struct session *s = pages->session;
	const char *columns = s->options.summary ? "state,page_count,size_bytes,flags" :
			      s->options.frames ? "run,state,page_count,size_bytes,pfn,flags" : "run,state,page_count,size_bytes,flags";

	if (s->options.summary && !s->options.sort)
		s->options.sort = "-size_bytes";
	pages->list.noun = s->options.summary ? "kind of pages" : "run";
	pages->list.plural = s->options.summary ? "kinds of pages" : "runs";
	return list_columns(s, route(s), columns, &pages->list);
}

int verb_pages(struct session *s, int argc, char **argv)
{
	struct pages pages = { .session = s, .list = { .accept = accept, .gather = gather, .banner = print_banner, .arg = &pages } };
	struct filter range = { 0 };
	struct place place;
	int code;

	if (list_help(s, route(s)))
		return EXIT_DONE;
	if (argc < 1 || argc > 2)
		return trouble_set(&s->trouble, EXIT_USAGE, "pages: it takes a target and, where not all is wanted, a range");
	code = argc == 2 ? read_range(s, argv[1], &range) : EXIT_DONE;
	if (code == EXIT_DONE)
		code = choose(&pages);
	if (code == EXIT_DONE)
		code = place_find(s, argv[0], &place);
	if (code != EXIT_DONE)
		return code;
	s->options.filter.has_start = range.has_start;
	s->options.filter.has_end = range.has_end;
	s->options.filter.start = range.start;
	s->options.filter.end = range.end;
	pages.groups = s->options.summary && place.file && !session_copies(s) ? json_object() : NULL;
	code = show(&pages, &place, &range);
	json_decref(pages.groups);
	page_bar_free(&pages.bar);
	return code;
}
