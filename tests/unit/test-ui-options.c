/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "serve/server.h"
#include "ui/options.h"
#include "serve/server.h"

static char folder[] = "test-ui-options.XXXXXX";
static char said[8192]; /* what the last parse() printed */

/* Parses the words of one line, messages caught in said[]. */
static enum options_result parse(struct options *o, const char *line)
{
	static char copy[1024];
	static char *argv[64];
	enum options_result result;
	FILE *caught = tmpfile();
	char *rest = copy, *w;
	size_t n = 0;

	assert_non_null(caught);
	snprintf(copy, sizeof copy, "mtrace %s", line);
	while ((w = strsep(&rest, " ")))
		argv[n++] = strcmp(w, "''") ? w : (char *)"";
	argv[n] = NULL;
	msg_set_level(MSG_NORMAL);
	msg_set_fd(fileno(caught));
	result = options_parse(o, argv);
	msg_set_fd(2);
	rewind(caught);
	said[fread(said, 1, sizeof said - 1, caught)] = '\0';
	fclose(caught);
	return result;
}

static void refuses(const char *line, const char *because)
{
	struct options o;

	assert_int_equal(parse(&o, line), OPTIONS_WRONG);
	if (!strstr(said, because))
		fail_msg("%s: said %s instead of %s", line, said, because);
	assert_true(!strncmp(said, "mtrace: ", 8));
	assert_true(strchr(said, '\n') == said + strlen(said) - 1);
	options_release(&o);
}

static void accepts(struct options *o, const char *line)
{
	if (parse(o, line) != OPTIONS_TRACE)
		fail_msg("%s: %s", line, said);
	assert_string_equal(said, "");
}

static void defaults(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "prog");
	assert_int_equal(o.trace.depth, 12);
	assert_true(o.trace.follow_exec);
	assert_false(o.trace.follow_fork);
	assert_false(o.trace.no_cpp);
	assert_null(o.report.output);
	assert_null(o.report.json);
	assert_null(o.report.ignore);
	assert_true(o.report.max_stacks < 0);
	assert_int_equal(o.report.color, COLOR_AUTO);
	options_release(&o);
}

/* The file that -o names is the trace's then. */
static void traces(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-t --trace prog");
	assert_int_equal(o.report.trace, TRACE_NOTHING);
	assert_false(o.trace.calls);
	options_release(&o);
	accepts(&o, "--trace=glibc -o x prog");
	assert_int_equal(o.report.trace, TRACE_GLIBC);
	assert_true(o.trace.calls);
	assert_null(o.report.output);
	assert_string_equal(o.report.trace_output, "x");
	options_release(&o);
	accepts(&o, "--trace=m prog");
	assert_int_equal(o.report.trace, TRACE_MBED);
	options_release(&o);
}

static void options_end_at_the_command(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-f prog -n --depth 3");
	assert_true(o.trace.follow_fork);
	assert_false(o.trace.no_cpp);
	assert_string_equal(o.trace.argv[0], "prog");
	assert_string_equal(o.trace.argv[1], "-n");
	assert_null(o.trace.argv[4]);
	options_release(&o);
	accepts(&o, "-n -- -prog");
	assert_string_equal(o.trace.argv[0], "-prog");
	options_release(&o);
}

static void every_way_to_give_an_argument(void **state)
{
	static const char *const lines[] = {
		"-d 7 prog", "-d7 prog", "--depth 7 prog", "--depth=7 prog", "-fd7 prog",
		"-fd 7 prog", "--dep 7 prog", "-d 9 -d 7 prog",
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		accepts(&o, lines[i]);
		assert_int_equal(o.trace.depth, 7);
		assert_string_equal(o.trace.argv[0], "prog");
		options_release(&o);
	}
}

static void flags(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-feLnqt --calls --detach-on-exit --no-demangle --no-follow-exec prog");
	assert_true(o.trace.follow_fork && o.trace.no_cpp && o.trace.calls);
	assert_true(o.trace.detach_on_exit && o.report.long_form && o.report.no_demangle);
	assert_true(o.report.quiet);
	assert_false(o.trace.follow_exec);
	assert_int_equal(msg_level(), MSG_QUIET);
	options_release(&o);
	accepts(&o, "-p 1");
	assert_int_equal(o.trace.census, CENSUS_AUTO);
	options_release(&o);
	accepts(&o, "--no-census --census -p 1");
	assert_int_equal(o.trace.census, CENSUS_YES);
	options_release(&o);
	accepts(&o, "--no-census -p 1");
	assert_int_equal(o.trace.census, CENSUS_NO);
	options_release(&o);
	accepts(&o, "-vv prog");
	assert_int_equal(o.report.verbose, 2);
	assert_int_equal(msg_level(), MSG_VERBOSE);
	options_release(&o);
	accepts(&o, "-D prog");
	assert_int_equal(msg_level(), MSG_DEBUG);
	options_release(&o);
}

