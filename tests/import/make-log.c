/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage: make-log FORMAT SEED [CALLS] [MODE…] >LOG
 *
 * A program of a small target, which allocates from a first-fit heap, and the log of it, in
 * the lines that the systems document.  MODE:
 *
 *	damage  lines are lost, or bytes in them, so that it shows
 *	text    other text between the lines, before, behind; line ends are lost
 *	crlf    lines end as terminals want them
 *	cut     the log ends within a line
 *	reset   (microbit) the target starts anew in the midst
 *
 * What a report must say of it goes to the file that $EXPECT names, in the form of
 * tests/run/expect.h: counts, errors, what is open; of a damaged log, what follows from the
 * lines that are whole.  (A realloc is an allocation and a release.  A release is unseen, yet one,
 * when the block's address is given out again.)  Counts begin anew with the heap, errors do not.
 * $NOTES names a file for the rest: damaged records, how often the heap began, and who has what
 * open at the end:
 *
 *	damaged N · resets N
 *	site WHERE BLOCKS BYTES
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "first-fit.h"

enum format { MBED, MICROBIT, AZSPHERE, ESP, ESP_HEAPTRACE, GLIBC, FORMATS };

static const char *const names[FORMATS] = {
	"mbed", "microbit", "azsphere", "esp", "esp-heaptrace", "glibc",
};

/* Start, bytes, header and alignment of the heap: so small that requests fail. */
static const struct first_fit heaps[FORMATS] = {
	[MBED] = { .start = 0x20003238, .size = 4096, .header = 8, .align = 8 },
	[MICROBIT] = { .start = 0x20002950, .size = 3760, .header = 4, .align = 4 },
	[AZSPHERE] = { .start = 0xbee79000, .size = 6144, .header = 16, .align = 16 },
	[ESP] = { .start = 0x3ffb0000, .size = 4096, .header = 4, .align = 4 },
	[ESP_HEAPTRACE] = { .start = 0x3ffb0000, .size = 4096, .header = 4, .align = 4 },
	[GLIBC] = { .start = 0x5616877f6290, .size = 6144, .header = 16, .align = 16 },
};

static struct {
	bool damage, text, crlf, cut, reset;
} mode;

static enum format format;
static unsigned variant; /* of the same format: spellings */
static struct first_fit heap;

/* -- chance ---------------------------------------------------------------- */

static uint64_t state;

static uint64_t any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

/* -- call sites ------------------------------------------------------------ */

static const struct site {
	unsigned pc; /* as mbed has it: of Thumb code */
	const char *function, *file, *variable;
	unsigned line;
} sites[] = {
	{ 0x600d, "main", "main.c", "buffer", 17 },
	{ 0x6113, "app_main", "main.c", "self->rows[i + 1]", 42 },
	{ 0x6207, "read_sensor", "sensor.c", "sample", 77 },
	{ 0x638b, "net_send", "net/send.c", "packet", 130 },
	{ 0x6401, "net_receive", "net/receive.c", "unknow", 9 },
};
enum { SITES = sizeof sites / sizeof *sites };

static unsigned code_base(void)
{
	return format == ESP_HEAPTRACE ? 0x400d0000 : format == GLIBC ? 0x11000 : 0;
}

/* -- what the reader of the log can know ----------------------------------- */

struct block {
	uint64_t addr, size;
	const struct site *site;
};

static struct block open_blocks[8192];
static size_t nopen;
static struct {
	unsigned long allocs, frees, bytes, failed, unknown, unseen, null;
} seen; /* since the last start */
static struct {
	unsigned long damaged, resets, doubles, invalid;
} noted;

static struct block *find_open(uint64_t addr)
{
	for (size_t i = nopen; i--;)
		if (open_blocks[i].addr == addr)
			return &open_blocks[i];
	return NULL;
}

static void see_alloc(uint64_t addr, uint64_t size, const struct site *site)
{
	struct block *old = find_open(addr);

	seen.allocs++;
	seen.bytes += size;
	if (old) {
		seen.unseen++;
		seen.frees++;
		*old = open_blocks[--nopen];
	}
	open_blocks[nopen++] = (struct block){ addr, size, site };
}

static void see_free(uint64_t addr, bool is_double)
{
	struct block *old = find_open(addr);

	if (old) {
		seen.frees++;
		*old = open_blocks[--nopen];
	} else if (!addr) {
		seen.null++;
	} else {
		seen.unknown++;
		if (is_double)
			noted.doubles++;
		else
			noted.invalid++;
	}
}

/* -- lines ----------------------------------------------------------------- */

static struct {
	char s[4096];
	size_t n;
	size_t address, address_end; /* digits of the first address that tells */
	bool address_is_last;
	bool is_needed; /* may be damaged, but not be lost: the next would not be understood */
} line;
static bool no_end; /* the line before has lost its end */

static void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line.n += (size_t)vsnprintf(line.s + line.n, sizeof line.s - line.n, fmt, ap);
	va_end(ap);
}

