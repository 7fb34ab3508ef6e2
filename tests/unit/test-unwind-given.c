/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of this very program as a client tells them, and what a tracer makes of them that
 * has the same program without its tables: the same rows at each address.  Then parts
 * that are damaged, cut off, in no order, of other code, too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/strbuf.h"
#include "../../src/trace/unwind-internal.h"

union set {
	struct saves saves;
	uint8_t room[SAVES_MAX_BYTES];
};

static struct {
	struct elf_file *whole, *bare; /* this program, with tables and without */
	const struct abi *abi;
	const uint8_t *id;
	size_t len;
	VEC(struct strbuf) parts;
	struct given_rows *given;
	taddr_t start, end; /* of the code */
} w;

static uint64_t seed = 3;

static uint64_t rnd(void)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u);
}

static bool keep_block(void *arg, const void *block, size_t n)
{
	struct strbuf sb = STRBUF_INIT;

	(void)arg;
	assert_true(n <= ROWS_BLOCK);
	rows_part_write(&sb, &(struct rows_part){ w.id, (uint32_t)w.len, block, n });
	vec_push(&w.parts, sb);
	return true;
}

/* Neither section headers nor the index of .eh_frame. */
static void strip(uint8_t *image)
{
	ElfW(Ehdr) *e = (ElfW(Ehdr) *)image;
	ElfW(Phdr) *ph = (ElfW(Phdr) *)(image + e->e_phoff);

	e->e_shoff = 0;
	e->e_shnum = e->e_shstrndx = 0;
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (ph[i].p_type == PT_GNU_EH_FRAME || ph[i].p_type == 0x70000001 /* PT_ARM_EXIDX */)
			ph[i].p_type = PT_NULL;
}

static int set_up(void **state)
{
	const struct elf_ident *ident;
	const struct elf_segment *seg;
	struct stat st;
	uint8_t *image;
	int fd = open("/proc/self/exe", O_RDONLY);
	size_t n;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	image = xmalloc((size_t)st.st_size);
	assert_int_equal(read(fd, image, (size_t)st.st_size), st.st_size);
	close(fd);
	strip(image);
	w.whole = elf_file_open("/proc/self/exe", "/whole");
	w.bare = elf_file_from_image(image, (uint64_t)st.st_size, 0, "/bare");
	free(image);
	assert_non_null(w.whole);
	assert_non_null(w.bare);
	ident = elf_file_ident(w.whole);
	w.abi = abi_lookup(ident->machine, ident->class, ident->data);
	w.id = elf_file_build_id(w.whole, &w.len);
	if (!w.abi || !w.len)
		return 0;
	n = elf_file_segments(w.whole, &seg);
	for (size_t i = 0; i < n; i++)
		if (seg[i].flags & PF_X) {
			w.start = seg[i].vaddr;
			w.end = seg[i].vaddr + seg[i].memsz;
		}
	unwind_tell_rows(w.whole, keep_block, NULL);
	return 0;
}

static void need_rows(void)
{
	if (!w.abi || !w.len || !w.parts.n) {
		print_message("no call-frame information or no build id here\n");
		skip();
	}
}

static void begin(void)
{
	given_rows_free(w.given);
	w.given = given_rows_new();
	assert_int_equal(given_rows_want(w.given, w.abi, w.whole), 0);
	assert_true(given_rows_want(w.given, w.abi, w.bare) > 0);
	assert_int_equal(given_rows_want(w.given, w.abi, w.bare), 0); /* once */
	assert_true(given_rows_awaited(w.given));
	assert_true(given_rows_rest(w.given));
}

static int give(const void *bytes, size_t n, uint64_t what)
{
	struct rows_part p;
	const char *why;
	int err = rows_part_read(&p, bytes, n);

	err = err ? err : given_rows_take(w.given, &p, what, &why);
	if (err < 0 && err != -EALREADY)
		assert_false(given_rows_bytes(w.given, w.id, w.len));
	return err;
}

static uint64_t what_of(size_t i)
{
	return (uint64_t)(i ? 0 : REQUEST_ROWS_FIRST) | (i + 1 == w.parts.n ? REQUEST_ROWS_LAST : 0);
}

static int give_part(size_t i)
{
	return give(w.parts.v[i].s, w.parts.v[i].n, what_of(i));
}

