/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screen: ncurses, on the terminal itself, so that standard output and input may
 * be files. */
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "top.h"

enum { HEADER_LINES = 4, GRAPH_MAX = 8, GRAPH_LABEL = 9, FIGURE = 8, NAME = 2, ESCAPE_MS = 50 };

static struct {
	FILE *tty;
	SCREEN *screen;
} term;

/* -- begin and end ------------------------------------------------------------------- */

int top_screen_begin(struct top_screen *s)
{
	term.tty = fopen("/dev/tty", "r+e");
	if (!term.tty)
		return msg_error("--top needs a terminal");
	setlocale(LC_CTYPE, "");
	s->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	term.screen = newterm(NULL, term.tty, term.tty);
	if (!term.screen) {
		fclose(term.tty);
		return msg_error("--top: this terminal cannot do it");
	}
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	return 0;
}

void top_screen_end(void)
{
	if (!term.screen)
		return;
	if (!isendwin())
		endwin();
	delscreen(term.screen);
	fclose(term.tty);
	term.screen = NULL;
	setlocale(LC_CTYPE, "C");
}

void top_screen_release(struct top_screen *s)
{
	top_page_close(s);
	free(s->status);
	s->status = NULL;
}

void top_screen_resize(void)
{
	struct winsize size;

	if (!ioctl(fileno(term.tty), TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resize_term(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

void top_screen_again(void)
{
	if (isendwin())
		refresh();
	top_screen_resize();
}

int top_screen_fd(void)
{
	return fileno(term.tty);
}

int top_screen_key(void)
{
	int key = getch();

	return key == ERR ? -1 : key;
}

/* -- text ------------------------------------------------------------------------------ */

/* A name may hold anything: bytes that are no characters here become a '?' each, those
 * that take no column are left out.  How many columns were used. */
static int put_text(const char *s, int columns)
{
	mbstate_t state = { 0 };
	int used = 0;

	while (*s) {
		wchar_t c;
		size_t len = mbrtowc(&c, s, strlen(s), &state);
		int width = len > (size_t)-3 ? -1 : wcwidth(c);

		if (len > (size_t)-3) {
			state = (mbstate_t){ 0 };
			for (len = 1; ((unsigned char)s[len] & 0xc0) == 0x80; len++)
				;
		}
		if (used + (width < 0 ? 1 : width) > columns)
			break;
		if (width < 0)
			addch('?');
		else if (width > 0)
			addnstr(s, (int)len);
		used += width < 0 ? 1 : width;
		s += len;
	}
	return used;
}

/* A whole line, filled up with blanks; below the screen nothing. */
static void put_line(int y, const char *s)
{
	int used;

	if (y >= LINES)
		return;
	move(y, 0);
	used = put_text(s, COLS);
	while (used++ < COLS)
		addch(' ');
}

static void put_buffer(int y, struct strbuf *sb)
{
	put_line(y, sb->s ? sb->s : "");
	strbuf_reset(sb);
}

static void add_bytes(struct strbuf *sb, uint64_t v)
{
	strbuf_add_grouped(sb, v);
	strbuf_adds(sb, v == 1 ? " byte" : " bytes");
}

static void add_counted(struct strbuf *sb, uint64_t n, const char *noun)
{
	strbuf_add_grouped(sb, n);
	strbuf_addf(sb, " %s%s", noun, n == 1 ? "" : "s");
}

/* -- the header ------------------------------------------------------------------------- */

static void draw_title(const struct top_screen *s, const struct top_data *d)
{
	const struct heap_proc *p = d->proc;
	struct strbuf sb = STRBUF_INIT;

	report_who(p, &sb);
	strbuf_addc(&sb, ' ');
	report_status(p, &sb);
	if (s->ended)
		strbuf_adds(&sb, "   ended: q leaves");
	if (s->paused)
		strbuf_adds(&sb, "   paused: space goes on");
	attron(A_BOLD);
	put_buffer(0, &sb);
	attroff(A_BOLD);
	strbuf_release(&sb);
}

static void draw_use(const struct heap_proc *p)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, "in use ");
	add_bytes(&sb, p->total.open_bytes);
	strbuf_adds(&sb, " in ");
	add_counted(&sb, p->total.open_blocks, "block");
	strbuf_adds(&sb, ", at most ");
	strbuf_add_grouped(&sb, p->total.peak_bytes);
	strbuf_adds(&sb, "; mapped ");
	strbuf_add_grouped(&sb, p->maps.open_bytes);
	strbuf_adds(&sb, " in ");
	strbuf_add_grouped(&sb, p->maps.open_regions);
	put_buffer(1, &sb);
	strbuf_release(&sb);
}

static void draw_rates(const struct top_data *d)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, "per second ");
	add_counted(&sb, d->alloc_rate, "allocation");
	strbuf_adds(&sb, " of ");
	add_bytes(&sb, d->byte_rate);
	strbuf_adds(&sb, ", ");
	add_counted(&sb, d->free_rate, "release");
	strbuf_adds(&sb, "; failed ");
	strbuf_add_grouped(&sb, d->proc->total.failed);
	strbuf_adds(&sb, ", errors ");
	strbuf_add_grouped(&sb, d->proc->nerrors);
	put_buffer(2, &sb);
	strbuf_release(&sb);
}