static void pids(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-p 12 --pid=13,12 -p14");
	assert_int_equal(o.trace.pids.n, 3);
	assert_int_equal(o.trace.pids.v[1], 13);
	assert_null(o.trace.argv);
	options_release(&o);
	accepts(&o, "-p 12 prog");
	assert_non_null(o.trace.argv);
	options_release(&o);
	refuses("-p 0", "'0' is not a number from 1 to 2147483647");
	refuses("-p -4", "'-4' is not a number");
	refuses("-p 12x", "'12x' is not a number");
	refuses("-p ''", "needs a process id");
	refuses("-p 99999999999999999999", "is not a number");
	refuses("-p", "option -p needs PID");
}

static void numbers_have_ranges(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-d 1024 -m 0 prog");
	assert_int_equal(o.trace.depth, 1024);
	assert_int_equal(o.report.max_stacks, 0);
	options_release(&o);
	refuses("-d 0 prog", "--depth: '0' is not a number from 1 to 1024");
	refuses("-d 1025 prog", "'1025' is not a number from 1 to 1024");
	refuses("-d 0x10 prog", "'0x10' is not");
	refuses("-d '' prog", "'' is not");
	refuses("-m 99999999999 prog", "is not a number");
}

static void words_may_be_shortened(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-s tot --color=al --export js:out.%p prog");
	assert_ptr_equal(o.report.sort, report_sort_lookup("total"));
	assert_int_equal(o.report.color, COLOR_ALWAYS);
	assert_string_equal(o.report.json, "out.%p");
	options_release(&o);
	accepts(&o, "--export json prog");
	assert_string_equal(o.report.json, "-");
	options_release(&o);
	refuses("-s nonsense prog", "'nonsense' is none of usage, allocations, average");
	refuses("-s t prog", "'t' may be any of total, tsc");
	refuses("-s '' prog", "'' is none of");
	refuses("--color=pink prog", "'pink' is none of auto, always, never");
	accepts(&o, "--export xml:a.xml --export json:b prog");
	assert_string_equal(o.report.xml, "a.xml");
	assert_string_equal(o.report.json, "b");
	options_release(&o);
	refuses("--export sarif prog", "'sarif' is none of json, xml");
	refuses("--export json: prog", "names no file");
}

static void marks(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "prog");
	assert_false(o.report.between || o.trace.mark_every_ns || o.trace.mark_signal);
	options_release(&o);
	accepts(&o, "--mark-every 500ms --on-signal USR2:mark --on-signal USR1:scan --between 2:5 prog");
	assert_int_equal(o.trace.mark_every_ns, 500000000);
	assert_int_equal(o.trace.mark_signal, SIGUSR2);
	assert_int_equal(o.trace.scan.on_signal, SIGUSR1);
	assert_true(o.report.between && o.report.from == 2 && o.report.to == 5);
	options_release(&o);
	accepts(&o, "--on-signal USR2:scan --on-signal USR2:mark --between 3: prog");
	assert_int_equal(o.trace.mark_signal, SIGUSR2);
	assert_int_equal(o.trace.scan.on_signal, 0);
	assert_true(o.report.from == 3 && o.report.to == UINT32_MAX);
	options_release(&o);
	accepts(&o, "--between=:4 prog");
	assert_true(o.report.from == 0 && o.report.to == 4);
	options_release(&o);
	refuses("--between 5 prog", "'5' is not like 2:5, 2: or :5");
	refuses("--between : prog", "':' is not like");
	refuses("--between 5:5 prog", "mark 5 is not before mark 5");
	refuses("--between 5:2 prog", "mark 5 is not before mark 2");
	refuses("--between 0:2 prog", "'0' is not a number from 1");
	refuses("--between a:2 prog", "'a' is not a number");
	refuses("--on-signal USR2 prog", "'USR2' may be any of USR2:scan, USR2:mark");
	refuses("--mark-every 0 prog", "'0' is no time");
}

