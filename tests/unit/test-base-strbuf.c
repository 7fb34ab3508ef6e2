/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/msg.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "base/vec.h"

static void grows_and_stays_terminated(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		strbuf_addf(&sb, "%d,", i % 10);
		assert_int_equal(sb.s[sb.n], 0);
	}
	assert_int_equal(sb.n, 2000);
	strbuf_reset(&sb);
	strbuf_adds(&sb, "again");
	assert_string_equal(sb.s, "again");
	strbuf_release(&sb);
	assert_null(sb.s);
}

static void long_formats(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addf(&sb, "<%500s>", "x");
	assert_int_equal(sb.n, 502);
	assert_int_equal(sb.s[500], 'x');
	strbuf_release(&sb);
}

static void detached_string_is_the_callers(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	char *s = strbuf_detach(&sb);

	(void)state;
	assert_string_equal(s, "");
	free(s);
	strbuf_add(&sb, "a\0b", 3);
	s = strbuf_detach(&sb);
	assert_memory_equal(s, "a\0b", 4);
	assert_int_equal(sb.n, 0);
	free(s);
}

static void grouped(void **state)
{
	static const struct {
		uint64_t v;
		const char *s;
	} rows[] = {
		{ 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 72704, "72,704" },
		{ 1000000, "1,000,000" }, { UINT64_MAX, "18,446,744,073,709,551,615" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strbuf sb = STRBUF_INIT;

		strbuf_add_grouped(&sb, rows[i].v);
		assert_string_equal(sb.s, rows[i].s);
		strbuf_release(&sb);
	}
}

static void vectors(void **state)
{
	VEC(int) v = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		vec_push(&v, i);
	vec_remove(&v, 10);
	assert_int_equal(v.v[10], 11);
	assert_int_equal(v.v[98], 99);
	vec_remove_swap(&v, 0);
	assert_int_equal(v.v[0], 99);
	assert_int_equal(v.n, 98);
	vec_release(&v);
	assert_null(v.v);
}

static char *message(void (*say)(void), int *status)
{
	static char text[4096];
	int fd[2];
	pid_t pid;
	ssize_t k;
	size_t n = 0;

	assert_int_equal(pipe(fd), 0);
	fflush(NULL); /* or the child prints our lines once more */
	pid = fork();
	if (!pid) {
		msg_set_fd(fd[1]);
		say();
		_exit(0);
	}
	close(fd[1]);
	while ((k = read(fd[0], text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)k;
	text[n] = '\0';
	close(fd[0]);
	waitpid(pid, status, 0);
	return text;
}

static void say_die(void)
{
	die("no %s", "memory");
}

static void say_levels(void)
{
	msg_set_level(MSG_QUIET);
	msg_info("info");
	msg_warn("warn");
}

static void say_renamed(void)
{
	msg_set_program("mt");
	msg_info("a line of %d", 1);
}

static void say_colored(void)
{
	msg_set_color(true);
	msg_begin("tracing %s", "x");
	msg_info("%s", "a\033[2Jb\nc\177\302\233ä\302");
	msg_set_level(MSG_QUIET);
	msg_begin("again");
}

static void messages(void **state)
{
	int status;

	(void)state;
	assert_string_equal(message(say_die, &status), "mtrace: no memory\n");
	assert_int_equal(WEXITSTATUS(status), EXIT_OURS);
	assert_string_equal(message(say_levels, &status), "mtrace: warn\n");
	/* Only the first line is dim; nothing of a name reaches the terminal. */
	assert_string_equal(message(say_colored, &status),
			    "\033[2mmtrace: tracing x\033[m\nmtrace: a?[2Jb?c???ä\302\n");
	/* Only the first line is dim; nothing of a name reaches the terminal. */
	assert_string_equal(message(say_colored, &status),
			    "\033[2mmtrace: tracing x\033[m\nmtrace: a?[2Jb?c???ä\302\n");
	assert_string_equal(message(say_renamed, &status), "mt: a line of 1\n");
}

static void write_errors_are_told(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(write_all(fd, "x", 1), -ENOSPC);
	close(fd);
	assert_int_equal(write_all(-1, "x", 1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),
		cmocka_unit_test(long_formats),
		cmocka_unit_test(detached_string_is_the_callers),
		cmocka_unit_test(grouped),
		cmocka_unit_test(vectors),
		cmocka_unit_test(messages),
		cmocka_unit_test(write_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
