/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line and the configuration file.  One table of options is what
 * the parser, --help, --list-options (bash completion, tests) go by. */
#ifndef MTRACE_UI_OPTIONS_H
#define MTRACE_UI_OPTIONS_H

#include "base/types.h"
#include "base/vec.h"
#ifdef HAVE_CLIENT
#include "report/heapmap.h"
#include "report/report.h"
#include "ui/import.h"
#include "report/threshold.h"
#endif
#include "trace/trace.h"

struct strbuf;

enum option_group { GROUP_WHAT, GROUP_CALLS, GROUP_LEAKS, GROUP_CHECKS, GROUP_REPORT, GROUP_LOG, GROUP_OTHER, GROUP_HIDDEN,
		    GROUP_IMPORT };

/* What a word after the option may be, for completion. */
enum option_word {
	WORD_NONE,
	WORD_ANY,
	WORD_NUMBER,
	WORD_FILE,
	WORD_FOLDER,
	WORD_PID,
	WORD_USER,
	WORD_SORT_KEY, /* one of a list: see option_words() */
	WORD_COLOR,
	WORD_FORMAT,
	WORD_LEAK_CHECK,
	WORD_LEAK_KIND, /* several, with commas */
	WORD_SCAN,
	WORD_ON_SIGNAL,
	WORD_GEN,
	WORD_YES_NO,
	WORD_DISCONNECT,
	WORD_FULL,
	WORD_TRACE,    /* only behind a = */
	WORD_IMPORT,
	WORD_ON_THRESHOLD,
};

struct options;

/* What an option sets: a place in struct options. */
/* Where tracing and reporting are apart: by a log, or on two machines. */
enum option_side { SIDE_BOTH, SIDE_TRACER, SIDE_REPORT };

struct option_field {
	size_t at, size;
	unsigned long value;  /* to set; of a number the least it may be … */
	unsigned long max;    /* … and the greatest */
};

struct option_row {
	char key;             /* "d" of -d; 0: long only */
	const char *name;     /* "depth" of --depth */
	const char *arg;      /* "N"; NULL: it takes none */
	enum option_word word;
	enum option_group group;
	const char *help;     /* one sentence; \n breaks a line */
	/* Applies the option; `arg` belongs to the caller and lives as long as
	 * argv.  0, or -1 after a message. */
	int (*set)(struct options *o, const struct option_row *row, const char *arg);
	struct option_field field;
};

/* What is printed instead of tracing. */
enum option_answer { ANSWER_NONE, ANSWER_HELP, ANSWER_VERSION, ANSWER_LIST, ANSWER_COMMANDS };

struct options {
	struct trace_opts trace;
#ifdef HAVE_CLIENT
	struct report_opts report; /* has what both sides have, too, in the end */
	VEC(struct condition *) fail_if; /* report.fail_if */
	struct import_opts import; /* path NULL: nothing is imported */
	const char *import_format; /* --import; NULL: not given */
	bool audit;           /* a line for each operation … */
	bool no_audit;        /* … or none, whatever is read */
	VEC(struct heapmap_region) heaps; /* --heap */
	struct thresholds thresholds;
#endif
	char *const *words;   /* argv */
	bool quiet;           /* -q */
	int verbose;          /* -v */
	bool list_leaks;      /* -a */
	unsigned leak_kinds;  /* bits 1 << enum leak_kind */
	struct strings binpath;  /* -b: folders to look for binaries in */
	struct strings source_path; /* --source-path: likewise for source files */
	const char *cwd;      /* -C: what an attached program's relative names are
				 relative to; NULL: its own */
	struct strings env;      /* -E; in our own environment already */
	struct strings config;   /* -F, or the default file that exists */
	struct strings kept;     /* values from configuration files */
	struct strings ignore;   /* report.ignore, from configuration files */
	bool debug;           /* -D */
	bool sweep;           /* --inject sweep: trace.change.fail has one rule */
	unsigned long sweep_max;
	const char *tracer_option, *report_option; /* on the command line: the last
				 one that is for one side alone; NULL: none */
	const char *logfile;  /* -l; "-" is standard output or input */
	bool no_compress;
	const char *remote;   /* -r: serve there, or connect to there */
	uint32_t port;        /* -P; 0: as -r says */
	bool wait;            /* -w: for a client, before the program runs */
	bool insecure;        /* no token is needed */
	const char *token_file;
	uint32_t on_disconnect, when_full; /* enums of ui/server.h */
	bool private;         /* the server is for a console of this process alone */
	bool interactive;     /* -i: the console */
	const char *script;   /* -x: its commands; NULL: none */
	bool top;             /* --top: the full-screen view */
	const char *diff;     /* --diff: the log of an older run; NULL: none */
	uint32_t trace_format; /* --trace: enum trace_format of report/report.h */
	enum option_answer answer;
};

/* What the command line asked for. */
enum options_result {
	OPTIONS_TRACE,   /* go on */
	OPTIONS_LOG,     /* read the log and report */
	OPTIONS_CLIENT,  /* connect to a server and report */
	OPTIONS_IMPORT,  /* read a heap log of another system and report */
	OPTIONS_DONE,    /* --help or the like was answered: exit status 0 */
	OPTIONS_WRONG,   /* after a message: exit status EXIT_OURS */
};

/* Fills *o from argv and the configuration files; options end at the first
 * argument that is none, which begins the command.  Strings in *o point into
 * argv or are owned by *o; options_release() frees those.  Sets the level of
 * messages. */
enum options_result options_parse(struct options *o, char **argv);
void options_release(struct options *o);

/* What is asked of a log and of a server. */
struct recording_opts;
struct serving_opts;
struct recording_opts options_recording(const struct options *o);
struct serving_opts options_serving(const struct options *o);

/* Reads one configuration file.  0, or -1 after a message `FILE:LINE: …`.  The
 * file's lines:  OPTION [=] VALUE · OPTION [[=] yes|no] · ignore [=] REGEX ·
 * # comment. */
int options_read_config(struct options *o, const char *path);

/* The table, row by row; NULL behind the last. */
const struct option_row *option_row(size_t i);
enum option_side option_side(const struct option_row *row);
/* The i-th word that options of such a word take; NULL: no more. */
const char *option_word(enum option_word word, size_t i);

/* The text of --help, --version and --list-options. */
void options_help(struct strbuf *sb);
void options_version(struct strbuf *sb);
void options_list(struct strbuf *sb);

#endif