static void wrong_options(void **state)
{
	(void)state;
	refuses("--nonsense prog", "unknown option --nonsense; try 'mtrace --help'");
	refuses("-Z prog", "unknown option -Z; try 'mtrace --help'");
	refuses("-fZ prog", "unknown option -Z");
	refuses("--de prog", "option --de may be --de");
	refuses("--calls=maybe prog", "option --calls takes no argument but yes or no");
	refuses("--depth", "option --depth needs N");
	refuses("-f", "nothing to trace");
	refuses("", "name is empty");
	refuses("-u nobody -p 3", "--user needs a command");
	refuses("-o '' prog", "--output needs FILE");
}

static void probes(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "--alloc pool_get:size=2 --free pool_put:ptr=1 "
		    "--realloc libx.so+0x40:ptr=1,size=3 -O liba.so -O libb.so prog");
	assert_int_equal(o.trace.probes.n, 3);
	assert_string_equal(o.trace.probes.v[0].symbol, "pool_get");
	assert_int_equal(o.trace.probes.v[0].size, 2);
	assert_int_equal(o.trace.probes.v[1].op, OP_RELEASE);
	assert_int_equal(o.trace.probes.v[2].offset, 0x40);
	assert_int_equal(o.trace.omit.n, 2);
	options_release(&o);
	refuses("--alloc pool_get:size=x prog", "pool_get");
}

static void environment(void **state)
{
	struct options o;

	(void)state;
	setenv("MTRACE_TEST_GONE", "1", 1);
	accepts(&o, "-E MTRACE_TEST=a=b -E MTRACE_TEST_GONE prog");
	assert_string_equal(getenv("MTRACE_TEST"), "a=b");
	assert_null(getenv("MTRACE_TEST_GONE"));
	options_release(&o);
	refuses("-E =x prog", "has no name");
}

static const char *write_file(const char *name, const char *text)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static void config_is(const char *text, const char *message)
{
	char line[512];

	snprintf(line, sizeof line, "-F %s prog", write_file("config", text));
	refuses(line, message);
}

static void configuration(void **state)
{
	struct options o;
	char line[512];

	(void)state;
	snprintf(line, sizeof line, "-F %s -O first prog",
		 write_file("config", "# a comment\n\n  alloc \tpool_get:size=1 \r\n"
				      "free pool_put:ptr=1\nrealloc pool_grow:ptr=1,size=2\n"
				      "omit libfoo.so\nignore ^Foo::(a|b) c#\nignore x"));
	accepts(&o, line);
	assert_int_equal(o.trace.probes.n, 3);
	assert_int_equal(o.trace.omit.n, 2);
	assert_string_equal(o.report.ignore[0], "^Foo::(a|b) c#");
	assert_string_equal(o.report.ignore[1], "x");
	assert_null(o.report.ignore[2]);
	options_release(&o);

	config_is("\nallco x\n", "/config:2: unknown key 'allco'; keys are ignore and the long");
	config_is("omit\n", "/config:1: 'omit' needs a value");
	config_is("ignore (\n", "/config:1: '(' is no regular expression: ");
	refuses("-F /nonexistent prog", "configuration file /nonexistent: No such file");
	refuses("-F . prog", "configuration file .: Is a directory");
}

/* An option's own message, and another that names the line. */
static void config_option_is(const char *text, const char *message, const char *place)
{
	struct options o;
	char line[256];

	snprintf(line, sizeof line, "-F %s prog", write_file("config", text));
	assert_int_equal(parse(&o, line), OPTIONS_WRONG);
	if (!strstr(said, message) || !strstr(said, place))
		fail_msg("%s: said %s", text, said);
	options_release(&o);
}

