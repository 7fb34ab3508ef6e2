/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of every ABI are consistent, whatever the host is. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "arch/abi.h"
#include "arch/host.h"

static void is_reg(int8_t reg)
{
	assert_in_range(reg, 0, ABI_MAX_REGS - 1);
}

static void is_reg_or_none(int8_t reg)
{
	if (reg != -1)
		is_reg(reg);
}

static void check_registers(const struct abi *abi)
{
	is_reg(abi->pc);
	is_reg(abi->sp);
	is_reg(abi->fp);
	is_reg(abi->retval);
	is_reg_or_none(abi->retval_high);
	is_reg_or_none(abi->link);
	is_reg(abi->syscall_ret);
	is_reg_or_none(abi->orig_syscall);
	is_reg(abi->syscall_nr);
	for (size_t i = 0; i < ARRAY_SIZE(abi->syscall_arg); i++)
		is_reg(abi->syscall_arg[i]);
	assert_true(abi->nreg_args <= ABI_MAX_ARGS);
	for (size_t i = 0; i < ABI_MAX_ARGS; i++)
		if (i < abi->nreg_args)
			is_reg(abi->reg_arg[i]);
		else
			assert_int_equal(abi->reg_arg[i], -1);
}

static void check_dwarf(const struct abi *abi)
{
	uint64_t seen = 0;

	assert_in_range(abi->ndwarf, 1, ABI_MAX_DWARF);
	assert_int_equal(abi->dwarf_reg[abi->dwarf_pc], abi->pc);
	assert_int_equal(abi->dwarf_reg[abi->dwarf_sp], abi->sp);
	assert_int_equal(abi->dwarf_reg[abi->dwarf_fp], abi->fp);
	for (size_t i = 0; i < ABI_MAX_DWARF; i++) {
		int8_t reg = abi->dwarf_reg[i];

		is_reg_or_none(reg);
		if (i >= abi->ndwarf)
			assert_int_equal(reg, -1);
		if (reg < 0)
			continue;
		assert_false(seen >> reg & 1); /* one place each */
		seen |= (uint64_t)1 << reg;
	}
	if (abi->ndwarf < 64)
		assert_false(abi->dwarf_preserved >> abi->ndwarf);
	assert_true(abi->dwarf_preserved >> abi->dwarf_fp & 1);
	assert_false(abi->dwarf_preserved >> abi->dwarf_sp & 1);
	assert_false(abi->dwarf_preserved >> abi->dwarf_pc & 1);
}

/* Two instruction sets, or one. */
static void check_modes(const struct abi *abi)
{
	if (!abi->code_bit) {
		assert_int_equal(abi->mode_reg, -1);
		assert_int_equal(abi->bp_alt_len, 0);
		return;
	}
	is_reg(abi->mode_reg);
	assert_true(abi->mode_mask);
	assert_in_range(abi->bp_alt_len, 1, sizeof abi->bp_alt_insn);
	assert_int_equal(abi->insn_length(abi, abi->code_bit, abi->bp_alt_insn, abi->bp_alt_len),
			 abi->bp_alt_len);
}

static void tables_are_consistent(void **state)
{
	const struct abi *abi;
	size_t n = 0;

	(void)state;
	for (; (abi = abi_at(n)); n++) {
		assert_non_null(abi->name);
		assert_int_equal(abi->word, abi->e_class == ELFCLASS64 ? 8 : 4);
		assert_int_equal(abi->regset_len % abi->word, 0);
		assert_true(abi->malloc_align == 8 || abi->malloc_align == 16);
		assert_true(abi->malloc_align >= 2 * abi->word);
		assert_in_range(abi->sigaction_words, 2, 3);
		assert_in_range(abi->bp_len, 1, sizeof abi->bp_insn);
		assert_in_range(abi->syscall_insn_len, 1, sizeof abi->syscall_insn);
		assert_true(abi->max_insn >= abi->bp_len);
		assert_in_range(abi->insn_align, 1, abi->bp_len);
		assert_non_null(abi->displace);
		assert_non_null(abi->jump);
		assert_non_null(abi->insn_length);
		check_registers(abi);
		check_dwarf(abi);
		check_modes(abi);
		assert_int_equal(abi->insn_length(abi, 0, abi->bp_insn, abi->bp_len), abi->bp_len);
		assert_int_equal(abi->insn_length(abi, 0, abi->syscall_insn, abi->syscall_insn_len),
				 abi->syscall_insn_len);
		assert_ptr_equal(abi_lookup(abi->e_machine, abi->e_class, abi->e_data), abi);
	}
	assert_true(n >= 1);
}

static void code_pointers_tell_the_instruction_set(void **state)
{
	static const struct abi two = { .code_bit = 1, .pc = 15, .mode_reg = 16, .mode_mask = 0x20,
					.bp_insn = { 1, 2, 3, 4 }, .bp_len = 4,
					.bp_alt_insn = { 5, 6 }, .bp_alt_len = 2 };
	struct regs r = { .abi = &two };
	unsigned len;

	(void)state;
	r.w[16] = 0x10;
	regs_set_code(&r, 0x8001);
	assert_int_equal(r.w[15], 0x8000);
	assert_int_equal(r.w[16], 0x30);
	assert_int_equal(regs_code(&r), 0x8001);
	regs_set_code(&r, 0x9000);
	assert_int_equal(r.w[16], 0x10);
	assert_int_equal(regs_code(&r), 0x9000);
	assert_ptr_equal(abi_bp(&two, 0x8001, &len), two.bp_alt_insn);
	assert_int_equal(len, 2);
	assert_ptr_equal(abi_bp(&two, 0x8000, &len), two.bp_insn);
	assert_int_equal(len, 4);
	assert_int_equal(abi_code_addr(&two, 0x8001), 0x8000);
}

#ifdef ABI_X86
static void lookup_refuses_what_is_not_ours(void **state)
{
	(void)state;
	assert_ptr_equal(abi_lookup(EM_X86_64, ELFCLASS64, ELFDATA2LSB), &abi_x86_64);
	assert_ptr_equal(abi_lookup(EM_386, ELFCLASS32, ELFDATA2LSB), &abi_i386);
	assert_null(abi_lookup(EM_X86_64, ELFCLASS32, ELFDATA2LSB)); /* x32 */
	assert_null(abi_lookup(EM_386, ELFCLASS64, ELFDATA2LSB));
	assert_null(abi_lookup(EM_X86_64, ELFCLASS64, ELFDATA2MSB));
	assert_null(abi_lookup(EM_NONE, ELFCLASS64, ELFDATA2LSB));
}

static void syscall_results_have_their_sign(void **state)
{
	struct regs r = { .abi = &abi_i386 };

	(void)state;
	r.w[r.abi->syscall_ret] = 0xfffffff4; /* as zero-extended by the host */
	assert_int_equal(regs_syscall_result(&r), -ENOMEM);
	r.w[r.abi->syscall_ret] = 0xf7c00000;
	assert_int_equal(regs_syscall_result(&r), 0xf7c00000);
	r.w[r.abi->syscall_ret] = 0xfffff000;
	assert_int_equal(regs_syscall_result(&r), 0xfffff000);
	r.abi = &abi_x86_64;
	r.w[r.abi->syscall_ret] = (uint64_t)-ENOMEM;
	assert_int_equal(regs_syscall_result(&r), -ENOMEM);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_consistent),
		cmocka_unit_test(code_pointers_tell_the_instruction_set),
#ifdef ABI_X86
		cmocka_unit_test(lookup_refuses_what_is_not_ours),
		cmocka_unit_test(syscall_results_have_their_sign),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
