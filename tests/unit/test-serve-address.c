/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an address says, and sockets of it on this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "serve/address.h"

static void is(const char *text, const char *port, const char *want_host, const char *want_port)
{
	struct address a;

	assert_int_equal(address_parse(text, port, &a), 0);
	assert_null(a.path);
	assert_string_equal(a.host ? a.host : "*", want_host);
	assert_string_equal(a.port, want_port);
	address_release(&a);
}

static void test_tcp(void **state)
{
	struct address a;

	(void)state;
	is("localhost", NULL, "localhost", "4576");
	is("localhost", "99", "localhost", "99");
	is("localhost:77", "99", "localhost", "77");
	is("*", NULL, "*", "4576");
	is(":88", NULL, "*", "88");
	is("*:88", NULL, "*", "88");
	is("192.168.1.5", NULL, "192.168.1.5", "4576");
	is("2001:db8::1", NULL, "2001:db8::1", "4576");
	is("[2001:db8::1]", NULL, "2001:db8::1", "4576");
	is("[2001:db8::1]:1234", NULL, "2001:db8::1", "1234");
	assert_int_equal(address_parse("[2001:db8::1", NULL, &a), -1);
	assert_int_equal(address_parse("[::1]x", NULL, &a), -1);
	assert_int_equal(address_parse("host:", NULL, &a), -1);
	assert_int_equal(address_parse("host:x", NULL, &a), -1);
	assert_int_equal(address_parse("host:0", NULL, &a), -1);
	assert_int_equal(address_parse("host:65536", NULL, &a), -1);
}

static void test_local(void **state)
{
	static const char *const local[] = { "127.0.0.1", "127.3.4.5", "[::1]", "./x", "/x" };
	static const char *const open[] = { "*", ":4576", "192.0.2.1", "0.0.0.0", "[2001:db8::1]" };
	struct address a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(local); i++) {
		assert_int_equal(address_parse(local[i], NULL, &a), 0);
		assert_true(address_is_local(&a));
		address_release(&a);
	}
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		assert_int_equal(address_parse(open[i], NULL, &a), 0);
		assert_false(address_is_local(&a));
		address_release(&a);
	}
}

static void test_for_client(void **state)
{
	static const char *const same[] = { "/a/b", "192.0.2.1", "192.0.2.1:99", "[2001:db8::1]:99" };
	struct address a;
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		assert_int_equal(address_parse(same[i], NULL, &a), 0);
		text = address_for_client(&a);
		assert_string_equal(text, same[i]);
		free(text);
		address_release(&a);
	}
	assert_int_equal(address_parse("*:99", NULL, &a), 0);
	text = address_for_client(&a);
	assert_non_null(strstr(text, ":99"));
	assert_null(strchr(text, '*'));
	free(text);
	address_release(&a);
}

static void test_unix(void **state)
{
	char folder[] = "/tmp/test-ui-address-XXXXXX", *path;
	int fds[ADDRESS_FDS], other[ADDRESS_FDS], fd;
	struct address a;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/socket", folder);
	assert_int_equal(address_parse(path, NULL, &a), 0);
	assert_int_equal(address_connect(&a), -1); /* nobody there */
	assert_int_equal(address_listen(&a, fds), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fd = address_connect(&a);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(address_listen(&a, other), -1); /* somebody does */
	close(fds[0]);
	assert_int_equal(address_connect(&a), -1); /* he is gone … */
	assert_int_equal(address_listen(&a, fds), 1); /* … and what he left is replaced */
	close(fds[0]);
	unlink(path);
	fd = creat(path, 0600); /* a file is not */
	close(fd);
	assert_int_equal(address_listen(&a, fds), -1);
	assert_int_equal(stat(path, &st), 0);
	unlink(path);
	rmdir(folder);
	address_release(&a);
	free(path);
}

static void test_default(void **state)
{
	struct address a;

	(void)state;
	setenv("XDG_RUNTIME_DIR", "/run/user/99", 1);
	assert_int_equal(address_parse(".", NULL, &a), 0);
	assert_string_equal(a.path, "/run/user/99/" PROGRAM_NAME ".socket");
	address_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),   cmocka_unit_test(test_local),
		cmocka_unit_test(test_for_client), cmocka_unit_test(test_unix),
		cmocka_unit_test(test_default),
	};
	int fd = dup(2);

	msg_set_fd(fd < 0 ? 2 : fd);
	msg_set_level(MSG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