static void every_option_is_a_key(void **state)
{
	struct options o;
	char line[512];

	(void)state;
	snprintf(line, sizeof line, "-F %s prog",
		 write_file("config", "depth = 20\nsort-by=total\nmax-stacks\t7\nlong\nfollow-fork = yes\n"
				      "no-follow-exec=yes\nautoscan = no\noutput =  a b \n"
				      "fail-if = open_bytes >= 10K\nenv = FROM_FILE=a = b\n"
				      "alloc = get:size=1\nignore = =x\nignore y=\nexport = json:c\n"
				      "color=never\npid 4 5\nquiet no\n"));
	accepts(&o, line);
	assert_int_equal(o.trace.depth, 20);
	assert_ptr_equal(o.report.sort, report_sort_lookup("total"));
	assert_int_equal(o.report.max_stacks, 7);
	assert_true(o.report.long_form && o.trace.follow_fork);
	assert_false(o.trace.follow_exec || o.report.list_leaks || o.report.quiet);
	assert_string_equal(o.report.output, "a b");
	assert_string_equal(condition_text(o.report.fail_if[0]), "open_bytes >= 10K");
	assert_string_equal(getenv("FROM_FILE"), "a = b");
	assert_int_equal(o.trace.probes.n, 1);
	assert_string_equal(o.report.ignore[0], "=x");
	assert_string_equal(o.report.ignore[1], "y=");
	assert_string_equal(o.report.json, "c");
	assert_int_equal(o.report.color, COLOR_NEVER);
	assert_int_equal(o.trace.pids.n, 2);
	options_release(&o);

	/* Whatever an option is given, no key is unknown, and none crashes. */
	for (size_t i = 0; option_row(i); i++) {
		const char *name = option_row(i)->name;
		char text[64];

		snprintf(text, sizeof text, "%s = 1\n", name);
		snprintf(line, sizeof line, "-F %s prog", write_file("config", text));
		parse(&o, line);
		if (strcmp(name, "config") && strcmp(name, "help") && strcmp(name, "version") &&
		    strcmp(name, "list-options") && strcmp(name, "list-commands"))
			assert_null(strstr(said, "unknown key"));
		else
			assert_non_null(strstr(said, "unknown key"));
		options_release(&o);
	}
	config_option_is("\n\ndepth = 0\n", "--depth: '0' is not a number from 1 to 1024",
			 "/config:3: that was in this line");
	config_is("dep = 3\n", "/config:1: unknown key 'dep'");
	config_option_is("long = maybe\n", "takes no argument but yes or no", "/config:1: ");
	config_is("long =\n", "'long' needs a value");
	config_is("depth\n", "'depth' needs a value");
	config_is("= 5\n", "unknown key ''");
}

static void the_command_line_has_the_last_word(void **state)
{
	struct options o;
	char line[512];

	(void)state;
	snprintf(line, sizeof line, "-d 7 -F %s --long=no -m 3 --no-follow-exec=no prog",
		 write_file("config", "depth = 20\nlong\nmax-stacks 9\nno-follow-exec\nnocpp\n"));
	accepts(&o, line);
	assert_int_equal(o.trace.depth, 7);
	assert_int_equal(o.report.max_stacks, 3);
	assert_false(o.report.long_form);
	assert_true(o.trace.follow_exec && o.trace.no_cpp);
	options_release(&o);
	accepts(&o, "-a --autoscan=no --long=yes prog");
	assert_false(o.report.list_leaks || o.trace.scan.attached);
	assert_true(o.trace.scan.launched && o.report.long_form);
	options_release(&o);
	refuses("--why=no prog", "option --why cannot be taken back");
	refuses("--why=here prog", "'here' is no address like 0x55d0c2a8");
	refuses("--why=0x prog", "'0x' is no address");
	refuses("--why=0 prog", "'0' is no address");
	refuses("--why=12345678901234567 prog", "'12345678901234567' is no address");
}

/* Whatever a file holds: it is read, or refused with its name and the line. */
static void random_configuration(void **state)
{
	static const char *const tokens[] = { "depth", "long", "ignore", "alloc", "fail-if", "between",
					      " ", "=", "\t", "\n", "\n", "5", "yes", "no", "1:2",
					      "#", "(", "f:size=1", "\xff", "open_bytes>1" };
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct strbuf sb = STRBUF_INIT;
		char line[256];
		struct options o;

		strbuf_adds(&sb, "");
		for (int n = 0; n < 10; n++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			strbuf_adds(&sb, tokens[(seed >> 33) % ARRAY_SIZE(tokens)]);
		}
		snprintf(line, sizeof line, "-F %s prog", write_file("config", sb.s));
		if (parse(&o, line) == OPTIONS_TRACE)
			assert_string_equal(said, "");
		else
			assert_non_null(strstr(said, "/config:"));
		options_release(&o);
		strbuf_release(&sb);
	}
}

