/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files: one `KEY VALUE` per line. */
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

struct key {
	const char *name;
	int (*set)(struct options *o, const struct key *key, const char *value,
		   const struct place *at);
	enum alloc_op op; /* of alloc, free and realloc */
};

static int set_probe(struct options *o, const struct key *key, const char *value,
		     const struct place *at)
{
	if (!options_add_probe(o, value, key->op))
		return 0;
	return msg_error("%s:%u: that was in this line", at->path, at->line);
}

static int set_omit(struct options *o, const struct key *key, const char *value,
		    const struct place *at)
{
	(void)key;
	(void)at;
	vec_push(&o->trace.omit, xstrdup(value));
	return 0;
}

static int set_ignore(struct options *o, const struct key *key, const char *value,
		      const struct place *at)
{
	char why[256];
	regex_t re;
	int err = regcomp(&re, value, REG_EXTENDED | REG_NOSUB);

	(void)key;
	if (err) {
		regerror(err, &re, why, sizeof why);
		return msg_error("%s:%u: '%s' is no regular expression: %s", at->path, at->line,
				 value, why);
	}
	regfree(&re);
	vec_push(&o->ignore, xstrdup(value));
	return 0;
}

static const struct key keys[] = {
	{ "alloc", set_probe, OP_ALLOC },
	{ "free", set_probe, OP_RELEASE },
	{ "realloc", set_probe, OP_REALLOC },
	{ "omit", set_omit, 0 },
	{ "ignore", set_ignore, 0 },
};

static int unknown_key(const char *name, const struct place *at)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		strbuf_addf(&sb, "%s%s", i ? ", " : "", keys[i].name);
	msg_error("%s:%u: unknown key '%s'; keys are %s", at->path, at->line, name, sb.s);
	strbuf_release(&sb);
	return -1;
}

/* `line` loses its blanks at both ends and is cut behind the key. */
static int read_line(struct options *o, char *line, const struct place *at)
{
	static const char blank[] = " \t\r\n\v\f";
	char *name = line + strspn(line, blank), *value;
	size_t n = strlen(name);

	while (n && strchr(blank, name[n - 1]))
		name[--n] = '\0';
	if (!n || *name == '#')
		return 0;
	value = name + strcspn(name, blank);
	if (*value)
		*value++ = '\0';
	value += strspn(value, blank);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(name, keys[i].name))
			continue;
		if (!*value)
			return msg_error("%s:%u: '%s' needs a value", at->path, at->line, name);
		return keys[i].set(o, &keys[i], value, at);
	}
	return unknown_key(name, at);
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
