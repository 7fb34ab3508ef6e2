/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files: one `KEY VALUE` or `KEY = VALUE` per line. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "ui/options.h"
#include "options-internal.h"

struct place {
	const char *path;
	unsigned line;
};

/* The one key that is no option. */
static int set_ignore(struct options *o, const char *value, const struct place *at)
{
	char why[256];
	regex_t re;
	int err = regcomp(&re, value, REG_EXTENDED | REG_NOSUB);

	if (err) {
		regerror(err, &re, why, sizeof why);
		return msg_error("%s:%u: '%s' is no regular expression: %s", at->path, at->line,
				 value, why);
	}
	regfree(&re);
	vec_push(&o->ignore, xstrdup(value));
	return 0;
}

static int set_option(struct options *o, const struct option_row *row, const char *value,
		      const struct place *at)
{
	/* As those of the command line, values live as long as the options. */
	char *kept = xstrdup(value);

	vec_push(&o->kept, kept);
	if (!options_set(o, row, kept))
		return 0;
	return msg_error("%s:%u: that was in this line", at->path, at->line);
}

/* `line` loses its blanks at both ends and is cut behind the key. */
static int read_line(struct options *o, char *line, const struct place *at)
{
	static const char blank[] = " \t\r\n\v\f";
	char *name = line + strspn(line, blank), *value;
	const struct option_row *row;
	size_t n = strlen(name);
	bool ignore, equals;

	while (n && strchr(blank, name[n - 1]))
		name[--n] = '\0';
	if (!n || *name == '#')
		return 0;
	n = strcspn(name, " \t\r\n\v\f=");
	value = name + n + strspn(name + n, blank);
	equals = *value == '=';
	if (equals)
		value += 1 + strspn(value + 1, blank);
	name[n] = '\0';
	ignore = !strcmp(name, "ignore");
	row = ignore ? NULL : options_key(name);
	if (!ignore && !row)
		return msg_error("%s:%u: unknown key '%s'; keys are ignore and the long options",
				 at->path, at->line, name);
	if (!*value && (equals || ignore || row->arg))
		return msg_error("%s:%u: '%s' needs a value", at->path, at->line, name);
	return ignore ? set_ignore(o, value, at) : set_option(o, row, *value ? value : "yes", at);
}

int options_read_config(struct options *o, const char *path)
{
	struct place at = { path, 0 };
	char *line = NULL;
	size_t cap = 0;
	int bad = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return msg_error("cannot read configuration file %s: %s", path, strerror(errno));
	/* All errors of a file are told at once. */
	while (errno = 0, getline(&line, &cap, f) >= 0) {
		at.line++;
		bad |= read_line(o, line, &at);
	}
	if (ferror(f))
		bad = msg_error("cannot read configuration file %s: %s", path, strerror(errno));
	free(line);
	fclose(f);
	return bad ? -1 : 0;
}

static bool use_if_there(struct options *o, char *path)
{
	if (!path || access(path, F_OK)) {
		free(path);
		return false;
	}
	vec_push(&o->config, path);
	return true;
}

static char *below(const char *folder, const char *rest)
{
	return folder && *folder == '/' ? xasprintf("%s/%s", folder, rest) : NULL;
}

void options_find_config(struct options *o)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	bool found = use_if_there(o, below(home, "." PROGRAM_NAME "rc"));

	if (!found && xdg && *xdg)
		found = use_if_there(o, below(xdg, PROGRAM_NAME "/config"));
	else if (!found)
		found = use_if_there(o, below(home, ".config/" PROGRAM_NAME "/config"));
	if (!found)
		use_if_there(o, xstrdup(SYSCONFDIR "/" PROGRAM_NAME ".conf"));
}