static void draw_leaks(const struct heap_proc *p, const struct heap *heap)
{
	static const char *const names[LEAK_KINDS] = {
		[LEAK_DEFINITE] = "definitely", [LEAK_INDIRECT] = "indirectly",
		[LEAK_POSSIBLE] = "possibly", [LEAK_REACHABLE] = "reachable",
	};
	static const enum leak_kind order[] = { LEAK_DEFINITE, LEAK_INDIRECT, LEAK_POSSIBLE,
						LEAK_REACHABLE };
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, p->scan.done ? "lost" : "l looks for leaks");
	for (size_t i = 0; p->scan.done && i < ARRAY_SIZE(order); i++) {
		strbuf_addf(&sb, "%s %s ", i ? "," : "", names[order[i]]);
		strbuf_add_grouped(&sb, p->scan.kind_bytes[order[i]]);
	}
	if (heap_nmarks(heap))
		strbuf_addf(&sb, "; mark %u", heap_nmarks(heap));
	put_buffer(3, &sb);
	strbuf_release(&sb);
}

/* -- the graph --------------------------------------------------------------------------- */

static const char *const bars[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

static void draw_bar(const struct top_screen *s, int bottom, int x, unsigned eighths, int lines)
{
	for (int i = 0; i < lines; i++, eighths -= MIN(eighths, 8u)) {
		unsigned part = MIN(eighths, 8u);

		mvaddstr(bottom - i, x, s->utf8 ? bars[part] : part >= 4 || (part && !i) ? "#" : " ");
	}
}

static void draw_graph(const struct top_screen *s, const struct top_data *d, int y, int lines)
{
	unsigned columns = COLS > GRAPH_LABEL ? (unsigned)(COLS - GRAPH_LABEL) : 0, n;
	uint64_t *v = xcalloc(columns + 1, sizeof *v), max = 0;
	struct strbuf sb = STRBUF_INIT;

	n = top_columns(&d->history, columns, v);
	for (unsigned i = 0; i < n; i++)
		max = MAX(max, v[i]);
	for (int i = 0; i < lines; i++)
		put_line(y + i, "");
	top_human(&sb, max, 1024);
	mvprintw(y, 0, "%*s", GRAPH_LABEL - 2, sb.s);
	strbuf_reset(&sb);
	if (lines > 1) {
		strbuf_addf(&sb, "%u s", n * top_per_column(&d->history, columns));
		mvprintw(y + lines - 1, 0, "%*.*s", GRAPH_LABEL - 2, GRAPH_LABEL - 2, sb.s);
	}
	for (unsigned i = 0; i < n; i++)
		draw_bar(s, y + lines - 1, COLS - (int)(n - i),
			 top_eighths(v[i], max, (unsigned)lines), lines);
	strbuf_release(&sb);
	free(v);
}

/* -- the list ----------------------------------------------------------------------------- */

static const struct {
	const char *title;
	unsigned unit;
} figures[TOP_KEYS] = {
	[TOP_BYTES] = { "BYTES", 1024 }, [TOP_BLOCKS] = { "BLOCKS", 1000 },
	[TOP_BYTE_RATE] = { "BYTES/S", 1024 }, [TOP_CALL_RATE] = { "CALLS/S", 1000 },
	[TOP_FAILED] = { "FAILED", 1000 }, [TOP_LOST] = { "LOST", 1024 },
};

static bool has_column(const struct top_data *d, int key)
{
	return key != TOP_LOST || d->proc->scan.done;
}

static void draw_titles(const struct top_data *d, int y)
{
	int x = 0;

	attron(A_REVERSE);
	put_line(y, "");
	for (int k = 0; k < TOP_KEYS && x + FIGURE <= COLS; k++) {
		if (!has_column(d, k))
			continue;
		if (k == (int)d->key)
			attron(A_BOLD | A_UNDERLINE);
		mvprintw(y, x, "%*s", FIGURE, figures[k].title);
		attroff(A_BOLD | A_UNDERLINE);
		x += FIGURE;
	}
	if (x + NAME + 6 < COLS)
		mvaddstr(y, x + NAME, "CALLER");
	attroff(A_REVERSE);
}

static void draw_row(const struct top_data *d, int y, const struct top_row *row, const char *name)
{
	struct strbuf sb = STRBUF_INIT, figure = STRBUF_INIT;

	for (int k = 0; k < TOP_KEYS; k++) {
		uint64_t v = top_value(row, (enum top_key)k);

		if (!has_column(d, k))
			continue;
		strbuf_reset(&figure);
		top_human(&figure, v, figures[k].unit);
		strbuf_addf(&sb, "%*s", FIGURE, v || k == TOP_BYTES ? figure.s : "-");
	}
	strbuf_addf(&sb, "%*s%s", NAME, "", name ? name : "...");
	put_buffer(y, &sb);
	strbuf_release(&sb);
	strbuf_release(&figure);
}

/* The row that is selected is on the screen; where it is. */
static size_t place_selection(struct top_screen *s, const struct top_data *d)
{
	size_t at = MIN(s->at, d->rows.n ? d->rows.n - 1 : 0);

	for (size_t i = 0; s->follows && i < d->rows.n; i++)
		if (d->rows.v[i].is.stack == s->selected)
			at = i;
	s->at = at;
	if (s->first > at)
		s->first = at;
	if (s->list_rows && at >= s->first + s->list_rows)
		s->first = at - s->list_rows + 1;
	return at;
}

static void draw_list(struct top_screen *s, const struct top_data *d, int y,
		      const struct report_names *names)
{
	size_t at;

	s->list_rows = LINES > y + 1 ? (size_t)(LINES - 1 - y) : 0;
	at = place_selection(s, d);
	for (size_t i = 0; i < s->list_rows; i++) {
		const struct top_row *row = s->first + i < d->rows.n ? &d->rows.v[s->first + i] : NULL;
		const char *name = row ? report_names_known(names, row->is.stack) : NULL;

		if (!row) {
			put_line(y + (int)i, "");
			continue;
		}
		if (!name && !s->any_unnamed) {
			s->any_unnamed = true;
			s->unnamed = row->is.stack;
		}
		if (s->first + i == at)
			attron(A_STANDOUT);
		draw_row(d, y + (int)i, row, name);
		attroff(A_STANDOUT);
	}
}

/* -- a text --------------------------------------------------------------------------------- */

void top_page_open(struct top_screen *s, char *title, const char *text)
{
	top_page_close(s);
	s->page_title = title;
	while (*text) {
		size_t n = strcspn(text, "\n");

		vec_push(&s->page, xstrndup(text, n));
		text += n + (text[n] == '\n');
	}
}

void top_page_close(struct top_screen *s)
{
	free(s->page_title);
	strings_release(&s->page);
	s->page_title = NULL;
	s->page_first = 0;
}

static void draw_page(struct top_screen *s, int y)
{
	attron(A_REVERSE);
	put_line(y++, s->page_title);
	attroff(A_REVERSE);
	s->list_rows = LINES > y + 1 ? (size_t)(LINES - 1 - y) : 0;
	s->page_first = MIN(s->page_first, s->page.n - MIN(s->page.n, s->list_rows));
	for (size_t i = 0; i < s->list_rows; i++)
		put_line(y + (int)i, s->page_first + i < s->page.n ? s->page.v[s->page_first + i] : "");
}

/* -- all of it --------------------------------------------------------------------------------- */

static void draw_status(const struct top_screen *s)
{
	const char *keys = s->page_title ? "Esc or q back  up/down move" :
			   "h help  s sort  l leaks  m mark  Enter stack  space pause  q quit";

	if (LINES < 2)
		return;
	if (!s->status)
		attron(A_DIM);
	put_line(LINES - 1, s->status ? s->status : keys);
	attroff(A_DIM);
}

void top_draw(struct top_screen *s, const struct top_data *d, const struct heap *heap,
	      const struct report_names *names)
{
	int y = HEADER_LINES, graph = MIN(LINES / 4, (int)GRAPH_MAX);

	s->any_unnamed = false;
	if (!d->proc) {
		erase();
		put_line(0, "waiting for the program");
		draw_status(s);
		refresh();
		return;
	}
	draw_title(s, d);
	draw_use(d->proc);
	draw_rates(d);
	draw_leaks(d->proc, heap);
	if (s->page_title) {
		draw_page(s, y);
	} else {
		if (LINES >= 12)
			draw_graph(s, d, y, graph);
		y += LINES >= 12 ? graph : 0;
		if (y < LINES - 1)
			draw_titles(d, y++);
		draw_list(s, d, y, names);
	}
	draw_status(s);
	refresh();
}