static bool look_up(taddr_t vaddr, struct row *row, union set *set)
{
	struct row_maker m = { .row = row, .saves = &set->saves };

	*row = (struct row){ .pc = vaddr };
	return row_of_given(w.given, w.abi, w.bare, vaddr, &m);
}

static bool known(taddr_t vaddr, struct row *row, union set *set)
{
	struct row_maker m = { .row = row, .saves = &set->saves };
	bool ok;

	*row = (struct row){ .pc = vaddr };
	ok = row_make(w.abi, elf_file_cfi(w.whole, CFI_EH_FRAME), vaddr, &m) ||
	     row_make(w.abi, elf_file_cfi(w.whole, CFI_DEBUG_FRAME), vaddr, &m);
	free(m.full);
	return ok && row->kind != ROW_FULL;
}

static void same_row(taddr_t vaddr)
{
	struct row a, b;
	union set sa, sb;
	bool is = known(vaddr, &a, &sa);

	assert_int_equal(look_up(vaddr, &b, &sb), is);
	if (!is)
		return;
	assert_int_equal(a.kind, b.kind);
	if (a.kind == ROW_OUTERMOST)
		return;
	assert_int_equal(a.cfa_reg, b.cfa_reg);
	assert_int_equal(a.cfa_off, b.cfa_off);
	assert_int_equal(sa.saves.ra, sb.saves.ra);
	if (sa.saves.ra != RA_IN_REG)
		assert_int_equal(a.ra_off, b.ra_off);
	assert_int_equal(sa.saves.n, sb.saves.n);
	assert_memory_equal(&sa.saves, &sb.saves, sizeof sa.saves + sa.saves.n * sizeof sa.saves.s[0]);
}

static void test_same_rows(void **state)
{
	unsigned found = 0;
	struct row row;
	union set set;

	(void)state;
	need_rows();
	begin();
	for (size_t i = 0; i < w.parts.n; i++) {
		assert_false(look_up(w.start + (w.end - w.start) / 2, &row, &set)); /* not yet */
		assert_int_equal(give_part(i), i + 1 == w.parts.n);
	}
	assert_false(given_rows_awaited(w.given));
	assert_false(given_rows_rest(w.given));
	for (taddr_t at = w.start - MIN(w.start, 8u); at < w.end + 8; at++) {
		same_row(at);
		found += look_up(at, &row, &set);
	}
	assert_true(found > (w.end - w.start) / 2);
	assert_int_equal(give_part(0), -EALREADY);
}

static void test_not_had(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	need_rows();
	begin();
	rows_part_write(&sb, &(struct rows_part){ w.id, (uint32_t)w.len, NULL, 0 });
	assert_int_equal(give(sb.s, sb.n, REQUEST_ROWS_NONE), 0);
	assert_false(given_rows_awaited(w.given));
	for (size_t i = 0; i < w.parts.n; i++) /* another one has them */
		assert_int_equal(give_part(i), i + 1 == w.parts.n);
	strbuf_release(&sb);
}

/* A client leaves in the midst, the next begins again. */
static void test_begins_again(void **state)
{
	(void)state;
	need_rows();
	begin();
	if (w.parts.n > 1)
		assert_int_equal(give_part(0), 0);
	for (size_t i = 0; i < w.parts.n; i++)
		assert_int_equal(give_part(i), i + 1 == w.parts.n);
}

/* Nobody answers: stacks are not kept for ever. */
static void test_rests_end(void **state)
{
	unsigned n = 0;

	(void)state;
	need_rows();
	begin();
	while (given_rows_rest(w.given) && n < 1000000)
		n++;
	assert_in_range(n, 1000, 100000);
	assert_true(given_rows_awaited(w.given));
	assert_false(given_rows_rest(NULL));
}

/* One part of the code of [start, start + len), with one shape. */
static int give_made(taddr_t start, uint64_t len, const struct row_shape *shape, uint64_t what)
{
	struct rows_writer *to;

	for (size_t i = 0; i < w.parts.n; i++)
		strbuf_release(&w.parts.v[i]);
	w.parts.n = 0;
	to = rows_writer_new(keep_block, NULL);
	rows_write(to, start, len, shape);
	rows_writer_end(to);
	return give(w.parts.v[0].s, w.parts.v[0].n, what);
}