/* The address that damage is done to. */
static void add_address(uint64_t addr)
{
	add("0x");
	line.address = line.n;
	add("%llx", (unsigned long long)addr);
	line.address_end = line.n;
}

static void put_end(void)
{
	fputs(mode.crlf ? "\r\n" : "\n", stdout);
}

static void put_text(void)
{
	static const char *const texts[] = {
		"I (1234) wifi: connected, 3 free buffers", "temp=21 °C", "", "#include <mbed.h>",
		"user@host:~$ malloc", "free: 12 kB, malloc'd [F] 7", "= 5", "+ 1 is two",
		"Failed to allocate a name", "Heap of apples: 12", "?!", "\x80\xff\x01\x02",
	};

	if (any(40) == 0)
		for (int i = 0; i < 5000; i++)
			putchar("abc #;x0"[any(8)]);
	else if (any(20) == 0)
		fwrite("\0\0a\0", 1, 4, stdout);
	else
		fputs(texts[any(sizeof texts / sizeof *texts)], stdout);
	put_end();
}

/* Digits become what none can be; or the line ends within them; or they are too many. */
static void damage_line(void)
{
	static const char bytes[] = { 0, '?', '~', 'z', (char)0x80, (char)0xff };
	size_t at = line.address + any(line.address_end - line.address);
	unsigned kind = (unsigned)any(3);

	noted.damaged++;
	if (kind == 0 && !line.address_is_last) {
		line.n = at + (at == line.address);
	} else if (kind == 1) {
		memmove(line.s + at + 20, line.s + at, line.n - at);
		memset(line.s + at, '7', 20);
		line.n += 20;
	} else {
		line.s[at] = bytes[any(sizeof bytes)];
	}
}

/* Prints the line.  False: nothing can be known of it. */
static bool put_line(bool has_end)
{
	bool is_whole = true, has_address = line.address_end;

	if (mode.text && any(8) == 0 && !no_end && has_end)
		put_text();
	if (mode.damage && line.address_end && any(16) == 0) {
		if (any(4) == 0 && !line.is_needed) {
			memset(&line, 0, sizeof line);
			return false;
		}
		is_whole = false;
		damage_line();
	}
	if (mode.text && any(16) == 0 && !no_end)
		fputs(any(2) ? "hello, " : "[main] temperature is ", stdout);
	fwrite(line.s, 1, line.n, stdout);
	if (mode.text && is_whole && has_address && any(16) == 0)
		fputs(any(2) ? " bye" : " [main] ready", stdout);
	no_end = !has_end || (mode.text && is_whole && has_address && any(16) == 0);
	if (!no_end)
		put_end();
	memset(&line, 0, sizeof line);
	return is_whole;
}

#include "log-formats.h"

/* -- the program ----------------------------------------------------------- */

static struct block live[4096]; /* what the target has */
static size_t nlive;

static void do_alloc(void)
{
	const struct site *site = &sites[any(SITES)];
	bool is_calloc = any(8) == 0;
	uint64_t each = 1 + any(is_calloc ? 16 : 90), count = is_calloc ? 1 + any(12) : 1, addr;

	if (any(100) == 0)
		each = heap.size;
	addr = nlive < sizeof live / sizeof *live ? first_fit_alloc(&heap, count * each) : 0;
	if (addr)
		live[nlive++] = (struct block){ addr, count * each, site };
	log_alloc(site, is_calloc ? count : 0, each, addr);
}

static void do_free(void)
{
	size_t i = any(nlive);
	struct block b = live[i];

	live[i] = live[--nlive];
	first_fit_free(&heap, b.addr);
	log_free(b.site, b.addr, b.size, BLOCK);
	if (any(64) == 0)
		log_free(b.site, b.addr, b.size, DOUBLE);
}

static void do_realloc(void)
{
	struct block *b = &live[any(nlive)], old = *b;
	uint64_t size = 1 + any(120), addr = first_fit_alloc(&heap, size);

	if (addr) {
		first_fit_free(&heap, old.addr);
		*b = (struct block){ addr, size, &sites[any(SITES)] };
	}
	log_realloc(addr ? b->site : old.site, &old, size, addr);
}

