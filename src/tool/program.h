/* SPDX-License-Identifier: MIT */
/*
 * program.h - what can be known of a program before it runs
 */
#ifndef ASHLAR_TOOL_PROGRAM_H
#define ASHLAR_TOOL_PROGRAM_H

#include "tool.h"

enum program_verdict {
	PROGRAM_SERVES,   /* nothing speaks against it */
	PROGRAM_IGNORES,  /* it will run without Ashlar; preloading does no harm */
	PROGRAM_MUST_NOT, /* preloading would break or trouble it */
	PROGRAM_NOT_FOUND,
	PROGRAM_CANNOT_RUN, /* there, but not to be executed */
};

struct program_facts {
	enum program_verdict verdict;
	char *why;       /* a line to be said after the program's name; NULL: nothing to say */
	char *short_why; /* the same in a few words, for the summary; NULL */
};

/* Look at the program that execvp would run for @name. */
void program_inspect(struct program_facts *facts, const char *name);
void program_facts_free(struct program_facts *facts);

/* Where the symbol @name of the ELF file @fd lies, relative to the file's first byte in memory
 * as it is mapped at offset 0 (that is: symbol value minus the lowest address). */
bool program_find_symbol(int fd, const char *name, uint64_t *offset);

#endif