/* These make parts of their own: last. */
static void test_refused(void **state)
{
	enum { ONE = REQUEST_ROWS_FIRST | REQUEST_ROWS_LAST };
	const uint16_t sp = (uint16_t)abi_dwarf_number(w.abi, w.abi->dwarf_sp);
	const struct row_shape good = { .kind = SHAPE_OFFSET, .cfa_reg = sp, .ra_reg = sp, .cfa_off = 16 };
	struct row_shape s = good;

	(void)state;
	need_rows();
	begin();
	assert_int_equal(give_made(w.start, 4, &good, ONE), 1);
	begin();
	assert_int_equal(give_made(w.end, 4, &good, ONE), -EBADMSG);
	assert_int_equal(give_made(w.start, 4, &good, ONE), -EALREADY); /* once is enough */
	assert_false(given_rows_awaited(w.given));
	begin();
	assert_int_equal(give_made(w.start, w.end - w.start + 1, &good, ONE), -EBADMSG);
	begin();
	assert_int_equal(give_made(w.start, 4, &good, 0), -EBADMSG); /* no beginning */
	begin();
	assert_int_equal(give_made(w.start + 4, 4, &good, REQUEST_ROWS_FIRST), 0);
	assert_int_equal(give_made(w.start, 4, &good, REQUEST_ROWS_LAST), -EBADMSG);
	begin();
	s.cfa_reg = 60;
	assert_int_equal(give_made(w.start, 4, &s, ONE), -EBADMSG);
	begin();
	s = good;
	s.nsaves = 2;
	s.save[0].reg = s.save[1].reg = sp; /* one register twice */
	assert_int_equal(give_made(w.start, 4, &s, ONE), -EBADMSG);
}

/* As many as there is room for, and one more. */
static void test_too_many(void **state)
{
	const uint16_t sp = (uint16_t)abi_dwarf_number(w.abi, w.abi->dwarf_sp);
	struct row_shape s = { .kind = SHAPE_OFFSET, .cfa_reg = sp, .ra_reg = sp, .nsaves = 1, .save[0].reg = sp };
	size_t bytes = 0;
	int err = 0;

	(void)state;
	need_rows();
	begin();
	for (taddr_t at = w.start; !err && at < w.end; at++) {
		s.cfa_off = (int32_t)(at - w.start) * 8;
		err = give_made(at, 1, &s, at == w.start ? REQUEST_ROWS_FIRST : 0);
		bytes += ROWS_EACH;
		assert_true(bytes <= ROWS_TOTAL + ROWS_EACH);
	}
	assert_int_equal(err, -EBADMSG);
}

static void test_damaged(void **state)
{
	unsigned refused = 0, taken = 0;

	(void)state;
	need_rows();
	for (unsigned round = 0; round < 2000; round++) {
		size_t i = rnd() % w.parts.n, n = w.parts.v[i].n;
		uint8_t *bytes = xmemdup(w.parts.v[i].s, n); /* so that reading beyond is seen */
		struct row row;
		union set set;

		begin();
		if (rnd() % 2) {
			uint8_t *cut;

			n = rnd() % n;
			cut = xmemdup(bytes, MAX(n, (size_t)1));
			free(bytes);
			bytes = cut;
		}
		for (uint64_t k = rnd() % 4; k && n; k--)
			bytes[rnd() % n] = (uint8_t)(rnd() % 3 ? rnd() : 0xff);
		if (give(bytes, n, REQUEST_ROWS_FIRST | REQUEST_ROWS_LAST) > 0) {
			taken++;
			for (unsigned k = 0; k < 50; k++)
				look_up(w.start + rnd() % (w.end - w.start + 16), &row, &set);
		} else {
			refused++;
		}
		free(bytes);
	}
	assert_true(refused > 100);
	assert_true(taken > 0);
}

static int tear_down(void **state)
{
	(void)state;
	given_rows_free(w.given);
	for (size_t i = 0; i < w.parts.n; i++)
		strbuf_release(&w.parts.v[i]);
	vec_release(&w.parts);
	elf_file_unref(w.whole);
	elf_file_unref(w.bare);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_rows),
		cmocka_unit_test(test_not_had),
		cmocka_unit_test(test_begins_again),
		cmocka_unit_test(test_rests_end),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