static void default_configuration(void **state)
{
	char cwd[128], home[256], xdg[300];
	struct options o;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(home, sizeof home, "%s/%s", cwd, folder);
	snprintf(xdg, sizeof xdg, "%s/xdg", home);
	setenv("HOME", home, 1);
	setenv("XDG_CONFIG_HOME", xdg, 1);
	mkdir(xdg, 0755);
	snprintf(xdg, sizeof xdg, "%s/xdg/" PROGRAM_NAME, home);
	mkdir(xdg, 0755);
	write_file("xdg/" PROGRAM_NAME "/config", "omit from-xdg\n");
	accepts(&o, "prog");
	assert_string_equal(o.trace.omit.v[0], "from-xdg");
	options_release(&o);
	write_file("." PROGRAM_NAME "rc", "omit from-home\n");
	accepts(&o, "prog");
	assert_int_equal(o.trace.omit.n, 1);
	assert_string_equal(o.trace.omit.v[0], "from-home");
	options_release(&o);
	accepts(&o, "-F /dev/null prog");
	assert_int_equal(o.trace.omit.n, 0);
	options_release(&o);
	/* For the tests that follow. */
	write_file("xdg/" PROGRAM_NAME "/config", "");
	write_file("." PROGRAM_NAME "rc", "");
}

static void servers(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "-r ./s -w --on-disconnect=stop --when-full drop --max-blocks 7 --insecure prog -r");
	assert_string_equal(o.remote, "./s");
	assert_true(o.wait && o.insecure && o.trace.images);
	assert_int_equal(o.on_disconnect, DISCONNECT_STOP);
	assert_int_equal(o.when_full, FULL_DROP);
	assert_int_equal(o.trace.max_blocks, 7);
	options_release(&o);
	accepts(&o, "-r :99 -P 5000 --token-file f -a -p 3");
	assert_int_equal(o.port, 5000);
	assert_string_equal(o.token_file, "f");
	options_release(&o);
	assert_int_equal(parse(&o, "-r board -P 5000 -s usage -a -b x"), OPTIONS_CLIENT);
	options_release(&o);
	/* What is for the other side. */
	refuses("-r ./s -s usage prog", "--sort-by is for the side that reports");
	refuses("-r ./s --export json:x -p 3", "--export is for the side that reports");
	refuses("-r ./s -d 3", "--depth is for the side that traces: give it to the server");
	refuses("-r ./s --max-blocks 3", "--max-blocks is for the side that traces");
	refuses("-r ./s -w", "--wait is for the side that traces");
	refuses("-w prog", "--wait needs --remote");
	refuses("-P 3 prog", "--port needs --remote");
	refuses("--token-file x prog", "--token-file needs --remote");
	refuses("-r x -P 65536", "is not a number from 1 to 65535");
	refuses("-r x -l y", "do not go together");
	refuses("-r x --on-disconnect die prog", "is none of go-on, stop, detach");
	refuses("-r x --inject sweep prog", "is not for a server");
}

static void table_is_consistent(void **state)
{
	const struct option_row *row, *other;
	struct strbuf help = STRBUF_INIT;

	(void)state;
	options_help(&help);
	for (size_t i = 0; (row = option_row(i)); i++) {
		assert_true(row->name && row->help && row->set);
		assert_int_equal(!row->arg, row->word == WORD_NONE || row->word == WORD_TRACE);
		for (size_t k = 0; k < i; k++) {
			other = option_row(k);
			assert_string_not_equal(row->name, other->name);
			assert_true(!row->key || row->key != other->key);
		}
		if (row->group != GROUP_HIDDEN)
			assert_non_null(strstr(help.s, row->name));
	}
	/* It must fit the smallest terminal. */
	for (char *line = help.s, *next; (next = strchr(line, '\n')); line = next + 1)
		assert_true(next - line <= 80);
	strbuf_release(&help);
}

static int make_folder(void **state)
{
	(void)state;
	/* Nothing of the user's own configuration may get in. */
	setenv("HOME", "/nonexistent", 1);
	unsetenv("XDG_CONFIG_HOME");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const parts[] = { ("/." PROGRAM_NAME "rc"), ("/xdg/" PROGRAM_NAME "/config"),
					     ("/xdg/" PROGRAM_NAME), "/xdg", "/config", "" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof path, "%s%s", folder, parts[i]);
		remove(path);
	}
	return 0;
}

