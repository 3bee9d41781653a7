/* SPDX-License-Identifier: GPL-2.0-or-later */
/* token: the file's lines, and whose a token is. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "opener/caller/token.h"

/* printf '%s' abc | sha256sum, and the same of an empty string */
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"

static struct tokens *parsed(const char *text)
{
	struct vmad_str bytes = guarded(text, strlen(text));
	struct tokens *tokens = NULL;
	const char *what = NULL;
	unsigned line;

	if (tokens_parse(bytes.p, bytes.len, &tokens, &line, &what) < 0)
		fail_msg("line %u: %s", line, what);
	return tokens;
}

static void identities(void **state)
{
	struct tokens *tokens = parsed("# comment\n\n  " ABC "  uid=1000\tgid=100 groups=27,4,27,1 name=x=y\r\n" EMPTY " root=yes gid=0 uid=0");
	const struct vmad_caller *caller = tokens_find(tokens, "abc");

	(void)state;
	assert_non_null(caller);
	assert_int_equal(caller->class, VMAD_CALLER_USER);
	assert_int_equal(caller->uid, 1000);
	assert_int_equal(caller->gid, 100);
	assert_int_equal(caller->group_count, 3);
	assert_int_equal(caller->groups[0], 1);
	assert_int_equal(caller->groups[1], 4);
	assert_int_equal(caller->groups[2], 27);
	caller = tokens_find(tokens, "");
	assert_non_null(caller);
	assert_int_equal(caller->class, VMAD_CALLER_ROOT);
	assert_null(tokens_find(tokens, "ab"));
	assert_null(tokens_find(tokens, "abcd"));
	assert_null(tokens_find(tokens, ABC));
	tokens_free(tokens);
}

static void none(void **state)
{
	struct tokens *tokens = parsed("");

	(void)state;
	assert_null(tokens_find(tokens, "abc"));
	assert_null(tokens_find(NULL, "abc"));
	tokens_free(tokens);
	tokens_free(NULL);
	tokens = parsed("\n\n# only comments\n   \n");
	assert_null(tokens_find(tokens, ""));
	tokens_free(tokens);
}

static void wrong(const char *line, const char *words)
{
	char text[512];
	struct tokens *tokens = NULL;
	const char *what = NULL;
	unsigned number = 0;

	snprintf(text, sizeof(text), "\n" EMPTY " uid=7 gid=7\n%s\n" ABC " uid=8 gid=8\n", line);
	if (tokens_parse(text, strlen(text), &tokens, &number, &what) != -EINVAL)
		fail_msg("\"%s\" is taken", line);
	assert_null(tokens);
	assert_int_equal(number, 3);
	if (!strstr(what, words))
		fail_msg("\"%s\": \"%s\" is not in \"%s\"", line, words, what);
}

static void wrong_lines(void **state)
{
	(void)state;
	wrong("x", "sha256:");
	wrong("sha256: uid=1 gid=1", "64 hex digits");
	wrong(ABC "0 uid=1 gid=1", "64 hex digits");
	wrong(ABC, "uid= and gid=");
	wrong(ABC " uid=1", "uid= and gid=");
	wrong(ABC " gid=1", "uid= and gid=");
	wrong(ABC " uid= gid=1", "uid= wants");
	wrong(ABC " uid=+1 gid=1", "uid= wants");
	wrong(ABC " uid=4294967295 gid=1", "uid= wants");
	wrong(ABC " uid=99999999999999999999 gid=1", "uid= wants");
	wrong(ABC " uid=1 gid=x", "gid= wants");
	wrong(ABC " uid=1 gid=1 groups=", "groups=");
	wrong(ABC " uid=1 gid=1 groups=1,", "groups=");
	wrong(ABC " uid=0 gid=0", "root=yes");
	wrong(ABC " uid=1 gid=0 root=yes", "root=yes");
	wrong(ABC " uid=0 gid=0 root=1", "only be yes");
	wrong(ABC " uid=1 gid=1 uid=0", "twice");
	wrong(ABC " uid=1 gid=1 x=1", "unknown word");
	wrong(ABC " uid=1 gid=1 =1", "unknown word");
	wrong(ABC " uid=1 gid=1 name", "key=value");
	wrong(EMPTY " uid=1 gid=1", "same token");
}

/* Groups of the most that a caller may have, and one more. */
static void many_groups(void **state)
{
	static char text[16384];
	struct tokens *tokens;
	const char *what;
	unsigned line;
	int len = sprintf(text, ABC " uid=1 gid=1 groups=0");

	(void)state;
	for (int i = 1; i < VMAD_CALLER_GROUPS_MAX; i++)
		len += sprintf(text + len, ",%d", i);
	tokens = parsed(text);
	assert_int_equal(tokens_find(tokens, "abc")->group_count, VMAD_CALLER_GROUPS_MAX);
	tokens_free(tokens);
	strcpy(text + len, ",5");
	assert_int_equal(tokens_parse(text, strlen(text), &tokens, &line, &what), -EINVAL);
}

/* A NUL byte ends the text: what stands behind it is no line. */
static void nul_bytes(void **state)
{
	static const char text[] = "#\0\n" ABC " uid=1 gid=1\n";
	struct tokens *tokens;
	const char *what;
	unsigned line;

	(void)state;
	assert_int_equal(tokens_parse(text, sizeof(text) - 1, &tokens, &line, &what), -EINVAL);
	assert_non_null(strstr(what, "NUL"));
}

static void files(void **state)
{
	struct tokens *tokens;
	const char *what;
	unsigned line;

	(void)state;
	assert_int_equal(tokens_read("/nowhere/tokens", &tokens, &line, &what), -ENOENT);
	assert_int_equal(tokens_read("/dev/null", &tokens, &line, &what), -EBADF);
	assert_int_equal(tokens_read("/", &tokens, &line, &what), -EBADF);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("tokens and their identities", identities),
		CASE("files without tokens know none", none),
		CASE("lines that are wrong: their number, and what is wrong", wrong_lines),
		CASE("as many groups as a caller may have", many_groups),
		CASE("a NUL byte hides nothing", nul_bytes),
		CASE("files that cannot be read", files),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
