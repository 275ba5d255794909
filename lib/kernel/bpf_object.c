/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program as the smallest object file that tc takes, so that the printed plan does without us:
 * one section with the code, one with the licence, and a symbol that names the function.
 */
#include "kernel/bpf_code.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

#define NAMES            "\0" BPF_SECTION "\0license\0.symtab\0.strtab\0" BPF_FUNCTION
#define NAME_OF_SECTION  1
#define NAME_OF_LICENSE  (NAME_OF_SECTION + sizeof(BPF_SECTION))
#define NAME_OF_SYMBOLS  (NAME_OF_LICENSE + sizeof("license"))
#define NAME_OF_NAMES    (NAME_OF_SYMBOLS + sizeof(".symtab"))
#define NAME_OF_FUNCTION (NAME_OF_NAMES + sizeof(".strtab"))

enum {
	SECTION_NONE,
	SECTION_CODE,
	SECTION_LICENSE,
	SECTION_SYMBOLS,
	SECTION_NAMES,
	SECTIONS
};

struct object {
	Elf64_Ehdr header;
	Elf64_Shdr sections[SECTIONS];
	Elf64_Sym symbols[2];
	char license[8];
	char names[(sizeof(NAMES) + 7) / 8 * 8];
	struct bpf_insn code[BPF_CODE_MAX]; /* last: as much of it as there is */
};

static void fill_sections(struct object *o, const struct bpf_code *code)
{
	const Elf64_Shdr sections[SECTIONS] = {
		[SECTION_CODE] = { .sh_name = NAME_OF_SECTION,
				   .sh_type = SHT_PROGBITS,
				   .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
				   .sh_offset = offsetof(struct object, code),
				   .sh_size = code->n * sizeof(code->insns[0]),
				   .sh_addralign = 8 },
		[SECTION_LICENSE] = { .sh_name = NAME_OF_LICENSE,
				      .sh_type = SHT_PROGBITS,
				      .sh_flags = SHF_ALLOC | SHF_WRITE,
				      .sh_offset = offsetof(struct object, license),
				      .sh_size = sizeof(BPF_LICENSE),
				      .sh_addralign = 1 },
		[SECTION_SYMBOLS] = { .sh_name = NAME_OF_SYMBOLS,
				      .sh_type = SHT_SYMTAB,
				      .sh_offset = offsetof(struct object, symbols),
				      .sh_size = sizeof(o->symbols),
				      .sh_link = SECTION_NAMES,
				      .sh_info = 1,
				      .sh_entsize = sizeof(o->symbols[0]),
				      .sh_addralign = 8 },
		[SECTION_NAMES] = { .sh_name = NAME_OF_NAMES,
				    .sh_type = SHT_STRTAB,
				    .sh_offset = offsetof(struct object, names),
				    .sh_size = sizeof(NAMES),
				    .sh_addralign = 1 },
	};

	memcpy(o->sections, sections, sizeof(sections));
}

static void fill_header(struct object *o)
{
	const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	o->header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     little ? ELFDATA2LSB : ELFDATA2MSB, EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_BPF,
		.e_version = EV_CURRENT,
		.e_shoff = offsetof(struct object, sections),
		.e_ehsize = sizeof(o->header),
		.e_shentsize = sizeof(o->sections[0]),
		.e_shnum = SECTIONS,
		.e_shstrndx = SECTION_NAMES,
	};
}

void bpf_print(const struct bpf_owner *owner, struct text *t)
{
	struct bpf_code code;
	struct object o;

	bpf_code_build(owner, &code);
	memset(&o, 0, sizeof(o));
	fill_header(&o);
	fill_sections(&o, &code);
	o.symbols[1] = (Elf64_Sym){ .st_name = NAME_OF_FUNCTION,
				    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				    .st_shndx = SECTION_CODE,
				    .st_size = o.sections[SECTION_CODE].sh_size };
	memcpy(o.license, BPF_LICENSE, sizeof(BPF_LICENSE));
	memcpy(o.names, NAMES, sizeof(NAMES));
	memcpy(o.code, code.insns, code.n * sizeof(code.insns[0]));
	text_add_base64(t, &o, offsetof(struct object, code) + code.n * sizeof(code.insns[0]));
}