/* Odd: within a block, and never the beginning of one. */
static void do_wrong_free(void)
{
	const struct block *b = &live[any(nlive)];

	if (b->size > 1)
		log_free(&sites[any(SITES)], b->addr + 1, 8, UNKNOWN);
}

static void do_call(void)
{
	unsigned choice = (unsigned)any(100);

	if (choice < 2)
		log_free(&sites[any(SITES)], 0, 0, NIL);
	else if (choice < 3 && nlive)
		do_wrong_free();
	else if (!nlive || choice < 52)
		do_alloc();
	else if (choice < 60)
		do_realloc();
	else
		do_free();
}

static void do_reset(void)
{
	first_fit_release(&heap);
	heap = heaps[format];
	nlive = nopen = 0;
	memset(&seen, 0, sizeof seen);
	log_start();
}

static void run(unsigned long calls)
{
	log_start();
	for (unsigned long i = 0; i < calls; i++) {
		if (mode.reset && i == calls / 2)
			do_reset();
		do_call();
	}
	log_end(live, nlive);
}

/* Ends the log in a line that would have counted. */
static void cut(void)
{
	const struct site *site = &sites[0];

	if (no_end)
		put_end();
	log_cut(site);
	fwrite(line.s, 1, line.n, stdout);
}

/* -- what is to be expected ------------------------------------------------ */

static FILE *open_named(const char *variable)
{
	const char *name = getenv(variable);

	return name ? fopen(name, "w") : NULL;
}

static void write_expected(FILE *out)
{
	unsigned long bytes = 0;

	for (size_t i = 0; i < nopen; i++)
		bytes += open_blocks[i].size;
	fprintf(out, "allocs %lu\nfrees %lu\nbytes_allocated %lu\n", seen.allocs, seen.frees,
		seen.bytes);
	fprintf(out, "open_blocks %zu\nopen_bytes %lu\nfailed %lu\n", nopen, bytes, seen.failed);
	fprintf(out, "unknown_releases %lu\nunseen_releases %lu\nnull_releases %lu\n", seen.unknown,
		seen.unseen, seen.null);
	if (!mode.damage)
		fprintf(out, "error double_free %lu\nerror invalid_free %lu\n", noted.doubles,
			noted.invalid);
}

static void write_notes(FILE *out)
{
	fprintf(out, "damaged %lu\nresets %lu\n", noted.damaged, noted.resets);
	for (unsigned s = 0; s < SITES; s++) {
		unsigned long blocks = 0, bytes = 0;

		for (size_t i = 0; i < nopen; i++)
			if (open_blocks[i].site == &sites[s]) {
				blocks++;
				bytes += open_blocks[i].size;
			}
		if (blocks && format != MICROBIT && format != AZSPHERE) {
			fprintf(out, "site ");
			write_site(out, &sites[s]);
			fprintf(out, " %lu %lu\n", blocks, bytes);
		}
	}
}

static bool set_mode(const char *word)
{
	bool *flag = !strcmp(word, "damage") ? &mode.damage : !strcmp(word, "text") ? &mode.text :
		!strcmp(word, "crlf") ? &mode.crlf : !strcmp(word, "cut") ? &mode.cut :
		!strcmp(word, "reset") ? &mode.reset : NULL;

	if (flag)
		*flag = true;
	return flag;
}

int main(int argc, char **argv)
{
	unsigned long calls = 400;
	FILE *out;

	while (argc > 1 && format < FORMATS && strcmp(argv[1], names[format]))
		format++;
	if (argc < 3 || format == FORMATS) {
		fprintf(stderr, "usage: make-log FORMAT SEED [CALLS] [damage|text|crlf|cut|reset…]\n");
		return 2;
	}
	variant = (unsigned)strtoul(argv[2], NULL, 0);
	state = variant * UINT64_C(0x9e3779b97f4a7c15) + 1;
	heap = heaps[format];
	for (int i = 3; i < argc; i++)
		if (!set_mode(argv[i]))
			calls = strtoul(argv[i], NULL, 0);
	if (mode.reset && format != MICROBIT) {
		fprintf(stderr, "make-log: %s does not say when the heap begins anew\n", argv[1]);
		return 2;
	}
	run(calls);
	if (mode.cut)
		cut();
	if ((out = open_named("EXPECT"))) {
		write_expected(out);
		fclose(out);
	}
	if ((out = open_named("NOTES"))) {
		write_notes(out);
		fclose(out);
	}
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