static void fills(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "--malloc-fill=0xA5 --free-fill 0 prog");
	assert_true(o.trace.change.malloc_fill.on && o.trace.change.free_fill.on);
	assert_int_equal(o.trace.change.malloc_fill.byte, 0xa5);
	assert_int_equal(o.trace.change.free_fill.byte, 0);
	options_release(&o);
	accepts(&o, "--malloc-fill=5c prog");
	assert_true(o.trace.change.malloc_fill.on && !o.trace.change.free_fill.on);
	assert_int_equal(o.trace.change.malloc_fill.byte, 0x5c);
	options_release(&o);
	refuses("--malloc-fill=100 prog", "'100' is no byte in hexadecimal");
	refuses("--malloc-fill=0x prog", "'0x' is no byte");
	refuses("--free-fill=g prog", "'g' is no byte");
	refuses("--free-fill=-1 prog", "'-1' is no byte");
}

static void red_zones(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "--redzone-size=32 prog");
	assert_int_equal(o.trace.change.redzone, 32);
	options_release(&o);
	refuses("--redzone-size=65537 prog", "is not a number from 0 to 65536");
	refuses("--redzone-size=16 -p 3", "do not go together");
	refuses("--redzone-size=16 --max-blocks=9 prog", "needs to know every block");
	refuses("--redzone-size=16 -n prog", "needs to see every release");
	refuses("--redzone-size=16 -O libc.so.6 prog", "needs to see every release");
}

static void injections(void **state)
{
	struct options o;

	(void)state;
	accepts(&o, "--inject malloc:fail --inject malloc:fail:when=3:min-size=2K "
		    "--inject malloc:fail:when=3+2:caller=^ns::f$ --inject malloc:fail:when=7+ prog");
	assert_int_equal(o.trace.change.fail.n, 4);
	assert_int_equal(o.trace.change.fail.v[0].first, 0);
	assert_null(o.trace.change.fail.v[0].caller);
	assert_int_equal(o.trace.change.fail.v[1].first, 3);
	assert_int_equal(o.trace.change.fail.v[1].step, 0);
	assert_int_equal(o.trace.change.fail.v[1].min_size, 2048);
	assert_int_equal(o.trace.change.fail.v[2].step, 2);
	assert_string_equal(o.trace.change.fail.v[2].caller, "^ns::f$");
	assert_int_equal(regexec(&o.trace.change.fail.v[2].regex, "ns::f", 0, NULL, 0), 0);
	assert_int_equal(o.trace.change.fail.v[3].step, 1);
	options_release(&o);
	accepts(&o, "--inject sweep:caller=^f$ --sweep-max=7 prog");
	assert_true(o.sweep && o.sweep_max == 7);
	assert_string_equal(o.trace.change.fail.v[0].caller, "^f$");
	options_release(&o);
	refuses("--inject sweeping prog", "only malloc");
	refuses("--inject sweep:when=3 prog", "no when=");
	refuses("--inject sweep --inject malloc:fail prog", "no other rule");
	refuses("--inject sweep -p 3", "needs a command");
	refuses("--inject sweep --calls prog", "makes a report of its own");
	refuses("--inject free:fail prog", "only malloc can be made to fail");
	refuses("--inject malloc:failing prog", "only malloc");
	refuses("--inject malloc:fail: prog", "NAME=VALUE");
	refuses("--inject malloc:fail:when=0 prog", "when= takes a number from 1");
	refuses("--inject malloc:fail:when=3+x prog", "STEP is a number from 1");
	refuses("--inject malloc:fail:when=3x prog", "when= takes");
	refuses("--inject malloc:fail:min-size=99999999999999999999 prog", "min-size= takes");
	refuses("--inject malloc:fail:size=3 prog", "no such condition");
	refuses("--inject malloc:fail:caller=( prog", "--inject 'malloc:fail:caller=(': ");
	refuses("--inject malloc:fail:caller= prog", "caller= takes a regular expression");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(options_end_at_the_command),
		cmocka_unit_test(every_way_to_give_an_argument),
		cmocka_unit_test(flags),
		cmocka_unit_test(pids),
		cmocka_unit_test(numbers_have_ranges),
		cmocka_unit_test(words_may_be_shortened),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(probes),
		cmocka_unit_test(environment),
		cmocka_unit_test(marks),
		cmocka_unit_test(configuration),
		cmocka_unit_test(every_option_is_a_key),
		cmocka_unit_test(the_command_line_has_the_last_word),
		cmocka_unit_test(random_configuration),
		cmocka_unit_test(default_configuration),
		cmocka_unit_test(servers),
		cmocka_unit_test(table_is_consistent),
		cmocka_unit_test(traces),
		cmocka_unit_test(fills),
		cmocka_unit_test(injections),
		cmocka_unit_test(red_zones),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
