/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>

#include "unwind-internal.h"

static bool other_byte_order(const struct abi *abi)
{
	const uint16_t one = 1;
	bool host_little = *(const uint8_t *)&one == 1;

	return host_little != (abi->e_data == ELFDATA2LSB);
}

void unwind_mem_begin(struct unwind_mem *m, const struct abi *abi, const struct stack_copy *copy)
{
	m->word = abi->word;
	m->mask = abi->word == 4 ? UINT32_MAX : UINT64_MAX;
	m->swap = other_byte_order(abi);
	m->copy = NULL;
	m->copy_addr = m->copy_len = m->copy_words_end = 0;
	m->next = m->nchunks = 0;
	if (!copy || copy->len < m->word)
		return;
	m->copy = copy->bytes;
	m->copy_addr = copy->addr;
	m->copy_len = copy->len;
	m->copy_words_end = copy->len - m->word + 1;
}

static const struct chunk *get_chunk(struct unwind_mem *m, taddr_t addr)
{
	struct chunk *c;
	ssize_t n;

	for (unsigned i = 0; i < m->nchunks; i++) {
		if (m->chunk[i].addr == addr)
			return &m->chunk[i];
	}
	c = &m->chunk[m->next];
	m->next = (m->next + 1) % CHUNKS;
	m->nchunks = MIN(m->nchunks + 1, (unsigned)CHUNKS);
	n = m->reader->read(m->reader->arg, addr, c->bytes, CHUNK_SIZE);
	c->addr = addr;
	c->len = n > 0 ? MIN((size_t)n, (size_t)CHUNK_SIZE) : 0;
	++*m->refills;
	return c;
}

/* Bytes from one place: the copy or one chunk.  How many were had. */
static size_t piece(struct unwind_mem *m, taddr_t addr, uint8_t *to, size_t len)
{
	taddr_t page = addr & ~(taddr_t)(CHUNK_SIZE - 1);
	size_t off = addr - m->copy_addr;
	const struct chunk *c;

	if (off < m->copy_len) {
		len = MIN(len, m->copy_len - off);
		memcpy(to, m->copy + off, len);
		return len;
	}
	c = get_chunk(m, page);
	off = addr - page;
	if (off >= c->len)
		return 0;
	len = MIN(len, c->len - off);
	memcpy(to, c->bytes + off, len);
	return len;
}

static uint64_t number(const uint8_t *b, unsigned size, bool big)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v = v << 8 | b[big ? i : size - 1 - i];
	return v;
}

bool unwind_mem_load(struct unwind_mem *m, taddr_t addr, unsigned size, uint64_t *value)
{
	const uint16_t one = 1;
	bool host_little = *(const uint8_t *)&one == 1;
	uint8_t b[8];

	if (!size || size > sizeof b)
		return false;
	for (unsigned have = 0; have < size;) {
		size_t n = piece(m, (addr + have) & m->mask, b + have, size - have);

		if (!n)
			return false;
		have += (unsigned)n;
	}
	*value = number(b, size, host_little == m->swap);
	return true;
}
